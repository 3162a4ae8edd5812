"""Typed tables inside a partition store, seen through one slice's own writes."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from heapq import merge
from typing import Any, Generic, TypeVar

import msgspec

from tables.storage.decoded_cache import Recent
from tables.storage.journal_records import OWN
from tables.storage.restore import Check
from tables.storage.store import FRONTIER, OFFSET, Store

Value = TypeVar("Value")


def key_of(*parts: str) -> bytes:
    """A key from its parts, such as tenant and user, with no two tuples alike.

    A key of the first parts is a prefix of every longer key that begins with them, and of no
    other.
    """
    key = b""
    for part in parts:
        encoded = part.encode()
        key += len(encoded).to_bytes(2, "big") + encoded
    return key


def parts_of(key: bytes) -> list[str]:
    """The parts of a key, as `key_of` was given them."""
    parts, at = [], 0
    while at < len(key):
        end = at + 2 + int.from_bytes(key[at : at + 2], "big")
        parts.append(key[at + 2 : end].decode())
        at = end
    return parts


def day_key(day: int) -> bytes:
    """The key of a day since 1970, and prefix of all that is over then, in front of later days."""
    return day.to_bytes(4, "big")


def last_part(key: bytes) -> str:
    """The last part of a key, as `key_of` was given it."""
    return parts_of(key)[-1]


class Table(Generic[Value]):
    """A kind of state: the byte its keys begin with, and what its values are.

    Values are msgspec structs in MessagePack. Fields may be added at the end, with defaults.
    Of each partition, `kept` values that were used last stay decoded, or up to twice as many.
    """

    def __init__(self, prefix: bytes, kind: type[Value], kept: int = 0) -> None:
        self.prefix = prefix
        self.kept = kept
        self.encode = msgspec.msgpack.Encoder().encode
        self.decode = msgspec.msgpack.Decoder(kind).decode


class View(Generic[Value]):
    """A table as one slice sees it: what is stored, under what the slice has written."""

    def __init__(self, table: Table[Value], store: Store) -> None:
        self._table = table
        self._store = store
        self._values: dict[bytes, Value | None] = {}
        self._recent = _recent_of(table, store)
        self._written: set[bytes] = set()
        self._in_order: list[bytes] | None = None
        self.bytes_read = 0
        """Of stored values, which may be few and large."""

    def load(self, keys: Iterable[bytes]) -> None:
        """Read in one go those values of these keys that are not at hand."""
        prefix, decode, values, recent = (
            self._table.prefix,
            self._table.decode,
            self._values,
            self._recent,
        )
        missing = [
            key
            for key in keys
            if key not in recent.young and key not in values and key not in recent.old
        ]
        if not missing:
            return
        stored = self._store.get_many([prefix + key for key in missing])
        for key, value in zip(missing, stored, strict=True):
            values[key] = None if value is None else decode(value)
            self.bytes_read += len(value or b"")

    def get(self, key: bytes) -> Value | None:
        """The value of a key, None where there is none."""
        values = self._values
        if key in values:
            return values[key]
        young, old = self._recent.young, self._recent.old
        if key in young:
            return young[key]
        if key in old:
            # Among this slice's own, so that it is kept as one of the young.
            values[key] = old[key]
        else:
            self.load([key])
        return values[key]

    def put(self, key: bytes, value: Value | None) -> None:
        """Set a value, or delete it with None."""
        self._values[key] = value
        if self._in_order is not None and key not in self._written:
            insort(self._in_order, key)
        self._written.add(key)

    def keys(self, prefix: bytes, after: bytes = b"") -> Iterator[bytes]:
        """The keys that begin with `prefix`, in order, this slice's writes included.

        With `after`, only those behind that key.
        """
        skip, written = len(self._table.prefix), self._written
        own = [key for key in self._own(prefix) if self._values[key] is not None]
        start = after[len(prefix) :]
        stored = (key[skip:] for key, _ in self._store.scan(self._table.prefix + prefix, start))
        for key in merge(own, (key for key in stored if key not in written)):
            if key > after or not after:
                yield key

    def _own(self, prefix: bytes) -> Iterator[bytes]:
        """What the slice has written that begins with `prefix`, in order."""
        if self._in_order is None:
            # From the first look on: a slice that looks again and again must not sort each time.
            self._in_order = sorted(self._written)
        for place in range(bisect_left(self._in_order, prefix), len(self._in_order)):
            if not self._in_order[place].startswith(prefix):
                return
            yield self._in_order[place]

    def is_empty(self) -> bool:
        """Whether there is nothing at all, which is looked for again only once it was written."""
        if self._written or not self._recent.is_empty:
            nothing = next(self.keys(b""), None) is None
            self._recent.is_empty = nothing and not self._written
            return nothing
        return True

    def changes(self) -> dict[bytes, bytes | None]:
        """What this slice has written, as the store takes it."""
        prefix, encode = self._table.prefix, self._table.encode
        return {
            prefix + key: None if (value := self._values[key]) is None else encode(value)
            for key in self._written
        }

    def keep(self) -> None:
        """Keep what this slice read and wrote for the next ones; only once it is stored."""
        if self._written:
            self._recent.is_empty = False
        if self._table.kept:
            self._recent.keep(self._values)


def _recent_of(table: Table[Value], store: Store) -> Recent[Value | None]:
    recent: Recent[Value | None] | None = store.recent.get(table.prefix)
    if recent is None:
        recent = store.recent[table.prefix] = Recent(table.kept)
    return recent


def is_known_to_be_empty(table: Table[Any], store: Store) -> bool:
    """Whether somebody saw that there is nothing at all, without a look: it may be empty still."""
    recent = store.recent.get(table.prefix)
    return recent is not None and recent.is_empty


def checker(*tables: Table[Any]) -> Check:
    """Reads changelog records of these tables; raises on one that they should read and can't.

    What another version keeps in a table of its own stays as it is, for when that version runs
    again. What is neither of a table nor a frontier is not known to be harmless, and raises.
    """
    decoders = {table.prefix: table.decode for table in tables}

    def check(key: bytes, value: bytes | None) -> None:
        decode = decoders.get(key[:1])
        if decode is not None:
            if value is not None:
                decode(value)
        elif key.startswith(FRONTIER):
            OFFSET.unpack(value or b"")
        elif key[:1] not in OWN and not is_of_table(key):  # those are read as a whole
            raise ValueError(f"{key[:20]!r} is no key of a table")

    return check


def is_of_table(key: bytes) -> bool:
    """Whether a key may be that of a table: all of theirs begin with a letter."""
    return key[:1].isalpha()
