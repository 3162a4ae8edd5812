"""Hints on when a user likes to be told: from what was opened, to the decider, and out again."""

from analytics.clickhouse import ClickHouse
from pipeline.outputs import Outputs, partition_of
from pipeline.topics import HINTS
from schemas.encoding import encode
from schemas.hint import Hint
from tables.turn import Turn
from tables.users import PROFILES, user_key

AT_ONCE = 20_000
"""Hints that are written together."""
_BEST_HOURS = """
SELECT tenant, user, best_hour FROM best_hours WHERE opens >= {least:UInt32} ORDER BY tenant, user
"""


async def publish_hints(
    clickhouse: ClickHouse, outputs: Outputs, partitions: int, least: int
) -> int:
    """Write the best hour of each user with at least so many opens; returns how many.

    Raises Unavailable; then some may be written. Safe to repeat: a hint that is known already
    changes nothing.
    """
    rows = await clickhouse.query(_BEST_HOURS, {"least": least})
    for start in range(0, len(rows), AT_ONCE):
        for tenant, user, hour in rows[start : start + AT_ONCE]:
            hint = Hint(user=user, best_hour=hour, tenant=tenant)
            place = partition_of(user, partitions)
            outputs.add(HINTS, place, user_key(tenant, user), encode(hint))
        await outputs.flush()
    return len(rows)


def take_hint(turn: Turn, hint: Hint, here: int) -> None:
    """Keep it with the user's profile.

    Of a user of whom nothing is known it is dropped, from its topic as well: they may have been
    erased after their opens were read.
    """
    person, profiles = user_key(hint.tenant, hint.user), turn.view(PROFILES)
    before = profiles.get(person)
    if before is None:
        forget_hint(turn, hint.tenant, hint.user, here)
        return
    after = before.with_hint(hint)
    if after is not before:
        profiles.put(person, after)


def forget_hint(turn: Turn, tenant: str, user: str, here: int) -> None:
    """Have the topic, which keeps the last hint of everybody for ever, forget this user's."""
    turn.outputs.add(HINTS, here, user_key(tenant, user), None)
