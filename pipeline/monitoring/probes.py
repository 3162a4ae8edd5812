"""What a process manager may ask a worker: whether it is alive, and whether it is ready.

Looking is done in the worker's loop, answering in a thread (`pipeline.monitoring.metrics_server`).
So a loop that stands still is seen, too: what was looked at is then old.
"""

import asyncio
import time
from collections.abc import Callable, Hashable, Iterable
from typing import Protocol

from msgspec import Struct

LOOK_SECONDS = 1.0
LOOP_SECONDS = 30.0
"""For which the loop may not come to look, before it is taken to stand still: longer than the lease
of a worker, which ends the process anyhow."""
STALL_SECONDS = 120.0
"""For which a partition with work may not get on; a provider's own time-outs come on top."""


class Watched(Protocol):
    """What a role says of its partitions."""

    @property
    def name(self) -> str:
        """The role's name."""
        ...

    @property
    def is_ready(self) -> bool:
        """Whether it has joined its group, and all partitions that it was given are restored."""
        ...

    def progress(self) -> dict[int, Hashable]:
        """Of each partition with something to do, what changes as soon as it gets on."""
        ...


class Verdict(Struct, frozen=True):
    """An answer, and the sentence that goes with it."""

    is_so: bool
    why: str


class Probes:
    """Both answers for all roles of a process."""

    def __init__(
        self,
        stall_seconds: float = STALL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stall = stall_seconds
        self._clock = clock
        self._roles: tuple[Watched, ...] = ()
        self._seen: dict[tuple[str, int], tuple[Hashable, float]] = {}
        self._looked_at: float | None = None
        self._waited_for = "its roles"
        self._is_stopping = False

    def watch(self, roles: Iterable[Watched]) -> None:
        """Look at these from now on."""
        self._roles = tuple(roles)
        self.look()

    def stop(self) -> None:
        """It isn't ready any more; what is in flight is still finished."""
        self._is_stopping = True

    async def keep_looking(self) -> None:
        """Look once a second, for as long as the process runs."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """See how all partitions are getting on."""
        now = self._clock()
        seen = {}
        for role in self._roles:
            for number, sign in role.progress().items():
                before, since = self._seen.get((role.name, number), (None, now))
                seen[role.name, number] = (sign, since if sign == before else now)
        self._seen = seen
        self._looked_at = now
        self._waited_for = next((role.name for role in self._roles if not role.is_ready), "")

    def live(self) -> Verdict:
        """Whether the loop runs, and every partition that has something to do gets on with it."""
        now = self._clock()
        if self._looked_at is not None and now - self._looked_at > LOOP_SECONDS:
            return Verdict(False, f"the loop has stood still for {now - self._looked_at:.0f} s")
        for (role, number), (_, since) in self._seen.copy().items():
            if now - since > self._stall:
                return Verdict(False, f"{role}-{number} has not got on for {now - since:.0f} s")
        return Verdict(True, "it gets on, or has nothing to do")

    def ready(self) -> Verdict:
        """Whether all partitions that the groups gave it are restored."""
        if self._is_stopping:
            return Verdict(False, "it is stopping")
        if self._looked_at is None or self._waited_for:
            return Verdict(False, f"waiting for {self._waited_for}")
        return Verdict(True, "its partitions are restored")
