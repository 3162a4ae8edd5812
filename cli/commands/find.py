"""`tocsin find`: what became of somebody's notifications, a row each with its state and cause."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import click
import msgspec
from rich.text import Text

from analytics.clickhouse import ClickHouse
from cli.audit import put_on_record
from cli.lines import Row, aligned, print_lines, wrapped
from cli.settings import read_settings
from cli.time_parameter import now
from pipeline.catalogue_folder import read_catalogue
from schemas.errors import BadCatalogue
from web.api.encoding import encode_reply
from web.workers.finding import By, WhereaboutsQuery, found
from web.workers.leaving import UNSUBSCRIBED
from web.workers.partition_router import Owners
from web.workers.whereabouts import FAILED, NOT_TOLD, WAITS, Whereabouts

_STYLES = {
    WAITS: "yellow", UNSUBSCRIBED: "yellow", FAILED: "red", NOT_TOLD: "red", "bounced": "red",
    "complained": "red",
}  # fmt: skip


@click.command("find")
@click.argument("what")
@click.option("--by", type=click.Choice(get_args(By)), default="user", show_default=True)
@click.option("--days", type=click.IntRange(1, 396), default=7, show_default=True)
@click.option("--tenant", default="default", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def find_command(what: str, by: By, days: int, tenant: str, as_json: bool) -> None:
    """Tell what became of each notification, and why, by what is known of it: WHAT.

    A user, an address, the id of a notification or of its event, or what a provider calls the
    message.
    """
    query = msgspec.convert({"by": by, "what": what, "days": days}, WhereaboutsQuery)
    rows = asyncio.run(_find(tenant, query))
    if as_json:
        for each in rows:
            click.echo(encode_reply(each).decode())
    else:
        print_lines(_described(rows) if rows else wrapped(_nothing(query, tenant)))


def _nothing(query: WhereaboutsQuery, tenant: str) -> str:
    return (
        f"Nothing is known of {query.by} {query.what} of tenant {tenant} in the last {query.days} "
        "days. --by, --tenant and --days ask for another; what happened in the last seconds may "
        "still be on its way."
    )


async def _find(tenant: str, query: WhereaboutsQuery) -> list[Whereabouts]:
    settings = read_settings()
    user = query.what if query.by == "user" else ""
    await put_on_record(settings, "looked up", "find", tenant=tenant, user=user)
    clickhouse = ClickHouse(settings)
    try:
        async with Owners(settings) as owners:
            known = _transactional(settings.catalogue)
            return await found(settings, clickhouse, owners, tenant, query, now(), known)
    finally:
        await clickhouse.close()


def _transactional(folder: Path) -> frozenset[str]:
    """By the catalogue, if it is here: whoever asks may have none, and is told all else."""
    try:
        return read_catalogue(folder).transactional
    except BadCatalogue:
        return frozenset()


def _described(rows: list[Whereabouts]) -> Iterator[Text]:
    """Each with its state and the cause, and its ids beneath."""
    for each in rows:
        category = f" ({each.category})" if each.category and each.type else ""
        whose = f"{' to' if each.type else ''} {each.user}" if each.user else ""
        yield Text.assemble(
            each.at, "  ", (each.type, "bold"), category, f"{whose}  ".removeprefix(
                "" if each.type else " "),
            (each.state, _STYLES.get(each.state, "green")),
        )  # fmt: skip
        if each.why:
            yield from wrapped(each.why, 2)
        if len(each.channels) > 1 or each.state != UNSUBSCRIBED:
            lines = [Row((f"{on.channel or 'all'}", on.state), on.why) for on in each.channels]
            yield from aligned(lines, indent=2)
        if each.notification_id:
            yield Text(f"  {each.notification_id} of event {each.event_id}", style="dim")
        elif each.event_id:
            yield Text(f"  event {each.event_id}", style="dim")
        if each.origin:
            yield Text(f"  of the record {each.origin}", style="dim")
        if each.trace:
            yield Text(f"  in the trace {each.trace}", style="dim")
