"""A feed is the inbox and the outboxes of those one follows, as one list without repeats."""

import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from msgspec import Struct

from agents.decider.agent import Decider
from agents.inapp.agent import InApp
from pipeline.producing.outputs import partition_of
from policy.catalogue.catalogue import parse
from policy.identity import notification_id
from policy.time.timestamps import moment
from schemas.erasure import Erasure
from schemas.event import Cancellation, Event
from schemas.feed import Feed, Post
from schemas.inbox import InboxChange
from schemas.profile import Contacts, Preferences
from schemas.topics import (
    CANCELLATIONS,
    CONTACTS,
    ERASURES,
    EVENTS,
    FOLLOWS,
    INBOX_CHANGES,
    OUTBOX,
    PREFERENCES,
    WITHDRAWALS,
)
from schemas.vocabulary import Channel
from tables import outboxes
from tests.agents.line import PARTITIONS, Line
from tests.agents.names import unique, users_of
from tests.agents.samples import event, follow
from tests.agents.stage import Stage, staging
from web.feed import FeedQuery, read_feed
from web.gateway.token import Subscriber

THRESHOLD = 3
FILES = {
    "post.toml": """
event = "post.published"
[types.post]
category = "social"
priority = "normal"
channels = ["inapp"]
followers = true
topic = "author"
time_to_live = 3600
templates.inapp.body = "{{ data.text }}"
templates.inapp.locales.de.body = "Neu: {{ data.text }}"
"""
}
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Reader:
    """Asks the handlers of a stage as the web asks workers."""

    stage: Stage

    async def ask(
        self,
        role: str,
        user: str,
        question: Struct,
        kind: type[Answer],
        after: Mapping[str, int] | None = None,
    ) -> Answer:
        """What the handler of the user's partition answers."""
        roles = {"decider": self.stage.decider, "inapp": self.stage.inapp}
        handler = await self.stage.handler(roles[role], partition_of(user, PARTITIONS))
        assert isinstance(handler, Decider | InApp)
        return msgspec.json.decode(await handler.answer(msgspec.json.encode(question)), type=kind)

    async def page(self, user: str, tenant: str = "default", **query: Any) -> Feed:
        """A page of the feed."""
        return await read_feed(self, Subscriber(tenant, user), FeedQuery(**query), {})

    async def all(self, user: str, limit: int = 20, **query: Any) -> list[str]:
        """The texts of the whole feed, read by pages."""
        found: list[str] = []
        while True:
            page = await self.page(user, limit=limit, **query)
            assert len(page.items) <= limit
            found += [item.body for item in page.items]
            if page.next is None:
                return found
            query["before"] = page.next


