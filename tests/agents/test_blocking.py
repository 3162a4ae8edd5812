"""Whom a user has blocked is not heard, by fan-out, feed or direct send; nor is what they do."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from policy.time.timestamps import moment
from policy.user.user_view import Known
from schemas.erasure import Erasure
from schemas.event import Event, Notify
from schemas.profile import Block
from schemas.question import ReadUser
from schemas.topics import BLOCKS, CONTACTS, ERASURES, EVENTS, FOLLOWS
from schemas.vocabulary import Channel, Reason
from tests.agents.line import Line
from tests.agents.names import unique
from tests.agents.samples import event, follow, order_shipped, reachable
from tests.agents.stage import Stage, staging
from tests.agents.test_feed import Reader

THRESHOLD = 3
COMMENT = {"commenter_name": "Bo", "post_title": "Cats", "post_id": "1", "text": "Nice"}


@pytest.fixture
async def stage(line: Line, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staging(line, tmp_path, fan_out_threshold=THRESHOLD) as ready:
        yield ready


async def block(stage: Stage, user: str, actor: str, ago: int = 0, blocked: bool = True) -> None:
    at = moment(stage.clock.now() - ago)
    await stage.say(BLOCKS, Block(user=user, actor=actor, at=at, blocked=blocked))
    await stage.work(stage.decider)


async def stored(stage: Stage, user: str) -> Known:
    asked = ReadUser(tenant="default", user=user)
    return await Reader(stage).ask("decider", user, asked, Known)


async def reasons(stage: Stage, user: str) -> list[tuple[str, Reason]]:
    """What was told of a user's notifications that were not sent, in order."""
    rows = [row for row in await stage.told() if row.user == user]
    return [(row.type, row.reason) for row in rows if row.reason is not Reason.NONE]


def posted(actor: str) -> Event:
    data = {"post_id": unique("post"), "author_name": actor, "text": "hello"}
    return event("post.published", data, actor=actor)


async def test_a_blocked_actor_is_heard_in_no_way_and_then_again(stage: Stage) -> None:
    ann, bob, eve = unique("ann"), unique("bob"), unique("eve")
    await stage.say(CONTACTS, reachable(ann), reachable(bob))
    await stage.say(FOLLOWS, follow(ann, eve), follow(bob, eve))
    await block(stage, ann, eve)
    both = Notify(type="comment_added", users=(ann, bob))
    direct = event("notify.comment_added", COMMENT, actor=eve, notify=both)
    await stage.say(EVENTS, posted(eve), direct)
    await stage.work(stage.router, stage.decider)
    assert sorted(await reasons(stage, ann)) == [
        ("comment_added", Reason.BLOCKED),
        ("post_published", Reason.BLOCKED),
    ]
    told = {each.user for each in await stage.deliveries(Channel.INAPP)}
    assert told == {bob}
    # A receipt comes all the same, whoever it is from.
    await stage.say(EVENTS, order_shipped(ann, actor=eve))
    await stage.work(stage.router, stage.decider)
    assert [each.user for each in await stage.deliveries(Channel.EMAIL)].count(ann) == 1
    await block(stage, ann, eve, blocked=False)
    await stage.say(EVENTS, posted(eve))
    await stage.work(stage.router, stage.decider)
    assert ann in {each.user for each in await stage.deliveries(Channel.INAPP)}


async def test_a_blocked_authors_posts_are_in_no_feed_nor_are_ones_own(stage: Stage) -> None:
    ann, bob, eve = unique("ann"), unique("bob"), unique("eve")
    fans = [ann, bob, eve]
    await stage.say(FOLLOWS, *(follow(user, eve) for user in fans))
    await stage.work(stage.router, stage.decider)
    await stage.say(EVENTS, posted(eve))
    await stage.work(stage.router, stage.decider)
    reader = Reader(stage)
    await block(stage, ann, eve)
    assert {user: len(await reader.all(user)) for user in fans} == {ann: 0, bob: 1, eve: 0}
    await block(stage, ann, eve, blocked=False)
    assert len(await reader.all(ann)) == 1


async def test_nobody_hears_of_their_own_event(stage: Stage) -> None:
    ann = unique("ann")
    await stage.say(CONTACTS, reachable(ann))
    await stage.say(FOLLOWS, follow(ann, ann))
    await stage.say(EVENTS, posted(ann), order_shipped(ann, actor=ann))
    await stage.work(stage.router, stage.decider)
    assert ("post_published", Reason.OWN_EVENT) in await reasons(stage, ann)
    assert [each.type for each in await stage.deliveries(Channel.EMAIL)] == ["order_shipped"]


async def test_blocks_are_told_of_a_user_and_change_nothing_when_they_come_again(
    stage: Stage,
) -> None:
    ann = unique("ann")
    await block(stage, ann, "eve", ago=3000)
    await block(stage, ann, "eve", ago=1000, blocked=False)
    await block(stage, ann, "bob", ago=2000)
    before = await stored(stage, ann)
    assert list(before.blocked) == ["bob"]
    await block(stage, ann, "eve", ago=2500)  # late
    stage.again(BLOCKS)
    await stage.work(stage.decider)
    assert await stored(stage, ann) == before
    await stage.restart(keep_disk=False)
    assert await stored(stage, ann) == before


async def test_an_erased_user_has_blocked_nobody_whatever_comes_late(stage: Stage) -> None:
    ann = unique("ann")
    await block(stage, ann, "eve")
    await stage.say(BLOCKS, Block(user=ann, actor="bob", at=moment(stage.clock.now())))
    await stage.say(ERASURES, Erasure(user=ann))
    await stage.work(stage.decider)
    assert (await stored(stage, ann)).blocked == {}
