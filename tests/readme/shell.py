"""A newcomer's terminal: what one command sets, the next one finds."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

ROOT = Path(__file__).parents[2]
COLUMNS = 80
COMMAND_SECONDS = 300.0
"""A limit for what hangs, not for what is slow: other work may share the machine."""


class Ended(NamedTuple):
    """What a command came to."""

    code: int
    output: str
    errors: str

    def __str__(self) -> str:
        return f"code {self.code}\n{self.output}\n{self.errors}"


def copy_tree(folder: Path) -> None:
    """The files of this repository, as a clone has them, with what is new and not ignored.

    `.venv`, which `make demo` would build, is linked to the one that runs the tests.
    """
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True, text=True)
    for name in filter(None, done.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)


def environment_for(folder: Path) -> dict[str, str]:
    """Variables of a terminal of 80 columns in which nothing of Tocsin is set.

    PYTHONPATH makes the linked environment run the copy, as one that was built in it would.
    """
    kept = {name: text for name, text in os.environ.items() if not name.startswith("TOCSIN_")}
    return {**kept, "COLUMNS": str(COLUMNS), "PYTHONPATH": str(folder), "NO_PROXY": "127.0.0.1"}


class Shell:
    """A bash in a folder; use it as a context manager."""

    def __init__(self, folder: Path, files: Path) -> None:
        """What goes between it and us stands in `files`, which exists."""
        self._files = files
        self._process = subprocess.Popen(
            ["bash"], stdin=subprocess.PIPE, cwd=folder, env=environment_for(folder), text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def run(self, command: str) -> Ended:
        """Run one command to its end; what it sets stays set."""
        step, out, err, code = (self._files / name for name in ("step", "out", "err", "code"))
        code.unlink(missing_ok=True)
        step.write_text(command + "\n")
        self._type(f". '{step}' </dev/null >'{out}' 2>'{err}'; echo $? >'{code}.new'")
        self._type(f"mv '{code}.new' '{code}'")
        end = time.monotonic() + COMMAND_SECONDS
        while not code.exists():
            if time.monotonic() >= end or self._process.poll() is not None:
                raise AssertionError(f"it does not end: {command}\n{out.read_text()}")
            time.sleep(0.02)
        return Ended(int(code.read_text()), out.read_text(), err.read_text())

    def value(self, name: str) -> str:
        """What a variable holds."""
        return self.run(f'printf %s "${name}"').output

    def _type(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
