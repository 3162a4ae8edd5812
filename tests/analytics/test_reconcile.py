"""Reconciling finds nothing where all is well, and each planted fault where it is not."""

import asyncio
import time
from dataclasses import dataclass, field

import pytest
from msgspec import Raw
from msgspec.structs import replace

from agents.analytics import analytics
from analytics.clickhouse import ClickHouse
from analytics.erasure import erase
from analytics.reconcile import Reconciled, reconcile
from analytics.timeline import timeline
from policy.delivery_events import reached
from schemas.dead_letter import DeadLetter
from schemas.delivery import Delivery
from schemas.encoding import encode
from schemas.misplaced import Misplaced
from schemas.request import Origin, Request
from schemas.topics import (
    CONTACTS,
    DEAD_LETTERS,
    DELIVER,
    DELIVERY_EVENTS,
    EVENTS,
    PLACED,
    REQUESTS,
)
from schemas.vocabulary import Channel, Priority, Reason
from schemas.vocabulary import Stage as Step
from tests.agents.names import unique
from tests.agents.samples import order_shipped, reachable
from tests.agents.stage import Stage
from tests.analytics.counted import DAY_MS
from tests.analytics.story import happened
from web.workers.whereabouts import whereabouts


@dataclass
class Run:
    """A stage on which something happened, and what reconciling finds of it."""

    stage: Stage
    database: ClickHouse
    begin: int
    sent: list[Delivery] = field(default_factory=list)

    async def find(self, accepted: list[str] | None = None) -> dict[str, int]:
        """How many are wrong, by what was compared."""
        found = await self.compare(accepted)
        return {finding.said.split()[0]: finding.wrong for finding in found.findings}

    async def compare(self, accepted: list[str] | None = None) -> Reconciled:
        await asyncio.sleep(0.01)
        end = time.time_ns() // 1_000_000
        names = self.accepted if accepted is None else accepted
        kafka, catalogue = self.stage.settings.kafka, self.stage.catalogue
        return await reconcile(self.database, kafka, catalogue, self.begin, end, names)

    @property
    def accepted(self) -> list[str]:
        return [delivery.delivery_id for delivery in self.sent]


