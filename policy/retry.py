"""When a delivery that failed for now is tried again."""

from collections.abc import Mapping
from math import ceil

from msgspec import Struct

from schemas.delivery import Delivery
from schemas.vocabulary import Reason

PERMANENT = frozenset({Reason.UNREGISTERED, Reason.INVALID_ADDRESS, Reason.REJECTED})
"""What no repetition of the same call can change."""


class Attempt(Struct, frozen=True):
    """Put the delivery into the retry topic of `tier`; not before `due_at` (epoch ms)."""

    tier: str
    due_at: int


class GiveUp(Struct, frozen=True):
    """Never again: the outcome's own reason if it is permanent, EXPIRED when time is up."""

    reason: Reason


def next_attempt(
    delivery: Delivery,
    reason: Reason,
    *,
    after: float | None,
    now: int,
    jitter: float,
    delays: Mapping[str, int],
) -> Attempt | GiveUp:
    """Exponential back-off with full jitter: a share `jitter` in [0, 1) of the attempt's delay.

    `delivery.attempt` is how many calls failed before this one, `after` the provider's
    Retry-After in seconds, `delays` seconds by tier. Never due before Retry-After, nor at or
    after `delivery.expires_at`. The tier is the shortest that spans the wait, so that nothing
    due soon stands in line behind the late; a Retry-After beyond all tiers takes the longest.
    """
    if reason in PERMANENT:
        return GiveUp(reason)
    tiers = sorted(delays.items(), key=lambda tier: tier[1])
    _, longest = tiers[min(delivery.attempt, len(tiers) - 1)]
    wait = jitter * longest * 1000
    if after is not None:
        wait = max(wait, after * 1000)
    # Compared as it is, since an infinite Retry-After can't be rounded.
    if now + wait >= delivery.expires_at - 1:
        return GiveUp(Reason.EXPIRED)
    wait_ms = ceil(wait)
    name = next((name for name, seconds in tiers if wait_ms <= seconds * 1000), tiers[-1][0])
    return Attempt(name, now + wait_ms)
