"""Typed tables inside a partition store, seen through one slice's own writes."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Generic, TypeVar

import msgspec

from tables.restore import Check
from tables.store import FRONTIER, OFFSET, PartitionStore

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


def last_part(key: bytes) -> str:
    """The last part of a key, as `key_of` was given it."""
    at = 0
    while True:
        end = at + 2 + int.from_bytes(key[at : at + 2], "big")
        if end == len(key):
            return key[at + 2 :].decode()
        at = end


class Table(Generic[Value]):
    """A kind of state: the byte its keys begin with, and what its values are.

    Values are msgspec structs in MessagePack. Fields may be added at the end, with defaults.
    Of each partition, `kept` values stay decoded in memory; the first that came go first.
    """

    def __init__(self, prefix: bytes, kind: type[Value], kept: int = 0) -> None:
        self.prefix = prefix
        self.kept = kept
        self.encode = msgspec.msgpack.Encoder().encode
        self.decode = msgspec.msgpack.Decoder(kind).decode


class View(Generic[Value]):
    """A table as one slice sees it: what is stored, under what the slice has written."""

    def __init__(self, table: Table[Value], store: PartitionStore) -> None:
        self._table = table
        self._store = store
        self._values: dict[bytes, Value | None] = {}
        self._kept: dict[bytes, Value | None] = store.kept[table.prefix]
        self._written: set[bytes] = set()

    def load(self, keys: Iterable[bytes]) -> None:
        """Read the values of these keys in one go."""
        prefix, decode = self._table.prefix, self._table.decode
        values, kept = self._values, self._kept
        wanted = [key for key in dict.fromkeys(keys) if key not in values]
        missing = [key for key in wanted if key not in kept]
        values.update((key, kept[key]) for key in wanted if key in kept)
        stored = self._store.get_many([prefix + key for key in missing])
        for key, value in zip(missing, stored, strict=True):
            values[key] = None if value is None else decode(value)

    def get(self, key: bytes) -> Value | None:
        """The value of a key, None where there is none."""
        if key not in self._values:
            self.load([key])
        return self._values[key]

    def put(self, key: bytes, value: Value | None) -> None:
        """Set a value, or delete it with None."""
        self._values[key] = value
        self._written.add(key)

    def keys(self, prefix: bytes) -> Iterator[bytes]:
        """The keys that begin with `prefix`, this slice's writes included, in no set order."""
        skip = len(self._table.prefix)
        for stored, _ in self._store.scan(self._table.prefix + prefix):
            if stored[skip:] not in self._written:
                yield stored[skip:]
        for key in self._written:
            if key.startswith(prefix) and self._values[key] is not None:
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
        if not self._table.kept:
            return
        kept = self._kept
        kept.update(self._values)
        for key in list(islice(kept, max(0, len(kept) - self._table.kept))):
            del kept[key]


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
