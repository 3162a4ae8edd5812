"""The runbook knows every symptom that the code can show."""

import re
from pathlib import Path

import pytest

from pipeline.settings import Settings
from schemas.errors import ExitCode
from tests.documentation.metrics_page import declared, name_of

TEXT = (Path(__file__).parents[2] / "docs/runbook.md").read_text("utf-8")
ENDS = [code for code in ExitCode if code >= ExitCode.DATA]


@pytest.mark.parametrize("name", [name_of(each) for each in declared()])
def test_each_metric_is_a_symptom(name: str) -> None:
    assert f"`{name}`" in TEXT


def test_no_metric_is_named_that_is_none() -> None:
    assert set(re.findall(r"`(tocsin_\w+)`", TEXT)) <= set(map(name_of, declared()))


@pytest.mark.parametrize("code", ENDS)
def test_each_code_by_which_a_worker_ends_is_a_symptom(code: ExitCode) -> None:
    assert re.search(rf"^\| code {int(code)}\b", TEXT, re.MULTILINE)


def test_each_setting_that_is_named_is_one() -> None:
    known = {f"TOCSIN_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"`(TOCSIN_[A-Z_]+)`", TEXT)) <= known
