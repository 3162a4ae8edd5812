"""Dates, numbers, plurals and lists as each locale writes them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from policy.rendering.filters.unusable import Unusable
from tests.policy.templates import text

FORMS = "one='#:one', two='#:two', few='#:few', many='#:many', zero='#:zero', other='#:other'"
ALL = "date time datetime number percent plural(other='#') currency('EUR') listing link"


def spaced(found: str) -> str:
    """With plain spaces, for the eye."""
    return found.replace("\u202f", " ").replace("\xa0", " ")


@pytest.mark.parametrize(
    ("locale", "source", "value", "expected"),
    [
        ("en", "date", "2026-03-01T23:30:00+05:30", "Mar 1, 2026"),
        ("de-AT", "date('full')", "2026-03-01T23:30:00+05:30", "Sonntag, 1. März 2026"),
        ("de", "date", "2026-03-01", "01.03.2026"),
        ("en", "datetime", "2026-03-01T23:30:00Z", "Mar 1, 2026, 11:30:00 PM"),
        ("fr", "datetime('short')", "2026-03-01T23:30:00Z", "01/03/2026 23:30"),
        ("en", "time", "2026-03-01T23:30:00+05:30", "11:30 PM"),
        ("de", "time(zone='Europe/Berlin')", "2026-07-01T23:30:00+05:30", "20:00"),
        ("de", "time('long', 'Europe/Berlin')", "2026-07-01T18:00:00Z", "20:00:00 MESZ"),
        ("de", "time", "2026-03-01T08:15:00", "08:15"),
        ("de", "time", "2026-03-01T08:15:00." + 14 * "0" + "+00:00", "08:15"),  # 40 characters
        ("de", "datetime('short')", 1_772_366_400, "01.03.26, 12:00"),
        ("de", "datetime('short')", 1_772_366_400_000, "01.03.26, 12:00"),
        ("de", "datetime('short', zone='Asia/Tokyo')", 1_772_366_400.5, "01.03.26, 21:00"),
        ("en", "number", 1234567.891, "1,234,567.891"),
        ("de", "number", "1234567.5", "1.234.567,5"),
        ("hi", "number(2)", 1234567, "12,34,567.00"),
        ("en", "number(0)", 2.6, "3"),
        ("de", "percent", 0.256, "26 %"),
        ("en", "percent(1)", "0.256", "25.6%"),
        ("tr", "percent(1)", 0.256, "%25,6"),
        ("en", "currency('EUR')", "1299.5", "€1,299.50"),
        ("de", "currency('JPY')", 1299, "1.299 ¥"),
        ("en", "listing", ["Ann", "Bob", "Cy"], "Ann, Bob, and Cy"),
        ("de", "listing('or')", ["Ann", "Bob"], "Ann oder Bob"),
        ("de", "listing", [], ""),
        ("xx", "number", 1234.5, "1,234.5"),
    ],
)
def test_filters(locale: str, source: str, value: Any, expected: str) -> None:
    assert spaced(text(f"{{{{ data.x | {source} }}}}", {"x": value}, locale)) == expected


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("en", "0:other 1:one 2:other 3:other 5:other 11:other 22:other 100:other"),
        ("pl", "0:many 1:one 2:few 3:few 5:many 11:many 22:few 100:many"),
        ("ar", "0:zero 1:one 2:two 3:few 5:few 11:many 22:many 100:other"),
        ("ja", "0:other 1:other 2:other 3:other 5:other 11:other 22:other 100:other"),
        ("fr", "0:one 1:one 2:other 3:other 5:other 11:other 22:other 100:other"),
    ],
)
def test_plurals(locale: str, expected: str) -> None:
    source = f"{{% for n in data.n %}}{{{{ n | plural({FORMS}) }}}} {{% endfor %}}"
    assert text(source, {"n": [0, 1, 2, 3, 5, 11, 22, 100]}, locale).strip() == expected


@pytest.mark.parametrize(
    ("locale", "value", "expected"),
    [
        ("en", 1.0, "1:one"),
        ("en", "1.00", "1:one"),
        ("en", 1.5, "1.5:other"),
        ("ru", 21.0, "21:one"),
        ("ru", "21", "21:one"),
        ("ru", 22.0, "22:few"),
        ("en", 1e14, "100,000,000,000,000:other"),
    ],
)
def test_a_plural_is_that_of_the_number_as_it_is_shown(
    locale: str, value: Any, expected: str
) -> None:
    assert text(f"{{{{ data.x | plural({FORMS}) }}}}", {"x": value}, locale) == expected


def test_a_form_that_is_not_given_is_other() -> None:
    source = "{{ data.n | plural(one='one item', other='# items') }}"
    assert text(source, {"n": 1}) == "one item"
    assert text(source, {"n": 1234}, "pl") == "1\xa0234 items"
    assert text(source, {"n": 1.5}) == "1.5 items"


@pytest.mark.parametrize(
    ("source", "value", "complaint"),
    [
        ("date", "soon", "the filter 'date' can't use 'soon': it is not a moment"),
        ("date", True, "can't use True"),
        ("date", 1e300, "it is not a moment"),
        ("date", float("nan"), "it is not a moment"),
        ("date('vast')", "2026-03-01", "can't use 'vast': the styles are short"),
        ("time", "2026-03-01", "it has no time of day"),
        ("datetime(zone='Mars')", 0, "can't use 'Mars': it is not an IANA time zone"),
        ("datetime(zone='../etc')", 0, "it is not an IANA time zone"),
        ("datetime(zone=3)", 0, "it is not an IANA time zone"),
        ("datetime(zone='Asia/Tokyo')", "9999-12-31T23:00:00Z", "it is not a moment"),
        ("datetime(zone='Asia/Tokyo')", "2026-03-01T12:00", "without an offset"),
        ("number", "many", "can't use 'many': it is not a number"),
        ("number", "1e999999999", "it is not a number"),
        ("number", float("inf"), "it is not a number"),
        ("number", 10**15, "it is too large"),
        ("number(99)", 1, "can't use 99: there are 0 to 6 decimals"),
        ("number('x')", 1, "can't use 'x'"),
        ("currency('euros')", 1, "can't use 'euros': it is not a code"),
        ("plural(other='#')", [1], "the filter 'plural' can't use"),
        ("listing", "abc", "it is not a list"),
        ("listing", ["x"] * 101, "more than 100 items"),
        ("listing('nor')", ["x"], "can't use 'nor'"),
        ("truncate(2)", "abc", "can't use 2: there is no room for the end"),
        ("truncate('9')", "abc", "can't use '9'"),
    ],
)
def test_a_value_that_does_not_suit_is_named(source: str, value: Any, complaint: str) -> None:
    with pytest.raises(Unusable, match=complaint.replace("(", r"\(")):
        text(f"{{{{ data.x | {source} }}}}", {"x": value})


@pytest.mark.parametrize("source", ALL.split())
def test_a_missing_variable_is_named(source: str) -> None:
    with pytest.raises(UndefinedError, match="the variable 'x' is missing"):
        text(f"{{{{ data.x | {source} }}}}")


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes()


@given(st.sampled_from(ALL.split()), scalars | st.lists(scalars), st.text(max_size=8))
def test_a_filter_makes_a_short_text_or_says_why_not(source: str, value: Any, locale: str) -> None:
    try:
        assert len(text(f"{{{{ data.x | {source} }}}}", {"x": value}, locale)) < 20_000
    except (Unusable, UndefinedError) as error:
        assert len(str(error)) < 300
