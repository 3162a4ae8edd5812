"""`tocsin timeline` and `tocsin day`: who was told what and why not, one line a happening."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from analytics.clickhouse import ClickHouse
from analytics.timeline import Happening, day_from, day_of
from analytics.timeline import timeline as timeline_of
from pipeline.settings import read_settings
from web.api.encoding import encode_reply

_TENANT = click.option("--tenant", default="default", show_default=True)
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


@click.command()
@click.argument("notification_id", metavar="ID")
@_TENANT
@_JSON
def timeline(notification_id: str, tenant: str, as_json: bool) -> None:
    """Tell all that happened to the notification of this ID."""
    found = _ask(lambda clickhouse: timeline_of(clickhouse, tenant, notification_id))
    _print(found, as_json, f"Nothing is known of the notification {notification_id}.")


@click.command()
@click.option("--user", required=True)
@click.option("--date", "day", help="As 2026-03-14, UTC; today unless given.")
@_TENANT
@_JSON
def day(user: str, day: str | None, tenant: str, as_json: bool) -> None:
    """Tell all that happened to a user's notifications in a day, and why others did not come."""
    when = day_from(day) if day else datetime.now(UTC).date()
    found = _ask(lambda clickhouse: day_of(clickhouse, tenant, user, when))
    _print(found, as_json, f"Nothing concerned {user} on {when}.")


def _ask(question: Callable[[ClickHouse], Awaitable[list[Happening]]]) -> list[Happening]:
    async def ask() -> list[Happening]:
        clickhouse = ClickHouse(read_settings())
        try:
            return await question(clickhouse)
        finally:
            await clickhouse.close()

    return asyncio.run(ask())


def _print(found: list[Happening], as_json: bool, nothing: str) -> None:
    if as_json:
        for each in found:
            click.echo(encode_reply(each).decode())
        return
    table = Table()
    for name in ("at", "type", "channel", "stage"):
        table.add_column(name, no_wrap=True)
    for name in ("why", "by", "notification"):
        table.add_column(name, overflow="fold")
    for each in found:
        why = ": ".join(filter(None, (each.reason, each.detail)))
        table.add_row(
            f"{each.at:%m-%d %H:%M:%S}",
            each.type,
            each.channel or "all",
            each.stage,
            escape(why),
            each.provider,
            each.notification_id,
        )
    Console().print(table if found else nothing, highlight=False)
