"""`tocsin replay`: what another catalogue would have made of real events; nothing is sent."""

import asyncio
import sys
from dataclasses import dataclass, field
from pathlib import Path

import click
from aiokafka import ConsumerRecord
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agents.replay.replay import TOPICS, Replay, batches, is_of, is_replayed
from agents.replay.state_snapshot import read_population
from cli.audit import DEFAULT_TENANT, put_on_record
from cli.lines import print_lines
from cli.replay_view import Played, as_json, described
from cli.settings import read_settings
from cli.time_parameter import MOMENT
from pipeline.catalogue_folder import read_catalogue
from pipeline.records.history import History
from pipeline.settings import Settings
from policy.time.duration import milliseconds
from schemas.errors import WrongUsage
from schemas.topics import EVENTS

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command()
@click.option("--from", "begin", type=MOMENT, required=True, help="RFC 3339, or 2h for 2 h ago.")
@click.option("--to", "end", type=MOMENT, default="now", show_default=True, help="Not included.")
@click.option("--catalogue", "folder", type=_FOLDER, required=True, help="The new catalogue.")
@click.option("--warm-up", default="24h", show_default=True, help="The time before --from.")
@click.option("--tenant", help="Only what concerns this tenant.")
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="Examples.")
@click.option("--json", "as_lines", is_flag=True, help="Everything, as one JSON object.")
def replay(
    begin: int,
    end: int,
    folder: Path,
    warm_up: str,
    tenant: str | None,
    limit: int,
    as_lines: bool,
) -> None:
    """Run real events through another catalogue, and show what would be different.

    Events, cancellations, feedback and receipts that Kafka accepted between the two times are
    processed twice, in memory and in their order: with the catalogue in use (TOCSIN_CATALOGUE),
    and with the one given here. Nothing is sent, and nothing is written but who ran it.

    Users, their preferences and whom they follow are as they are now. Limits, deduplication and
    open digests begin empty, so records of the time of --warm-up are processed first, and left out
    of the comparison. At the end the clock advances, by 32 days at most, until digests and
    escalations are over.
    """
    if begin >= end:
        raise WrongUsage("--from is not before --to. Nothing was replayed.")
    settings = read_settings()
    # Kafka knows no moment before 1970, from which on somebody may want it all.
    span = Span(max(0, begin - _length(warm_up)), begin, end, tenant)
    asyncio.run(put_on_record(settings, "looked up", "replay", tenant=tenant or DEFAULT_TENANT))
    played = asyncio.run(_replayed(settings, folder, span))
    if as_lines:
        sys.stdout.write(as_json(played) + "\n")
    else:
        print_lines(described(played, limit))


@dataclass
class Span:
    """What to replay: from `start` on, of which what came before `begin` is to warm up."""

    start: int
    begin: int
    end: int
    tenant: str | None
    counts: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})
    """Events, by whether they are compared."""

    def wants(self, record: ConsumerRecord) -> bool:
        """Whether it is replayed, and of the tenant asked for; counts events."""
        if not is_replayed(record):
            return False
        if self.tenant is not None and not is_of(record, self.tenant):
            return False
        if record.topic == EVENTS.name:
            self.counts[record.timestamp >= self.begin] += 1
        return True


async def _replayed(settings: Settings, folder: Path, span: Span) -> Played:
    catalogues = read_catalogue(settings.catalogue), read_catalogue(folder)
    population = await read_population(settings)
    replay = Replay(*catalogues, settings, population, span.begin)
    with _progress() as progress:
        async with History(settings.brokers, TOPICS, span.start, span.end) as history:
            bar = progress.add_task("Replaying", total=history.total)
            async for batch in batches(history.records()):
                wanted = [record for record in batch if span.wants(record)]
                if wanted:
                    await replay.play(wanted)
                progress.advance(bar, len(batch))
        progress.add_task("Until nothing is pending", total=None)
        comparison = await replay.finish()
    return Played(
        begin=span.begin,
        end=span.end,
        before=catalogues[0].version,
        after=catalogues[1].version,
        events=span.counts[True],
        warm_up=span.counts[False],
        unusable=replay.unusable,
        comparison=comparison,
    )


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)


def _length(warm_up: str) -> int:
    try:
        return milliseconds(int(warm_up) if warm_up.isdigit() else warm_up)
    except (ValueError, KeyError):
        raise WrongUsage(f"--warm-up can't be {warm_up!r}; say 90s, 15m, 2h or 1d.") from None
