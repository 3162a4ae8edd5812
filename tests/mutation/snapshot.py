"""Copies of the working tree, so that it can be edited while mutants run.

One is clean; each worker has another, in which it changes one file at a time.
"""

import os
import shutil
import subprocess
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

SUFFIXES = {".py", ".sql", ".toml", ".json", ".html", ".js", ".css", ".cfg"}
CLEAN = "clean"
KEPT_SECONDS = 86_400
LEFT_OUT = "tests/mutation/benign.toml"
"""It says how results are counted, and changes none."""


class Snapshot(Struct, frozen=True):
    """Copies below a folder that is named for their content."""

    folder: Path

    @property
    def clean(self) -> Path:
        """The unchanged copy."""
        return self.folder / CLEAN

    @property
    def digest(self) -> str:
        """What names the state of the sources and tests."""
        return self.folder.name

    def copy(self, name: str) -> Path:
        """A fresh copy for a worker, with all that was compiled for the clean one."""
        place = self.folder / name
        shutil.rmtree(place, ignore_errors=True)
        # With their times, by which compiled files are known to be up to date.
        shutil.copytree(self.clean, place, copy_function=shutil.copy2)
        return place


def is_taken(name: str) -> bool:
    """Whether code or tests could read the file."""
    return Path(name).suffix in SUFFIXES and name != LEFT_OUT


def take(root: Path, below: Path) -> Snapshot:
    """Copy what git tracks, or would, with changes that are not committed; once a state."""
    names = [name for name in _names(root) if is_taken(name)]
    digest = sha256()
    for name in names:
        digest.update(name.encode() + b"\0" + (root / name).read_bytes() + b"\0")
    snapshot = Snapshot(below / digest.hexdigest()[:16])
    _prune(below)
    if not snapshot.clean.exists():
        partial = snapshot.folder / f"partial-{os.getpid()}"
        for name in names:
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, partial / name)
        with suppress(OSError):  # another run was quicker
            partial.rename(snapshot.clean)
    return snapshot


def _prune(below: Path) -> None:
    """Remove what no run has needed for a day."""
    for folder in below.glob("*") if below.exists() else ():
        if time.time() - folder.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _names(root: Path) -> list[str]:
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(listing, cwd=root, check=True, capture_output=True, text=True)
    return sorted(name for name in found.stdout.split("\0") if name and (root / name).is_file())
