"""Style and types, beside the tests: by themselves they would leave a core idle for a minute."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOOLS = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command", ["ruff check --quiet .", "ruff format --check --quiet .", "mypy --no-error-summary"]
)
def test_nothing_is_complained_of(command: str) -> None:
    """As `make check` has it."""
    name, *options = command.split()
    ran = subprocess.run(
        [TOOLS / name, *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
