"""Results as tables for people."""

from rich.table import Table

from bench.analytics.analytics import ENGINE, AnalyticsFound
from bench.analytics.questions import QuestionsFound
from bench.decide.decide import Decide
from bench.decide.restore import Restore
from bench.decide.timers import TimersFired
from bench.gateway.gateway import GatewayFound
from bench.gateway.pace import Pace
from bench.gateway.rate_search import BUSY, Rung
from bench.intake.intake import IntakeFound
from bench.pairs import ITSELF, Ratio
from bench.sinks.poison import Poison
from bench.sinks.sinks import Sinks

NAMES = {
    "tocsin": "Tocsin's decider",
    "faust": "stock Faust",
    "quix": "Quix Streams",
    "aiokafka": "aiokafka, no state",
}


def decide_table(found: Decide) -> Table:
    """The contestants of `decide`, the fastest first."""
    rates = found.records_per_second
    table = Table(
        title=f"Stateful decisions in one process, broker included, {found.pairs} pairs",
        caption=f"All but aiokafka decided alike on the first {found.same_decisions_on:,} records.",
    )
    columns = ("", "records/s", "Tocsin is", "CPU µs/record", "broker's", "by CPU", "records")
    for column in columns:
        table.add_column(column, justify="right" if column else "left")
    for name in sorted(rates, key=rates.__getitem__, reverse=True):
        table.add_row(
            NAMES[name],
            f"{rates[name]:,}",
            _times(found.ratios.get(name)),
            f"{found.cpu_us_per_record[name]:,.1f}",
            f"{found.broker_cpu_us_per_record[name]:,.1f}",
            _times(found.cpu_ratios.get(name)),
            f"{found.records[name]:,}",
        )
    return table


def restore_table(found: Restore) -> Table:
    """Ours and Faust's, one a row."""
    table = Table(title=f"Restoring state from a changelog, broker included, {found.pairs} pairs")
    for column in ("", "records/s", "Tocsin is", "CPU µs/record", "by CPU", "records"):
        table.add_column(column, justify="right" if column else "left")
    ours, theirs = found.cpu_us_per_record, found.stock_faust_cpu_us_per_record
    for name, rate, ratio, cpu, cpu_ratio, records in (
        ("Tocsin's partition store", found.records_per_second, None, ours, None, found.records),
        (
            "stock Faust's table",
            found.stock_faust,
            found.interval,
            theirs,
            found.cpu_ratio,
            found.stock_faust_records,
        ),
    ):
        cells = (f"{rate:,}", _times(ratio), f"{cpu:,.1f}", _times(cpu_ratio), f"{records:,}")
        table.add_row(name, *cells)
    return table


def timers_table(found: TimersFired) -> Table:
    """How fast timers fire."""
    table = Table(title="Timers due at one moment, in one process, broker included")
    for column in ("timers/s", "CPU µs/timer", "last one out after", "timers"):
        table.add_column(column, justify="right")
    table.add_row(
        f"{found.timers_per_second:,}",
        f"{found.cpu_us_per_timer:,.1f}",
        f"{found.latest:.1f} s",
        f"{found.timers:,}",
    )
    return table


def gateway_table(found: GatewayFound) -> Table:
    """The gateway's figures and the API's."""
    table = Table(
        title="In-app gateway and API, all on this machine",
        caption=found.centrifugo_left_out or None,
        show_header=False,
    )
    for name, text in (
        ("sockets open", f"{found.sockets:,}"),
        ("messages a second", f"{found.messages_per_second:,}, {found.missing:,} missing"),
        ("message to socket", f"p50 {found.p50_ms:g} ms, p99 {found.p99_ms:g} ms"),
        ("memory a socket", f"{found.bytes_per_socket / 1024:.1f} KiB"),
        (
            "events taken",
            f"{found.events_per_second:,}/s, a bare handler takes {found.bare_per_second:,}/s: "
            f"{_times(found.interval)}, by CPU {_times(found.cpu_ratio)}",
        ),
        ("inbox of 1,000", f"p50 {found.inbox_p50_ms:g} ms, p99 {found.inbox_p99_ms:g} ms"),
        *(_pace_rows(found.centrifugo) if found.centrifugo else ()),
    ):
        table.add_row(name, text)
    return table


def _pace_rows(pace: Pace) -> list[tuple[str, str]]:
    within = f"at a p99 of {pace.p99_ms:g} ms"
    return [
        (f"Centrifugo {pace.version} {within}", f"{_rate(pace.centrifugo)}, by {pace.fed_by}"),
        ("its memory a socket", f"{pace.centrifugo_bytes_per_socket / 1024:.1f} KiB"),
        (f"Tocsin {within}", _rate(pace.tocsin)),
        (
            f"Tocsin at Centrifugo's rate (goal: p99 {pace.goal_p99_ms:g} ms)",
            _rate(pace.tocsin_at_its_rate),
        ),
    ]


def _rate(rung: Rung | None) -> str:
    if rung is None:
        return "none that was tried"
    missing = f", {rung.missing:,} missing" if rung.missing else ""
    others = f", others took {rung.elsewhere:.0%} of the machine" if rung.elsewhere > BUSY else ""
    milliseconds = f"p50 {rung.p50_ms:g} ms, p99 {rung.p99_ms:g} ms"
    return f"{rung.messages_per_second:,}/s, {milliseconds}{missing}{others}"


