"""What is said of limits on money that have no prices, before and while a decider runs."""

from pathlib import Path

import pytest

from agents.check.findings import State
from agents.check.prices import check_prices
from pipeline.settings import Settings
from policy.catalogue.catalogue import parse
from tests.agents.stage import Stage
from tests.policy.limits.test_unpriced import MONEY
from tests.policy.samples import TYPE


def test_the_check_warns(tmp_path: Path) -> None:
    (tmp_path / "types.toml").write_text(TYPE)
    assert list(check_prices(Settings(catalogue=tmp_path))) == []
    (tmp_path / "tenants.toml").write_text(MONEY)
    (said,) = check_prices(Settings(catalogue=tmp_path))
    assert said.state is State.WARNING
    assert "acme" in said.found
    assert "TOCSIN_SMS_PRICES" in said.todo
    assert list(check_prices(Settings(catalogue=tmp_path, sms_prices={"*": 0.1}))) == []
    assert list(check_prices(Settings(catalogue=tmp_path / "none"))) == []


async def test_a_decider_says_it_once(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.catalogue = parse({"t.toml": TYPE, "tenants.toml": MONEY})
    role = stage.decider
    await stage.work(role)
    await stage.restart()
    await stage.work(role)
    assert caplog.text.count("the tenant acme counts SMS to any country") == 1
