"""How many requests a key, a tenant or a user may make, over all web processes together."""

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

from pipeline.expiring import Expiring
from pipeline.request_buckets import RequestBuckets, burst_of
from pipeline.settings import Settings
from schemas.question import Allowance, TakeRequests
from web.api.problem import Problem
from web.workers.partition_router import Owners

ROLE = "router"
"""Counts requests: a limit belongs to one partition, and that to one worker."""
ASK_TIMEOUT_SECONDS = 0.25
SILENT_SECONDS = 1.0
"""For which a partition that did not answer is not asked again, and requests are counted here."""
LEASE_SECONDS = 1.0
"""For which requests that were taken in advance may be made."""
LEASES_PER_BURST = 50
"""At most a fiftieth of the burst is taken in advance, and that only while requests come so fast
that it is used: of a limit below 600 a minute each request is taken by itself."""
KEPT_SECONDS = 120.0
"""For which what is known of a limit is kept without a request: longer than any bucket fills."""


class Limit(NamedTuple):
    """So many a minute of `what`; `name` is its bucket's, the same in all processes."""

    name: str
    per_minute: int
    what: str


def key_limit(key: str, per_minute: int) -> Limit:
    """What one API key may."""
    return Limit(f"key/{key}", per_minute, "requests")


def tenant_limit(tenant: str, per_minute: int) -> Limit:
    """What all keys of a tenant may together."""
    return Limit(f"tenant/{tenant}", per_minute, "requests")


def users_limit(tenant: str, per_minute: int) -> Limit:
    """What all users of a tenant may together: they take nothing from what its keys may."""
    return Limit(f"users/{tenant}", per_minute, "requests by users")


def user_limit(tenant: str, user: str, per_minute: int) -> Limit:
    """What one user may by subscriber tokens and the links of messages."""
    return Limit(f"user/{len(tenant)}/{tenant}/{user}", per_minute, "requests by a user")


def erasure_limit(tenant: str, per_minute: int) -> Limit:
    """How many users a tenant may erase."""
    return Limit(f"erasures/{tenant}", per_minute, "erasures")


class Turn(NamedTuple):
    """Whether a request may be made: of `limit` at once `left` may still follow, and all of them
    again after `reset` seconds. `window` is how long it takes to have all again from none.
    """

    allowed: bool
    limit: int
    left: int
    reset: float
    window: float

    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers-06 names them; seconds are rounded up.

        What is refused may be tried again when all is possible again, so that both say the same.
        """
        # Sums of times are not exact, and 2.0000001 s are 2.
        reset = str(math.ceil(self.reset - 1e-6))
        found = {
            "RateLimit-Policy": f"{self.limit};w={math.ceil(self.window)}",
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.left),
            "RateLimit-Reset": reset,
        }
        return found if self.allowed else {**found, "Retry-After": reset}


class _Lease:
    """What this process may use of a limit, and what it was last told of it."""

    def __init__(self) -> None:
        self.tokens = 0
        self.size = 1
        self.ends = 0.0
        self.refused_until = 0.0
        self.left = 0
        self.full_at = 0.0
        self.waiting = 0
        self.asking: asyncio.Task[None] | None = None

    def turn(self, limit: Limit, now: float, *, allowed: bool) -> Turn:
        """What is told of it; what others take meanwhile is not known here."""
        burst, each = burst_of(limit.per_minute), 60 / limit.per_minute
        left = min(burst, self.left + self.tokens) if allowed else 0
        return Turn(allowed, burst, left, max(0.0, self.full_at - now), burst * each)


class Limits:
    """Counts requests where their limit's partition is held, by leases.

    A limit holds over all processes that ask the same worker. While it does not answer, as when
    its partition moves, each process counts for itself: nobody is refused for that.
    """

    def __init__(
        self, owners: Owners | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Without `owners` this process counts alone."""
        self._owners = owners
        self._monotonic = monotonic
        self._leases = Expiring[_Lease]()
        self._here = RequestBuckets(monotonic)
        self._silent_until: defaultdict[int, float] = defaultdict(float)

    async def require(self, *limits: Limit) -> dict[str, str]:
        """Make one request of each of these limits; the headers that tell of the scarcest one.

        Raises Problem where one of them is used up; then it costs nothing.
        """
        while True:
            now = self._monotonic()
            leases = [(limit, self._lease(limit, now)) for limit in limits]
            for limit, lease in leases:
                if not lease.tokens and now < lease.refused_until:
                    raise _too_many(limit, lease.turn(limit, now, allowed=False))
            empty = [(limit, lease) for limit, lease in leases if not lease.tokens]
            if not empty:
                for _, lease in leases:
                    lease.tokens -= 1
                turns = [lease.turn(limit, now, allowed=True) for limit, lease in leases]
                return min(turns, key=lambda turn: turn.left).headers()
            await asyncio.gather(*(self._fill(limit, lease) for limit, lease in empty))

    def _lease(self, limit: Limit, now: float) -> _Lease:
        lease = self._leases.get(limit.name, now) or _Lease()
        self._leases.put(limit.name, lease, ends=now + KEPT_SECONDS, now=now)
        if now >= lease.ends:
            lease.tokens = 0
        return lease

    async def _fill(self, limit: Limit, lease: _Lease) -> None:
        """Ask for more, once for all that wait for it."""
        lease.waiting += 1
        try:
            if lease.asking is None:
                lease.asking = asyncio.create_task(self._ask(limit, lease))
            # Who goes away while it is asked must not take the answer from the others.
            await asyncio.shield(lease.asking)
        finally:
            lease.waiting -= 1

    async def _ask(self, limit: Limit, lease: _Lease) -> None:
        try:
            # All that come in this turn of the loop are asked for together.
            await asyncio.sleep(0)
            most = max(1, burst_of(limit.per_minute) // LEASES_PER_BURST)
            is_used_up = self._monotonic() < lease.ends
            lease.size = min(most, 2 * lease.size) if is_used_up else 1
            wanted = max(lease.size, lease.waiting)
            asked = TakeRequests(name=limit.name, per_minute=limit.per_minute, wanted=wanted)
            found = await self._ask_owner(asked) or self._here.take(asked)
            now = self._monotonic()
            lease.tokens, lease.ends = found.granted, now + LEASE_SECONDS
            lease.left, lease.full_at = found.left, now + found.full_in
            lease.refused_until = 0.0 if found.granted else now + found.next_in
        finally:
            lease.asking = None

    async def _ask_owner(self, asked: TakeRequests) -> Allowance | None:
        if self._owners is None:
            return None
        partition = self._owners.partition_of(asked.name)
        if self._monotonic() < self._silent_until[partition]:
            return None
        found = await self._owners.ask_once(ROLE, partition, asked, Allowance, ASK_TIMEOUT_SECONDS)
        if found is None:
            self._silent_until[partition] = self._monotonic() + SILENT_SECONDS
        return found


class UserLimits:
    """What users may, by their tokens and the links of their messages."""

    def __init__(self, limits: Limits, settings: Settings) -> None:
        self._limits = limits
        self._per_user = settings.user_requests_per_minute
        self._per_tenant = settings.tenant_requests_per_minute

    async def require(self, tenant: str, user: str) -> dict[str, str]:
        """Make one request of a user's; as Limits.require."""
        return await self._limits.require(
            user_limit(tenant, user, self._per_user), users_limit(tenant, self._per_tenant)
        )


def _too_many(limit: Limit, turn: Turn) -> Problem:
    detail = f"Limit of {limit.per_minute} {limit.what} a minute exceeded."
    return Problem(429, detail, headers=turn.headers())
