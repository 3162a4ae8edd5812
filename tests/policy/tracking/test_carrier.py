"""Codes of networks as providers write them."""

import pytest

from policy.tracking.carrier import carrier_of


@pytest.mark.parametrize(
    ("network", "carrier"),
    [
        ("23410", "234-10"),
        ("310090", "310-090"),
        ("26201", "262-01"),
        ("90112", "901-12"),
        # As a number, its zeros are lost.
        ("2621", "262-01"),
        ("3104", "310-004"),
        ("46000", "460-00"),
        *((text, "") for text in ("", "0", "00", "000", "310", "12345", "99999", "unknown")),
        *((text, "") for text in ("2341000", "234-10", " 23410", "٢٣٤١٠", "+447700900000")),
    ],
)
def test_a_carrier_by_its_codes(network: str, carrier: str) -> None:
    assert carrier_of(network) == carrier
