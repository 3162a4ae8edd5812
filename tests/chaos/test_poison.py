"""Poison among events: all others are delivered, and each poison record is told with its reason."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count, cycle
from statistics import median

import pytest

from bench.pairs import ratio_of
from embedded.local_stack import LocalStack
from tests.chaos.conftest import Tell
from tests.chaos.deliveries import producing
from tests.chaos.findings import settle
from tests.chaos.flow import RATE, Flow, flowing, playing
from tests.chaos.poison import POISON, write_poison
from tests.chaos.script import Script

EVENTS = 20_000
SHARE = 0.01
"""Of all records are poison."""
PAIRS = 10
ORDINARY = 30
"""Events a second of an ordinary load."""


@asynccontextmanager
async def poisoning(house: LocalStack, flow: Flow[Script], rate: float) -> AsyncIterator[None]:
    """Meanwhile write so much poison a second, of each kind in turn."""
    names, numbers, is_over = cycle(POISON), count(), asyncio.Event()

    async def write() -> None:
        async with producing(house) as producer:
            while not is_over.is_set():
                flow.bad += await write_poison(producer, [next(names)], numbers)
                await asyncio.sleep(1 / rate)

    writing = asyncio.create_task(write())
    try:
        yield
    finally:
        # Not cancelled: what was written would be no poison that the judge knows of.
        is_over.set()
        await writing


async def test_poison_of_every_kind_stops_nobody(house: LocalStack, tell: Tell) -> None:
    before = _restarts(house)
    async with flowing(house, "poison", 5) as flow, producing(house) as producer:
        flow.bad += await write_poison(producer, list(POISON), count())
        await asyncio.sleep(1)
    await _judge(house, flow, before, tell)


@pytest.mark.chaos
async def test_one_in_a_hundred_is_poison(house: LocalStack, tell: Tell) -> None:
    before = _restarts(house)
    seconds = EVENTS / RATE
    async with flowing(house, "much-poison", seconds) as flow, poisoning(house, flow, RATE * SHARE):
        await asyncio.sleep(seconds + 1)
    assert len(flow.bad) >= EVENTS * SHARE * 0.8
    await _judge(house, flow, before, tell)


@pytest.mark.chaos
async def test_poison_costs_others_no_time(house: LocalStack, tell: Tell) -> None:
    """Ten pairs of runs, with and without poison in turn; the figures are told, not asserted."""
    ratios: list[float] = []
    waits: dict[bool, list[float]] = {True: [], False: []}
    for number in range(PAIRS):
        pair: dict[bool, float] = {}
        for poisoned in (True, False) if number % 2 else (False, True):
            waited = await _ordinary(house, f"pair-{number}-{poisoned}", poisoned)
            pair[poisoned] = median(waited)
            waits[poisoned] += waited
        ratios.append(pair[True] / pair[False])
    for poisoned, all_waits in waits.items():
        ordered = sorted(all_waits)
        p50, p99 = (ordered[int(len(ordered) * share)] for share in (0.5, 0.99))
        tell(f"{'with' if poisoned else 'without'} poison: p50 {p50:.3f} s, p99 {p99:.3f} s")
    ratio = ratio_of(ratios)
    tell(f"with to without: {ratio.median:.2f} ({ratio.low:.2f} to {ratio.high:.2f})")


async def _ordinary(house: LocalStack, name: str, poisoned: bool) -> list[float]:
    script = Script(name, ORDINARY * 12, datetime.now(UTC))
    async with playing(house, script, ORDINARY) as flow:
        if poisoned:
            async with poisoning(house, flow, ORDINARY * SHARE * 10):
                await asyncio.sleep(13)
        else:
            await asyncio.sleep(13)
    finding = await settle(house, flow)
    # Too short for everybody to be in it whom a fault could hide behind.
    assert not any(finding.findings.faults().values()), finding.summary()
    return finding.waits


def _restarts(house: LocalStack) -> dict[str, int]:
    return {role: worker.restarts for role, worker in house.workers.items()}


async def _judge(house: LocalStack, flow: Flow[Script], before: dict[str, int], tell: Tell) -> None:
    finding = await settle(house, flow)
    tell(finding.summary())
    finding.assert_all_arrived()
    assert finding.findings.dead == len(flow.bad)
    assert _restarts(house) == before, "a worker ended"
