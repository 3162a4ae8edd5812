"""Forms are those of the standard library, byte for byte, whatever is in them."""

from io import BytesIO
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from sinks.form import encoded, multipart

texts = st.text(max_size=30)
LINES = st.text(alphabet="\r\n-a", max_size=8)
"""Of what boundaries and their ends are made."""


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


def parsed(body: bytes, content_type: str) -> list[tuple[str, str]]:
    mimetype, options = parse_options_header(content_type)
    _, form, files = FormDataParser().parse(BytesIO(body), mimetype, len(body), options)
    assert not files
    return list(form.items(multi=True))


@given(st.lists(st.tuples(st.sampled_from(["to", "h:Reply-To", "v:ticket"]), texts | LINES)))
def test_all_that_is_said_in_parts_arrives_as_it_was_said(fields: list[tuple[str, str]]) -> None:
    found = parsed(*multipart(fields))
    assert sorted(found, key=str) == sorted(fields, key=str)
    for name in ("to", "h:Reply-To", "v:ticket"):
        assert [v for n, v in found if n == name] == [v for n, v in fields if n == name]


def test_no_text_can_hold_the_boundary_as_it_is_another_each_time() -> None:
    (_, first), (_, second) = multipart([("a", "b")]), multipart([("a", "b")])
    assert first != second
