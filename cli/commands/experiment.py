"""`tocsin experiment`: which variant does better, or what telling brings, and how sure that is."""

import asyncio
from collections.abc import Iterator

import click
import msgspec
from rich.text import Text

from analytics.clickhouse import ClickHouse
from analytics.experiments import FIRST, LAST, Asked, experiments_of
from analytics.timeline import day_from
from cli.lines import Row, aligned, print_lines, wrapped
from cli.settings import read_settings
from pipeline.catalogue_folder import read_catalogue
from policy.experiments.results import Metric, Results, VariantResult, Verdict
from schemas.errors import WrongUsage

_STYLES = {Verdict.BETTER: "green", Verdict.WORSE: "red", Verdict.TOO_LITTLE: "yellow"}


@click.command()
@click.argument("name", metavar="TYPE")
@click.option("--tenant", default="default", show_default=True)
@click.option(
    "--metric", type=click.Choice([each.value for each in Metric]), default=Metric.OPENED.value,
    show_default=True,
    help="What counts as a success; a click is an open as well. With goal, users who were "
    "notified are compared with those who were held out.",
)  # fmt: skip
@click.option("--from", "start", help="The first day of the events, as 2026-03-01, UTC.")
@click.option("--to", "end", help="The last one.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object an experiment.")
def experiment(
    name: str, tenant: str, metric: str, start: str | None, end: str | None, as_json: bool
) -> None:
    """Compare the variants of TYPE, of its current and earlier experiments; or, with --metric goal,
    the users who were notified with those who were held out.

    Each variant is compared with the first. Intervals are of 95 %, and take into account that
    several messages of one user are not independent.
    """
    asked = Asked(
        tenant=tenant,
        type=name,
        metric=Metric(metric),
        start=day_from(start) if start else FIRST,
        end=day_from(end) if end else LAST,
    )
    if asked.end < asked.start:
        raise WrongUsage(f"--to {asked.end} is before --from {asked.start}.")
    found = _ask(asked)
    if as_json:
        for each in found:
            click.echo(msgspec.json.encode(each).decode())
    elif found:
        print_lines(line for each in found for line in described(each))
    else:
        print_lines([_nothing(name, asked.metric)])


def _nothing(name: str, metric: Metric) -> str:
    if metric is Metric.GOAL:
        return f"{name} has no holdout with a goal, and had none that held anybody out."
    return f"{name} has no experiment, and had none that was sent."


def _ask(asked: Asked) -> list[Results]:
    settings = read_settings()
    types = read_catalogue(settings.catalogue).types
    spec = types.get(asked.type)

    async def ask() -> list[Results]:
        clickhouse = ClickHouse(settings)
        try:
            return await experiments_of(clickhouse, asked, spec)
        finally:
            await clickhouse.close()

    found = asyncio.run(ask())
    # A type that is no more may still have results.
    if spec is None and not found:
        raise WrongUsage(f"There is no type {asked.type}; the catalogue has {', '.join(types)}.")
    return found


def described(found: Results) -> Iterator[Text]:
    """One experiment as a terminal shows it: a line a variant, and what may be said of it."""
    of_users = found.metric is Metric.GOAL
    sent = () if of_users else ("sent",)
    first = "group" if of_users else "variant"
    head = (first, "users", *sent, str(found.metric), "rate", "95 % interval")
    rows = [Row((result.variant, *_cells(result, of_users=of_users))) for result in found.variants]
    yield Text(found.experiment, style="bold")
    yield from aligned([Row(head), *rows], right=frozenset(range(1, len(head))))
    for each in found.compared:
        for line in wrapped(each.said):
            line.stylize(_STYLES.get(each.verdict, ""))
            yield line


def _cells(result: VariantResult, *, of_users: bool) -> tuple[str, ...]:
    sent = () if of_users else (f"{result.sent:,}",)
    counts = (f"{result.users:,}", *sent, f"{result.successes:,}")
    if result.rate is None:
        return (*counts, "", "")
    low, high = result.interval.low, result.interval.high
    return (*counts, f"{result.rate:.1%}", f"{low:.1%} to {high:.1%}")
