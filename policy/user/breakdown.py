"""The class of a user by one of their attributes, by which figures are broken down.

An attribute may hold anything, and figures are shown to whoever may read them. So only what can be
a class is taken: a short text of one line that names nobody, by an address, a number or their id.
"""

import re
from collections.abc import Mapping

LONGEST_CLASS = 64
"""Characters."""
STATED_BY = "="
"""Stands between an attribute and its value, so it is in no attribute that a type names."""
OTHER = "(other)"
"""For a value that is no class."""
# Addresses of mail and of the web, and numbers that can be called: a date has eight digits.
_NAMES_SOMEBODY = re.compile(r"@|://|(?:\d[^\w]{0,3}){9}", re.ASCII)


def class_of(attribute: str, attributes: Mapping[str, str], user: str) -> str:
    """ATTRIBUTE=VALUE, with an empty value for a user who has none."""
    value = attributes.get(attribute, "").strip()
    if value and not _is_class(value, user):
        value = OTHER
    return f"{attribute}{STATED_BY}{value}"


def _is_class(value: str, user: str) -> bool:
    if len(value) > LONGEST_CLASS or not value.isprintable():
        return False
    return value.casefold() != user.casefold() and _NAMES_SOMEBODY.search(value) is None
