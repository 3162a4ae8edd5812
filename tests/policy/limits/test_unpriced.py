"""Limits on money without prices are told, as they bound nothing."""

import pytest

from policy.catalogue.catalogue import parse
from policy.limits.unpriced import unpriced_limits
from tests.policy.samples import TYPE

MONEY = """
[tenants.acme]
daily_limit = { sms_cost = 10 }
[tenants.globex]
daily_limit = { messages = 5 }
[tenants.initech]
zone = "Europe/Berlin"
"""


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        ({}, "to any country as costing nothing"),
        ({"US": 0.01, "DE": 0.07}, "to other countries than DE, US as costing nothing"),
        ({"DE": 0.07, "*": 0.1}, ""),
        ({"*": 0.0}, ""),
    ],
)
def test_what_bounds_nothing_is_told_of_each_tenant(prices: dict[str, float], said: str) -> None:
    tenants = parse({"t.toml": TYPE, "tenants.toml": MONEY}).tenants
    found = list(unpriced_limits(tenants, prices))
    assert len(found) == bool(said)
    assert all("the tenant acme " in each and said in each for each in found)
    assert all("TOCSIN_SMS_PRICES" in each for each in found)
