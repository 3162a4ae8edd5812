"""`tocsin reconcile`: nothing lost and nothing counted twice, shown from Kafka's own records."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
from msgspec import Struct
from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from analytics.clickhouse import ClickHouse
from analytics.reconcile import Finding, Reconciled
from analytics.reconcile import reconcile as compare
from cli.audit import put_on_record
from cli.lines import Row, aligned, print_lines
from cli.settings import read_settings
from cli.time_parameter import MOMENT
from pipeline.catalogue_folder import read_catalogue
from schemas.encoding import UNDECODABLE
from schemas.errors import BadInput, WrongUsage

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


class AcceptedLine(Struct, frozen=True):
    """What a line of a provider's log must have; it may have more."""

    delivery_id: str


@click.command()
@click.option("--from", "begin", type=MOMENT, required=True, help="RFC 3339, or 2h for 2 h ago.")
@click.option("--to", "end", type=MOMENT, default="now", show_default=True, help="Not included.")
@click.option("--accepted", type=_FILE, help="JSON lines with the delivery_id of each message.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def reconcile(begin: int, end: int, accepted: Path | None, as_json: bool) -> None:
    """Compare what Kafka accepted between two times with what ClickHouse counts.

    With --accepted also with what providers accepted: a simulator's log, or what you export from
    them. What is still in flight counts as lost, so choose an end that all roles have passed. Exits
    with 1 if something is lost or counted twice.
    """
    if begin >= end:
        raise WrongUsage("--from is not before --to. Nothing was compared.")
    found = asyncio.run(_compared(begin, end, None if accepted is None else _ids(accepted)))
    if as_json:
        text = msgspec.json.encode({"right": found.is_right, **msgspec.to_builtins(found)})
        click.echo(text.decode())
    else:
        print_reconciled(Console(), found)
    sys.exit(0 if found.is_right else 1)


def print_reconciled(console: Console, found: Reconciled) -> None:
    """A line for each finding, with what is wrong by its id beneath, and the verdict."""
    print_lines(_described(found), console)


def _described(found: Reconciled) -> Iterator[str | Text]:
    head = Row(("compared", "of", "wrong"))
    lines = list(aligned([head, *map(_row, found.findings)], right=frozenset({1, 2})))
    yield lines[0]
    for finding, line in zip(found.findings, lines[1:], strict=True):
        yield line
        yield from (f"    such as {example}" for example in finding.examples)
    yield f"{found.repeated:,} delivery events were inserted again, and count once."
    if found.accepted_again:
        yield f"{found.accepted_again:,} messages were accepted again, and are counted once."
    verdict = "Nothing is lost, and nothing counts twice." if found.is_right else "See above."
    yield Text(verdict, style="bold")


def _row(finding: Finding) -> Row:
    wrong = Text(f"{finding.wrong:,}", style="red" if finding.wrong else "green")
    return Row((finding.said, f"{finding.claimed:,}", wrong))


async def _compared(begin: int, end: int, accepted: list[str] | None) -> Reconciled:
    settings = read_settings()
    catalogue = read_catalogue(settings.catalogue)
    await put_on_record(settings, "looked up", "reconcile")
    clickhouse = ClickHouse(settings)
    try:
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("Reading Kafka", total=None)

            def progress(done: int, total: int) -> None:
                if done % 1000 == 0 or done == total:
                    bar.update(task, completed=done, total=total)

            return await compare(
                clickhouse, settings.brokers, catalogue, begin, end, accepted, progress
            )
    finally:
        await clickhouse.close()


def _ids(path: Path) -> list[str]:
    """The delivery ids of a log; messages without one are of nobody's concern here."""
    try:
        lines = msgspec.json.Decoder(AcceptedLine).decode_lines(path.read_bytes())
    except UNDECODABLE as error:
        raise BadInput(f"{path} is not JSON Lines: {error}.") from None
    return [line.delivery_id for line in lines if line.delivery_id]
