import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.rendering.sandbox.plain_text import (
    MOST_TITLE,
    clean,
    clean_html,
    cut,
    longest,
    one_line,
)

ASTRONAUT = "👩🏽‍🚀"


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("a\tb\nc", "a\tb\nc"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a\0\x07\x1b\x7f\x85b", "ab"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("\u2066a\u2069\ufeff", "a"),
        (f"{ASTRONAUT} é ü مرحبا \u200f", f"{ASTRONAUT} é ü مرحبا \u200f"),
    ],
)
def test_clean(dirty: str, expected: str) -> None:
    assert clean(dirty) == expected


@given(st.text())
def test_what_is_clean_stays_so(dirty: str) -> None:
    once = clean(dirty)
    assert clean(once) == once
    assert not set(once) & set("\0\r\x1b\u202e\u2066\u2028")


@given(st.text() | st.text(alphabet="a\r\n\x0b\x1c\x85\u2028 ", min_size=200))
def test_a_title_is_one_short_line(title: str) -> None:
    line = one_line(title)
    assert len(line.splitlines()) <= 1
    assert len(line) <= MOST_TITLE


def test_html_keeps_its_direction() -> None:
    assert clean_html("<b>é\u202efdp") == "<b>éfdp"
    assert clean_html("<b>\n") == "<b>\n"


def test_what_is_drawn_as_one_is_not_torn() -> None:
    assert cut(f"ab{ASTRONAUT}", 4) == "ab"
    assert cut("cafe\u0301s", 4) == "caf"
    assert cut("ab  cd", 4) == "ab"
    assert cut("abc", 3) == "abc"
    assert len(cut("e" + "\u0301" * 99, 50)) == 50


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [
        ("🇩🇪🇫🇷🇮🇹", 3, "🇩🇪"),
        ("🇩🇪🇫🇷🇮🇹", 4, "🇩🇪🇫🇷"),
        ("1️⃣2️⃣", 5, "1️⃣"),
        ("नमस्ते दोस्त", 4, "नम"),
        ("ที่นี่", 4, "ที่"),
        ("👨‍👩‍👧‍👦", 5, ""),
        ("👍🏽👍🏽", 3, "👍🏽"),
        ("ab" * 300 + "🇩🇪" * 200, 901, "ab" * 300 + "🇩🇪" * 150),
    ],
)
def test_flags_keycaps_and_syllables_are_not_torn(text: str, length: int, expected: str) -> None:
    assert cut(text, length) == expected


@given(st.text(), st.integers(0, 99))
def test_a_cut_is_a_beginning(text: str, length: int) -> None:
    found = cut(text, length)
    assert text.startswith(found)
    assert len(found) <= length or found == text


@given(st.integers(1, 99), st.integers(0, 98))
def test_the_longest_is_found(length: int, most: int) -> None:
    assert longest("x" * length, lambda piece: len(piece) <= most) == min(most, length - 1)
