"""Decimals in JSON as Kafka Connect's converter writes them."""

import base64
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Undefined

from policy.rendering.filters.unusable import Unusable
from policy.source.decimals import decimal
from policy.source.expression import compile_value


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        # The example by which KIP-481 tells the two ways in which Connect writes decimals.
        ("{{ kip | decimal(5) }}", "10.12345"),
        ("{{ price | decimal(2) }}", "19.99"),
        ("{{ price | decimal(0) }}", "1999"),
        ("{{ price | decimal(-2) }}", "199900"),
        ("{{ rate | decimal }}", "-1.234"),
        ("{{ none_of_it | decimal(2) or 'none' }}", "none"),
    ],
)
def test_the_digits_are_those_that_were_written(expression: str, text: str) -> None:
    read, _ = compile_value(expression)
    assert read({"price": "B88=", "kip": "D3J5", "rate": {"scale": 3, "value": "+y4="}}) == text


@given(st.integers(-(2**400), 2**400), st.integers(0, 60))
def test_every_digit_is_kept(unscaled: int, scale: int) -> None:
    size = unscaled.bit_length() // 8 + 1
    written = base64.b64encode(unscaled.to_bytes(size, "big", signed=True)).decode()
    sign, digits, _ = Decimal(unscaled).as_tuple()
    assert Decimal(decimal(written, scale)).as_tuple() == (sign, digits, -scale) or not unscaled


@pytest.mark.parametrize(
    ("value", "scale", "why"),
    [
        ("B88=", None, "decimal(2)"),
        ("B88=", "2", "is no scale"),
        ("B88=", True, "is no scale"),
        ("B88=", 10_000, "is no scale"),
        ("19.99", 2, "base64"),
        ("", 2, "base64"),
        (19.99, 2, "base64"),
        ({"scale": 2}, 2, "base64"),
        ("A" * 10_000, 2, "base64"),
    ],
)
def test_what_is_none_says_so(value: Any, scale: Any, why: str) -> None:
    with pytest.raises(Unusable) as caught:
        decimal(value, scale)
    assert why in str(caught.value)


def test_of_what_is_absent_there_is_nothing() -> None:
    absent = Undefined(name="price")
    assert decimal(absent, 2) is absent
    assert decimal(None, 2) is None
