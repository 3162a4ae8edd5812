"""Jars of the public Maven repository, kept whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


@contextmanager
def scratch_beside(target: Path) -> Iterator[Path]:
    """A folder on the disk of what is to be kept as `target`, which ends with the block."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix="download-") as scratch:
        yield Path(scratch)


def keep(made: Path, target: Path) -> None:
    """Give what was made in full its name, in one step; raises OSError where that can't be."""
    try:
        made.rename(target)
    except OSError:
        # Another process was faster; it is the same.
        if not target.exists():
            raise


def maven(repository: Path) -> Any:
    """jgo's context, which downloads into this folder; raises ImportError without jgo.

    Not into the user's own repository: jgo writes there in place, so a jar that was cut short would
    stay cut short.
    """
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext, PythonResolver

    return MavenContext(
        resolver=PythonResolver(),
        repo_cache=repository,
        remote_repos={"central": MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories},
    )
