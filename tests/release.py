"""The last release, built from its tag as it was given out, to be run beside this version."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parent.parent
TAGS = "v[0-9]*"


def last_tag() -> str:
    """The newest tag of a release in this version's history; skips the test where there is none."""
    found = _git("describe", "--tags", "--abbrev=0", "--match", TAGS)
    if found.returncode:
        pytest.skip("no tag of a release can be reached: this checkout has no history")
    return found.stdout.decode().strip()


def build(tag: str, folder: Path) -> Path:
    """The folder with what the release's wheel installs."""
    source, wheels, code = folder / "source", folder / "wheels", folder / "code"
    source.mkdir(parents=True)
    # What a worktree would have, without a note of it in this repository.
    archive = _git("archive", tag)
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
