"""How a digest by a user's wish goes with what the types of its events say of theirs."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from policy.decision.rules import QUIET_HOURS
from policy.digest.windows import IN_TIME_MS, DigestWindow
from policy.notification_type import NotificationType, Plan
from policy.quiet_hours import silent_since, zone_of
from policy.user.preferences import frequency, wish_window
from policy.user.state import UserState
from schemas.vocabulary import Channel

NEVER = 1 << 62
"""Later than any moment (epoch ms)."""
AT_ONCE = DigestWindow(lateness=0, length=1)
"""Of a digest whose user wants none any more."""


def window_of(category: str, state: UserState) -> DigestWindow:
    """The window in which the user wants the category now; AT_ONCE for none."""
    wanted = frequency(state.profile, state.tenant, category)
    return wish_window(state.profile, state.tenant, wanted) or AT_ONCE


class Moments(NamedTuple):
    """Of one event, in epoch ms: when it `opens` a window, and which message it may be in.

    One that is over at `ready` or later, and by `latest`.
    """

    opens: int
    ready: int
    latest: int


def in_time(
    time: int, expires_at: int, wish: DigestWindow, plan: Plan | None, state: UserState
) -> int:
    """By when a message is over in which an event of `time` is told of before it is too old.

    That is so long before, or before the quiet hours, or the closed window, in which that lies;
    NEVER where nothing can be sent until it is too old.
    """
    margin = IN_TIME_MS + wish.lateness
    latest, profile, tenant = expires_at - margin, state.profile, state.tenant
    if plan is None:
        return latest
    is_under = QUIET_HOURS in plan.rules
    spans = (profile.quiet_hours or tenant.quiet_hours) if is_under else ()
    if not spans and not plan.within:
        return latest
    began = silent_since(zone_of(profile, tenant), spans, plan.within, latest + wish.lateness)
    if began is None:
        return latest
    return NEVER if began <= max(time, profile.snoozed_until) else began - margin


def moments(
    time: int, own_end: int, latest: int, wish: DigestWindow, closed_until: int = 0
) -> Moments:
    """Those of an event of `time`, of which its type's own digest is over at `own_end`, or at 0.

    `latest` is as of `in_time`. Nothing opens a window before the last one was closed. What is too
    old for its type's own digest hurries nothing.
    """
    if not own_end:
        return Moments(time, time + 1, latest)
    opens = max(time, closed_until, own_end - (wish.length or 1))
    return Moments(opens, own_end, latest if latest >= own_end else NEVER)


def own_ends(
    times: Sequence[int], spec: NotificationType, channel: Channel, wish: DigestWindow, zone: str
) -> Iterator[int]:
    """When the type's own digest of each of these events would be over (epoch ms).

    `times` are when they happened, ascending. 0 where its digests are over before the wish's are,
    and before the events are too old: then it does not matter. Where it does, a user's wish has
    the type make no more digests than it would.
    """
    plan = spec.plan_of(channel)
    own = None if plan is None else plan.digest
    if own is None or own.longest_ms <= min(wish.longest_ms, spec.time_to_live):
        yield from [0] * len(times)
        return
    while times:
        end = own.end(times, zone)
        inside = sum(time < end for time in times)
        yield from [end] * inside
        times = times[inside:]
