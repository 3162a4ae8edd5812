"""A batch of the producer that takes many records at once."""

import time
from collections.abc import Iterable

from aiokafka.producer.message_accumulator import BatchBuilder

NO_COMPRESSION = 0


class Batch(BatchBuilder):
    """A batch of about `size` bytes, or of a single record of any size."""

    def __init__(self, size: int) -> None:
        super().__init__(size, NO_COMPRESSION)

    def extend(self, entries: Iterable[tuple[bytes | None, bytes | None]]) -> int:
        """Append records by key and value, all as of now, while they fit; how many of them did.

        As the client's own `append` does it, which asks the clock and makes three calls for each.
        """
        append, first = self._builder.append, self._relative_offset
        now = int(time.time() * 1000)
        for key, value in entries:
            if append(self._relative_offset, now, key, value, []) is None:
                break
            self._relative_offset += 1
        return int(self._relative_offset - first)
