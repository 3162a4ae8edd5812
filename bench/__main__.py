"""`python -m bench`: side-by-side benchmarks on this machine, each with its own Kafka."""

import asyncio
import json
import sys
from collections.abc import Coroutine
from typing import Any

import click
import msgspec
import uvloop
from rich.console import Console

from bench import analytics as analytics_bench
from bench import decide as decide_bench
from bench import gateway as gateway_bench
from bench import questions as questions_bench
from bench import report
from bench import restore as restore_bench
from bench import sinks as sinks_bench
from bench import timers as timers_bench
from pipeline.errors import TocsinError

LINE = click.option("--json", "as_json", is_flag=True, help="One line of JSON and nothing else.")
console = Console(stderr=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """Side-by-side benchmarks. Ratios within one run count; absolute figures move by 20 %."""


@bench.command()
@click.option("--records", type=click.IntRange(1000), default=400_000, show_default=True)
@LINE
def decide(records: int, as_json: bool) -> None:
    """Stateful decisions in one process: ours, stock Faust, Quix Streams, and a stateless loop.

    The slower ones get a share of RECORDS: Quix three eighths, Faust a twentieth.
    """
    with console.status("") as status:
        found = _run(decide_bench.run(records, status.update))
    _print(found, as_json, report.decide_table)


@bench.command()
@click.option("--records", type=click.IntRange(100), default=1_000_000, show_default=True)
@LINE
def restore(records: int, as_json: bool) -> None:
    """Restoring a partition's state from its changelog: ours and stock Faust's.

    Faust gets a twentieth of RECORDS.
    """
    with console.status("") as status:
        found = _run(restore_bench.run(records, status.update))
    _print(found, as_json, report.restore_table)


@bench.command()
@click.option("--timers", type=click.IntRange(100), default=200_000, show_default=True)
@LINE
def timers(timers: int, as_json: bool) -> None:
    """Notifications that were put off to one moment: how many a second go out when it comes."""
    with console.status("") as status:
        found = _run(timers_bench.run(timers, status.update))
    _print(found, as_json, report.timers_table)


@bench.command()
@click.option("--calls", type=click.IntRange(100), default=5000, show_default=True)
@LINE
def sinks(calls: int, as_json: bool) -> None:
    """Provider calls: our sinks, the bare HTTP client, and the vendors' own SDKs."""
    with console.status("") as status:
        found = _run(sinks_bench.run(calls, status.update))
    _print(found, as_json, report.sinks_table)


@bench.command()
@click.option("--sockets", type=click.IntRange(1), default=5000, show_default=True)
@click.option("--rate", type=click.IntRange(1), default=1000, show_default=True)
@click.option("--seconds", type=click.IntRange(1), default=20, show_default=True)
@click.option("--centrifugo/--no-centrifugo", default=True, show_default=True)
@LINE
def gateway(sockets: int, rate: int, seconds: int, centrifugo: bool, as_json: bool) -> None:
    """Inboxes live: from a message to the socket; and what the API takes and reads.

    Then Centrifugo, built from its newest release where Go is installed: the highest rate that it
    holds at the p99 that ours had at RATE, and ours at that rate.
    """
    with console.status("") as status:
        found = _run(gateway_bench.run(sockets, rate, seconds, centrifugo, status.update))
    _print(found, as_json, report.gateway_table)


@bench.command()
@click.option("--rows", type=click.IntRange(1000), default=1_000_000, show_default=True)
@LINE
def analytics(rows: int, as_json: bool) -> None:
    """Delivery events into ClickHouse: one worker beside a bare insert, and how fresh they are."""
    with console.status("") as status:
        found = _run(analytics_bench.run(rows, status.update))
    _print(found, as_json, report.analytics_table)


@bench.command()
@click.option("--rows", type=click.IntRange(1000), default=10_000_000, show_default=True)
@LINE
def questions(rows: int, as_json: bool) -> None:
    """What analysts and support ask, over a tenth of ROWS and over all of them."""
    with console.status("") as status:
        found = _run(questions_bench.run(rows, status.update))
    _print(found, as_json, report.questions_table)


def _run(bench_run: Coroutine[Any, Any, Any]) -> Any:
    # As our workers do, so that what runs in this process is on the same event loop.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(bench_run)
        except TocsinError as error:
            console.print(f"bench: {error}", markup=False, highlight=False)
            sys.exit(69)


def _print(found: Any, as_json: bool, table: Any) -> None:
    if as_json:
        print(json.dumps(msgspec.to_builtins(found)))
    else:
        Console().print(table(found))


if __name__ == "__main__":
    bench()
