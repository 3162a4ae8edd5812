"""All roles in one process while events flow: stops, kills and a second one for some of them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from embedded.local_stack import TOGETHER, LocalStack
from schemas.topics import ROLES
from tests.chaos.conftest import (
    CALLS_IN_FLIGHT,
    LATENCY,
    PARTITIONS,
    PROVIDERS,
    SESSION_TIMEOUT,
    Tell,
)
from tests.chaos.findings import Finding, settle
from tests.chaos.flow import BRIEF_RATE, flowing
from tests.chaos.observe import ready_count, set_fault, until_ready_again
from tests.chaos.workers import second, stop
from tests.patience import PATIENCE

KILLS = 2


@pytest.fixture(scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalStack]:
    """A house whose roles share a process, and providers that take a moment for each call."""
    async with LocalStack(
        tmp_path_factory.mktemp("shared"),
        roles=ROLES,
        together={TOGETHER: ROLES},
        partitions=PARTITIONS,
        session_timeout=SESSION_TIMEOUT,
        calls_in_flight=CALLS_IN_FLIGHT,
        provider_timeout=PATIENCE,
    ) as house:
        for provider in PROVIDERS:
            await set_fault(house, provider, LATENCY)
        yield house


async def test_a_stop_and_a_second_process_with_some_roles_lose_and_repeat_nothing(
    town: LocalStack, tell: Tell
) -> None:
    worker = town.workers[TOGETHER]
    async with flowing(town, "shared-stops", 60, BRIEF_RATE) as flow:
        await asyncio.sleep(2)
        async with second(town, "some", roles=("decider", "push", "router")):
            await asyncio.sleep(2)
            # Its roles have the whole of their groups now, and all the others nobody.
            took = await stop(worker)
            await worker.start()
        flow.healed()
    finding = await settle(town, flow)
    tell(f"all {len(ROLES)} roles stopped in {took} s; {finding.summary()}")
    finding.assert_all_arrived()
    assert (finding.wasted_calls, finding.outputs.repeats) == (0, 0)


async def test_kills_of_the_one_process_lose_nothing_and_repeat_what_was_in_flight(
    town: LocalStack, tell: Tell
) -> None:
    worker = town.workers[TOGETHER]
    async with flowing(town, "shared-kills", 60, BRIEF_RATE) as flow:
        for _ in range(KILLS):
            await asyncio.sleep(2)
            before = ready_count(worker)
            await worker.kill()
            await until_ready_again(worker, before)
        flow.healed()
        await asyncio.sleep(1)
    finding: Finding = await settle(town, flow)
    tell(f"{KILLS} kills of all roles at once; {finding.summary()}")
    finding.assert_all_arrived()
    # Each channel has its own calls in flight.
    assert finding.wasted_calls <= KILLS * len(PROVIDERS) * CALLS_IN_FLIGHT
