"""Addresses as they may be shown: enough to tell them apart, too little to use them."""

from urllib.parse import urlsplit

from policy.contact.address import split_address
from schemas.vocabulary import Channel

_LAST = 4


def masked(channel: Channel, address: str) -> str:
    """The address with most of it hidden; an inbox is named by its user, and shown.

    Of an e-mail address its first letter and its domain, of a webhook the host, of a chat the
    platform, of others the last four characters, or fewer where that would be more than half.
    """
    if channel is Channel.INAPP:
        return address
    if channel in (Channel.CHAT, Channel.WEBHOOK):
        # All of a path may be secret: whoever knows a chat platform's can write there.
        scheme, url = split_address(address)
        return f"{scheme}:…" if scheme else f"https://{urlsplit(url).hostname or ''}/…"
    name, at, domain = address.rpartition("@")
    if channel is Channel.EMAIL and at:
        return f"{name[:1]}***@{domain}"
    last = min(_LAST, len(address) // 2)
    return f"…{address[len(address) - last :]}"
