"""`tocsin timeline` and `tocsin day`: what was sent, or not, and why, one line an event."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from datetime import UTC, date, datetime

import click
from rich.text import Text

from analytics.clickhouse import ClickHouse
from analytics.timeline import Happening, day_from, day_of, ids_beginning
from analytics.timeline import timeline as timeline_of
from cli.audit import put_on_record
from cli.ids import MOST_LISTED, the_only
from cli.lines import Row, aligned, print_lines
from cli.settings import read_settings
from pipeline.settings import Settings
from web.api.encoding import encode_reply

_TENANT = click.option("--tenant", default="default", show_default=True)
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
_LISTING = "tocsin day --user USER"


@click.command()
@click.argument("notification_id", metavar="ID")
@_TENANT
@_JSON
def timeline(notification_id: str, tenant: str, as_json: bool) -> None:
    """Show what happened to the notification with this ID, or whose ID begins with it."""

    async def ask(clickhouse: ClickHouse) -> list[Happening]:
        if found := await timeline_of(clickhouse, tenant, notification_id):
            return found
        ids = await ids_beginning(clickhouse, tenant, notification_id, MOST_LISTED + 1)
        only = the_only(ids, notification_id, "notification", _LISTING)
        return await timeline_of(clickhouse, tenant, only)

    settings = read_settings()
    note = put_on_record(settings, "looked up", "timeline", tenant=tenant, thing=notification_id)
    _print(_ask(settings, note, ask), as_json)


@click.command()
@click.option("--user", required=True)
@click.option("--date", "day", help="As 2026-03-14, UTC; today unless given.")
@_TENANT
@_JSON
def day(user: str, day: str | None, tenant: str, as_json: bool) -> None:
    """Show what happened to a user's notifications on a day, and why others were not sent."""
    when = day_from(day) if day else datetime.now(UTC).date()
    settings = read_settings()
    note = put_on_record(settings, "looked up", "day", tenant=tenant, user=user)
    found = _ask(settings, note, lambda clickhouse: day_of(clickhouse, tenant, user, when))
    if not found and not as_json:
        print_lines([_nothing(user, tenant, when)])
    _print(found, as_json)


def _nothing(user: str, tenant: str, when: date) -> str:
    return (
        f"There is nothing about {user} of tenant {tenant} on {when} (UTC). Use --tenant and "
        "--date for another; rows of the last seconds may not have arrived yet."
    )


def _ask(
    settings: Settings,
    note: Coroutine[None, None, None],
    question: Callable[[ClickHouse], Awaitable[list[Happening]]],
) -> list[Happening]:
    async def ask() -> list[Happening]:
        await note
        clickhouse = ClickHouse(settings)
        try:
            return await question(clickhouse)
        finally:
            await clickhouse.close()

    return asyncio.run(ask())


def _print(found: list[Happening], as_json: bool) -> None:
    if as_json:
        for each in found:
            click.echo(encode_reply(each).decode())
    else:
        print_lines(_described(found))


def _described(found: list[Happening]) -> Iterator[Text]:
    """Each notification with its id, and beneath it what happened to it."""
    notifications: dict[str, list[Happening]] = {}
    for each in found:
        notifications.setdefault(each.notification_id, []).append(each)
    for name, happenings in notifications.items():
        first = happenings[0]
        yield Text.assemble((name, "bold"), f"  {first.type} to {first.user}")
        yield from aligned([_row(each) for each in happenings], indent=2)


def _row(each: Happening) -> Row:
    at = f"{each.at:%m-%d %H:%M:%S}"
    why = ": ".join(filter(None, (each.reason, each.detail)))
    return Row((at, each.channel or "all", each.stage, each.provider), why)
