"""Processes that share the work share the compiling of tests as well, each a part.

Every process reads all tests, and they begin together: in a fresh checkout each would compile all.
"""

from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = "test_*.py"


def names_in(folder: Path, root: Path = ROOT) -> list[str]:
    """The modules with tests in this folder, by name, as they are imported from the root."""
    files = sorted(folder.rglob(FILES))
    return [".".join(file.relative_to(root).with_suffix("").parts) for file in files]


def share_of(names: list[str], worker: str, count: int) -> list[str]:
    """Those of one of so many processes, which are called gw0, gw1 and so on."""
    return names[int(worker.removeprefix("gw")) :: count]


def compile_share(config: pytest.Config) -> None:
    """Import this process's part of all tests, so that the others find it compiled."""
    worker: dict[str, str] | None = getattr(config, "workerinput", None)
    if worker is None or config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    for name in share_of(names_in(ROOT / "tests"), worker["workerid"], int(worker["workercount"])):
        # What is wrong with it, or why it is skipped, is told where it is collected.
        with suppress(Exception, pytest.skip.Exception):
            import_module(name)
