"""Addresses as mails have them: alone or behind a name, and several behind one another."""

import re
from email.utils import getaddresses

ADDRESS = re.compile(r"[^@\s<>,;\"]+@[^@\s.<>,;\"]+(\.[^@\s.<>,;\"]+)+")


def addresses_of(text: str) -> list[str] | None:
    """The bare addresses of `Shop <shop@example.com>, ada@example.com` (RFC 5322, 3.4).

    None where one of them is none, or where there is none at all.
    """
    if ADDRESS.fullmatch(text):
        return [text]
    found = [address for _, address in getaddresses([text])]
    return found if found and all(map(ADDRESS.fullmatch, found)) else None


def address_of(text: str) -> str | None:
    """The one bare address of `Shop <shop@example.com>`; None for none, or for several."""
    found = addresses_of(text)
    return found[0] if found is not None and len(found) == 1 else None
