"""Forgetting a user in ClickHouse: their rows, and what of them was rolled up."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from analytics.clickhouse import ClickHouse
from analytics.migration import filled
from analytics.quoting import quoted
from policy.time.timestamps import epoch_ms
from schemas.delivery_event import DeliveryEvent

AT_ONCE = 1000
"""Notifications that one statement names: it may have 256 KiB."""
PURGED_HOURS = 23
"""Between two times that what is deleted is taken out of the files."""
GONE_HOURS = 26
"""After an erasure, at the latest, no file of ClickHouse has the user's name: until it is taken
out, for that, and until files that are replaced are deleted. So it is while `analytics` runs."""
_NOTE = """
INSERT INTO erased SELECT {tenant:String}, {hash:String}, fromUnixTimestamp64Milli({at:Int64})
"""
_KNOWN = "SELECT tenant, user_hash, at FROM erased FINAL"
_NUMBER = "SELECT cityHash64({user:String})"
_NOTIFICATIONS = """
SELECT DISTINCT toString(toDate(occurred_at)) AS day, type, notification_id FROM delivery_events
WHERE tenant = {tenant:String} AND user = {user:String}
    AND accepted_at <= fromUnixTimestamp64Milli({at:Int64})
ORDER BY day, type, notification_id
"""
# The user's number and not their name: a statement that changes a table is kept beside it, and
# shown to whoever may look. By the keys it reads what is theirs, and not all of their days.
_WHOSE = """
tenant = {tenant:String} AND ([day], type, notification_id) IN ([keys])
    AND cityHash64(user) = {number:UInt64}
    AND [accepted] <= fromUnixTimestamp64Milli({at:Int64})
"""
_COUNT_OUT = """
INSERT INTO erased_happenings
SELECT toStartOfMinute(occurred_at) AS minute,
    tenant, type, category, channel, provider, priority, stage, reason, catalogue,
    uniqExactState(cityHash64(id))
FROM delivery_events
WHERE [whose] AND detail != 'machine'
GROUP BY minute, tenant, type, category, channel, provider, priority, stage, reason, catalogue
SETTINGS insert_deduplicate = 0
"""
_FORGET = "DELETE FROM [table] WHERE [whose]"
_BY_EVENT = {"[day]": "toDate(occurred_at)", "[accepted]": "accepted_at"}
_BY_STATE = {"[day]": "day", "[accepted]": "accepted"}
_MASKED = """
SELECT DISTINCT table FROM system.parts
WHERE database = currentDatabase() AND active AND has_lightweight_delete
    AND table IN ('delivery_events', 'notification_state')
    AND table NOT IN
    (
        SELECT table FROM system.mutations
        WHERE database = currentDatabase() AND position(command, 'APPLY DELETED MASK') > 0
            AND create_time > now() - toIntervalHour({hours:UInt32})
    )
ORDER BY table
"""
_TAKE_OUT = "ALTER TABLE [table] {on_cluster} APPLY DELETED MASK"


async def erase(clickhouse: ClickHouse, tenant: str, user: str, at: int) -> None:
    """Forget all that concerns a user and was accepted until `at` (epoch ms); raises Unavailable.

    Safe to repeat, so after an error it must be: the rows go last, as they say what is to be
    counted no more. No figure of anybody else changes meanwhile. Then nobody can ask for the rows
    any more, but their bytes are in files until `purge` takes them out.
    """
    whom = {"tenant": tenant, "user": user, "at": at}
    await clickhouse.command(_NOTE, {"tenant": tenant, "hash": hash_of(tenant, user), "at": at})
    found = await clickhouse.query(_NOTIFICATIONS, whom)
    ((number,),) = await clickhouse.query(_NUMBER, {"user": user})
    known = {"tenant": tenant, "number": number, "at": at}
    for start in range(0, len(found), AT_ONCE):
        whose = _WHOSE.replace("[keys]", _keys(found[start : start + AT_ONCE]))
        by_event, by_state = _with(whose, _BY_EVENT), _with(whose, _BY_STATE)
        forget = _FORGET.replace("[table]", "notification_state")
        await clickhouse.command(_COUNT_OUT.replace("[whose]", by_event), known)
        # Of one notification all rows say the same, so its state is of before or after as a whole.
        await clickhouse.command(forget.replace("[whose]", by_state), known)
        forget = _FORGET.replace("[table]", "delivery_events")
        await clickhouse.command(forget.replace("[whose]", by_event), known)


async def purge(clickhouse: ClickHouse, cluster: str = "", hours: int = PURGED_HOURS) -> list[str]:
    """Have what was deleted taken out of the files, of each table where that was not begun within
    so many hours; returns which. ClickHouse does it by itself from then on. Raises Unavailable.
    """
    tables = [table for (table,) in await clickhouse.query(_MASKED, {"hours": hours})]
    for table in tables:
        await clickhouse.command(filled(_TAKE_OUT.replace("[table]", table), cluster))
    return tables


def _keys(found: Sequence[Any]) -> str:
    return ", ".join(f"({', '.join(map(quoted, key))})" for key in found)


def _with(text: str, words: dict[str, str]) -> str:
    for word, put in words.items():
        text = text.replace(word, put)
    return text


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
