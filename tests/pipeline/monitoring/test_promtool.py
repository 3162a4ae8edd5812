"""Prometheus' own tool runs the rules: when each alert fires, and when it does not."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.monitoring.alerts import alerts, rule_file

CASES = Path(__file__).parent / "rules.test.yml"
BUILT = Path(__file__).parents[3] / ".tocsin" / "promtool" / "promtool"


def promtool() -> str | None:
    """The program; None where it can't be had."""
    own = os.environ.get("PROMTOOL") or shutil.which("promtool")
    return own or (str(BUILT) if BUILT.exists() else None)


needs_promtool = pytest.mark.skipif(promtool() is None, reason="no promtool here: make promtool")


def run(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(promtool()), *argv], cwd=folder, capture_output=True, text=True, check=False
    )


def test_each_alert_fires_in_one_of_the_cases() -> None:
    fired = set(re.findall(r'ALERTS\{alertname="(\w+)"', CASES.read_text()))
    assert fired == {each.name for each in alerts()}


@needs_promtool
def test_the_rules_do_what_the_cases_say(tmp_path: Path) -> None:
    shutil.copy(CASES, tmp_path)
    rules = tmp_path / "rules.yml"
    rules.write_text(rule_file())
    checked = run(tmp_path, "check", "rules", "rules.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    done = run(tmp_path, "test", "rules", CASES.name)
    assert done.returncode == 0, done.stdout + done.stderr
    # And they say something: with other rules they fail.
    rules.write_text(rule_file(lag=50_000))
    done = run(tmp_path, "test", "rules", CASES.name)
    assert done.returncode != 0
    assert "TocsinLag" in done.stdout + done.stderr
