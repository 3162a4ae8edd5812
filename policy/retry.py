"""When a delivery that failed for now is tried again."""

from math import ceil

from msgspec import Struct

from schemas.delivery import Delivery
from schemas.vocabulary import Reason

PERMANENT = frozenset({Reason.UNREGISTERED, Reason.INVALID_ADDRESS, Reason.REJECTED})
"""What no repetition of the same call can change."""
DELAYS = (5, 30, 300, 1800, 7200)
"""Seconds that may pass at most before each attempt; the last is that of all later ones."""


class Attempt(Struct, frozen=True):
    """Try again, not before `due_at` (epoch ms)."""

    due_at: int


class GiveUp(Struct, frozen=True):
    """Never again: the outcome's own reason if it is permanent, EXPIRED when time is up."""

    reason: Reason


def next_attempt(
    delivery: Delivery, reason: Reason, *, after: float | None, now: int, jitter: float
) -> Attempt | GiveUp:
    """Exponential back-off with full jitter: a share `jitter` in [0, 1) of the attempt's delay.

    `delivery.attempt` is how many calls failed before this one, `after` the provider's
    Retry-After in seconds. Never due before Retry-After, nor at or after `delivery.expires_at`.
    """
    if reason in PERMANENT:
        return GiveUp(reason)
    wait = jitter * DELAYS[min(delivery.attempt, len(DELAYS) - 1)] * 1000
    if after is not None:
        wait = max(wait, after * 1000)
    # Compared as it is, since an infinite Retry-After can't be rounded.
    if now + wait >= delivery.expires_at - 1:
        return GiveUp(Reason.EXPIRED)
    return Attempt(now + ceil(wait))
