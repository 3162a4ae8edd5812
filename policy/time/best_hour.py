"""The hour in which a user opens most: what is in no hurry may wait until it begins."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from policy.decision.builder import Draft
from policy.decision.deferral import has_room
from policy.quiet_hours import quiet, zone_of

HOUR_MS = 3_600_000


def next_begin(hour: int, at: int) -> int:
    """When this hour of the day (UTC) begins, from `at` (epoch ms) on; within it, `at` itself.

    At most 23 hours later.
    """
    now = at // HOUR_MS
    ahead = (hour - now) % 24
    return (now + ahead) * HOUR_MS if ahead else at


def next_local_begin(hour: int, zone: str, at: int) -> int:
    """The same of an hour that clocks in the zone show; at most a day and an hour later."""
    place = ZoneInfo(zone)
    now = datetime.fromtimestamp(at / 1000, place)
    if now.hour == hour:
        return at
    begin = now.replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    if begin <= now:
        begin += timedelta(days=1)
    return round(begin.timestamp() * 1000)


def worth_waiting_for(draft: Draft) -> int | None:
    """When the user's best hour begins (epoch ms), from when the draft may go out; None if it has.

    Nothing waits for it beyond its time to live, nor for an hour in which the user wants quiet,
    nor where nothing is stored about the user, or too much is pending for them already.
    """
    hour = draft.profile.best_hour
    if hour is None:
        return None
    at = max(draft.when, draft.now)
    local = draft.profile.local_hour
    if local is None:
        begin = next_begin(hour, at)
    else:
        begin = next_local_begin(local, zone_of(draft.profile, draft.tenant), at)
    if begin == at or begin >= draft.expires_at or not has_room(draft):
        return None
    return None if quiet(draft.profile, draft.tenant, begin) else begin


def shown_hour(hour: int | None, local: int | None = None) -> str:
    """The hint in words."""
    if local is not None:
        return f"best hour from {local:02}:00 by the user's clock"
    return "no best hour known" if hour is None else f"best hour from {hour:02}:00 UTC"
