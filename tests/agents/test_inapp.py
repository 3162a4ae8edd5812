"""The in-app sink: each notification once in the inbox, whatever is replayed."""

import msgspec

from agents.state import open_store
from pipeline.outputs import partition_of
from pipeline.topics import DELIVER
from schemas.delivery import Delivery
from schemas.vocabulary import Channel, Priority, Reason
from schemas.vocabulary import Stage as Step
from tables.inbox import INBOX, InboxItem
from tables.table import key_of
from tests.agents.harness import PARTITIONS, Stage, by, delivery

HIGH = DELIVER[Channel.INAPP, Priority.HIGH]


def message(stage: Stage, **fields: object) -> Delivery:
    return delivery(stage.clock, channel=Channel.INAPP, address="", **fields)


async def inbox_of(stage: Stage, user: str) -> list[InboxItem]:
    """A user's inbox, as restored from the changelog alone."""
    await stage.restart(keep_disk=False)
    store = open_store(stage.runtime, "inapp", partition_of(user, PARTITIONS), INBOX)
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


async def test_what_is_too_late_is_told_and_not_stored(stage: Stage) -> None:
    said = msgspec.structs.replace(message(stage), expires_at=stage.clock.now())
    await stage.say(HIGH, said)
    await stage.work(stage.inapp)
    assert await inbox_of(stage, said.user) == []
    (row,) = await stage.told()
    assert (row.stage, row.reason) == (Step.SUPPRESSED, Reason.EXPIRED)
