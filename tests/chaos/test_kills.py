"""kill -9 while events flow: nothing is lost, and no more is repeated than was in flight."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle, islice
from random import Random
from signal import SIGINT, SIGKILL, SIGTERM, Signals
from typing import NamedTuple

import pytest

from embedded.local_stack import LocalStack
from tests.chaos.conftest import CALLS_IN_FLIGHT, Tell
from tests.chaos.findings import Finding, settle
from tests.chaos.flow import BRIEF_RATE, RATE, flowing, playing
from tests.chaos.observe import ready_count, until_ready_again
from tests.chaos.script import Script

SEED = 20_261
MINUTES = float(os.environ.get("KILL_MINUTES", "4"))
MIXED_RATE = 20
"""Events a second for that long: as many as the judge can hold in memory."""


class Phase(NamedTuple):
    """So many of these signals, each so many seconds after its process was ready."""

    signals: tuple[Signals, ...]
    times: int
    least: float
    most: float


SCHEDULE = (
    Phase((SIGTERM, SIGINT), 10, 1, 30),
    Phase((SIGKILL,), 3, 0.1, 1),
    Phase((SIGTERM,), 5, 5, 100),
)
"""As Faust's own stress test ends its workers, a tenth of its counts, over and over."""


async def test_a_few_kills(house: LocalStack, tell: Tell) -> None:
    roles = ("decider", "push")
    await _survives(house, tell, "few-kills", kills=2, roles=roles, seconds=60, rate=BRIEF_RATE)


@pytest.mark.chaos
async def test_ten_kills_of_each_role(house: LocalStack, tell: Tell) -> None:
    roles = ("decider", "push", "email", "router")
    finding = await _survives(house, tell, "many-kills", kills=10, roles=roles, seconds=240)
    finding.assert_soon_after_healing()


async def _survives(
    house: LocalStack,
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


async def _kill(house: LocalStack, role: str, kills: int, random: Random) -> list[float]:
    """Kill a role again and again, each time some while after it was ready; returns recoveries."""
    worker = house.workers[role]
    recovered = []
    for _ in range(kills):
        await asyncio.sleep(random.uniform(1.0, 4.0))
        before = ready_count(worker)
        await worker.kill()
        recovered.append(await until_ready_again(worker, before))
    return recovered


@pytest.mark.chaos
async def test_a_mix_of_signals(house: LocalStack, tell: Tell) -> None:
    """`make chaos-kills` does it for half an hour; KILL_MINUTES says how long."""
    roles = ("router", "push", "decider", "email", "inapp", "retry")
    seconds = MINUTES * 60
    script = Script("mixed-signals", int((seconds + 120) * MIXED_RATE), datetime.now(UTC))
    async with playing(house, script, MIXED_RATE) as flow:
        end = time.monotonic() + seconds
        signalling = (_signal(house, role, at, end) for at, role in enumerate(roles))
        sent = dict(zip(roles, await asyncio.gather(*signalling), strict=True))
        flow.healed()
        await asyncio.sleep(1)
    finding = await settle(house, flow)
    counts = {role: {name.name: n for name, n in each.items()} for role, each in sent.items()}
    tell(f"seed {SEED}, {MINUTES:g} minutes: {counts}; {finding.summary()}")
    finding.assert_all_arrived()
    finding.assert_soon_after_healing()
    # SIGTERM and SIGINT repeat nothing.
    kills = sum(sent[role][SIGKILL] for role in ("push", "email"))
    assert sum(each[SIGKILL] for each in sent.values())
    assert finding.wasted_calls <= kills * CALLS_IN_FLIGHT
    _finds_a_planted_loss(finding)


async def _signal(house: LocalStack, role: str, at: int, end: float) -> Counter[Signals]:
    """End a role's process again and again, each time some while after it was ready.

    Roles begin at different phases. One that does not come back fails the test.
    """
    worker, random = house.workers[role], Random(f"{SEED}-{role}-mixed")
    sent = Counter[Signals]()
    for phase in _phases(at):
        pause = random.uniform(phase.least, phase.most)
        if time.monotonic() + pause > end:
            break
        await asyncio.sleep(pause)
        signal, before = random.choice(phase.signals), ready_count(worker)
        os.kill(worker.pid, signal)
        sent[signal] += 1
        await until_ready_again(worker, before)
    return sent


def _phases(at: int) -> Iterator[Phase]:
    """The phase of one signal after the other, without an end."""
    for phase in islice(cycle(SCHEDULE), at % len(SCHEDULE), None):
        yield from (phase,) * phase.times


def _finds_a_planted_loss(finding: Finding) -> None:
    """Tests the test: without one line, of a message accepted once, the same judge finds it."""
    times = Counter(line.delivery_id for line in finding.evidence.accepted)
    lines = enumerate(finding.evidence.accepted)
    number = next(n for n, line in lines if times[line.delivery_id] == 1)
    assert len(finding.without_line(number).lost) == 1
