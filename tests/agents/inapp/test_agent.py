"""The in-app sink: each notification once in the inbox, whatever is replayed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from agents.inapp.agent import InApp
from agents.state import open_store
from pipeline.producing.outputs import partition_of
from policy.time.timestamps import moment
from schemas.delivery import Content, Delivery
from schemas.inbox import InboxChange, Live, ReadCounts, ReadInbox
from schemas.topics import DELIVER, INBOX_CHANGES, LIVE
from schemas.vocabulary import Channel, Priority, Reason
from schemas.vocabulary import Stage as Step
from tables.erasure_filter import ERASED
from tables.inbox import COUNTS, INBOX, InboxItem
from tables.storage.table import key_of
from tests.agents.line import PARTITIONS, Line
from tests.agents.samples import delivery
from tests.agents.stage import Stage, staging
from tests.agents.transcript import by

HIGH = DELIVER[Channel.INAPP, Priority.HIGH]


def message(stage: Stage, **fields: object) -> Delivery:
    return delivery(stage.clock, channel=Channel.INAPP, address="", **fields)


async def inbox_of(stage: Stage, user: str) -> list[InboxItem]:
    """A user's inbox, as restored from the changelog alone."""
    await stage.restart(keep_disk=False)
    tables = (INBOX, COUNTS, ERASED)
    store = open_store(stage.runtime, "inapp", partition_of(user, PARTITIONS), *tables)
    await store.restore()
    items = [INBOX.decode(v) for _, v in store.scan(INBOX.prefix + key_of("default", user))]
    store.close()
    return items


async def test_a_replay_stores_once_and_tells_the_same(stage: Stage) -> None:
    said = message(stage)
    await stage.say(HIGH, said, said)
    await stage.work(stage.inapp)
    stage.clock.ahead += 60_000
    stage.again(HIGH)
    await stage.work(stage.inapp)
    (item,) = await inbox_of(stage, said.user)
    assert (item.notification_id, item.content) == (said.notification_id, said.content)
    (rows,) = by(await stage.told(), "id").values()
    assert len(rows) == 4
    assert {(row.stage, row.provider, row.at) for row in rows} == {
        (Step.SENT, "inbox", item.stored_at)
    }


async def test_an_inbox_is_in_the_order_of_acceptance(stage: Stage) -> None:
    first = message(stage)
    later = [message(stage, user=first.user, accepted_at=first.accepted_at + ms) for ms in (20, 10)]
    await stage.say(HIGH, first, *later)
    await stage.work(stage.inapp)
    found = [item.notification_id for item in await inbox_of(stage, first.user)]
    assert found == [first.notification_id, later[1].notification_id, later[0].notification_id]


RIDE = "1a2b3c4d5e6f708192a3b4c5d6e7f801"


async def read_inbox(stage: Stage, user: str) -> Any:
    return await ask(stage, user, ReadInbox(tenant="default", user=user))


async def test_the_last_of_one_thing_takes_the_place_of_the_others(stage: Stage) -> None:
    """On top, and unread again; what is about nothing or something else stays."""
    first = message(stage, replaces=RIDE, content=Content(body="5 min"))
    user, at = first.user, first.accepted_at
    other = message(stage, user=user, accepted_at=at + 1)
    elsewhere = message(stage, user=user, accepted_at=at + 2, replaces="0" * 32)
    last = message(
        stage, user=user, accepted_at=at + 3, replaces=RIDE, content=Content(body="2 min")
    )
    await stage.say(HIGH, first, other, elsewhere)
    await stage.work(stage.inapp)
    read = InboxChange(
        user=user, kind="read", at=moment(at + 9), item=f"{at:013d}.{first.notification_id}"
    )
    await stage.say(INBOX_CHANGES, read)
    await stage.work(stage.inapp)
    assert (await read_inbox(stage, user))["counts"] == {"unread": 2, "unseen": 2, "last": 3}
    await stage.say(HIGH, last)
    await stage.work(stage.inapp)
    page = await read_inbox(stage, user)
    shown = [(each["notification_id"], each.get("replaces", "")) for each in page["items"]]
    assert shown == [
        (last.notification_id, RIDE),
        (elsewhere.notification_id, "0" * 32),
        (other.notification_id, ""),
    ]
    assert "read_at" not in page["items"][0]
    assert page["counts"] == {"unread": 3, "unseen": 3, "last": 4}
    # As after a crash, and however often it is read again.
    await stage.restart(keep_disk=False)
    stage.again(HIGH)
    await stage.work(stage.inapp)
    assert await read_inbox(stage, user) == page


