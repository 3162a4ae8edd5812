"""Unpacking what producers compress, up to a bound: a few kilobytes may stand for gigabytes.

The broker bounds a batch as it was compressed, and a fetch by that too; the client unpacks whatever
it is given. So its codecs are replaced here. A batch that is too large when unpacked is read as one
record that says so, and of what one fetch brought of a partition no more is unpacked than a few
megabytes: the rest is fetched again when there is room for it.
"""

import threading
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import cramjam
from aiokafka import TopicPartition
from aiokafka.codec import snappy_decode
from aiokafka.consumer import fetcher
from aiokafka.record import default_records
from aiokafka.record._crecords import default_records as compiled

MOST_BYTES = 16 << 20
"""Of an unpacked batch; producers gather a megabyte or less, unless a single record is larger."""
FETCH_BYTES = 2 << 20
"""Of a partition in one fetch, after which no other batch is unpacked."""
LEAST_ROOM = 16 << 10
GZIP = zlib.MAX_WBITS | 16


class TooMuch(Exception):
    """A batch is larger than `MOST_BYTES` when it is unpacked."""


class Unread(bytes):
    """The empty value of a record that stands for a whole batch which nobody unpacked.

    The record's offset is that of the last one; `which` says in words which offsets there are.
    """

    which: str


def limit_unpacking() -> None:
    """Have all of this process's consumers unpack no more than that of a batch."""
    decoders = {
        "gzip_decode": unpack_gzip,
        "snappy_decode": unpack_snappy,
        "lz4_decode": lambda packed: _unpack(cramjam.lz4.decompress_into, packed),
        "zstd_decode": lambda packed: _unpack(cramjam.zstd.decompress_into, packed),
    }
    for module in (default_records, compiled):
        for name, decode in decoders.items():
            setattr(module, name, _counted(decode))
    fetcher.PartitionRecords = BoundedRecords


def unpack_gzip(packed: bytes) -> bytes:
    """What gzip packed, in as many members as there are; raises TooMuch."""
    unpacked, rest = b"", bytes(packed)
    while rest:
        member = zlib.decompressobj(GZIP)
        unpacked += member.decompress(rest, MOST_BYTES + 1 - len(unpacked))
        if len(unpacked) > MOST_BYTES:
            raise TooMuch
        rest = member.unused_data
    return unpacked


def unpack_snappy(packed: bytes) -> bytes:
    """What snappy packed, about 21 bytes into one at most; raises TooMuch."""
    unpacked: bytes = snappy_decode(packed)
    if len(unpacked) > MOST_BYTES:
        raise TooMuch
    return unpacked


class _Unpacked(threading.local):
    """Bytes that this thread unpacked: others may have clients of their own."""

    size = 0


_unpacked = _Unpacked()


def _counted(decode: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    def counting(packed: bytes) -> bytes:
        found = decode(packed)
        _unpacked.size += len(found)
        return found

    return counting


def _unpack(decompress_into: Callable[[bytes, bytearray], int], packed: bytes) -> bytes:
    room = max(LEAST_ROOM, 8 * len(packed))
    while True:
        unpacked = bytearray(min(room, MOST_BYTES))
        try:
            size = decompress_into(packed, unpacked)
        except cramjam.DecompressionError:
            # Not enough room, as it says for nothing else that a broker lets in.
            if room >= MOST_BYTES:
                raise TooMuch from None
            room *= 8
        else:
            return bytes(memoryview(unpacked)[:size])


class BoundedRecords(fetcher.PartitionRecords):
    """What a fetch brought of a partition; see `Unread`."""

    def __init__(self, tp: TopicPartition, records: Any, *args: Any) -> None:
        super().__init__(tp, _Batches(records), *args)


class _Batches:
    """The batches of a fetch, until enough of them were unpacked."""

    def __init__(self, records: Any) -> None:
        self._records = records
        self.unpacked = 0

    def has_next(self) -> bool:
        return self.unpacked < FETCH_BYTES and self._records.has_next()

    def next_batch(self) -> Any:
        batch = self._records.next_batch()
        return _Packed(batch, self) if batch.compression_type else batch


class _Packed:
    """A compressed batch, as the client looks at it."""

    def __init__(self, batch: Any, of: _Batches) -> None:
        self._batch = batch
        self._of = of

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        before = _unpacked.size
        try:
            records: Iterator[Any] = iter(self._batch)
        except TooMuch:
            return iter([_UnreadRecord(self._batch)])
        self._of.unpacked += _unpacked.size - before
        return records


class _UnreadRecord:
    """As the client reads a record."""

    key = None
    checksum = None
    headers = ()

    def __init__(self, batch: Any) -> None:
        self.offset = batch.next_offset - 1
        self.timestamp = batch.max_timestamp
        self.timestamp_type = batch.timestamp_type
        self.value = Unread()
        self.value.which = f"offsets {batch.base_offset} to {self.offset}"
