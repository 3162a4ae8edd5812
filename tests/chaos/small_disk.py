"""A disk of its own that can be filled, where the system lets us mount one."""

import errno
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

MIB = 1 << 20
SIZE = 512
"""MiB: three brokers' logs and as much again."""


class SmallDisk:
    """A folder that is a file system in memory, unless mounting one takes more rights than ours."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.is_mounted = False
        self._ballast = folder / "ballast"

    def mount(self) -> None:
        """Make it one, if we may."""
        self.folder.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}m", "tmpfs", str(self.folder)]
        self.is_mounted = _succeeds(command)

    def fill(self) -> None:
        """Use all room that is left, to the last byte."""
        assert self.is_mounted
        with self._ballast.open("wb", buffering=0) as ballast:
            for size in (MIB, 4096, 1):
                while _fits(ballast, b"\0" * size):
                    pass

    def free(self) -> None:
        """Give it back."""
        self._ballast.unlink()

    def unmount(self) -> None:
        """Undo `mount`."""
        if self.is_mounted:
            _succeeds(["umount", "--lazy", str(self.folder)])
            self.is_mounted = False


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """One in this folder, which is made, for as long as the block runs."""
    disk = SmallDisk(folder)
    disk.mount()
    try:
        yield disk
    finally:
        disk.unmount()


def _fits(ballast: FileIO, more: bytes) -> bool:
    try:
        written = ballast.write(more)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False
    return written == len(more)


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
