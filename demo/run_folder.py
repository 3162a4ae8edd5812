"""A folder for each run: fresh, so that its figures are its own, and locked while it runs."""

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from schemas.errors import Unavailable

NAME = "run-*"


@contextmanager
def run_folder(parent: Path) -> Iterator[Path]:
    """A new folder in `parent`, which stays after the run, to be looked at.

    The folders of earlier runs are removed, other than those still running. Raises Unavailable
    where nothing can be written.
    """
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _remove_finished(parent)
        folder = parent / f"run-{time.time_ns()}"
        folder.mkdir()
        lock = (folder / "lock").open("wb")
    except OSError as error:
        raise Unavailable(
            f"The demo can't write {error.filename} ({error.strerror}). Nothing was started; "
            "make it writable or run the demo from another folder."
        ) from error
    with lock:
        _claim(lock)
        yield folder


def _remove_finished(parent: Path) -> None:
    for folder in parent.glob(NAME):
        with (folder / "lock").open("ab") as lock:
            if _claim(lock):
                shutil.rmtree(folder)


def _claim(lock: BinaryIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
