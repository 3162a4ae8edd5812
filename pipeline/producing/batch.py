"""A batch of the producer that takes many records at once."""

import time
from collections.abc import Iterable

from aiokafka.producer.message_accumulator import BatchBuilder

PLAIN, SNAPPY = 0, 2
"""As Kafka numbers its codecs. Others make less of a batch, but a call of theirs costs 15 µs (LZ4)
or 30 µs (Zstandard), and several times that beside other work; of Snappy it is 5."""
COMPRESSED_FROM = 400
"""Bytes. What is smaller hardly shrinks."""
Headers = Iterable[tuple[str, bytes]]


class Batch(BatchBuilder):
    """A batch of about `size` bytes, or of a single record of any size.

    It is compressed as it is closed, unless it is small; `expected` says how many bytes are to
    come, as the codec must be known before the first record. Each record has these `headers`.
    """

    def __init__(self, size: int, expected: int = 0, headers: Headers = ()) -> None:
        super().__init__(size, SNAPPY if expected >= COMPRESSED_FROM else PLAIN)
        self._headers = list(headers)

    def extend(self, entries: Iterable[tuple[bytes | None, bytes | None]]) -> int:
        """Append records by key and value, all as of now, while they fit; how many of them did.

        As the client's own `append` does it, which asks the clock and makes three calls for each.
        """
        append, first = self._builder.append, self._relative_offset
        headers = self._headers
        now = int(time.time() * 1000)
        for key, value in entries:
            if append(self._relative_offset, now, key, value, headers) is None:
                break
            self._relative_offset += 1
        return int(self._relative_offset - first)
