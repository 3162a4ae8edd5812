"""The filter `truncate`: the beginning of a text, without half of what is drawn as one."""

from typing import Any

from policy.rendering.filters.unusable import Unusable
from policy.rendering.sandbox.plain_text import cut


def truncated(value: Any, length: Any = 255, killwords: Any = False, end: Any = "...") -> str:
    """At most `length` characters with the `end`; without half a word, unless `killwords`.

    As Jinja2's filter of this name, but that `truncate(100)` means 100 characters, where the stock
    one lets 105 pass, and that flags, accents and syllables stay whole.
    """
    text, tail = str(value), str(end)
    if not isinstance(length, int) or length < len(tail):
        raise Unusable("truncate", length, "there is no room for the end")
    if len(text) <= length:
        return text
    kept = cut(text, length - len(tail))
    if not killwords and not text[len(kept) : len(kept) + 1].isspace():
        kept = kept.rpartition(" ")[0] or kept
    return kept + tail
