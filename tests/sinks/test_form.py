"""Forms are those of the standard library, byte for byte, whatever is in them."""

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.form import encoded

texts = st.text(max_size=30)


@given(st.lists(st.tuples(texts, texts), max_size=5))
def test_a_form_is_that_of_the_standard_library(fields: list[tuple[str, str]]) -> None:
    assert encoded(fields) == urlencode(fields).encode()


@pytest.mark.parametrize("first", range(0, 0x180, 0x20))
def test_each_character_is_quoted_as_there(first: int) -> None:
    for code in range(first, first + 0x20):
        text = f"a{chr(code)}%{chr(code)}+ b"
        assert encoded({text: text}) == urlencode({text: text}).encode()
        assert parse_qsl(encoded({"x": text}).decode(), strict_parsing=True) == [("x", text)]


def test_a_long_text_with_all_of_it() -> None:
    text = "Grüße, 新しい靴 & 🎉\r\n" + "".join(map(chr, range(0x300))) * 3
    assert encoded({"text": text}) == urlencode({"text": text}).encode()


def test_no_fields_are_nothing() -> None:
    assert encoded({}) == b""
    assert encoded([("a", ""), ("a", "b")]) == b"a=&a=b"
