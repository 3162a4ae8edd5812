"""Notification types, compiled from the catalogue for `decide` to run."""

from msgspec import Struct
from msgspec.structs import replace

from policy.rate_limit import RateLimit
from policy.rendering import Rendering
from schemas.vocabulary import Channel, Priority, Reason


class Plan(Struct, frozen=True, kw_only=True):
    """How a type uses one channel.

    `window` names the rate window that it counts in; `limit` is None where nothing limits.
    `stand_in` is the channel that makes this one needless if it goes out, for `presence`.
    """

    channel: Channel
    rendering: Rendering
    window: str
    limit: RateLimit | None
    heeds_quiet_hours: bool
    stand_in: Channel | None = None
    presence: Reason = Reason.NONE


class NotificationType(Struct, frozen=True, kw_only=True):
    """One way to tell people of an event; exactly one of `users` and `followers` is set.

    `users` is the path into the event's data, `time_to_live` milliseconds. `plans` are in the
    catalogue's order; where presence matters, they are for a user who is offline, and
    `online_plans` for one who is online.
    """

    name: str
    event: str
    category: str
    priority: Priority
    transactional: bool
    time_to_live: int
    dedupe_hours: int
    plans: tuple[Plan, ...]
    online_plans: tuple[Plan, ...]
    users: tuple[str, ...] = ()
    followers: bool = False
    fan_out_threshold: int | None = None
    catalogue: str = ""


def preferring(
    plans: tuple[Plan, ...], wanted: Channel, other: Channel, reason: Reason
) -> tuple[Plan, ...]:
    """The plans with `wanted` decided first, and `other` only needed where that doesn't go."""
    first = tuple(plan for plan in plans if plan.channel is wanted)
    rest = (
        replace(plan, stand_in=wanted, presence=reason) if plan.channel is other else plan
        for plan in plans
        if plan.channel is not wanted
    )
    return (*first, *rest)
