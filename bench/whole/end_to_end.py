"""The whole way, from an event on Kafka to its provider, at several rates, and what each takes."""

import time

from msgspec import Struct

from bench.gateway.rate_search import Measured, climb, highest
from bench.gateway.sockets import Arrived
from bench.pairs import Progress
from bench.whole.other_load import Elsewhere
from bench.whole.receipts import Latency, Sent, latencies, latency_of, took_of
from bench.whole.whole import NOT_OURS, Loaded, Whole, loop_ms, whole
from demo.dataset.world import USERS

RATES = (0, 10, 100, 250, 1000)
WARM_UP = 10.0
SECONDS = 20.0
SEARCH_SECONDS = 300.0
SEARCH_FROM = 100
HELD_MS = 1000.0
"""The p99 of critical messages up to which a rate counts as held."""
HELD_BEHIND = 5.0
"""Seconds after the last event within which all must be done, for a rate to count as held."""
HELD_LATE = 1.0
"""Seconds by which the events may be written late; beyond it the rate wasn't reached."""
URGENT = "critical"


class Asked(Struct, frozen=True):
    """What is measured. A step is `warm_up` and then `seconds` at one rate; `search` bounds the
    search for the highest rate, in seconds; 0 leaves it out. Topics have as many `partitions`, or
    as many as the demo's."""

    users: int = USERS
    rates: tuple[int, ...] = RATES
    warm_up: float = WARM_UP
    seconds: float = SECONDS
    search: float = SEARCH_SECONDS
    partitions: int | None = None


class Step(Struct, frozen=True):
    """One rate. Figures an event are of the measured window's events; processor time also of what
    they left to do, until nothing was. `cores` is processor time by the clock, over the same time.
    Where more came than was done, the warm-up left something too, and all of them are of both.

    `behind_s` is how long that took after the last event; None where it did not come to an end.
    `took_ms` is by priority and channel, `urgency_ms` by priority over all channels.
    """

    rate: int
    events: int
    messages: int
    late_s: float
    behind_s: float | None
    took_ms: dict[str, dict[str, Latency]]
    urgency_ms: dict[str, Latency]
    cores: dict[str, float]
    cpu_us_per_event: dict[str, float]
    ours_us_per_event: float
    ours_us_per_message: float
    requests_per_second: dict[str, float]
    slices_per_second: dict[str, float]
    records_per_slice: dict[str, float]
    bytes_per_event: dict[str, float]
    elsewhere: float
    restarts: int

    @property
    def held(self) -> bool:
        """Whether the rate was reached, all was done soon, and critical messages were in time."""
        urgent = self.urgency_ms.get(URGENT, Latency(0, 0.0, 0.0))
        return (
            self.late_s <= HELD_LATE
            and self.behind_s is not None
            and self.behind_s <= HELD_BEHIND
            and urgent.p99_ms <= HELD_MS
        )


class EndToEnd(Struct, frozen=True):
    """All steps, those of the search apart; `highest` is the highest rate held there, 0 if none.

    `loop_ms` are of a fixed loop before and after.
    """

    users: int
    warm_up_s: float
    seconds: float
    partitions: int
    topics: int
    loop_ms: tuple[float, float]
    steps: list[Step]
    highest: int
    searched: list[Step]


async def run(asked: Asked, progress: Progress) -> EndToEnd:
    """Start everything once, and measure one rate after the other; raises Unavailable."""
    before = loop_ms()
    async with whole(asked.users, progress, asked.partitions) as at:
        steps = []
        for rate in asked.rates:
            progress(f"{rate:,} events a second for {asked.warm_up + asked.seconds:g} s")
            steps.append(await step(at, rate, asked.warm_up, asked.seconds))
        searched, best = await search(at, asked, progress) if asked.search else ([], 0)
        kept = (await at.read()).kept.partitions
    return EndToEnd(
        users=asked.users,
        warm_up_s=asked.warm_up,
        seconds=asked.seconds,
        partitions=kept.total(),
        topics=len(kept),
        loop_ms=(before, loop_ms()),
        steps=steps,
        highest=best,
        searched=searched,
    )


async def step(at: Whole, rate: int, warm_up: float, seconds: float) -> Step:
    """Measure one rate."""
    elsewhere = Elsewhere()
    loaded = await (at.load(rate, warm_up, seconds) if rate else at.idle(seconds))
    share = elsewhere.share()
    return step_of(rate, seconds, loaded, await at.read_sent(), at.received(), share, at.restarts)


async def search(at: Whole, asked: Asked, progress: Progress) -> tuple[list[Step], int]:
    """The steps that were tried within the time, and the highest rate of those that held."""
    end = time.monotonic() + asked.search
    tried: list[Step] = []

    async def measure(rate: int, seconds: int) -> Measured:
        if time.monotonic() > end:
            return Measured(None)
        progress(f"Is {rate:,} events a second held?")
        found = await step(at, rate, asked.warm_up, seconds)
        tried.append(found)
        urgent = found.urgency_ms.get(URGENT, Latency(0, 0.0, 0.0))
        count = rate * seconds if found.held else 0
        return Measured(Arrived(count, urgent.p50_ms, urgent.p99_ms), found.elsewhere)

    best = highest(await climb(measure, SEARCH_FROM, max(1, round(asked.seconds)), HELD_MS))
    return tried, best.messages_per_second if best else 0


def step_of(
    rate: int,
    seconds: float,
    loaded: Loaded,
    sent: list[Sent],
    received: dict[str, float],
    elsewhere: float,
    restarts: int,
) -> Step:
    """The figures of what was read before and after; pure."""
    is_left = loaded.behind is None or loaded.behind > HELD_BEHIND
    since = loaded.begin if is_left else loaded.since
    before, after = loaded.start if is_left else loaded.before, loaded.after
    took = max(0.001, after.at - before.at)
    events = round(rate * (loaded.until - since) / 1000)
    cpu = {name: after.cpu[name] - before.cpu.get(name, 0.0) for name in after.cpu}
    ours = sum(spent for name, spent in cpu.items() if name not in NOT_OURS)
    work = after.work - before.work
    grown = after.kept.bytes - before.kept.bytes
    window = (loaded.since, loaded.until)
    by_channel = latencies(sent, received, *window)
    done = took_of(sent, received, since, loaded.until)
    return Step(
        rate=rate,
        events=round(rate * seconds),
        messages=sum(each.count for found in by_channel.values() for each in found.values()),
        late_s=loaded.late,
        behind_s=None if loaded.behind is None else round(loaded.behind, 1),
        took_ms=by_channel,
        urgency_ms={
            priority: latency_of(values)
            for priority, values in took_of(sent, received, *window).items()
        },
        cores={name: round(spent / took, 3) for name, spent in cpu.items()},
        cpu_us_per_event={name: _each(spent * 1e6, events) for name, spent in cpu.items()},
        ours_us_per_event=_each(ours * 1e6, events),
        ours_us_per_message=_each(ours * 1e6, sum(map(len, done.values()))),
        requests_per_second={api: round(n / took, 1) for api, n in work.requests.items()},
        slices_per_second={role: round(n / took, 1) for role, n in work.slices.items()},
        records_per_slice={
            role: round(work.records[role] / count, 2) for role, count in work.slices.items()
        },
        bytes_per_event={topic: _each(size, events) for topic, size in grown.items()},
        elsewhere=elsewhere,
        restarts=restarts,
    )


def _each(total: float, count: int) -> float:
    return round(total / count, 1) if count else 0.0
