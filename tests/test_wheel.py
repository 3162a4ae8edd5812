"""What `pip install` puts on an operator's machine is all that the checkout holds."""

import subprocess
import sys
import tarfile
from email import message_from_bytes
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.test_imports import OURS, ROOT

METADATA = ("pyproject.toml", "README.md", "LICENSE")
"""Outside the packages, and built into the wheel's metadata."""
SOURCES = (*METADATA, "MANIFEST.in", "CHANGELOG.md", "SECURITY.md")


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    folders = OURS - {"tests"} | {"catalogue"}
    listed = subprocess.run(
        ["git", "ls-files", *folders], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return listed.stdout.split()


@pytest.fixture(scope="module")
def source(tracked: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, as building leaves files beside the sources."""
    folder = tmp_path_factory.mktemp("source")
    for name in (*tracked, *SOURCES):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    return folder


def test_the_wheel_holds_every_file_of_every_folder(
    tracked: list[str], source: Path, tmp_path: Path
) -> None:
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "--no-deps", "--no-build-isolation", "--no-index", "-w", tmp_path, source],
        check=True,
    )
    with ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        info = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(wheel.read(info))
        licence = wheel.read(info.replace("METADATA", "licenses/LICENSE"))
    assert names == set(tracked)
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert licence == (ROOT / "LICENSE").read_bytes()


def test_the_source_distribution_holds_what_a_reader_asks_for_first(
    source: Path, tmp_path: Path
) -> None:
    build = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", build, tmp_path], cwd=source, check=True, capture_output=True
    )
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names.issuperset(SOURCES)
