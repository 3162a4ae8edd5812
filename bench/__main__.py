"""`python -m bench`: side-by-side benchmarks on this machine, each with its own Kafka."""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import click
import msgspec
import uvloop
from rich.console import Console

from bench import report
from bench.analytics import analytics as analytics_bench
from bench.analytics import questions as questions_bench
from bench.decide import decide as decide_bench
from bench.decide import restore as restore_bench
from bench.decide import timers as timers_bench
from bench.gateway import gateway as gateway_bench
from bench.intake import intake as intake_bench
from bench.pairs import PAIRS, Progress
from bench.sinks import poison as poison_bench
from bench.sinks import sinks as sinks_bench
from bench.terms import TERMS
from bench.whole import end_to_end as end_to_end_bench
from bench.whole import soak as soak_bench
from bench.whole.report import end_to_end_tables, soak_tables
from schemas.errors import TocsinError, exit_code_of
from sinks.registry import PROVIDERS

LINE = click.option("--json", "as_json", is_flag=True, help="One line of JSON and nothing else.")
ROUNDS = click.option(
    "--pairs",
    type=click.IntRange(1),
    default=PAIRS,
    show_default=True,
    help="Rounds, in each of which every contestant runs once. Fewer than 6 hold no figure.",
)
USERS = click.option(
    "--users",
    type=click.IntRange(100),
    default=20_000,
    show_default=True,
    help="People of the demo that are there.",
)
WARM_UP = click.option(
    "--warm-up",
    type=click.FloatRange(0),
    default=10,
    show_default=True,
    help="Seconds under load before anything is measured.",
)
console = Console(stderr=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """Side-by-side benchmarks. Ratios count, of runs next to each other; figures move by 20 %.

    Contestants take turns in `--pairs` rounds. Printed are the median of the rounds' ratios and,
    in brackets, the interval that holds the true median with at least 95 %.
    """


@bench.command()
@click.option("--records", type=click.IntRange(1000), default=100_000, show_default=True)
@ROUNDS
@LINE
def decide(records: int, pairs: int, as_json: bool) -> None:
    """Stateful decisions in one process: ours, stock Faust, Quix Streams, and a stateless loop.

    The slower ones get a share of RECORDS: Quix three eighths, Faust a twentieth.
    """
    found = _run("decide", lambda progress: decide_bench.run(records, pairs, progress))
    _print(found, as_json, report.decide_table)


@bench.command()
@click.option("--records", type=click.IntRange(100), default=400_000, show_default=True)
@ROUNDS
@LINE
def restore(records: int, pairs: int, as_json: bool) -> None:
    """Restoring a partition's state from its changelog: ours and stock Faust's.

    Faust gets a twentieth of RECORDS.
    """
    found = _run("restore", lambda progress: restore_bench.run(records, pairs, progress))
    _print(found, as_json, report.restore_table)


@bench.command()
@click.option("--timers", type=click.IntRange(100), default=200_000, show_default=True)
@LINE
def timers(timers: int, as_json: bool) -> None:
    """Notifications that were put off to one moment: how many a second go out when it comes."""
    found = _run("timers", lambda progress: timers_bench.run(timers, progress))
    _print(found, as_json, report.timers_table)


@bench.command()
@click.option("--calls", type=click.IntRange(100), default=5000, show_default=True)
@click.option(
    "--provider",
    "providers",
    type=click.Choice(sorted(PROVIDERS)),
    multiple=True,
    help="Only this one; may be given several times.  [default: all]",
)
@ROUNDS
@LINE
def sinks(calls: int, providers: tuple[str, ...], pairs: int, as_json: bool) -> None:
    """Provider calls: our sinks, the bare HTTP client, and the vendors' own SDKs.

    CALLS are those of one contestant in all rounds; an SDK makes a quarter of them.
    """
    names = providers or sorted(PROVIDERS)
    found = _run("sinks", lambda progress: sinks_bench.run(calls, pairs, names, progress))
    _print(found, as_json, report.sinks_table)


@bench.command()
@click.option(
    "--rate",
    type=click.IntRange(1),
    default=30,
    show_default=True,
    help="Deliveries a second of each provider.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1),
    default=5,
    show_default=True,
    help="For which a turn lasts.",
)
@ROUNDS
@LINE
def poison(rate: int, seconds: float, pairs: int, as_json: bool) -> None:
    """Deliveries of which a tenth has bad addresses, and as many that are all good.

    Every provider has its turns, six of them at a time.
    """
    asked = poison_bench.Asked(rate, seconds, pairs)
    found = _run("poison", lambda progress: poison_bench.run(asked, progress))
    _print(found, as_json, report.poison_table)


@bench.command()
@click.option("--sockets", type=click.IntRange(1), default=5000, show_default=True)
@click.option("--rate", type=click.IntRange(1), default=1000, show_default=True)
@click.option("--seconds", type=click.IntRange(1), default=20, show_default=True)
@click.option("--centrifugo/--no-centrifugo", default=True, show_default=True)
@ROUNDS
@LINE
def gateway(
    sockets: int, rate: int, seconds: int, centrifugo: bool, pairs: int, as_json: bool
) -> None:
    """Inboxes live: from a message to the socket; and what the API takes and reads.

    Then Centrifugo, built from its newest release where Go is installed: the highest rate that it
    holds at the p99 that ours had at RATE, and ours at that rate. PAIRS are of the API and a bare
    handler.
    """
    asked = gateway_bench.Asked(sockets, rate, seconds, centrifugo, pairs)
    found = _run("gateway", lambda progress: gateway_bench.run(asked, progress))
    _print(found, as_json, report.gateway_table)


@bench.command()
@click.option("--records", type=click.IntRange(2000), default=100_000, show_default=True)
@click.option(
    "--seconds",
    type=click.FloatRange(1),
    default=20,
    show_default=True,
    help="For which latency is measured.",
)
@ROUNDS
@LINE
def intake(records: int, seconds: float, pairs: int, as_json: bool) -> None:
    """A company's own topic, read through a source: ours, and a loop that decodes and re-keys.

    Both in JSON and in Avro; then what the source adds to a record's way at 100 a second.
    """
    found = _run("intake", lambda progress: intake_bench.run(records, pairs, seconds, progress))
    _print(found, as_json, report.intake_table)


@bench.command()
@click.option("--rows", type=click.IntRange(100_000), default=400_000, show_default=True)
@ROUNDS
@LINE
def analytics(rows: int, pairs: int, as_json: bool) -> None:
    """Delivery events into ClickHouse: one worker beside a bare insert, and how fresh they are."""
    found = _run("analytics", lambda progress: analytics_bench.run(rows, pairs, progress))
    _print(found, as_json, report.analytics_table)


@bench.command()
@click.option("--rows", type=click.IntRange(1000), default=10_000_000, show_default=True)
@LINE
def questions(rows: int, as_json: bool) -> None:
    """What analysts and support ask, over a tenth of ROWS and over all of them."""
    found = _run("questions", lambda progress: questions_bench.run(rows, progress))
    _print(found, as_json, report.questions_table)


@bench.command("end_to_end")
@click.option("--rates", default="0,10,100,250,1000", show_default=True, help="Events a second.")
@click.option("--seconds", type=click.FloatRange(1), default=20, show_default=True)
@click.option(
    "--search",
    type=click.FloatRange(0),
    default=300,
    show_default=True,
    help="Seconds for which the highest rate held is looked for; 0 leaves it out.",
)
@click.option("--partitions", type=click.IntRange(1), help="Of each topic; else the demo's.")
@WARM_UP
@USERS
@LINE
def end_to_end(
    rates: str,
    seconds: float,
    warm_up: float,
    search: float,
    partitions: int | None,
    users: int,
    as_json: bool,
) -> None:
    """The whole way, from an event on Kafka to its provider: how long it takes, and what it costs.

    SECONDS are measured at each rate, after a WARM-UP that is not.
    """
    try:
        numbers = tuple(int(rate) for rate in rates.split(","))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 0:
        raise click.BadParameter(
            f"{rates!r} is no list of whole numbers; write it as 0,10,100.", param_hint="--rates"
        )
    asked = end_to_end_bench.Asked(users, numbers, warm_up, seconds, search, partitions)
    found = _run("end_to_end", lambda _: end_to_end_bench.run(asked, _say))
    _print(found, as_json, end_to_end_tables)


@bench.command()
@click.option(
    "--minutes", type=click.FloatRange(min=0, min_open=True), default=10, show_default=True
)
@click.option("--rate", type=click.IntRange(1), default=100, show_default=True)
@click.option(
    "--every",
    type=click.FloatRange(1),
    default=60,
    show_default=True,
    help="Seconds between looks, and for which one p99 is taken.",
)
@WARM_UP
@USERS
@LINE
def soak(
    minutes: float, rate: int, every: float, warm_up: float, users: int, as_json: bool
) -> None:
    """A steady load for minutes: memory, open files and disk by process, and p99 as it goes on."""
    asked = soak_bench.Asked(users, rate, minutes, every, warm_up)
    found = _run("soak", lambda _: soak_bench.run(asked, _say))
    _print(found, as_json, soak_tables)


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def _run(name: str, start: Callable[[Progress], Coroutine[Any, Any, Any]]) -> Any:
    for line in TERMS[name]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    # As our workers do, so that what runs in this process is on the same event loop.
    with console.status("") as status, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(start(status.update))
        except TocsinError as error:
            console.print(f"bench: {error}", markup=False, highlight=False)
            sys.exit(exit_code_of(error))


def _print(found: Any, as_json: bool, table: Any) -> None:
    if as_json:
        print(json.dumps(msgspec.to_builtins(found)))
    else:
        Console().print(table(found))


if __name__ == "__main__":
    bench()
