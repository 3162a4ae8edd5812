"""kill -9 while events flow: nothing is lost, and no more is repeated than was in flight."""

import asyncio
from collections import Counter
from random import Random

import pytest

from embedded.house import House
from tests.chaos.conftest import CALLS_IN_FLIGHT, Tell
from tests.chaos.findings import Finding, settle
from tests.chaos.flow import BRIEF_RATE, RATE, flowing
from tests.chaos.observe import ready_count, until_ready_again

SEED = 20_261


async def test_a_few_kills(house: House, tell: Tell) -> None:
    roles = ("decider", "push")
    await _survives(house, tell, "few-kills", kills=3, roles=roles, seconds=60, rate=BRIEF_RATE)


@pytest.mark.chaos
async def test_ten_kills_of_each_role(house: House, tell: Tell) -> None:
    roles = ("decider", "push", "email", "router")
    finding = await _survives(house, tell, "many-kills", kills=10, roles=roles, seconds=240)
    finding.assert_soon_after_healing()


async def _survives(
    house: House,
    tell: Tell,
    name: str,
    *,
    kills: int,
    roles: tuple[str, ...],
    seconds: float,
    rate: int = RATE,
) -> Finding:
    async with flowing(house, name, seconds, rate) as flow:
        killing = (_kill(house, role, kills, Random(f"{SEED}-{role}")) for role in roles)
        recovered = await asyncio.gather(*killing)
        flow.healed()
        await asyncio.sleep(1)
    finding = await settle(house, flow)
    for role, seconds_to_recover in zip(roles, recovered, strict=True):
        times = " ".join(f"{taken:.1f}" for taken in seconds_to_recover)
        tell(f"{role}: {len(seconds_to_recover)} kills, ready again after {times} s")
    tell(f"seed {SEED}; {finding.summary()}")
    finding.assert_all_arrived()
    assert finding.wasted_calls <= kills * len(roles) * CALLS_IN_FLIGHT
    _finds_a_planted_loss(finding)
    return finding


async def _kill(house: House, role: str, kills: int, random: Random) -> list[float]:
    """Kill a role again and again, each time some while after it was ready; returns recoveries."""
    worker = house.workers[role]
    recovered = []
    for _ in range(kills):
        await asyncio.sleep(random.uniform(1.0, 4.0))
        before = ready_count(worker)
        await worker.kill()
        recovered.append(await until_ready_again(worker, before))
    return recovered


def _finds_a_planted_loss(finding: Finding) -> None:
    """Tests the test: without one line, of a message accepted once, the same judge finds it."""
    times = Counter(line.delivery_id for line in finding.evidence.accepted)
    lines = enumerate(finding.evidence.accepted)
    number = next(n for n, line in lines if times[line.delivery_id] == 1)
    assert len(finding.without_line(number).lost) == 1
