"""The one durable timer table: what is due when, for whom, in this partition.

What is pending is stored elsewhere: in the user's ledger, or in tables.waiting. This is the index
of that by time, changed in the same write.
"""

import asyncio
from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct

from policy.decision.deferral import UNREAD
from policy.user.ledger import Ledger
from tables.storage.store import Store
from tables.storage.table import Table, View, key_of

TIME_BYTES = 8
COUNTED_AT_ONCE = 10_000
NEVER = b"\xff" * TIME_BYTES
WAITING, GATHERING, ADDRESSING = b"0", b"1", b"2"
"""What may fire at different times: what waits for its moment, digests, and what found no address
while older contacts were unread."""
_KINDS = (WAITING, GATHERING, ADDRESSING)


class Horizon(NamedTuple):
    """Up to when (epoch ms) timers of each kind may fire, which can be before now."""

    waiting: int
    gathering: int
    addressing: int = 0


class Timer(Struct, frozen=True, array_like=True):
    """Something that waits under `name`: in the ledger of a user, or to be tried again."""

    tenant: str
    user: str
    name: str


TIMERS = Table(b"t", Timer)


def is_waiting(timer: Timer) -> bool:
    """Whether it waits for its moment alone; otherwise a digest is gathered under its name."""
    # Named after a notification and its step, or after what is gathered; some have no user.
    return "." in timer.name or not timer.user


def _kind_of(timer: Timer) -> bytes:
    if not is_waiting(timer):
        return GATHERING
    return ADDRESSING if timer.name.endswith(UNREAD) and timer.user else WAITING


class Timers:
    """The timers of one partition, in the order in which they are due.

    Deleted timers leave marks behind in RocksDB until it compacts; so that those need not be
    read again and again, a search begins where the last one found the first that was left. And
    what is asked between any two slices reads nothing before that is due.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._from = {kind: kind for kind in _KINDS}
        """At or before the first stored one."""

    def due(self, horizon: Horizon, most: int) -> list[tuple[bytes, Timer]]:
        """The first `most` timers of each kind that may fire, with their keys."""
        found: list[tuple[bytes, Timer]] = []
        for kind, until in zip(_KINDS, horizon, strict=True):
            if _due_at(self._from[kind]) > until:
                continue
            end = len(found) + most
            for key, timer in self._stored(kind):
                if _due_at(key) > until or len(found) == end:
                    break
                found.append((key, timer))
        return found

    def next_due(self, now: int) -> int | None:
        """When the first timer is due (epoch ms); None when there is none.

        If none is by `now`, it may be one that was dropped since: look again then.
        """
        for kind in _KINDS:
            if _due_at(self._from[kind]) <= now:
                self._from[kind] = next((key for key, _ in self._stored(kind)), kind + NEVER)
        first = min(_due_at(key) for key in self._from.values())
        return None if first == _due_at(WAITING + NEVER) else first

    async def count(self) -> int:
        """How many there are, at the cost of a look at each; others get their turn meanwhile."""
        count = 0
        for kind in _KINDS:
            for _ in self._stored(kind):
                count += 1
                if count % COUNTED_AT_ONCE == 0:
                    await asyncio.sleep(0)
        return count

    def move(
        self,
        view: View[Timer],
        tenant: str,
        user: str,
        before: Ledger,
        after: Ledger,
        now: int,
    ) -> None:
        """Have the index say of a user what the ledger says from now on.

        What changed and was due by `now` (epoch ms) is put there again, whether or not its time is
        another: its timer may have fired just now, and was taken off.
        """
        old, new = dict(before.timers()), dict(after.timers())
        for name, at in old.items():
            if new.get(name) != at:
                self.drop(view, at, Timer(tenant, user, name))
        for name, at in new.items():
            if old.get(name) != at or (
                at <= now and before.pending(name) is not after.pending(name)
            ):
                self.add(view, at, Timer(tenant, user, name))

    def add(self, view: View[Timer], at: int, timer: Timer) -> None:
        """Set a timer to `at` (epoch ms)."""
        key = _key(at, timer)
        view.put(key, timer)
        kind = key[:1]
        self._from[kind] = min(self._from[kind], key)

    def drop(self, view: View[Timer], at: int, timer: Timer) -> None:
        """Take back a timer that was set to `at` (epoch ms)."""
        view.put(_key(at, timer), None)

    def _stored(self, kind: bytes) -> Iterator[tuple[bytes, Timer]]:
        prefix = TIMERS.prefix
        for key, value in self._store.scan(prefix + kind, self._from[kind][1:]):
            yield key[len(prefix) :], TIMERS.decode(value)


def _key(at: int, timer: Timer) -> bytes:
    moment = max(0, at).to_bytes(TIME_BYTES, "big")
    return _kind_of(timer) + moment + key_of(timer.tenant, timer.user, timer.name)


def together(due: tuple[bytes, Timer]) -> tuple[int, str, str]:
    """What those that are due for one user at one moment have in common."""
    key, timer = due
    return _due_at(key), timer.tenant, timer.user


def _due_at(key: bytes) -> int:
    return int.from_bytes(key[1 : 1 + TIME_BYTES], "big")
