"""Parts that go away while events flow: everything resumes by itself, and nothing is lost."""

import asyncio
import shutil
import time

import pytest

from analytics.clickhouse import ClickHouse
from embedded.local_stack import LocalStack
from embedded.simulators.faults import Fault
from policy.dedupe import MARKS_KEPT
from schemas.vocabulary import Channel
from tests.chaos.conftest import CALLS_IN_FLIGHT, LATENCY, Tell
from tests.chaos.findings import Finding, settle
from tests.chaos.flow import BRIEF_RATE, Flow, flowing, write_again
from tests.chaos.observe import SETTLED, set_fault, wait_until_read
from tests.chaos.script import KINDS, Script
from tests.chaos.workers import stop
from tests.patience import until

REMEMBERED = 15
"""Seconds in which nobody gets more than is remembered of one user."""
SHORT_RATE = 60
"""Events a second where they flow for a few seconds alone."""
AWAY = 3.0
"""Seconds that a part stays away."""


async def test_kafka_is_killed(house: LocalStack, tell: Tell) -> None:
    """It stays away until each worker has ended, and was started again in vain."""
    async with flowing(house, "broker-kill", 30, BRIEF_RATE) as flow:
        await asyncio.sleep(3)
        await house.kafka.kill()
        before = {role: worker.restarts for role, worker in house.workers.items()}
        await until(lambda: all(it.restarts > before[role] for role, it in house.workers.items()))
        await _bring_back_kafka(house, tell)
        flow.healed()
    await _assert_survived(house, flow, tell)


@pytest.mark.chaos
async def test_kafka_is_restarted_again_and_again(house: LocalStack, tell: Tell) -> None:
    async with flowing(house, "broker-restarts", 200) as flow:
        for round_ in range(4):
            await asyncio.sleep(3)
            await (house.kafka.kill() if round_ % 2 else house.kafka.stop())
            await asyncio.sleep(AWAY)
            await _bring_back_kafka(house, tell)
            flow.healed()
            await asyncio.sleep(10)
    finding = await _assert_survived(house, flow, tell)
    finding.assert_soon_after_healing()


async def test_state_folders_are_lost(house: LocalStack, tell: Tell) -> None:
    """What the changelogs hold is all that the state was: events told again notify nobody."""
    roles = [house.workers[role] for role in ("router", "decider", "push")]
    # However long the restart takes, whoever follows all gets fewer posts than are remembered.
    assert REMEMBERED * SHORT_RATE // len(KINDS) < MARKS_KEPT
    async with flowing(house, "no-state", REMEMBERED, SHORT_RATE) as flow:
        await asyncio.sleep(3)
        await asyncio.gather(*map(stop, roles))
        for worker in roles:
            shutil.rmtree(house.folder / "state" / worker.role)
        await asyncio.gather(*(worker.start() for worker in roles))
        flow.healed()
        await asyncio.sleep(2)
    await wait_until_read(house)
    await write_again(house, flow)
    finding = await settle(house, flow)
    tell(finding.summary())
    finding.assert_all_arrived()
    assert finding.wasted_calls == 0
    assert finding.outputs.repeats == 0


@pytest.mark.chaos
async def test_providers_and_clickhouse_are_away(house: LocalStack, tell: Tell) -> None:
    """One answers 500, one hangs, one cuts off; the third try may be five minutes later."""
    async with flowing(house, "outside-away", 30) as flow:
        await asyncio.sleep(2)
        await house.clickhouse.stop()
        await set_fault(house, "fcm", Fault(error_rate=1, status=500))
        await set_fault(house, "twilio", Fault(hang_rate=1))
        await set_fault(house, "sendgrid", Fault(reset_rate=1))
        await asyncio.sleep(AWAY)
        for provider in ("fcm", "twilio", "sendgrid"):
            await set_fault(house, provider, LATENCY)
        await asyncio.sleep(AWAY)
        await house.clickhouse.start()
        flow.healed()
    finding = await settle(house, flow, SETTLED)
    tell(finding.summary())
    finding.assert_all_arrived()
    finding.assert_soon_after_healing()
    assert finding.wasted_calls == 0
    await _assert_same_figures(house, finding, flow)


async def _bring_back_kafka(house: LocalStack, tell: Tell) -> None:
    begin = time.monotonic()
    await house.kafka.start()
    tell(f"Kafka answers {time.monotonic() - begin:.1f} s after its start")


async def _assert_survived(house: LocalStack, flow: Flow[Script], tell: Tell) -> Finding:
    finding = await settle(house, flow, SETTLED)
    tell(finding.summary())
    finding.assert_all_arrived()
    # Every sink may have had its calls in flight when its marks could not be written.
    assert finding.wasted_calls <= 4 * 3 * CALLS_IN_FLIGHT
    await _assert_same_figures(house, finding, flow)
    return finding


async def _assert_same_figures(house: LocalStack, finding: Finding, flow: Flow[Script]) -> None:
    """ClickHouse's own figures are those of the outside witness."""
    clickhouse = ClickHouse(house.settings)
    ours = {"like": f"{flow.script.name}-%"}
    try:
        sent = await clickhouse.query(
            "SELECT channel, uniqExact(delivery_id) FROM delivery_events"
            " WHERE stage = 'sent' AND channel != 'inapp' AND event_id LIKE {like:String}"
            " GROUP BY channel",
            ours,
        )
        states = await clickhouse.query(
            "SELECT uniqExact((notification_id, channel)) FROM notification_state"
            " WHERE sent IS NOT NULL AND channel != 'inapp' AND event_id LIKE {like:String}",
            ours,
        )
    finally:
        await clickhouse.close()
    outside = {via: n for via, n in finding.findings.sent.items() if via != Channel.INAPP}
    assert dict(sent) == outside
    lines = finding.evidence.accepted
    assert states == [(len({(line.notification_id, line.channel) for line in lines}),)]
