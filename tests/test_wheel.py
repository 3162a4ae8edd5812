"""What `pip install` puts on an operator's machine is all that the checkout holds."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

from tests.test_imports import OURS, ROOT


def test_the_wheel_holds_every_file_of_every_folder(tmp_path: Path) -> None:
    source, built = tmp_path / "source", tmp_path / "built"
    folders = OURS - {"tests"} | {"catalogue"}
    tracked = subprocess.run(
        ["git", "ls-files", "pyproject.toml", *folders],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    for name in tracked:
        # Apart from the checkout, as building leaves files beside the sources.
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "--no-deps", "--no-build-isolation", "--no-index", "-w", built, source], check=True
    )
    with ZipFile(next(built.glob("*.whl"))) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == set(tracked) - {"pyproject.toml"}
