"""Typed tables inside a partition store, seen through one slice's own writes."""

from collections.abc import Iterable, Iterator
from heapq import merge
from typing import Any, Generic, TypeVar

import msgspec

from tables.recent import Recent
from tables.restore import Check
from tables.store import FRONTIER, OFFSET, Store

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
        self._recent: Recent[Value | None] | None = None
        if table.kept:
            self._recent = store.recent.setdefault(table.prefix, Recent(table.kept))
        self._written: set[bytes] = set()

    def load(self, keys: Iterable[bytes]) -> None:
        """Read the values of these keys in one go."""
        prefix, decode, values = self._table.prefix, self._table.decode, self._values
        missing = [key for key in dict.fromkeys(keys) if key not in values]
        if self._recent is not None:
            missing = self._recall(self._recent, missing)
        if not missing:
            return
        stored = self._store.get_many([prefix + key for key in missing])
        for key, value in zip(missing, stored, strict=True):
            values[key] = None if value is None else decode(value)

    def _recall(self, recent: Recent[Value | None], keys: list[bytes]) -> list[bytes]:
        """Take what is still known of these keys; returns those that are not."""
        values, young, old = self._values, recent.young, recent.old
        unknown = []
        for key in keys:
            if key in young:
                values[key] = young[key]
            elif key in old:
                values[key] = old[key]
            else:
                unknown.append(key)
        return unknown

    def get(self, key: bytes) -> Value | None:
        """The value of a key, None where there is none."""
        if key not in self._values:
            self.load([key])
        return self._values[key]

    def put(self, key: bytes, value: Value | None) -> None:
        """Set a value, or delete it with None."""
        self._values[key] = value
        self._written.add(key)

    def keys(self, prefix: bytes, after: bytes = b"") -> Iterator[bytes]:
        """The keys that begin with `prefix`, in order, this slice's writes included.

        With `after`, only those behind that key.
        """
        skip, written = len(self._table.prefix), self._written
        own = (key for key in written if key.startswith(prefix) and self._values[key] is not None)
        start = after[len(prefix) :]
        stored = (key[skip:] for key, _ in self._store.scan(self._table.prefix + prefix, start))
        for key in merge(sorted(own), (key for key in stored if key not in written)):
            if key > after:
                yield key

    def changes(self) -> dict[bytes, bytes | None]:
        """What this slice has written, as the store takes it."""
        prefix, encode = self._table.prefix, self._table.encode
        return {
            prefix + key: None if (value := self._values[key]) is None else encode(value)
            for key in self._written
        }

    def keep(self) -> None:
        """Keep what this slice read and wrote for the next ones; only once it is stored."""
        if self._recent is not None:
            self._recent.keep(self._values)


def checker(*tables: Table[Any]) -> Check:
    """Reads changelog records of these tables; raises on one that none of them can read."""
    decoders = {table.prefix: table.decode for table in tables}

    def check(key: bytes, value: bytes | None) -> None:
        if key.startswith(FRONTIER):
            OFFSET.unpack(value or b"")
            return
        decode = decoders[key[:1]]
        if value is not None:
            decode(value)

    return check
