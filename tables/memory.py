"""A partition store in memory, for rehearsals and simulations: nothing outlives the process."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from tables.recent import Recent
from tables.store import FRONTIER, OFFSET, Changes


class MemoryStore:
    """Keeps what a `PartitionStore` keeps, and reads and writes alike.

    `stored` is all of it: a second store made from a copy stands where a restarted worker would.
    """

    def __init__(self, stored: dict[bytes, bytes] | None = None) -> None:
        self.stored = {} if stored is None else stored
        self.recent: dict[bytes, Recent[Any]] = {}
        # By table: where one has millions of keys, others must not wait for a place among them.
        self._keys: dict[bytes, list[bytes]] = defaultdict(list)
        for key in sorted(self.stored):
            self._keys[key[:1]].append(key)

    async def restore(self) -> dict[str, int]:
        """The frontiers by topic."""
        found = self.scan(FRONTIER)
        return {key[len(FRONTIER) :].decode(): OFFSET.unpack(value)[0] for key, value in found}

    def frontier(self, topic: str) -> int:
        """How far a topic is done."""
        stored = self.stored.get(FRONTIER + topic.encode())
        return 0 if stored is None else int(OFFSET.unpack(stored)[0])

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values of these keys, None where there is none."""
        return [self.stored.get(key) for key in keys]

    def scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Every key from `prefix + start` on that begins with `prefix`, in order, with its value.

        The prefix is that of a table at least. Nothing may be written while it runs.
        """
        keys = self._keys[prefix[:1]]
        place = bisect_left(keys, prefix + start)
        while place < len(keys) and (key := keys[place]).startswith(prefix):
            yield key, self.stored[key]
            place += 1

    async def write(self, changes: Changes, frontier: tuple[str, int] | None = None) -> None:
        """Store these changes and how far their input topic is done."""
        entries = dict(changes)
        if frontier is not None:
            entries[FRONTIER + frontier[0].encode()] = OFFSET.pack(frontier[1])
        for key, value in entries.items():
            self._set(key, value)

    def drop_before(self, first: bytes, end: bytes) -> None:
        """Forget the keys from `first` up to `end`."""
        for key in [key for key in self.stored if first <= key < end]:
            self._set(key, None)

    def close(self) -> None:
        """Nothing to let go of."""

    def _set(self, key: bytes, value: bytes | None) -> None:
        if value is None:
            if self.stored.pop(key, None) is not None:
                keys = self._keys[key[:1]]
                del keys[bisect_left(keys, key)]
            return
        if key not in self.stored:
            insort(self._keys[key[:1]], key)
        self.stored[key] = value
