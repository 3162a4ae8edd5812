"""What the whole-way benches found, as tables of at most 80 columns."""

from rich.console import Group
from rich.table import Table

from bench.whole.end_to_end import EndToEnd, Step
from bench.whole.receipts import Latency
from bench.whole.soak import Soak
from bench.whole.whole import CLICKHOUSE, KAFKA

WIDTH = 80
URGENCIES = ("critical", "high", "normal", "low")
MIB = 1 << 20
NONE = "-"
TOPICS = 8
"""So many topics with the most bytes are shown; the rest is in the JSON."""


def end_to_end_tables(found: EndToEnd) -> Group:
    """Latency, what an event takes, and what is asked of Kafka, a row each rate."""
    # Of the search, the one that was held at the highest rate.
    held = [step for step in found.searched if step.rate == found.highest and step.held]
    steps = [*found.steps, *held[-1:]]
    first, last = found.loop_ms
    best = f"{found.highest:,} events a second" if found.searched else "not looked for"
    return Group(
        _latencies(steps),
        _channels(steps),
        _costs(steps),
        _work(steps),
        _bytes(steps),
        f"{found.topics} topics, {found.partitions} partitions. Highest rate held: {best}.",
        f"A fixed loop took {first} ms before and {last} ms after.",
    )


def soak_tables(found: Soak) -> Group:
    """What each process took at first and at last, and p99 by time."""
    return Group(_processes(found), _times(found))


def _latencies(steps: list[Step]) -> Table:
    table = _table("From Kafka to provider or inbox, ms: p50 / p99")
    _columns(table, "events/s", *URGENCIES, "done after s")
    for step in steps:
        behind = "not" if step.behind_s is None else f"{step.behind_s:g}"
        cells = (_pair(step.urgency_ms.get(name)) for name in URGENCIES)
        table.add_row(f"{step.rate:,}", *cells, behind)
    return table


def _channels(steps: list[Step]) -> Table:
    table = _table("The same by channel, of all priorities that use it")
    names = sorted({name for step in steps for took in step.took_ms.values() for name in took})
    _columns(table, "events/s", "priority", *names)
    for step in steps:
        for priority, took in step.took_ms.items():
            table.add_row(f"{step.rate:,}", priority, *(_pair(took.get(name)) for name in names))
    return table


def _costs(steps: list[Step]) -> Table:
    table = _table("Processor time: µs an event, and cores")
    _columns(table, "events/s", "ours", "a message", "Kafka", "ClickHouse", "cores", "others")
    for step in steps:
        cores = sum(step.cores.values())
        table.add_row(
            f"{step.rate:,}",
            f"{step.ours_us_per_event:,.0f}",
            f"{step.ours_us_per_message:,.0f}",
            f"{step.cpu_us_per_event[KAFKA]:,.0f}",
            f"{step.cpu_us_per_event[CLICKHOUSE]:,.0f}",
            f"{cores:.2f}",
            f"{step.elsewhere:.0%}",
        )
    return table


def _work(steps: list[Step]) -> Table:
    table = _table("Slices a second (records in one) by role; requests to Kafka a second")
    _columns(table, "", *(f"{step.rate:,}" for step in steps))
    for role in _names(*(step.slices_per_second for step in steps)):
        cells = (
            f"{step.slices_per_second[role]:,.0f} ({step.records_per_slice[role]:g})"
            if role in step.slices_per_second
            else NONE
            for step in steps
        )
        table.add_row(role, *cells)
    for api in _names(*(step.requests_per_second for step in steps)):
        cells = (f"{step.requests_per_second.get(api, 0.0):,.0f}" for step in steps)
        table.add_row(api, *cells)
    return table


def _bytes(steps: list[Step]) -> Table:
    table = _table("Bytes in Kafka's logs an event; topics with the most")
    _columns(table, "", *(f"{step.rate:,}" for step in steps if step.rate))
    loaded = [step for step in steps if step.rate]
    cells = (f"{sum(step.bytes_per_event.values()):,.0f}" for step in loaded)
    table.add_row("all", *cells)
    for topic in _names(*(step.bytes_per_event for step in loaded))[:TOPICS]:
        table.add_row(topic, *(f"{step.bytes_per_event.get(topic, 0):,.0f}" for step in loaded))
    return table


def _processes(found: Soak) -> Table:
    table = _table(f"{found.rate:,} events a second, {found.seconds:g} s: first look, last look")
    _columns(table, "", "MiB", "", "open files", "", "cores")
    first, last = found.looks[0], found.looks[-1]
    for name in last.memory:
        table.add_row(
            name,
            f"{first.memory.get(name, 0) / MIB:,.0f}",
            f"{last.memory[name] / MIB:,.0f}",
            f"{first.descriptors.get(name, 0)}",
            f"{last.descriptors[name]}",
            f"{last.cores[name]:.2f}",
        )
    for folder, size in last.disk.items():
        cells = (f"{first.disk[folder] / MIB:,.0f}", f"{size / MIB:,.0f}")
        table.add_row(f"disk: {folder}", *cells, "", "", "")
    return table


def _times(found: Soak) -> Table:
    table = _table(f"p50 / p99 in ms, for each {found.every_s:g} s")
    _columns(table, "from s", *URGENCIES)
    for number, took in enumerate(found.took_ms):
        begin = f"{number * found.every_s:,.0f}"
        table.add_row(begin, *(_pair(took.get(name)) for name in URGENCIES))
    drift = (
        f"{found.drift_ms[name]:+,.0f}" if name in found.drift_ms else NONE for name in URGENCIES
    )
    table.add_row("drift of p99", *drift)
    return table


def _table(title: str) -> Table:
    return Table(title=title, width=WIDTH, title_justify="left")


def _columns(table: Table, first: str, *rest: str) -> None:
    table.add_column(first)
    for name in rest:
        table.add_column(name, justify="right")


def _names(*counts: dict[str, float]) -> list[str]:
    """All names, those with the most first."""
    most: dict[str, float] = {}
    for each in counts:
        for name, count in each.items():
            most[name] = max(count, most.get(name, 0.0))
    return sorted(most, key=lambda name: (-most[name], name))


def _pair(took: Latency | None) -> str:
    return NONE if took is None or not took.count else f"{took.p50_ms:,.0f} / {took.p99_ms:,.0f}"
