"""A file of lines that others append to, read on from where the last look ended."""

from collections.abc import Iterator
from pathlib import Path

CHUNK_BYTES = 1 << 20


class GrowingLog:
    """Gives each complete line once; the file need not be there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0

    def new_lines(self) -> Iterator[bytes]:
        """The complete lines that were added since, many at a time, as they stand in the file."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._at)
            rest = b""
            while chunk := file.read(CHUNK_BYTES):
                # The last line may be cut here, or still be written.
                whole, newline, rest = (rest + chunk).rpartition(b"\n")
                self._at += len(whole) + len(newline)
                yield whole
