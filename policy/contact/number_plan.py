"""What numbering plans say of a phone number: its country, and the kind of its network."""

from functools import lru_cache

import phonenumbers

_KINDS = {
    phonenumbers.PhoneNumberType.MOBILE: "mobile",
    phonenumbers.PhoneNumberType.FIXED_LINE: "fixed",
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed or mobile",
    phonenumbers.PhoneNumberType.VOIP: "voip",
    phonenumbers.PhoneNumberType.TOLL_FREE: "toll free",
}


@lru_cache(maxsize=1 << 16)
def country_of(number: str) -> str | None:
    """The country of an E.164 number by its two letters, or None for what is no such number.

    A number must be possible, not assigned: plans grow faster than anybody's copy of them, and
    providers' own test numbers are in none.
    """
    parsed = _parsed(number)
    if parsed is None:
        return None
    plain = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if plain != number or not phonenumbers.is_possible_number(parsed):
        return None
    found = phonenumbers.region_code_for_number(parsed)
    return found or phonenumbers.region_code_for_country_code(parsed.country_code or 0)


def class_of(number: str) -> str:
    """The country of an E.164 number and the kind of its network; empty for what is no number.

    Of digits that are none of their country's numbers there is the country alone.
    """
    parsed = _parsed(number)
    if parsed is None:
        return ""
    country = phonenumbers.region_code_for_number(parsed)
    if not country:
        # Digits that are none of its country's numbers; some countries share a code.
        country = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
        return country if country not in ("ZZ", None) else ""
    kind = _KINDS.get(phonenumbers.number_type(parsed), "other")
    return f"{country} {kind}"


def _parsed(number: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return None