async def test_an_older_one_that_comes_later_takes_no_place(stage: Stage) -> None:
    last = message(stage, replaces=RIDE)
    first = message(stage, user=last.user, accepted_at=last.accepted_at - 1, replaces=RIDE)
    stranger = message(stage, replaces=RIDE)
    await stage.say(HIGH, last, first, stranger)
    await stage.work(stage.inapp)
    (item,) = await inbox_of(stage, last.user)
    assert item.notification_id == last.notification_id
    assert len(await inbox_of(stage, stranger.user)) == 1
    told = {row.notification_id: row for row in await stage.told()}
    row = told[first.notification_id]
    assert (row.stage, row.reason) == (Step.SUPPRESSED, Reason.CANCELLED)
    assert row.detail == "a later one of the same came first"


async def test_what_went_with_its_inbox_is_no_place_to_take(stage: Stage) -> None:
    """An item that was pruned leaves no trace, so that what comes next of it counts as new."""
    stage.runtime = replace(
        stage.runtime, settings=stage.runtime.settings.model_copy(update={"inbox_size": 2})
    )
    first = message(stage, replaces=RIDE)
    user, at = first.user, first.accepted_at
    others = [message(stage, user=user, accepted_at=at + ms) for ms in (1, 2)]
    again = message(stage, user=user, accepted_at=at + 3, replaces=RIDE)
    await stage.say(HIGH, first, *others, again)
    await stage.work(stage.inapp)
    page = await read_inbox(stage, user)
    found = [each["notification_id"] for each in page["items"]]
    assert found == [again.notification_id, others[1].notification_id]
    assert page["counts"] == {"unread": 2, "unseen": 2, "last": 4}


async def test_what_is_too_late_is_told_and_not_stored(stage: Stage) -> None:
    said = msgspec.structs.replace(message(stage), expires_at=stage.clock.now())
    await stage.say(HIGH, said)
    await stage.work(stage.inapp)
    assert await inbox_of(stage, said.user) == []
    (row,) = await stage.told()
    assert (row.stage, row.reason) == (Step.SUPPRESSED, Reason.EXPIRED)


async def test_a_repeat_that_comes_too_late_does_not_deny_what_is_there(stage: Stage) -> None:
    said = message(stage)
    await stage.say(HIGH, said)
    await stage.work(stage.inapp)
    stage.clock.ahead += said.expires_at - stage.clock.now()
    await stage.say(HIGH, said)
    await stage.work(stage.inapp)
    assert len(await inbox_of(stage, said.user)) == 1
    assert [(row.stage, row.reason) for row in await stage.told()] == [(Step.SENT, "")] * 2


def changed(stage: Stage, user: str, kind: str, **fields: Any) -> InboxChange:
    at = moment(fields.pop("at", stage.clock.now()))
    return InboxChange(user=user, kind=kind, at=at, **fields)  # type: ignore[arg-type]


async def ask(stage: Stage, user: str, question: msgspec.Struct) -> Any:
    handler = await stage.handler(stage.inapp, partition_of(user, PARTITIONS))
    assert isinstance(handler, InApp)
    return msgspec.json.decode(await handler.answer(msgspec.json.encode(question)))


async def counts(stage: Stage, user: str) -> tuple[int, int]:
    found = await ask(stage, user, ReadCounts(tenant="default", user=user))
    return found["unread"], found["unseen"]


