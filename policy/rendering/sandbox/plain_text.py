"""Text that reaches a person as it is, freed of what a stranger could hide in it."""

import re
from collections.abc import Callable

import regex

MOST_TITLE = 250
"""Characters of a title or a subject; some mail servers refuse longer ones."""

MARK = "…"
"""Stands where a text was cut."""

# Controls but tab and line feed; what turns the direction of the text that follows, so that it
# reads as something else; and what is no character.
_HIDDEN = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\uffff\ud800-\udfff]"
)
_TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_BREAK = re.compile("\r\n?|[\u2028\u2029]")
_DRAWN_AS_ONE = regex.compile(r"\X")
_LOOKED_BACK = 256
_MOST_DRAWN = 64
"""Characters that are drawn as one, and are not torn: who puts on more accents means mischief."""


def clean(text: str) -> str:
    """The text without control characters and without changes of direction; lines end in LF."""
    if text.replace("\n", "").isprintable():
        return text
    return _HIDDEN.sub("", _BREAK.sub("\n", text))


def clean_html(html: str) -> str:
    """HTML without changes of direction; control characters do nothing there."""
    if html.isascii() or not any(each in html for each in _TURNING):
        return html
    return re.sub(f"[{_TURNING}]", "", html)


def one_line(title: str) -> str:
    """Clean, of MOST_TITLE characters at most, and a single line.

    A line break from the event's data would start a second header in an e-mail.
    """
    if not title.isprintable():
        title = " ".join(clean(title).split())
    return title if len(title) <= MOST_TITLE else cut(title, MOST_TITLE - 1) + MARK


def cut(text: str, length: int) -> str:
    """At most the first `length` characters, without half of what is drawn as one."""
    if len(text) <= length:
        return text
    start = max(0, length - _LOOKED_BACK)
    if text[start : length + 1].isascii():
        return text[:length].rstrip()
    # What is drawn as one hardly ever begins before an ASCII character and goes on after it.
    while start > max(0, length - 2 * _LOOKED_BACK) and not text[start].isascii():
        start -= 1
    end = start
    for piece in _DRAWN_AS_ONE.finditer(text, start):
        if piece.end() > length:
            return text[: end if len(piece[0]) <= _MOST_DRAWN else length].rstrip()
        end = piece.end()
    return text[:length].rstrip()


def longest(text: str, fits: Callable[[str], bool]) -> int:
    """How many characters from the beginning fit, where all of them don't; found by halving."""
    known, beyond = 0, len(text)
    while beyond - known > 1:
        middle = (known + beyond) // 2
        if fits(text[:middle]):
            known = middle
        else:
            beyond = middle
    return known
