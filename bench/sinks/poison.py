"""What bad addresses do to good ones: each provider's sink, alone and with poison among its work.

A delivery goes through circuits, slots and batches as in a worker, to the simulators. Where there
is poison, each tenth address is gone, and the simulators refuse it as the provider would; else it
is as good as the others, so that as much is sent. The other nine are measured.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import NamedTuple

import aiohttp
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from agents.sink.dispatch import Dispatch
from agents.sink.provider_calls import Call
from bench.pairs import Progress, Ratio, ratio_of
from bench.sinks.contest import AT_ONCE
from bench.sinks.sinks import address, delivery
from bench.vendors.client import Outside
from embedded.local_stack import Simulators
from embedded.process import LOOPBACK
from embedded.simulators.credentials import Credentials
from pipeline.clock import SystemClock
from pipeline.process.gc_tuning import tune_collector
from pipeline.process.runtime import Runtime
from pipeline.producing.memory_log import MemoryLog
from pipeline.settings import Settings
from pipeline.variables import settings_of
from schemas.delivery import Delivery
from sinks.http.client import HttpClient
from sinks.provider import Provider
from sinks.registry import PROVIDERS, Weighted, kind_of
from tables.sent import SentLedger, SentMark
from tables.storage.memory_store import MemoryStore

ADDRESSES = 1000
"""Of which every tenth is dead."""
EVERY = 10
LAST = EVERY - 1
AT_A_TIME = 6
"""Providers, so that the two cores are not what they wait for."""
WARM_UP = 10
"""Deliveries of each provider before anything is measured, so that connections are there."""


class Asked(NamedTuple):
    """Deliveries a second of each provider, seconds that a turn takes, and pairs of turns."""

    rate: int
    seconds: float
    pairs: int


class Times(Struct, frozen=True):
    """Of the nine good ones of ten, from when they were to go to when the ledger has them.

    Milliseconds, medians over the rounds.
    """

    p50_ms: float
    p99_ms: float


class Poisoned(Struct, frozen=True):
    """One provider. `ratio` is p99 with poison to p99 without it: above 1, poison makes it slower.

    `opened` is how often its circuit was found open, and `not_sent` are good deliveries that were
    not sent at the first attempt; both count all turns.
    """

    without: Times
    with_poison: Times
    ratio: Ratio
    good: int
    bad: int
    opened: int
    not_sent: int


class Poison(Struct, frozen=True):
    """What the benchmark found, by provider; `median_ratio` is that of all pairs of all of them.

    That has no interval: providers that have their turns together share what disturbs them.
    """

    rate: int
    seconds: float
    pairs: int
    median_ratio: float
    providers: dict[str, Poisoned]


class Turn(NamedTuple):
    """What one provider did in one turn."""

    good: Sequence[float]
    bad: int
    opened: int
    not_sent: int


class Line:
    """One provider as a worker calls it."""

    def __init__(self, provider: Provider, outside: Outside) -> None:
        clock = SystemClock()
        runtime = Runtime(outside.settings, MemoryLog(clock), clock)
        self.provider = provider
        self._outside = outside
        self._dispatch = Dispatch([Weighted(provider, 1)], runtime, holds=False)
        self._ledger = SentLedger(MemoryStore())
        self._number = 0

    def dead(self) -> list[str]:
        """The addresses that the provider is to refuse."""
        numbers = range(LAST, ADDRESSES, EVERY)
        return [address(self.provider, self._outside, number) for number in numbers]

    async def turn(self, asked: Asked, late: float, *, poisoned: bool) -> Turn:
        """Deliver at the rate, each when it is due; the turn begins `late` seconds from now."""
        loop = asyncio.get_running_loop()
        begin, tasks = loop.time() + late, []
        for number in range(round(asked.rate * asked.seconds)):
            due = begin + number / asked.rate
            await asyncio.sleep(due - loop.time())
            is_bad = poisoned and number % EVERY == LAST
            tasks.append(asyncio.create_task(self._deliver(due, is_bad=is_bad)))
        told = await asyncio.gather(*tasks)
        measured = [each for number, each in enumerate(told) if number % EVERY != LAST]
        return Turn(
            good=[took for took, _, _ in measured],
            bad=len(told) - len(measured) if poisoned else 0,
            opened=sum(is_open for _, is_open, _ in told),
            not_sent=sum(not is_sent for _, _, is_sent in measured),
        )

    async def _deliver(self, due: float, *, is_bad: bool) -> tuple[float, bool, bool]:
        answer = await self._dispatch.deliver(
            Call(self._next(is_bad=is_bad), self._ledger, asyncio.Event())
        )
        took = asyncio.get_running_loop().time() - due
        (circuit,) = self._dispatch.circuits()
        return took, circuit.state == "open", isinstance(answer.result, SentMark)

    def _next(self, *, is_bad: bool) -> Delivery:
        self._number += 1
        # By tens: of each number there is an address that is good, and one that is bad.
        place = self._number * EVERY % ADDRESSES + (LAST if is_bad else self._number % LAST)
        said = delivery(self.provider, self._outside, self._number)
        return replace(said, address=address(self.provider, self._outside, place))


async def run(asked: Asked, progress: Progress) -> Poison:
    """Start the simulators and let all providers take their turns with and without poison."""
    with TemporaryDirectory(prefix="tocsin-bench-", ignore_cleanup_errors=True) as folder:
        simulators = Simulators(Path(folder))
        await simulators.start()
        try:
            accounts = (Path(folder) / "accounts.json").read_bytes()
            credentials = msgspec.json.decode(accounts, type=Credentials)
            url = f"http://{LOOPBACK}:{simulators.port}"
            outside = Outside(settings_of(simulators.environment), credentials, url)
            tune_collector()
            return await _contest(asked, outside, progress)
        finally:
            await simulators.stop()


async def _contest(asked: Asked, outside: Outside, progress: Progress) -> Poison:
    settings = outside.settings
    http = HttpClient(settings.provider_timeout, AT_ONCE)
    lines = [Line(provider, outside) for provider in _providers(settings, http)]
    await asyncio.gather(*(_declare_dead(line, outside.url) for line in lines))
    by_name: dict[str, list[tuple[Turn, Turn]]] = {}
    for start in range(0, len(lines), AT_A_TIME):
        by_name |= await _pairs_of(lines[start : start + AT_A_TIME], asked, progress)
    for line in lines:
        await line.provider.close()
    await http.close()
    return Poison(
        rate=asked.rate,
        seconds=asked.seconds,
        pairs=asked.pairs,
        median_ratio=round(median(_ratio(pair) for pairs in by_name.values() for pair in pairs), 3),
        providers={name: _found(pairs) for name, pairs in by_name.items()},
    )


async def _pairs_of(
    lines: Sequence[Line], asked: Asked, progress: Progress
) -> dict[str, list[tuple[Turn, Turn]]]:
    """By provider, its turns without and with poison."""
    await _turn(lines, Asked(asked.rate, WARM_UP / asked.rate, 1), poisoned=True)
    names = [line.provider.name for line in lines]
    pairs: dict[str, list[tuple[Turn, Turn]]] = {name: [] for name in names}
    for number in range(asked.pairs):
        found = {}
        for poisoned in (False, True)[:: -1 if number % 2 else 1]:
            said = f"{'with' if poisoned else 'without'} poison: {', '.join(names)}"
            progress(f"Round {number + 1} of {asked.pairs}, {said}")
            found[poisoned] = await _turn(lines, asked, poisoned=poisoned)
        for name, without, poison in zip(names, found[False], found[True], strict=True):
            pairs[name].append((without, poison))
    return pairs


def _providers(settings: Settings, http: HttpClient) -> list[Provider]:
    return [kind_of(name)(settings, http) for name in sorted(PROVIDERS)]


async def _declare_dead(line: Line, url: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.put(f"{url}/_faults/{line.provider.name}", json={"dead": line.dead()}) as reply,
    ):
        reply.raise_for_status()


async def _turn(lines: Sequence[Line], asked: Asked, *, poisoned: bool) -> list[Turn]:
    # Not all in the same moment: each provider's deliveries are due between the others'.
    apart = 1 / asked.rate / len(lines)
    turns = (line.turn(asked, place * apart, poisoned=poisoned) for place, line in enumerate(lines))
    return list(await asyncio.gather(*turns))


def _found(pairs: Sequence[tuple[Turn, Turn]]) -> Poisoned:
    turns = [turn for pair in pairs for turn in pair]
    return Poisoned(
        without=_times([without for without, _ in pairs]),
        with_poison=_times([poisoned for _, poisoned in pairs]),
        ratio=ratio_of([_ratio(pair) for pair in pairs]),
        good=sum(len(turn.good) for turn in turns),
        bad=sum(turn.bad for turn in turns),
        opened=sum(turn.opened for turn in turns),
        not_sent=sum(turn.not_sent for turn in turns),
    )


def _ratio(pair: tuple[Turn, Turn]) -> float:
    without, poisoned = pair
    return _percentile(poisoned, 99) / _percentile(without, 99)


def _times(turns: Sequence[Turn]) -> Times:
    return Times(
        p50_ms=round(1000 * median(_percentile(turn, 50) for turn in turns), 2),
        p99_ms=round(1000 * median(_percentile(turn, 99) for turn in turns), 2),
    )


def _percentile(turn: Turn, percent: int) -> float:
    return quantiles(turn.good, n=100, method="inclusive")[percent - 1]
