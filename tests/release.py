"""The last release, built as it was given out, to be run beside this version."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parent.parent
TAGS = "v[0-9]*"
SUBJECT = "^Release [0-9]"


def last_release() -> str:
    """The newest release in this version's history, by its commit's subject or else by its tag.

    A clone may have no tags, or only those of older releases, and one without history has only
    tags. Skips the test where there is neither.
    """
    found = _git("log", "-1", "--format=%H", "--grep", SUBJECT)
    release = found.stdout or _git("describe", "--tags", "--abbrev=0", "--match", TAGS).stdout
    if not release:
        pytest.skip("neither a tag nor a commit of a release can be reached in this checkout")
    return release.decode().strip()


def build(release: str, folder: Path) -> Path:
    """The folder with what the release's wheel installs."""
    source, wheels, code = folder / "source", folder / "wheels", folder / "code"
    source.mkdir(parents=True)
    # What a worktree would have, without a note of it in this repository.
    archive = _git("archive", release)
    archive.check_returncode()
    subprocess.run(["tar", "-x", "-C", source], input=archive.stdout, check=True)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    alone = ["--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, *alone, "-w", str(wheels), str(source)], check=True)
    with ZipFile(next(wheels.glob("*.whl"))) as wheel:
        wheel.extractall(code)
    return code


def _git(*args: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", *args], cwd=ROOT, capture_output=True, check=False)