async def page(stage: Stage, user: str, **fields: Any) -> list[str]:
    asked = ReadInbox(tenant="default", user=user, **fields)
    return [item["body"] for item in (await ask(stage, user, asked))["items"]]


def content(number: int) -> Content:
    return Content(body=str(number))


async def inbox_with(stage: Stage, count: int) -> tuple[str, list[str]]:
    """A user with so many items, oldest first; their ids."""
    first = message(stage)
    said = [
        message(
            stage, user=first.user, accepted_at=first.accepted_at + n, content=Content(body=str(n))
        )
        for n in range(count)
    ]
    await stage.say(HIGH, *said)
    await stage.work(stage.inapp)
    return first.user, [f"{each.accepted_at:013d}.{each.notification_id}" for each in said]


async def test_of_too_many_the_newest_are_kept(line: Line, tmp_path: Path) -> None:
    async with staging(line, tmp_path, inbox_size=3) as stage:
        user, ids = await inbox_with(stage, 5)
        assert await page(stage, user) == ["4", "3", "2"]
        assert await counts(stage, user) == (3, 3)
        await stage.say(INBOX_CHANGES, changed(stage, user, "read", item=ids[0]))
        await stage.work(stage.inapp)
        assert await counts(stage, user) == (3, 3)


async def test_an_inbox_shrinks_to_a_size_that_was_set_lower(line: Line, tmp_path: Path) -> None:
    async with staging(line, tmp_path, inbox_size=30) as stage:
        user, _ = await inbox_with(stage, 30)
        await stage.restart()
        settings = stage.settings.model_copy(update={"inbox_size": 3})
        stage.runtime = replace(stage.runtime, settings=settings)
        left = []
        for number in range(4):
            later = stage.clock.now() + 1000 + number
            await stage.say(HIGH, message(stage, user=user, accepted_at=later))
            await stage.work(stage.inapp)
            left.append((await counts(stage, user))[0])
        assert left == [21, 12, 3, 3]
        assert len(await inbox_of(stage, user)) == 3


async def test_what_is_older_than_all_of_a_full_inbox_is_told_as_not_sent(
    line: Line, tmp_path: Path
) -> None:
    async with staging(line, tmp_path, inbox_size=2) as stage:
        user, ids = await inbox_with(stage, 2)
        older = message(stage, user=user, accepted_at=int(ids[0].split(".")[0]) - 1000)
        await stage.say(HIGH, older, older)
        await stage.work(stage.inapp)
        assert await page(stage, user) == ["1", "0"]
        assert await counts(stage, user) == (2, 2)
        told = [row for row in await stage.told() if row.notification_id == older.notification_id]
        assert [(row.stage, row.reason) for row in told] == [
            (Step.SUPPRESSED, Reason.INBOX_FULL)
        ] * 2
        assert [message.id for message in await stage.shown_to(user)] == [1, 2]
        between = message(stage, user=user, accepted_at=int(ids[0].split(".")[0]))
        between = msgspec.structs.replace(between, notification_id="f" * 32)
        await stage.say(HIGH, between)
        await stage.work(stage.inapp)
        assert await page(stage, user) == ["1", between.content.body]


async def test_what_is_live_says_where_it_stands(stage: Stage) -> None:
    """Items bear their number, changes that of the last item; told again, they say the same."""
    user, ids = await inbox_with(stage, 2)
    await stage.say(INBOX_CHANGES, changed(stage, user, "read", item=ids[0]))
    await stage.work(stage.inapp)
    stage.again(HIGH)
    await stage.work(stage.inapp)
    live = [each for each in await stage.read(LIVE, Live[Raw]) if each.user == user]
    assert [(each.id, each.is_item) for each in live] == [
        (1, True), (2, True), (2, False), (1, True), (2, True),
    ]  # fmt: skip
    shown = await stage.shown_to(user)
    assert [message.id for message in shown] == [each.id for each in live]
    assert [message.counts.unread for message in shown] == [1, 2, 1, 1, 1]
    assert {message.kind for message in shown if message.item} == {"item"}
