"""The class of a user by an attribute: what may be shown to whoever sees figures."""

import pytest

from policy.user.breakdown import LONGEST_CLASS, OTHER, class_of

WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
"""Letters, digits and signs of full width, as keyboards in East Asia write them."""


@pytest.mark.parametrize(
    "value",
    [
        *(
            "pro",
            "Pro plan",
            "DE",
            "über 50",
            "18-24",
            "a=b",
            "1",
            "true",
            "日本",
            "x" * LONGEST_CLASS,
        ),
        *("2026-03-01", "20260301", "1,000 to 5,000", "tier/gold", "v1.2.3"),
        *("annual", "Joanna", "year 2026, 500 to 900", "pro".translate(WIDE), "No. 5/a"),
    ],
)
def test_a_short_text_is_a_class(value: str) -> None:
    assert class_of("plan", {"plan": value}, "ann") == f"plan={value}"


@pytest.mark.parametrize(
    "value",
    [
        *("ann@example.com", "Ann <ann@example.com>", "@ann"),
        *("https://example.com/ann", "+4915112345678", "0151 123 456 78", "(030) 123-456-789"),
        *("1773480414412", "4111 1111 1111 1111"),
        *("ann@example.com".translate(WIDE), "www.example.com", "example.com/ann", "Example.COM/x"),
        *("0151_123_456_78", "+49 (151) -- 12345678", "٠١٥١١٢٣٤٥٦٧٨"),
        *(
            "Ann's plan",
            "plan of ann",
            "(ANN)",
            "ann".translate(WIDE),
            "015112345678".translate(WIDE),
        ),
        *("x" * (LONGEST_CLASS + 1), "two\nlines", "nul\0", "ANN", "ann"),
    ],
)
def test_what_names_somebody_or_says_much_is_none(value: str) -> None:
    assert class_of("plan", {"plan": value}, "ann") == f"plan={OTHER}"


def test_who_has_none_is_a_class_as_well() -> None:
    for attributes in ({}, {"plan": " "}, {"Plan": "pro"}):
        assert class_of("plan", attributes, "ann") == "plan="
    assert class_of("plan", {"plan": " pro "}, "ann") == "plan=pro"


def test_an_id_of_a_letter_or_two_is_in_many_a_class_by_chance() -> None:
    assert class_of("plan", {"plan": "tier 1"}, "1") == "plan=tier 1"
    assert class_of("plan", {"plan": "1"}, "1") == f"plan={OTHER}"
