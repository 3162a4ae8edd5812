"""Results as tables for people."""

from rich.table import Table

from bench.analytics import AnalyticsFound
from bench.decide import Decide
from bench.gateway import GatewayFound
from bench.ladder import BUSY, Rung
from bench.pace import Pace
from bench.questions import QuestionsFound
from bench.restore import Restore
from bench.sinks import Sinks
from bench.timers import TimersFired

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
        title="Stateful decisions in one process, broker included",
        caption=f"All but aiokafka decided alike on the first {found.same_decisions_on:,} records.",
    )
    for column in ("", "records/s", "CPU µs/record", "Tocsin is", "records"):
        table.add_column(column, justify="right" if column else "left")
    for name in sorted(rates, key=rates.__getitem__, reverse=True):
        table.add_row(
            NAMES[name],
            f"{rates[name]:,}",
            f"{found.cpu_us_per_record[name]:,.1f}",
            f"{rates['tocsin'] / rates[name]:.2f} x",
            f"{found.records[name]:,}",
        )
    return table


def restore_table(found: Restore) -> Table:
    """Ours and Faust's, one a row."""
    table = Table(title="Restoring state from a changelog, broker included")
    for column in ("", "records/s", "records"):
        table.add_column(column, justify="right" if column else "left")
    for name, rate, records in (
        ("Tocsin's partition store", found.records_per_second, found.records),
        ("stock Faust's table", found.stock_faust, found.stock_faust_records),
    ):
        table.add_row(name, f"{rate:,}", f"{records:,}")
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
            f"{found.events_per_second:,}/s, {found.share_of_bare:.2f} of a bare handler's",
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
    table = Table(title="Provider calls, 64 at once, against the simulators")
    for column in ("", "contestant", "calls/s", "CPU µs/call", "deliveries/call", "ours is"):
        table.add_column(column, justify="left" if column in ("", "contestant") else "right")
    for name, sink in found.sinks.items():
        rows = [
            ("Tocsin's sink", sink.ours, ""),
            ("bare HTTP client", sink.bare, f"{sink.share_of_bare:.2f} x"),
        ]
        if sink.vendor:
            ratios = f"{sink.vendor_ratio:.1f} x, by CPU {sink.vendor_cpu_ratio:.1f} x"
            rows.append((sink.vendor_client, sink.vendor, ratios))
        for contestant, speed, ratio in rows:
            cells = (f"{speed.calls_per_second:,}", f"{speed.cpu_us_per_call:,.0f}")
            table.add_row(name, contestant, *cells, str(speed.deliveries), ratio)
    return table


def analytics_table(found: AnalyticsFound) -> Table:
    """Rates, then how fresh."""
    table = Table(title="Delivery events into ClickHouse, broker and engine included")
    for column in ("", "rows/s", "of bare", "p50 / p99 until a query finds it, ms"):
        table.add_column(column, justify="right" if column else "left")
    table.add_row("one worker", f"{found.rows_per_second:,}", f"{found.share_of_bare:.2f}", "")
    table.add_row("bare insert", f"{found.bare_per_second:,}", "1", "")
    fresh = f"{found.fresh_p50_ms:,} / {found.fresh_p99_ms:,}"
    table.add_row("paced", f"{found.paced_per_second:,}", "", fresh)
    return table


def questions_table(found: QuestionsFound) -> Table:
    """A question a row, p50 and the longest by number of rows."""
    table = Table(title="Questions to ClickHouse, p50 / longest, ms")
    table.add_column("")
    for rows in found.took:
        table.add_column(f"{rows:,} rows", justify="right")
    for said in next(iter(found.took.values())):
        times = [took[said] for took in found.took.values()]
        table.add_row(said, *(f"{each.p50_ms:,.0f} / {each.p99_ms:,.0f}" for each in times))
    return table
