"""What happened to one notification, and to one user in a day, as ClickHouse knows it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from msgspec import Struct

from analytics.clickhouse import ClickHouse
from schemas.errors import WrongUsage
from schemas.event import Moment
from schemas.vocabulary import Channel, Reason, Stage

_COLUMNS = (
    "at, stage, channel, reason, detail, provider, attempt, type, category, priority, user, "
    "event_id, notification_id, catalogue, variant, origin, trace, occurred_at, accepted_at, "
    "digest"
)
_SELECT = f"SELECT {_COLUMNS} FROM delivery_events FINAL WHERE tenant = {{tenant:String}} AND "  # noqa: S608 - the columns are ours
_ORDER = " ORDER BY at, id"
_KNOWN_BY = 12
"""Characters of an id by which `notification_days` knows it."""
# The key begins with the day and the type: with them a granule is read, without them a year.
_PLACES = (
    "(toDate(occurred_at), type) IN (SELECT day, type FROM notification_days "
    "WHERE tenant = {tenant:String} AND startsWith(beginning, {beginning:String}))"
)
_NOTIFICATION = f"{_SELECT} {_PLACES} AND notification_id = {{name:String}} {_ORDER} LIMIT 1000"
_ALL = f"{_SELECT} user = {{name:String}} {_ORDER}"
_DAY = (
    f"{_SELECT} user = {{name:String}} AND toDate(occurred_at) = {{day:Date}} {_ORDER} LIMIT 1000"
)

_LATELY = "occurred_at >= {since:DateTime64(3, 'UTC')}"
_NEWEST = " ORDER BY at DESC, id DESC LIMIT {most:UInt32}"
_MOST = 5000
_BY = {
    "user": "user IN {names:Array(String)}",
    "notification": "notification_id IN {names:Array(String)}",
    "event": "event_id IN {names:Array(String)}",
    # What a provider calls a message stands where it took it.
    "provider_id": "notification_id IN (SELECT notification_id FROM delivery_events "  # noqa: S608 - ours
    f"WHERE tenant = {{tenant:String}} AND {_LATELY} AND stage = 'sent' "
    "AND detail IN {names:Array(String)})",
}
_BEGINNING = (
    "SELECT DISTINCT notification_id FROM delivery_events "  # noqa: S608 - ours
    f"WHERE tenant = {{tenant:String}} AND {_PLACES} "
    "AND startsWith(notification_id, {name:String}) ORDER BY notification_id LIMIT {most:UInt32}"
)


class Happening(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened; `reason` and `detail` say why, where it did not go out.

    `occurred_at` is when the domain event did, by its producer's clock, and `accepted_at` when
    Kafka had it. `digest` is the digest that the notification is, or was told in.
    `origin` is the company's record that a source made the event from, as
    SOURCE/TOPIC/PARTITION/OFFSET. `trace` is the id of its trace in OpenTelemetry, where there is
    one.
    """

    at: Moment
    stage: Stage
    channel: Channel | None = None
    reason: Reason = Reason.NONE
    detail: str = ""
    provider: str = ""
    attempt: int = 0
    type: str
    category: str
    priority: str
    user: str
    event_id: str
    notification_id: str
    catalogue: str = ""
    variant: str = ""
    origin: str = ""
    trace: str = ""
    occurred_at: Moment | None = None
    accepted_at: Moment | None = None
    digest: str = ""


async def timeline(clickhouse: ClickHouse, tenant: str, notification_id: str) -> list[Happening]:
    """All that happened to a notification, in order; raises Unavailable."""
    beginning = notification_id[:_KNOWN_BY]
    parameters = {"tenant": tenant, "name": notification_id, "beginning": beginning}
    return list(map(_happening, await clickhouse.query(_NOTIFICATION, parameters)))


async def ids_beginning(
    clickhouse: ClickHouse, tenant: str, beginning: str, most: int
) -> list[str]:
    """Notifications whose id begins so, `most` at most; raises Unavailable."""
    known = beginning[:_KNOWN_BY]
    parameters = {"tenant": tenant, "name": beginning, "beginning": known, "most": most}
    return [name for (name,) in await clickhouse.query(_BEGINNING, parameters)]


async def day_of(clickhouse: ClickHouse, tenant: str, user: str, day: date) -> list[Happening]:
    """All that happened to a user's notifications of a day (UTC), in order; raises Unavailable."""
    parameters = {"tenant": tenant, "name": user, "day": day.isoformat()}
    return list(map(_happening, await clickhouse.query(_DAY, parameters)))


async def lately(
    clickhouse: ClickHouse, tenant: str, by: str, names: Sequence[str], since: datetime
) -> list[Happening]:
    """What happened to notifications of events since then, in order, up to the newest 5,000 rows.

    `by` is what the names are: `user`, `notification`, `event` or `provider_id`, by which a
    provider knows a message. Raises Unavailable.
    """
    parameters = {"tenant": tenant, "names": list(names), "since": since, "most": _MOST}
    found = await clickhouse.query(f"{_SELECT} {_LATELY} AND {_BY[by]}{_NEWEST}", parameters)
    return list(map(_happening, reversed(found)))


async def opt_outs_of(
    clickhouse: ClickHouse, tenant: str, users: Sequence[str], since: datetime
) -> list[Happening]:
    """What these users left since then, in order: by a click in a message, and by no message, such
    as by a reply. Raises Unavailable.
    """
    parameters = {"tenant": tenant, "names": list(users), "since": since, "most": _MOST}
    query = f"{_SELECT} {_LATELY} AND stage = 'unsubscribed' AND {_BY['user']}{_NEWEST}"
    found = await clickhouse.query(query, parameters)
    return list(map(_happening, reversed(found)))


async def all_of(clickhouse: ClickHouse, tenant: str, user: str) -> list[Happening]:
    """All that is kept of what happened to a user's notifications; raises Unavailable."""
    parameters = {"tenant": tenant, "name": user}
    return list(map(_happening, await clickhouse.query(_ALL, parameters)))


def day_from(text: str) -> date:
    """A day as YYYY-MM-DD; raises WrongUsage."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WrongUsage(f"{text!r} is no day such as 2026-03-14.") from None


def _happening(row: tuple[Any, ...]) -> Happening:
    at, stage, channel, reason, detail, provider, attempt, kind, category, priority, *rest = row
    user, event_id, notification_id, catalogue, variant, origin, trace, *when, digest = rest
    return Happening(
        at=at,
        stage=Stage(stage),
        channel=Channel(channel) if channel else None,
        reason=Reason(reason),
        detail=detail,
        provider=provider,
        attempt=attempt,
        type=kind,
        category=category,
        priority=priority,
        user=user,
        event_id=event_id,
        notification_id=notification_id,
        catalogue=catalogue,
        variant=variant,
        origin=origin,
        trace=trace,
        occurred_at=when[0],
        accepted_at=when[1],
        digest=digest,
    )
