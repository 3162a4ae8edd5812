"""A partition store in memory, for rehearsals and simulations: nothing outlives the process."""

import sys
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pipeline.producing.write_queue import Entry
from tables.storage.changelog_fold import Fold
from tables.storage.decoded_cache import Recent
from tables.storage.journal import Journal
from tables.storage.journal_records import OWN
from tables.storage.store import FRONTIER, OFFSET, Journaled


class MemoryStore(Journaled):
    """Keeps what a `PartitionStore` keeps, and reads and writes alike.

    `stored` is all of it: a second store made from a copy stands where a restarted worker would.
    """

    most_bytes = sys.maxsize
    """Of one write, which is cut into parts beyond that; here nothing is ever too large."""
    is_new = False
    """What begins in memory has nothing behind it that could be lost."""

    def __init__(self, stored: dict[bytes, bytes] | None = None) -> None:
        self.stored = {} if stored is None else stored
        self.recent: dict[bytes, Recent[Any]] = {}
        self._journal = Journal(self._append, self._apply, self.get_many, self.most_bytes)
        # By table: where one has millions of keys, others must not wait for a place among them.
        self._keys: dict[bytes, list[bytes]] = defaultdict(list)
        for key in sorted(self.stored):
            self._keys[key[:1]].append(key)

    async def restore(self) -> dict[str, int]:
        """The frontiers by topic."""
        fold = Fold()
        fold.take([each for each in self.stored.items() if each[0][:1] in OWN], 0)
        self._journal.begin(fold, 0)
        return self._frontiers()

    def _frontiers(self) -> dict[str, int]:
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

    def drop_before(self, first: bytes, end: bytes) -> None:
        """Forget the keys from `first` up to `end`."""
        for key in [key for key in self.stored if first <= key < end]:
            self._set(key, None)

    def close(self) -> None:
        """Nothing to release."""

    async def _append(self, records: list[Entry]) -> int:
        for key, value in records:
            if key is not None and key[:1] in OWN:
                # Where it stood before goes: they are read back in the order in which they came.
                self._set(key, None)
                self._set(key, value)
        return 0

    def _apply(self, changes: Iterable[Entry], _: int) -> None:
        for key, value in changes:
            if key is not None:
                self._set(key, value)

    def _set(self, key: bytes, value: bytes | None) -> None:
        if value is None:
            if self.stored.pop(key, None) is not None:
                keys = self._keys[key[:1]]
                del keys[bisect_left(keys, key)]
            return
        if key not in self.stored:
            insort(self._keys[key[:1]], key)
        self.stored[key] = value
