"""An inbox as its user changes it: read, archived, snoozed, and back again."""

import pytest

from policy.time.timestamps import moment
from schemas.erasure import Erasure
from schemas.feedback import Feedback
from schemas.inbox import ReadCounts
from schemas.topics import ERASURES, FEEDBACK, INBOX_CHANGES
from schemas.vocabulary import Stage as Step
from tests.agents.inapp.test_agent import HIGH, ask, changed, counts, inbox_with, page
from tests.agents.names import unique
from tests.agents.stage import Stage


async def test_what_is_read_counts_no_more_and_is_told_once(stage: Stage) -> None:
    user, ids = await inbox_with(stage, 3)
    assert await counts(stage, user) == (3, 3)
    await stage.say(INBOX_CHANGES, changed(stage, user, "read", item=ids[1]))
    await stage.work(stage.inapp)
    stage.again(INBOX_CHANGES, HIGH)
    await stage.restart(keep_disk=False)
    await stage.work(stage.inapp)
    assert await counts(stage, user) == (2, 2)
    assert await page(stage, user, which="unread") == ["2", "0"]
    told = [row for row in await stage.told() if row.stage in (Step.SEEN, Step.OPENED)]
    assert sorted(row.stage for row in told) == [Step.OPENED, Step.SEEN]
    assert {row.notification_id for row in told} == {ids[1].split(".")[1]}
    heard = await stage.read(FEEDBACK, Feedback)
    assert sorted(each.stage for each in heard) == ["opened", "seen"]
    # An erasure goes by when the notification was accepted.
    assert {each.accepted_at for each in heard} == {int(ids[1].split(".")[0])}


async def test_all_are_read_but_what_came_later(stage: Stage) -> None:
    user, ids = await inbox_with(stage, 5)
    until = int(ids[2].split(".")[0])
    await stage.say(INBOX_CHANGES, changed(stage, user, "read", at=until))
    await stage.work(stage.inapp)
    assert await counts(stage, user) == (2, 2)
    assert await page(stage, user, which="unread") == ["4", "3"]


async def test_pages_follow_each_other(stage: Stage) -> None:
    user, ids = await inbox_with(stage, 5)
    assert await page(stage, user, limit=2) == ["4", "3"]
    assert await page(stage, user, limit=2, before=ids[3]) == ["2", "1"]
    assert await page(stage, user, limit=2, before=ids[1]) == ["0"]
    assert await page(stage, user, limit=2, after=ids[1]) == ["2", "3"]


async def test_what_is_archived_or_snoozed_is_out_of_sight(stage: Stage) -> None:
    stage.clock.stand_still()
    user, ids = await inbox_with(stage, 3)
    later = moment(stage.clock.now() + 60_000)
    await stage.say(
        INBOX_CHANGES,
        changed(stage, user, "archived", item=ids[0]),
        changed(stage, user, "snoozed", item=ids[1], until=later),
    )
    await stage.work(stage.inapp)
    assert await page(stage, user) == ["2"]
    assert await page(stage, user, which="archived") == ["0"]
    assert await page(stage, user, which="snoozed") == ["1"]
    assert await page(stage, user, which="all") == ["2", "1", "0"]
    assert await counts(stage, user) == (1, 1)
    stage.clock.ahead += 61_000
    assert await page(stage, user) == ["2", "1"]
    assert await page(stage, user, which="snoozed") == []
    assert await counts(stage, user) == (2, 2)


async def test_what_was_snoozed_is_told_of_when_it_comes_back(stage: Stage) -> None:
    """Once, at the time that was said last, also by another worker; if read, it counts no more."""
    user, ids = await inbox_with(stage, 4)
    stage.clock.stand_still()
    start = stage.clock.now()
    said = ((0, 60), (1, 60), (2, 60), (0, 90), (3, 30), (3, -1))
    for after, (number, seconds) in enumerate(said):
        until = moment(start + 1000 * seconds)
        change = changed(stage, user, "snoozed", item=ids[number], until=until, at=start + after)
        await stage.say(INBOX_CHANGES, change)
    await stage.say(INBOX_CHANGES, changed(stage, user, "read", item=ids[1]))
    await stage.work(stage.inapp)
    shown = await stage.shown_to(user)
    assert (shown[-1].counts.unread, shown[-1].counts.snoozed) == (1, 3)
    await stage.restart(keep_disk=False)
    for ahead, unread, snoozed, heard in (
        (31, 1, 3, 0),
        (61, 2, 1, 1),
        (91, 3, 0, 2),
        (99, 3, 0, 2),
    ):
        stage.clock.ahead = 1000 * ahead
        await stage.work(stage.inapp)
        back = (await stage.shown_to(user))[len(shown) :]
        assert len(back) == heard
        said = await ask(stage, user, ReadCounts(tenant="default", user=user))
        assert (said["unread"], said.get("snoozed", 0)) == (unread, snoozed)
        if back:
            assert (back[-1].kind, back[-1].counts.unread) == ("counts", unread)


async def test_what_was_snoozed_and_erased_does_not_come_back(stage: Stage) -> None:
    user, ids = await inbox_with(stage, 2)
    until = moment(stage.clock.now() + 60_000)
    await stage.say(INBOX_CHANGES, changed(stage, user, "snoozed", item=ids[0], until=until))
    await stage.work(stage.inapp)
    await stage.say(ERASURES, Erasure(user=user))
    await stage.work(stage.inapp)
    shown = await stage.shown_to(user)
    assert (shown[-1].counts.unread, shown[-1].counts.snoozed) == (0, 0)
    stage.clock.ahead += 61_000
    await stage.work(stage.inapp)
    assert await stage.shown_to(user) == shown


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ((("unread", 5), ("read", 10)), 10),
        ((("unread", 10), ("read", 5)), 5),
        ((("read", 5), ("unread", 10), ("read", 20)), 5),
    ],
)
async def test_the_first_reading_is_told_once_whatever_was_marked_unread(
    stage: Stage, changes: tuple[tuple[str, int], ...], at: int
) -> None:
    user, _ = await inbox_with(stage, 1)
    start = stage.clock.now()
    for kind, after in changes:
        await stage.say(INBOX_CHANGES, changed(stage, user, kind, at=start + after))
        await stage.work(stage.inapp)
    told = [row.at - start for row in await stage.told() if row.stage is Step.OPENED]
    assert told == [at]
    heard = [each.stage for each in await stage.read(FEEDBACK, Feedback)]
    assert sorted(heard) == ["opened", "seen"]


async def test_nobody_changes_what_is_anothers(stage: Stage) -> None:
    user, ids = await inbox_with(stage, 1)
    other = unique("user")
    await stage.say(INBOX_CHANGES, changed(stage, other, "archived", item=ids[0]))
    await stage.work(stage.inapp)
    assert await page(stage, user) == ["0"]
    assert await counts(stage, other) == (0, 0)
    shown = await stage.shown_to(user)
    assert [message.item.id for message in shown if message.item] == ids