@pytest.fixture
async def stage(line: Line, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staging(line, tmp_path, fan_out_threshold=THRESHOLD) as ready:
        ready.catalogue = parse(FILES)
        yield ready


@pytest.fixture
def reader(stage: Stage) -> Reader:
    return Reader(stage)


def post(actor: str, text: str, **fields: Any) -> Event:
    return event("post.published", {"text": text, "author": actor}, actor=actor, **fields)


async def happens(stage: Stage, *events: Event) -> None:
    """One after another, so that no two are accepted in one millisecond."""
    for each in events:
        await stage.say(EVENTS, each)
        await stage.work(stage.router, stage.decider, stage.inapp)


async def famous(stage: Stage, *fans: str, fill: int = THRESHOLD) -> str:
    """An actor whom these follow, and others, up to the threshold."""
    actor = unique("actor")
    others = [unique("other") for _ in range(fill - len(fans))]
    await stage.say(FOLLOWS, *(follow(user, actor) for user in (*fans, *others)))
    await stage.work(stage.router, stage.decider)
    return actor


@pytest.mark.parametrize("partition", range(PARTITIONS))
async def test_a_post_is_read_in_every_followers_partition(
    stage: Stage, reader: Reader, partition: int
) -> None:
    fan, stranger = users_of(partition, 2)
    eve = await famous(stage, fan)
    await happens(stage, post(eve, "spring"))
    (item,) = (await reader.page(fan)).items
    assert (item.body, item.type, item.source) == ("spring", "post", "outbox")
    (said,) = await stage.read(EVENTS, Event)
    assert item.notification_id == notification_id("default", said.id, fan, "post")
    assert await reader.all(stranger) == []
    assert await stage.deliveries(Channel.INAPP) == []


async def test_inbox_and_outboxes_are_one_list_in_order(stage: Stage, reader: Reader) -> None:
    fan = unique("fan")
    eve, bob = await famous(stage, fan), await famous(stage, fan)
    friend = await famous(stage, fan, fill=1)
    actors = [eve, friend, bob, friend, eve, eve, friend, bob]
    await happens(stage, *(post(actor, str(n)) for n, actor in enumerate(actors)))
    whole = list(map(str, reversed(range(len(actors)))))
    for limit in (1, 2, 3, 7, 8, 100):
        assert await reader.all(fan, limit) == whole
    sources = [item.source for item in (await reader.page(fan)).items]
    assert sources.count("inbox") == 3


async def test_a_cursor_stands_while_new_things_come(stage: Stage, reader: Reader) -> None:
    fan = unique("fan")
    eve, friend = await famous(stage, fan), await famous(stage, fan, fill=1)
    await happens(stage, *(post(actor, f"{n}") for n, actor in enumerate((eve, friend) * 2)))
    page = await reader.page(fan, limit=2)
    await happens(stage, post(eve, "new"), post(friend, "newer"))
    assert [item.body for item in page.items] == ["3", "2"]
    assert await reader.all(fan, before=page.next) == ["1", "0"]
    assert (await reader.all(fan))[:2] == ["newer", "new"]


async def test_who_crosses_the_threshold_up_and_down_is_read_once(
    stage: Stage, reader: Reader
) -> None:
    """Each event is said again on the other side, as a producer does that had no answer."""
    fan, others = unique("fan"), [unique("other") for _ in range(THRESHOLD - 1)]
    eve = await famous(stage, fan, fill=1)
    below, above, again = post(eve, "below"), post(eve, "above"), post(eve, "below again")
    await happens(stage, below)
    await stage.say(FOLLOWS, *(follow(user, eve) for user in others))
    await happens(stage, above, below)
    assert await reader.all(fan) == ["above", "below"]
    # Who came later reads what was posted since it went to the outbox.
    assert await reader.all(others[0]) == ["below", "above"]
    await stage.say(FOLLOWS, follow(others[0], eve, following=False))
    await happens(stage, again, above)
    found = await reader.page(fan)
    assert [item.body for item in found.items] == ["above", "below again", "below"]
    assert [item.source for item in found.items] == ["inbox"] * 3
    for limit in (1, 2):
        assert await reader.all(fan, limit) == ["above", "below again", "below"]


async def test_what_is_archived_does_not_come_back_by_an_outbox(
    stage: Stage, reader: Reader
) -> None:
    fan = unique("fan")
    eve = await famous(stage, fan, fill=1)
    said = post(eve, "hello")
    await happens(stage, said)
    (item,) = (await reader.page(fan)).items
    at = moment(stage.clock.now())
    change = InboxChange(user=fan, kind="archived", item=item.id, at=at)
    await stage.say(INBOX_CHANGES, change)
    await stage.say(FOLLOWS, *(follow(unique("other"), eve) for _ in range(THRESHOLD)))
    await happens(stage, said)
    assert len(await stage.read(OUTBOX, Post)) == PARTITIONS
    assert await reader.all(fan) == []


async def test_a_replay_and_a_lost_disk_change_nothing(stage: Stage, reader: Reader) -> None:
    fan = unique("fan")
    eve, friend = await famous(stage, fan), await famous(stage, fan, fill=1)
    first = post(eve, "0")
    await happens(stage, first, post(friend, "1"), post(eve, "2"), first)
    before = await reader.page(fan)
    stage.again(EVENTS, FOLLOWS, OUTBOX)
    await stage.restart(keep_disk=False)
    await stage.work(stage.router, stage.decider, stage.inapp)
    assert await reader.page(fan) == before
    assert [item.body for item in before.items] == ["2", "1", "0"]


async def test_a_key_makes_a_post_count_once_under_whichever_id(
    stage: Stage, reader: Reader
) -> None:
    fan, key = unique("fan"), unique("key")
    eve = await famous(stage, fan)
    tries = [post(eve, "hello", idempotency_key=key) for _ in range(2)]
    await happens(stage, *tries, post(eve, "other"))
    assert await reader.all(fan) == ["other", "hello"]


async def test_who_unfollows_reads_it_no_more(stage: Stage, reader: Reader) -> None:
    fan = unique("fan")
    eve, bob = await famous(stage, fan), await famous(stage, fan)
    await happens(stage, post(eve, "eve"), post(bob, "bob"))
    await stage.say(FOLLOWS, follow(fan, eve, following=False))
    await stage.work(stage.router, stage.decider)
    assert await reader.all(fan) == ["bob"]
    await stage.say(FOLLOWS, follow(fan, eve))
    await stage.work(stage.router, stage.decider)
    assert await reader.all(fan) == ["bob", "eve"]


async def test_wishes_count_when_it_is_read(stage: Stage, reader: Reader) -> None:
    fan = unique("fan")
    eve, bob = await famous(stage, fan), await famous(stage, fan)
    await happens(stage, post(eve, "eve"), post(bob, "bob"))
    off = {"social": {Channel.INAPP: False}}
    for wishes, texts in (
        (Preferences(user=fan, categories=off), []),
        (Preferences(user=fan, mutes={f"social/{eve}": None}), ["bob"]),
        (Preferences(user=fan, channels={Channel.PUSH: False}), ["bob", "eve"]),
    ):
        await stage.say(PREFERENCES, wishes)
        await stage.work(stage.decider)
        assert await reader.all(fan, 1) == texts
    await stage.say(CONTACTS, Contacts(user=fan, locale="de"))
    await stage.work(stage.decider)
    assert await reader.all(fan) == ["Neu: bob", "Neu: eve"]


async def test_another_tenants_of_the_same_names_reads_nothing(
    stage: Stage, reader: Reader
) -> None:
    fan = unique("fan")
    eve = await famous(stage, fan)
    await happens(stage, post(eve, "secret"))
    stolen = [follow(name, eve) for name in (fan, *(unique("o") for _ in range(THRESHOLD)))]
    await stage.say(FOLLOWS, *(msgspec.structs.replace(each, tenant="acme") for each in stolen))
    await stage.work(stage.router, stage.decider)
    assert await reader.all(fan, tenant="acme") == []
    await happens(stage, post(eve, "acme's", tenant="acme"))
    assert await reader.all(fan, tenant="acme") == ["acme's"]
    assert await reader.all(fan) == ["secret"]


async def test_what_is_scheduled_or_cancelled(stage: Stage, reader: Reader) -> None:
    fan = unique("fan")
    eve = await famous(stage, fan)
    later = moment(stage.clock.now() + 60_000)
    key = unique("key")
    await happens(
        stage, post(eve, "later", deliver_at=later), post(eve, "taken back", cancel_key=key)
    )
    assert await reader.all(fan) == ["taken back"]
    said = Cancellation(cancel_key=key, actor=eve, at=later)
    await stage.say(CANCELLATIONS, said)
    await stage.work(stage.router, stage.decider)
    assert await reader.all(fan) == []
    stage.clock.ahead += 61_000
    assert await reader.all(fan) == ["later"]


async def test_what_can_not_be_rendered_is_left_out_and_told_once(
    stage: Stage, reader: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    fan = unique("fan")
    eve = await famous(stage, fan)
    broken = event("post.published", {"author": eve}, actor=eve)
    await happens(stage, post(eve, "0"), broken, post(eve, "2"))
    with caplog.at_level(logging.WARNING):
        assert await reader.all(fan) == ["2", "0"]
        assert await reader.all(fan) == ["2", "0"]
    assert len([said for said in caplog.messages if "is in no feed" in said]) == 1


async def test_of_too_many_the_newest_are_kept_and_the_old_go(
    stage: Stage, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.decider.outboxes.MOST_POSTS", 3)
    fan = unique("fan")
    eve, bob = await famous(stage, fan), await famous(stage, fan)
    await happens(stage, post(bob, "bob"), *(post(eve, str(n)) for n in range(5)))
    assert await reader.all(fan) == ["4", "3", "2", "bob"]
    stage.clock.ahead += outboxes.POST_RETENTION_MS + 1000
    assert await reader.all(fan) == []
    stage.clock.ahead = 0
    # Posts of a month later take older ones with them, those that other tests left first.
    late = (await stage.read(OUTBOX, Post))[-1]
    at = late.accepted_at + outboxes.POST_RETENTION_MS + 60_000
    newest = msgspec.structs.replace(late.event, occurred_at=moment(at))
    for number in range(60):
        name = f"{number:032x}"
        newer = Post(notification_id=name, type="post", event=newest, accepted_at=at)
        await stage.say(OUTBOX, newer, key=eve, partition=partition_of(fan, PARTITIONS))
    await stage.work(stage.decider)
    assert await reader.all(fan) == ["4"] * 3


async def test_an_erased_actors_posts_and_followers_go_everywhere_and_do_not_come_back(
    stage: Stage, reader: Reader
) -> None:
    fans = [*users_of(0, 1), *users_of(1, 1)]
    eve = await famous(stage, *fans)
    await happens(stage, post(eve, "before"))
    await stage.say(ERASURES, Erasure(user=eve))
    await stage.work(stage.decider, stage.router, stage.decider)
    assert len(await stage.raw(WITHDRAWALS)) == PARTITIONS
    stage.again(OUTBOX)
    await stage.restart(keep_disk=False)
    await stage.work(stage.decider)
    for fan in fans:
        assert await reader.all(fan) == []
    await happens(stage, post(eve, "unheard"))
    back = [*fans, *(unique("other") for _ in range(THRESHOLD - 2))]
    await stage.say(FOLLOWS, *(follow(user, eve) for user in back))
    await stage.work(stage.router, stage.decider)
    await happens(stage, post(eve, "after"))
    for fan in fans:
        assert await reader.all(fan) == ["after"]


async def test_an_erased_reader_follows_nobody(stage: Stage, reader: Reader) -> None:
    fan = unique("fan")
    eve = await famous(stage, fan)
    await happens(stage, post(eve, "hello"))
    await stage.say(ERASURES, Erasure(user=fan))
    await stage.work(stage.decider, stage.router, stage.decider, stage.inapp)
    assert await reader.all(fan) == []


async def test_a_bad_record_among_posts_is_a_dead_letter(stage: Stage, reader: Reader) -> None:
    fan = unique("fan")
    eve = await famous(stage, fan)
    await stage.say(OUTBOX, b"{", key=eve, partition=partition_of(fan, PARTITIONS))
    await happens(stage, post(eve, "hello"))
    assert await reader.all(fan) == ["hello"]
    assert len(await stage.letters()) == 1


async def test_more_unwanted_posts_than_one_answer_looks_at(
    stage: Stage, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.decider.feed_queries.MOST_LOOKED_AT", 3)
    fan = unique("fan")
    eve, bob = await famous(stage, fan), await famous(stage, fan)
    await happens(stage, post(bob, "old"), *(post(eve, str(n)) for n in range(7)))
    await stage.say(PREFERENCES, Preferences(user=fan, mutes={f"social/{eve}": None}))
    await stage.work(stage.decider)
    first = await reader.page(fan)
    assert (first.items, first.next is None) == ([], False)
    assert await reader.all(fan) == ["old"]
