"""Orderly stops and changes of scale while events flow: nothing is lost and nothing repeated."""

import asyncio
import os
import signal

import pytest

from embedded.local_stack import LocalStack
from tests.chaos.conftest import CALLS_IN_FLIGHT, SESSION_TIMEOUT, Tell
from tests.chaos.findings import Finding, settle
from tests.chaos.flow import BRIEF_RATE, flowing
from tests.chaos.observe import ready_count, until_ready_again
from tests.chaos.workers import second, stop

ROLES = ("decider", "push")


async def test_an_orderly_stop_and_a_change_of_scale(house: LocalStack, tell: Tell) -> None:
    async with flowing(house, "stops", 60, BRIEF_RATE) as flow:
        took = await asyncio.gather(*(_stop_and_start(house, role, 1) for role in ROLES))
        await _scale(house)
        flow.healed()
    tell(f"stopped in {took} s")
    _assert_untroubled(await settle(house, flow), tell)


@pytest.mark.chaos
async def test_five_orderly_stops(house: LocalStack, tell: Tell) -> None:
    async with flowing(house, "many-stops", 90) as flow:
        took = await asyncio.gather(*(_stop_and_start(house, role, 5) for role in ROLES))
        flow.healed()
    tell(f"stopped in {took} s")
    _assert_untroubled(finding := await settle(house, flow), tell)
    finding.assert_soon_after_healing()


@pytest.mark.chaos
async def test_changes_of_scale(house: LocalStack, tell: Tell) -> None:
    async with flowing(house, "scale", 120) as flow:
        for _ in range(4):
            await _scale(house)
        flow.healed()
    _assert_untroubled(finding := await settle(house, flow), tell)
    finding.assert_soon_after_healing()


@pytest.mark.chaos
@pytest.mark.parametrize("role", ["decider", "push"])
async def test_a_worker_that_stood_still_writes_nothing_more(
    house: LocalStack, tell: Tell, role: str
) -> None:
    """SIGSTOP for longer than the session: another takes over, and the zombie must not write."""
    worker = house.workers[role]
    async with flowing(house, f"zombie-{role}", 90) as flow, second(house, role):
        await asyncio.sleep(3)
        before = ready_count(worker)
        os.kill(worker.pid, signal.SIGSTOP)
        await asyncio.sleep(3 * SESSION_TIMEOUT)
        os.kill(worker.pid, signal.SIGCONT)
        recovered = await until_ready_again(worker, before)
        flow.healed()
        await asyncio.sleep(2)
    finding = await settle(house, flow)
    tell(f"{role} stood still, ready again after {recovered:.1f} s; {finding.summary()}")
    finding.assert_all_arrived()
    finding.assert_soon_after_healing()
    assert finding.wasted_calls <= CALLS_IN_FLIGHT


def _assert_untroubled(finding: Finding, tell: Tell) -> None:
    tell(finding.summary())
    finding.assert_all_arrived()
    assert finding.wasted_calls == 0
    assert finding.outputs.repeats == 0


async def _stop_and_start(house: LocalStack, role: str, times: int) -> list[float]:
    """Stop a role mid-flow and start it again; returns the seconds that each stop took."""
    worker = house.workers[role]
    took = []
    for _ in range(times):
        await asyncio.sleep(2)
        took.append(await stop(worker))
        await worker.start()
    return took


async def _scale(house: LocalStack) -> None:
    """From one worker to two and back, for both roles at once."""
    async with second(house, "decider"), second(house, "push"):
        await asyncio.sleep(4)
    await asyncio.sleep(2)