def sinks_table(found: Sinks) -> Table:
    """Every provider's contestants."""
    one = [f"{n}: {sink.vendor_why_one}" for n, sink in found.sinks.items() if sink.vendor_why_one]
    table = Table(
        title="Provider calls, 64 at once, against what the simulators answered",
        caption="\n".join(
            [
                f"SDKs with one message a call: {'; '.join(one)}.",
                *(f"{n}: bounded by {s.bounded}." for n, s in found.sinks.items() if s.bounded),
            ]
        ),
    )
    for column in ("", "contestant", "calls/s", "CPU µs/call", "deliveries/call", "ours is"):
        table.add_column(column, justify="left" if column in ("", "contestant") else "right")
    for name, sink in found.sinks.items():
        rows = [
            ("Tocsin's sink", sink.ours, ""),
            (
                "bare client",
                sink.bare,
                f"{_times(sink.bare_interval)}, by CPU {_times(sink.bare_cpu_interval)}",
            ),
        ]
        if sink.vendor:
            by_cpu = _times(sink.vendor_cpu_interval)
            ratios = f"{_times(sink.vendor_interval)}, by CPU {by_cpu}"
            rows.append((sink.vendor_client, sink.vendor, ratios))
        for contestant, speed, ratio in rows:
            cells = (f"{speed.calls_per_second:,}", f"{speed.cpu_us_per_call:,.0f}")
            table.add_row(name, contestant, *cells, str(speed.deliveries), ratio)
    return table


def poison_table(found: Poison) -> Table:
    """A provider a row: p50 and p99 of good deliveries, and what poison does to p99."""
    table = Table(
        title=f"{found.rate} deliveries a second of each provider, of which a tenth may be bad",
        caption=f"p99 with poison to p99 without, median of all pairs: {found.median_ratio:.2f}",
    )
    for column in ("", "p50/p99 without, ms", "with, ms", "p99 with is", "opened", "not sent"):
        table.add_column(column, justify="right" if column else "left")
    for name, each in found.providers.items():
        times = [f"{t.p50_ms:.1f}/{t.p99_ms:.1f}" for t in (each.without, each.with_poison)]
        table.add_row(name, *times, _times(each.ratio), str(each.opened), str(each.not_sent))
    return table


def analytics_table(found: AnalyticsFound) -> Table:
    """Rates, then how fresh."""
    table = Table(
        title=f"Delivery events into ClickHouse, broker and engine included, {found.pairs} pairs"
    )
    for column in ("", "rows/s", "ours is", "CPU µs/row", "ClickHouse's", "by CPU"):
        table.add_column(column, justify="right" if column else "left")
    rows = (
        ("one worker", found.rows_per_second, None, found.cpu_us_per_row, None),
        (
            "bare insert",
            found.bare_per_second,
            found.interval,
            found.bare_cpu_us_per_row,
            found.cpu_ratio,
        ),
    )
    for name, rate, ratio, cpu, cpu_ratio in rows:
        cells = (f"{cpu[ITSELF]:,.1f}", f"{cpu[ENGINE]:,.1f}", _times(cpu_ratio))
        table.add_row(name, f"{rate:,}", _times(ratio), *cells)
    fresh = f"p50 {found.fresh_p50_ms:,}, p99 {found.fresh_p99_ms:,} ms until a query finds it"
    table.add_row("paced", f"{found.paced_per_second:,}", fresh)
    for name, size in found.stored_bytes_per_row.items():
        table.add_row(name, "", f"{size:.1f} bytes a row, merged")
    return table


def intake_table(found: IntakeFound) -> Table:
    """A contestant of each form a row, then what a source adds."""
    table = Table(
        title=f"A company's own topic, one process, broker included, {found.pairs} pairs",
        caption=(
            f"At {found.added.rate} records a second a source adds p50 {found.added.p50_ms}, "
            f"p99 {found.added.p99_ms} ms."
        ),
    )
    for column in ("", "records/s", "ours is", "goal", "CPU µs/record", "by CPU", "broker's"):
        table.add_column(column, justify="right" if column else "left")
    for name, form in found.forms.items():
        cpu = f"{form.cpu_us_per_record:,.1f}", "", f"{form.broker_cpu_us_per_record:,.1f}"
        table.add_row(f"{name}: a source", f"{form.records_per_second:,}", "", "", *cpu)
        for loop, bare in form.bare.items():
            table.add_row(
                f"{name}: bare loop, {loop}",
                f"{bare.records_per_second:,}",
                _times(bare.ratio),
                f"{form.goal:g}" if loop == "aiokafka" else "",
                f"{bare.cpu_us_per_record:,.1f}",
                _times(bare.cpu_ratio),
                f"{bare.broker_cpu_us_per_record:,.1f}",
            )
    return table


def _times(ratio: Ratio | None) -> str:
    """A ratio and its interval; nothing where none was asked for."""
    if ratio is None:
        return ""
    if not ratio.pairs:
        return "too short"
    return f"{ratio.median:.2f} x ({ratio.low:.2f}–{ratio.high:.2f})"  # noqa: RUF001


def questions_table(found: QuestionsFound) -> Table:
    """A question a row, p50, the longest, processor time and what was read, by number of rows;
    then bytes an event by table."""
    table = Table(title="Questions to ClickHouse, p50 / longest, ms; engine's CPU, ms; MB read")
    table.add_column("")
    for rows in found.took:
        table.add_column(f"{rows:,} rows", justify="right")
    for said in next(iter(found.took.values())):
        times = [took[said] for took in found.took.values()]
        table.add_row(
            said,
            *(
                f"{each.p50_ms:,.0f} / {each.p99_ms:,.0f}; {each.cpu_ms:,.0f}; {each.read_mb:,.1f}"
                for each in times
            ),
        )
    for name in next(iter(found.stored.values())):
        sizes = [stored[name] for stored in found.stored.values()]
        table.add_row(f"{name}, bytes an event", *(f"{size:.1f}" for size in sizes))
    return table
