"""A phone number, written in one way (E.164)."""

import re

_FILLING = re.compile(r"[\s().\-/\u2010-\u2015]+")
_E164 = re.compile(r"\+[1-9][0-9]{5,14}")
_MEXICAN_MOBILE = re.compile(r"\+521([0-9]{10})")


def plain_phone(text: str) -> str:
    """The number without what only divides its digits.

    Mexico's mobile numbers had a 1 behind +52 until 2019, with which messages from them still come;
    with and without it they are one. Raises ValueError, with a complaint that does not quote it,
    for what has no + or no possible length; which numbers a country has is not looked up.
    """
    number = _FILLING.sub("", text)
    if not _E164.fullmatch(number):
        raise ValueError("is no phone number: + and its 6 to 15 digits are needed")
    return _MEXICAN_MOBILE.sub(r"+52\1", number)


def ways_to_write(number: str) -> tuple[str, ...]:
    """How a plain number may have been written when it was stored, itself first."""
    if number.startswith("+52") and len(number) == len("+52") + 10:
        return number, f"+521{number[3:]}"
    return (number,)
