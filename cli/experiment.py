"""`tocsin experiment`: which variant of a type's texts does better, and how sure that is."""

import asyncio

import click
import msgspec
from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from analytics.clickhouse import ClickHouse
from analytics.experiments import FIRST, LAST, Asked, experiments_of
from analytics.timeline import day_from
from pipeline.catalogue_folder import read_catalogue
from pipeline.errors import Misconfigured
from pipeline.settings import read_settings
from policy.results import Metric, Results, VariantResult, Verdict

_STYLES = {Verdict.BETTER: "green", Verdict.WORSE: "red", Verdict.TOO_LITTLE: "yellow"}


@click.command()
@click.argument("name", metavar="TYPE")
@click.option("--tenant", default="default", show_default=True)
@click.option(
    "--metric", type=click.Choice([each.value for each in Metric]), default=Metric.OPENED.value,
    show_default=True, help="What counts as a success; a click is an open as well.",
)  # fmt: skip
@click.option("--from", "start", help="The first day of the events, as 2026-03-01, UTC.")
@click.option("--to", "end", help="The last one.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object an experiment.")
def experiment(
    name: str, tenant: str, metric: str, start: str | None, end: str | None, as_json: bool
) -> None:
    """Tell how the variants of TYPE do, of the experiment that it has and of those it had.

    Each variant is held against the first. The intervals hold with 95 %, and take into account
    that what one user does with several messages is not what several users do.
    """
    asked = Asked(
        tenant=tenant,
        type=name,
        metric=Metric(metric),
        start=day_from(start) if start else FIRST,
        end=day_from(end) if end else LAST,
    )
    if asked.end < asked.start:
        raise Misconfigured(f"--to {asked.end} is before --from {asked.start}.")
    found = _ask(asked)
    if as_json:
        for each in found:
            click.echo(msgspec.json.encode(each).decode())
    elif found:
        Console().print(Group(*map(described, found)), highlight=False)
    else:
        Console().print(f"{name} has no experiment, and had none that was sent.", markup=False)


def _ask(asked: Asked) -> list[Results]:
    settings = read_settings()
    # A type that is no more may still have results.
    spec = read_catalogue(settings.catalogue).types.get(asked.type)

    async def ask() -> list[Results]:
        clickhouse = ClickHouse(settings)
        try:
            return await experiments_of(clickhouse, asked, spec)
        finally:
            await clickhouse.close()

    return asyncio.run(ask())


def described(found: Results) -> RenderableType:
    """One experiment as a terminal shows it."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("variant", overflow="fold")
    for header in ("users", "sent", str(found.metric), "rate", "95 % interval"):
        table.add_column(header, justify="right")
    for result in found.variants:
        table.add_row(Text(result.variant), *_cells(result))
    said = [Text(each.said, style=_STYLES.get(each.verdict, "")) for each in found.compared]
    return Group(Text(found.experiment, style="bold"), table, *said)


def _cells(result: VariantResult) -> tuple[str, ...]:
    counts = (f"{result.users:,}", f"{result.sent:,}", f"{result.successes:,}")
    if result.rate is None:
        return (*counts, "", "")
    low, high = result.interval.low, result.interval.high
    return (*counts, f"{result.rate:.1%}", f"{low:.1%} to {high:.1%}")
