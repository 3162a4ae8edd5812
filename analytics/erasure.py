"""Forgetting a user in ClickHouse: their rows, and what of them was rolled up."""

from collections import defaultdict
from hashlib import sha256
from typing import Any

from analytics.clickhouse import ClickHouse
from policy.instants import epoch_ms
from schemas.delivery_event import DeliveryEvent

_HOURS = """
SELECT DISTINCT toStartOfHour(occurred_at) FROM delivery_events
WHERE tenant = {tenant:String} AND user = {user:String}
    AND accepted_at <= fromUnixTimestamp64Milli({at:Int64})
ORDER BY 1
"""
_NOTE = """
INSERT INTO erased SELECT {tenant:String}, {hash:String}, fromUnixTimestamp64Milli({at:Int64})
"""
_KNOWN = "SELECT tenant, user_hash, at FROM erased FINAL"
# What is kept for 90 days stays as it is counted where it may be gone: others' could not be told.
_EMPTY = """
DELETE FROM by_[unit] WHERE tenant = {tenant:String}
    AND has({hours:Array(UInt32)}, toUnixTimestamp(toStartOfHour([unit])))
    AND (stage NOT IN ('held', 'retrying') OR toDate([unit]) > today() - 89)
"""
_FILL = """
INSERT INTO by_minute
SELECT toStartOfMinute(occurred_at) AS minute,
    tenant, type, category, channel, provider, priority, stage, reason, catalogue,
    uniqExactState(cityHash64(id))
FROM delivery_events
WHERE tenant = {tenant:String} AND toDate(occurred_at) = {day:Date}
    AND has({hours:Array(UInt32)}, toUnixTimestamp(toStartOfHour(occurred_at)))
    AND (stage NOT IN ('held', 'retrying') OR toDate(occurred_at) > today() - 89)
    AND NOT (user = {user:String} AND accepted_at <= fromUnixTimestamp64Milli({at:Int64}))
    AND detail != 'machine'
GROUP BY minute, tenant, type, category, channel, provider, priority, stage, reason, catalogue
"""
_FORGET = """
DELETE FROM [table] WHERE tenant = {tenant:String} AND user = {user:String}
    AND [accepted] <= fromUnixTimestamp64Milli({at:Int64})
"""
# Without the user: sets, so that what is added meanwhile stays. Hours follow from their minutes.
_ROLLED_UP_ANEW = (*(_EMPTY.replace("[unit]", unit) for unit in ("minute", "hour")), _FILL)


async def erase(clickhouse: ClickHouse, tenant: str, user: str, at: int) -> None:
    """Forget all that concerns a user and was accepted until `at` (epoch ms); raises Unavailable.

    Safe to repeat, so after an error it must be: the rows go last, as they say which hours are to
    be rolled up anew. Sums of those hours are too low until then, for some milliseconds each day.
    """
    of_user: dict[str, Any] = {"tenant": tenant, "user": user, "at": at}
    await clickhouse.command(_NOTE, {"tenant": tenant, "hash": hash_of(tenant, user), "at": at})
    by_day: dict[str, list[int]] = defaultdict(list)
    for (hour,) in await clickhouse.query(_HOURS, of_user):
        by_day[f"{hour:%Y-%m-%d}"].append(int(hour.timestamp()))
    for day, hours in by_day.items():
        for statement in _ROLLED_UP_ANEW:
            await clickhouse.command(statement, {**of_user, "day": day, "hours": hours})
    # Of one notification all rows say the same, so its state is of before or of after as a whole.
    for table, accepted in (("notification_state", "accepted"), ("delivery_events", "accepted_at")):
        forget = _FORGET.replace("[table]", table).replace("[accepted]", accepted)
        await clickhouse.command(forget, of_user)


class Erased:
    """Whom ClickHouse has forgotten, so that no row brings them back."""

    def __init__(self) -> None:
        self._at: dict[tuple[str, str], int] = {}

    async def load(self, clickhouse: ClickHouse) -> None:
        """Read who is; raises Unavailable."""
        rows = await clickhouse.query(_KNOWN)
        for tenant, name, at in rows:
            self._at[tenant, name.decode() if isinstance(name, bytes) else name] = epoch_ms(at)

    def note(self, tenant: str, user: str, at: int) -> None:
        """One more, at epoch ms."""
        self._at[tenant, hash_of(tenant, user)] = at

    def without(self, events: list[DeliveryEvent]) -> list[DeliveryEvent]:
        """The events that may be inserted."""
        if not self._at:
            return events
        return [
            event
            for event in events
            if not self.covers(event.tenant, event.user, event.accepted_at)
        ]

    def covers(self, tenant: str, user: str, accepted_at: int) -> bool:
        """Whether what was accepted then (epoch ms) is of a user who was erased since."""
        return accepted_at <= self._at.get((tenant, hash_of(tenant, user)), -1)


def hash_of(tenant: str, user: str) -> str:
    """By which a user is known who must not be known."""
    return sha256(f"{len(tenant)}:{tenant}{user}".encode()).hexdigest()
