"""The end of the demo: its figures, and for each the query by which ClickHouse tells it too."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analytics.clickhouse import ClickHouse
from analytics.reconcile import Reconciled
from demo.verify.findings import Findings

SHOWN = 5
"""Cases listed where something is wrong."""
DECISIONS = (
    "SELECT uniqExact(notification_id) FROM delivery_events "
    "WHERE stage != 'goal' AND notification_id != ''"
)
SENT = (
    "SELECT channel, uniqExact(delivery_id) FROM delivery_events "
    "WHERE stage = 'sent' GROUP BY channel"
)
SUPPRESSED = (
    "SELECT reason, uniqExact(notification_id, channel) FROM delivery_events "
    "WHERE stage IN ('suppressed', 'held') GROUP BY reason"
)
LATENCY = (
    "SELECT priority, quantilesExact(0.5, 0.99)(dateDiff('ms', accepted, sent)) "
    "FROM (SELECT any(priority) AS priority, min(accepted) AS accepted, min(sent) AS sent "
    "FROM notification_state GROUP BY notification_id, channel) "
    "WHERE sent IS NOT NULL GROUP BY priority"
)
UNFINISHED = (
    "SELECT count() FROM (SELECT delivery_id FROM delivery_events WHERE delivery_id != '' "
    "GROUP BY delivery_id HAVING countIf(stage IN ('sent', 'failed', 'suppressed')) = 0)"
)
QUERIES = {
    "Decisions": DECISIONS,
    "Sent": SENT,
    "Not sent, or held": SUPPRESSED,
    "Latency": LATENCY,
    "Lost": UNFINISHED,
}
MEANINGS = {
    "lost": "should have been sent, or had an end, and has none",
    "duplicates": "the same message more than once",
    "unexpected": "nobody should get it, or not yet, or not with that priority",
    "wrong content": "another title, text or data than the templates give",
    "late": "after its time to live, or over a minute after it was due",
    "unexcused": "not sent, for a reason that the rules don't give",
}
"""Every kind of fault, for a newcomer."""


@dataclass(frozen=True)
class Analysts:
    """The same figures as ClickHouse has them."""

    decisions: int
    sent: dict[str, int]
    suppressed: dict[str, int]
    latency: dict[str, list[float]]
    unfinished: int


async def ask_clickhouse(clickhouse: ClickHouse) -> Analysts:
    """Run the queries that the summary shows; raises Unavailable."""
    return Analysts(
        decisions=(await clickhouse.query(DECISIONS))[0][0],
        sent=dict(await clickhouse.query(SENT)),
        suppressed=dict(await clickhouse.query(SUPPRESSED)),
        latency=dict(await clickhouse.query(LATENCY)),
        unfinished=(await clickhouse.query(UNFINISHED))[0][0],
    )


def as_line(found: Findings, analysts: Analysts, reconciled: Reconciled, seconds: float) -> str:
    """One line of JSON."""
    figures: dict[str, Any] = {
        "events": found.events,
        "decisions": analysts.decisions,
        "sent": dict(sorted(found.sent.items())),
        "suppressed": dict(sorted(found.suppressed.items())),
        "dead": found.dead,
        **{name.replace(" ", "_"): len(cases) for name, cases in found.faults().items()},
        "reconciled": reconciled.is_right,
        "seconds": round(seconds, 1),
        "latency_ms": found.percentiles(),
    }
    return json.dumps(figures)


def disagreements(found: Findings, analysts: Analysts) -> list[str]:
    """Where ClickHouse tells another figure than the witnesses; each in a sentence."""
    pairs: list[tuple[str, Any, Any]] = [
        ("decisions", found.decisions, analysts.decisions),
        ("sent", dict(found.sent), analysts.sent),
        ("suppressed", dict(found.suppressed), analysts.suppressed),
    ]
    return [
        f"{name}: the witnesses say {seen}, ClickHouse says {told}."
        for name, seen, told in pairs
        if seen != told
    ]


def is_in_order(found: Findings, analysts: Analysts, reconciled: Reconciled) -> bool:
    """Whether nothing is wrong anywhere: what the exit code of the demo says."""
    return found.is_right and reconciled.is_right and not disagreements(found, analysts)


def print_summary(console: Console, found: Findings, analysts: Analysts) -> None:
    """The table, its queries, then whatever is wrong."""
    table = Table(title="What became of it", title_justify="left", show_lines=True)
    for name in ("", "Producer and providers", "ClickHouse"):
        table.add_column(name, overflow="fold")
    for row in _rows(found, analysts):
        table.add_row(*map(Text, row))
    console.print(table)
    ends = ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in found.slots.most_common())
    console.print(f"Each channel of each notification ended as: {ends}.", highlight=False)
    console.print("\nClickHouse was asked, as you may with --keep:", highlight=False)
    for name, query in QUERIES.items():
        # Never broken by us, so that it can be copied from a terminal of any width.
        console.print(f"{name}: {query}", soft_wrap=True, markup=False, highlight=False)
    console.print()
    _print_verdict(console, found)
    for name, cases in found.faults().items():
        _print_cases(console, name, cases)
    _print_cases(console, "disagreement", disagreements(found, analysts))


def _rows(found: Findings, analysts: Analysts) -> list[tuple[str, str, str]]:
    latency = {name: f"{p['p50']} / {p['p99']}" for name, p in found.percentiles().items()}
    told = {name: f"{p50:.0f} / {p99:.0f}" for name, (p50, p99) in analysts.latency.items()}
    return [
        ("Events", f"{found.events:,}", ""),
        ("Decisions", f"{found.decisions:,}", f"{analysts.decisions:,}"),
        ("Sent", _lines(found.sent), _lines(analysts.sent)),
        ("Not sent, or held", _lines(found.suppressed), _lines(analysts.suppressed)),
        ("Latency, ms\np50 / p99", _lines(latency), _lines(told)),
        ("Dead letters", f"{found.dead:,}", ""),
        ("Lost", f"{len(found.lost):,}", f"{analysts.unfinished:,}"),
    ]


def _print_verdict(console: Console, found: Findings) -> None:
    """What was compared and what was found, for somebody who sees this for the first time."""
    checked = Table(title="What the judge checked", title_justify="left")
    checked.add_column("By the producer's log and the documented rules", overflow="fold")
    checked.add_column("cases", justify="right")
    for name, count in sorted(found.checked.items()):
        checked.add_row(Text(name), f"{count:,}")
    console.print(checked)
    faults = Table(title="What it found", title_justify="left")
    faults.add_column("fault")
    faults.add_column("what it means", overflow="fold")
    faults.add_column("cases", justify="right")
    for name, cases in found.faults().items():
        faults.add_row(name, MEANINGS[name], Text(f"{len(cases):,}", "red" if cases else "green"))
    console.print(faults)
    verdict = "everything was as it should be" if found.is_right else "there are faults"
    console.print(f"Verdict: {verdict}.", highlight=False)


def _lines(figures: dict[str, Any]) -> str:
    def shown(value: Any) -> str:
        return f"{value:,}" if isinstance(value, int) else str(value)

    return "\n".join(
        f"{name.replace('_', ' ')} {shown(value)}" for name, value in sorted(figures.items())
    )


def _print_cases(console: Console, name: str, cases: Sequence[str]) -> None:
    for case in cases[:SHOWN]:
        console.print(f"{name}: {case}", style="red", markup=False, highlight=False)
    if len(cases) > SHOWN:
        console.print(f"… and {len(cases) - SHOWN:,} more", style="red")