@pytest.fixture
async def run(stage: Stage, database: ClickHouse) -> Run:
    """Three users were told by push and e-mail, as the router, decider and sinks would."""
    await asyncio.sleep(0.01)
    run = Run(stage, database, time.time_ns() // 1_000_000)
    users = [unique("user") for _ in range(3)]
    await stage.say(CONTACTS, *map(reachable, users))
    await stage.say(EVENTS, *map(order_shipped, users))
    await stage.say(EVENTS, b"{not json", key="nobody")
    await stage.work(stage.router, stage.decider)
    for channel in (Channel.PUSH, Channel.EMAIL, Channel.SMS):
        run.sent += await stage.deliveries(channel)
    now = stage.clock.now()
    told = [reached(delivery, Step.SENT, now, provider="fcm") for delivery in run.sent]
    await stage.say(DELIVERY_EVENTS, *told, key=None, partition=0)
    await stage.work(analytics(database, stage.runtime))
    return run


async def test_all_is_well(run: Run) -> None:
    found = await run.compare()
    assert found.is_right, found
    assert len(run.sent) >= 6
    counts = {finding.said.split()[0]: finding.claimed for finding in found.findings}
    assert (counts["domain"], counts["deliveries"]) == (3, len(run.sent))
    assert (found.repeated, found.accepted_again) == (0, 0)
    tables = await run.database.query("SHOW TABLES LIKE 'claims%'")
    assert tables == []


async def test_what_is_told_and_accepted_again_counts_once(run: Run) -> None:
    told = reached(run.sent[0], Step.SENT, run.stage.clock.now(), provider="fcm")
    await run.stage.say(DELIVERY_EVENTS, told, key=None, partition=0)
    await run.stage.work(analytics(run.database, run.stage.runtime))
    found = await run.compare([*run.accepted, run.accepted[0]])
    assert found.is_right
    assert (found.repeated, found.accepted_again) == (1, 1)


async def test_a_row_that_clickhouse_lost(run: Run) -> None:
    name = run.sent[0].delivery_id
    await run.database.command(
        "DELETE FROM delivery_events WHERE delivery_id = {d:String} AND stage = 'sent'", {"d": name}
    )
    found = await run.find()
    assert found == {
        "delivery": 1, "domain": 0, "deliveries": 1, "hours": 1, "accepted": 1, "messages": 0,
    }  # fmt: skip


async def test_a_row_that_is_counted_twice(run: Run) -> None:
    await run.database.command(
        "INSERT INTO hour_sets SELECT hour, tenant, type, category, channel, provider, priority, "
        "stage, reason, catalogue, uniqExactState(toUInt64(7)) FROM by_hour "
        "GROUP BY ALL LIMIT 1"
    )
    assert [name for name, wrong in (await run.find()).items() if wrong] == ["hours"]


async def test_a_repeat_that_bears_another_time_each_time_is_neither_lost_nor_twice(
    run: Run,
) -> None:
    """Its producer writes the time of sending into each: of a day, the rows keep the first."""
    then = run.stage.clock.now() // DAY_MS * DAY_MS - 2 * DAY_MS
    again = [
        happened(
            Step.SUPPRESSED, "a", hour, again=".duplicate", reason=Reason.DUPLICATE, channel=None,
            occurred_at=then + hour * 3_600_000, tenant="default",
        )
        for hour in (1, 5, 9)
    ]  # fmt: skip
    await run.stage.say(DELIVERY_EVENTS, *again, key=None, partition=0)
    await run.stage.work(analytics(run.database, run.stage.runtime))
    await run.database.command("OPTIMIZE TABLE delivery_events FINAL")
    assert (await run.compare()).is_right
    await run.database.command("DELETE FROM delivery_events WHERE reason = 'duplicate'")
    assert [name for name, wrong in (await run.find()).items() if wrong] == ["delivery", "hours"]


async def test_who_was_erased_is_not_missed(run: Run) -> None:
    user = run.sent[0].user
    await erase(run.database, "default", user, run.stage.clock.now())
    found = await run.compare()
    assert found.is_right, found


async def test_what_is_kept_for_90_days_is_not_missed_afterwards(run: Run) -> None:
    """Somebody opens a mail of long ago: the hours of that day are compared, too."""
    then = run.stage.clock.now() - 100 * 86_400_000
    mail = replace(run.sent[0], delivery_id="e" * 32, occurred_at=then)
    stages = Step.RETRYING, Step.SENT
    await run.database.insert([reached(mail, stage, then, provider="ses") for stage in stages])
    await run.database.command("ALTER TABLE delivery_events MATERIALIZE TTL")
    await run.database.command("OPTIMIZE TABLE delivery_events FINAL")
    opened = reached(mail, Step.OPENED, run.stage.clock.now(), provider="links")
    await run.stage.say(DELIVERY_EVENTS, opened, key=None, partition=0)
    await run.stage.work(analytics(run.database, run.stage.runtime))
    assert (await run.compare()).is_right


async def test_an_event_that_nobody_decided(run: Run) -> None:
    """And one that nobody can decide is a dead letter, and not lost."""
    lost, unsaid = order_shipped(unique("user")), order_shipped(unique("user"))
    request = Request(
        type="order_shipped", user="ann", event=unsaid, origin=Origin("events", 0, 0), accepted_at=1
    )
    letter = DeadLetter(
        id=unique("letter"), reason=Reason.RENDER_FAILED, detail="", role="decider",
        topic=REQUESTS[Priority.HIGH].name, partition=0, offset=10_000, at=run.stage.clock.now(),
        value=encode(request),
    )  # fmt: skip
    await run.stage.say(DEAD_LETTERS, letter)
    await run.stage.say(EVENTS, lost, unsaid)
    found = await run.compare()
    (wrong,) = [finding for finding in found.findings if finding.wrong]
    assert (wrong.said.split()[0], wrong.examples) == ("domain", [lost.id])


async def test_a_record_of_a_company_s_topic_of_which_nobody_was_told_is_named(run: Run) -> None:
    """And what is a dead letter by now is not missed."""
    origin = Misplaced(
        topic="shop.orders",
        partition=3,
        offset=17,
        accepted_at=run.stage.clock.now(),
        value=Raw(encode(order_shipped(unique("user"), id=(name := unique("event"))))),
        source="orders",
        into="events",
    )
    gone = replace(origin, offset=18)
    letter = DeadLetter(
        id=unique("letter"), reason=Reason.INVALID, detail="", role="router", topic="shop.orders",
        partition=3, offset=18, at=run.stage.clock.now(),
    )  # fmt: skip
    await run.stage.say(DEAD_LETTERS, letter)
    await run.stage.say(PLACED["router"], origin, gone)
    (wrong,) = [finding for finding in (await run.compare()).findings if finding.wrong]
    assert (wrong.claimed, wrong.wrong) == (4, 1)
    assert wrong.examples == [f"{name} of orders/shop.orders/3/17"]


async def test_where_the_record_stands_is_read_from_its_origin(run: Run) -> None:
    named = replace(run.sent[0], delivery_id="f" * 32, origin="orders/shop.public.orders/3/17")
    await run.database.insert([reached(named, Step.SENT, run.stage.clock.now(), provider="fcm")])
    where = "source, source_topic, source_partition, source_offset"
    question = f"SELECT DISTINCT {where} FROM delivery_events ORDER BY source"
    assert await run.database.query(question) == [
        ("", "", None, None),
        ("orders", "shop.public.orders", 3, 17),
    ]
    told = await timeline(run.database, "default", named.notification_id)
    assert {each.origin for each in told} == {"", named.origin}
    (row,) = whereabouts(told, {}, run.stage.clock.now())
    assert row.origin == named.origin


async def test_an_event_that_nobody_decided_though_another_tenant_has_one_of_that_id(
    run: Run,
) -> None:
    (known, *_) = {delivery.event_id for delivery in run.sent}
    lost = replace(order_shipped(unique("user")), id=known, tenant="other")
    await run.stage.say(EVENTS, lost)
    found = await run.compare()
    (wrong,) = [finding for finding in found.findings if finding.wrong]
    assert (wrong.said.split()[0], wrong.examples) == ("domain", [known])


async def test_a_delivery_that_never_came_to_an_end(run: Run) -> None:
    stuck = replace(run.sent[0], delivery_id="f" * 32)
    await run.stage.say(DELIVER[stuck.channel, stuck.priority], stuck)
    assert [name for name, wrong in (await run.find()).items() if wrong] == ["deliveries"]


async def test_what_expired_or_was_given_up_came_to_an_end(run: Run) -> None:
    for number, (step, reason) in enumerate(
        ((Step.SUPPRESSED, Reason.EXPIRED), (Step.FAILED, Reason.REJECTED))
    ):
        late = replace(run.sent[0], delivery_id=f"{number}" * 32)
        await run.stage.say(DELIVER[late.channel, late.priority], late)
        told = reached(late, step, run.stage.clock.now(), reason=reason)
        await run.stage.say(DELIVERY_EVENTS, told, key=None, partition=0)
    await run.stage.work(analytics(run.database, run.stage.runtime))
    found = await run.compare()
    assert found.is_right, found


@pytest.mark.parametrize("step", [Step.QUEUED, Step.RETRYING, Step.DELIVERED])
async def test_what_is_on_its_way_did_not(run: Run, step: Step) -> None:
    waits = replace(run.sent[0], delivery_id="f" * 32)
    await run.stage.say(DELIVER[waits.channel, waits.priority], waits)
    told = reached(waits, step, run.stage.clock.now())
    await run.stage.say(DELIVERY_EVENTS, told, key=None, partition=0)
    await run.stage.work(analytics(run.database, run.stage.runtime))
    assert [name for name, wrong in (await run.find()).items() if wrong] == ["deliveries"]


async def test_a_message_that_no_provider_accepted_and_one_that_nobody_counted(run: Run) -> None:
    found = await run.find([*run.accepted[1:], "e" * 32])
    assert {name: wrong for name, wrong in found.items() if wrong} == {"accepted": 1, "messages": 1}
