"""An e-mail address, written in the one way in which every provider takes it."""

import re

import idna

LONGEST = 254
"""Characters, by RFC 5321."""
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def plain_mailbox(text: str) -> str:
    """The address without blanks around it, and with its domain in ASCII (punycode, by UTS 46).

    Raises ValueError, with a complaint that does not quote it, for what is not one plain address:
    several of them, a name beside one, a quoted or non-ASCII part before the @. Case stays, as
    before the @ it may count.
    """
    local, at, domain = text.strip().rpartition("@")
    if not at:
        raise ValueError("is no e-mail address: it has no @")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode()
        except idna.IDNAError:
            raise ValueError("is no e-mail address: its domain is no name") from None
    if not all(map(_LABEL.fullmatch, domain.split("."))):
        raise ValueError("is no e-mail address: its domain is no name")
    if len(local) > 64 or not _LOCAL.fullmatch(local):
        raise ValueError("is no plain e-mail address: only one, without a name or quotation marks")
    if len(local) + 1 + len(domain) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    return f"{local}@{domain}"
