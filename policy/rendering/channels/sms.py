"""How an SMS travels: in segments of 140 bytes, by GSM-7 if it can, else by UCS-2."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from policy.rendering.sandbox.plain_text import MARK, cut, longest

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The alphabet of GSM 03.38, one septet a character."""

EXTENDED = "\f^{}\\[~]|€"
"""Its second table: two septets a character."""

_GSM7 = frozenset(BASIC + EXTENDED)
_TWO_SEPTETS = frozenset(EXTENDED)
_GSM7_MARK = "..."
_LEAST = 33  # characters that any segment holds: two units each, and one that a pair left free
_MOST = 160  # characters that no segment holds more of
# One such space would halve what fits, and nobody sees the difference.
_SPACES = str.maketrans("\u00a0\u2009\u202f", "   ")


class Segments(Struct, frozen=True):
    """What a text takes; the providers charge by the segment."""

    encoding: Literal["GSM-7", "UCS-2"]
    count: int


def segments_of(text: str) -> Segments:
    """The segments of a text; those of several carry less, as each says which it is."""
    if _GSM7.issuperset(text):
        septets = [2 if each in _TWO_SEPTETS else 1 for each in text]
        return Segments("GSM-7", _packed(septets, 160, 153))
    # A character beyond the first 65,536 is a pair, and a pair is not torn apart.
    return Segments("UCS-2", _packed([2 if each > "\uffff" else 1 for each in text], 70, 67))


class SmsRoom(Struct, frozen=True):
    """Room for so many segments."""

    limit: int

    def holds(self, title: str, body: str, data: Mapping[str, Any]) -> bool:
        """Whether the body fits."""
        return _fits(body.translate(_SPACES), self.limit)

    def fitted(self, title: str, body: str, data: Mapping[str, Any], tail: str = "") -> str:
        """The body and its tail.

        What is too much is cut from the end of the body, and "…" or, where the rest is GSM-7,
        "..." stands for it. The tail, a few characters, stays whole. Spaces beyond GSM-7 become
        plain ones.
        """
        body = body if body.isascii() else body.translate(_SPACES)
        if len(body) + len(tail) <= _LEAST * self.limit or _fits(body + tail, self.limit):
            return body + tail
        body = body[: _MOST * self.limit]
        end = (_GSM7_MARK if _GSM7.issuperset(body + tail) else MARK) + tail
        return cut(body, longest(body, lambda piece: _fits(piece + end, self.limit))) + end


def _fits(text: str, limit: int) -> bool:
    return len(text) <= _MOST * limit and segments_of(text).count <= limit


def _packed(units: Sequence[int], alone: int, among_others: int) -> int:
    if sum(units) <= alone:
        return 1
    count, room = 1, among_others
    for size in units:
        if size > room:
            count, room = count + 1, among_others
        room -= size
    return count
