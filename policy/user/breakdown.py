"""The class of a user by one of their attributes, by which figures are broken down.

An attribute may hold anything, and figures are shown to whoever may read them. So only what can be
a class is taken: a short text of one line that names nobody, by an address, a number or their id.
"""

import re
import unicodedata
from collections.abc import Mapping

LONGEST_CLASS = 64
"""Characters."""
STATED_BY = "="
"""Stands between an attribute and its value, so it is in no attribute that a type names."""
OTHER = "(other)"
"""For a value that is no class."""
SHORTEST_SAID = 3
"""Characters of an id that is looked for within a value: a shorter one stands in many by chance."""
# Addresses of mail and of the web, and numbers that can be called, in any script and however they
# are set apart: a date has eight digits.
_NAMES_SOMEBODY = re.compile(r"@|://|\bwww\.|\.[a-z]{2,}/\S|(?:\d[\W_]{0,5}){9}")


def class_of(attribute: str, attributes: Mapping[str, str], user: str) -> str:
    """ATTRIBUTE=VALUE, with an empty value for a user who has none."""
    value = attributes.get(attribute, "").strip()
    if value and not _is_class(value, user):
        value = OTHER
    return f"{attribute}{STATED_BY}{value}"


def _is_class(value: str, user: str) -> bool:
    if len(value) > LONGEST_CLASS or not value.isprintable():
        return False
    plain, name = _plain(value), _plain(user)
    return plain != name and not _says(plain, name) and _NAMES_SOMEBODY.search(plain) is None


def _plain(text: str) -> str:
    """Letters that only look otherwise, such as those of full width, are the same to who reads."""
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).casefold()


def _says(plain: str, name: str) -> bool:
    """Whether the id stands in the value as words of their own, as in "Ann's plan"."""
    if len(name) < SHORTEST_SAID or name not in plain:
        return False
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", plain) is not None
