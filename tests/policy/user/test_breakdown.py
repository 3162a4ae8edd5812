"""The class of a user by an attribute: what may be shown to whoever sees figures."""

import pytest

from policy.user.breakdown import LONGEST_CLASS, OTHER, class_of


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
        *("x" * (LONGEST_CLASS + 1), "two\nlines", "nul\0", "ANN", "ann"),
    ],
)
def test_what_names_somebody_or_says_much_is_none(value: str) -> None:
    assert class_of("plan", {"plan": value}, "ann") == f"plan={OTHER}"


def test_who_has_none_is_a_class_as_well() -> None:
    for attributes in ({}, {"plan": " "}, {"Plan": "pro"}):
        assert class_of("plan", attributes, "ann") == "plan="
    assert class_of("plan", {"plan": " pro "}, "ann") == "plan=pro"
