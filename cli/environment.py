"""The environment file: by it the commands of a folder find the `tocsin up` that runs there."""

import fcntl
import os
import shlex
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pipeline.variables import PREFIX
from schemas.errors import Unavailable

FILE = Path(".tocsin/environment")
"""Relative to the folder that a command runs in. It holds secrets, and its owner alone reads it."""
PLACES = ("TOCSIN_KAFKA", "TOCSIN_CLICKHOUSE_HOST", "TOCSIN_CLICKHOUSE_PORT")
"""Another value for one of these means another installation."""
CLAIM_SECONDS = 2.0
"""A command that reads the file holds its lock for an instant: `up` tries again for so long."""


class EnvironmentFile:
    """The file while its `tocsin up` runs."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, variables: Mapping[str, str]) -> None:
        """Have commands find these variables from now on; only those of Tocsin are written."""
        lines = (
            f"{name}={shlex.quote(text)}\n"
            for name, text in variables.items()
            if name.startswith(PREFIX)
        )
        self._file.seek(0)
        self._file.truncate()
        self._file.write("".join(lines))
        self._file.flush()


@contextmanager
def claimed(path: Path = FILE) -> Iterator[EnvironmentFile]:
    """The file, held for as long as the block runs and removed at its end.

    A process that is killed leaves the file behind, but not the lock by which it is known to run.
    Raises Unavailable if another `tocsin up` holds it, or if it can't be written.
    """
    with _held(path) as file:
        file.truncate()
        try:
            yield EnvironmentFile(file)
        finally:
            path.unlink(missing_ok=True)


def found(path: Path = FILE) -> dict[str, str] | None:
    """What the file says: None if there is none, or its `tocsin up` has ended without removing it.

    Empty while it starts and while it stops. Raises Unavailable if the file can't be read.
    """
    try:
        with path.open(encoding="utf-8") as file:
            if _locked(file, fcntl.LOCK_SH):
                return None
            text = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unavailable(
            f"{path}, by which commands find `tocsin up`, can't be read ({error.strerror})."
        ) from None
    try:
        words = shlex.split(text)
    except ValueError:
        # A quote is open: it is just being written.
        return {}
    return {name: value for name, _, value in (word.partition("=") for word in words)}


def _held(path: Path) -> IO[str]:
    """The file with its lock; what it says stays."""
    end = time.monotonic() + CLAIM_SECONDS
    while True:
        file = _opened(path)
        # Whoever held it before may have removed it since it was opened.
        if _locked(file, fcntl.LOCK_EX) and _is_at(path, file):
            return file
        file.close()
        if time.monotonic() >= end:
            raise Unavailable(
                "Another `tocsin up` runs in this folder, so nothing was started. Use that one, "
                "end it first, or start this one in another folder."
            )
        time.sleep(0.05)


def _opened(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Opened with its mode, as it must not be readable to others for an instant.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.fchmod(descriptor, 0o600)
    except OSError as error:
        raise Unavailable(
            f"{path} can't be written ({error.strerror}), so nothing was started; run `tocsin up` "
            "in a folder where you may write."
        ) from None
    return os.fdopen(descriptor, "w", encoding="utf-8")


def _locked(file: IO[str], how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(path: Path, file: IO[str]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
