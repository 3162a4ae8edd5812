"""Where a webhook or a chat message may go: to a public host, by https, and nowhere within.

This is what can be told from a URL alone; a name may still lead to an address within, which
the client must check when it connects (`is_public`).
"""

import re
from collections.abc import Collection
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from schemas.errors import BadRecord
from schemas.profile import Contacts
from schemas.vocabulary import Reason

CHAT_HOSTS = {
    "slack": ("hooks.slack.com", "hooks.slack-gov.com"),
    "teams": ("*.webhook.office.com", "*.logic.azure.com", "*.api.powerplatform.com"),
    "discord": ("discord.com", "canary.discord.com", "ptb.discord.com", "discordapp.com"),
}
"""Whose incoming webhooks are at which hosts."""
_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?@\[\]!$&'()*+,;=%-]+")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_WITHIN = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "home.arpa")
# What stands in these is an IPv4 address, which a gateway on the way takes out again.
_TRANSLATED = tuple(map(IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))


def complaint_of(url: str, exceptions: Collection[str]) -> str | None:
    """Why nothing may be sent to a URL, or None where it may; never quotes more than its host.

    `exceptions` are hosts that may be private, and be reached by plain http.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "is no URL"
    server = url.partition("//")[2].partition("/")[0]
    if not _CHARACTERS.fullmatch(url) or "@" in server or not host:
        # Programs differ in what they make of the rest, and so in which host they find.
        return "is no plain URL: a host, no user, no fragment, other characters by %"
    if host in exceptions:
        return None
    if parts.scheme != "https":
        return f"leads to {host} without TLS"
    if port is not None and port != 443 and port < 1024:
        return f"leads to port {port} of {host}"
    return _complaint_of_host(host.removesuffix("."))


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet's, to which one connects."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if isinstance(found, IPv6Address) and any(found in network for network in _TRANSLATED):
        return False
    return found.is_global and not found.is_multicast


def check_endpoints(contacts: Contacts, exceptions: Collection[str]) -> None:
    """Raise BadRecord for contacts with an endpoint to which nothing may be sent."""
    for number, url in enumerate(contacts.webhooks):
        if why := complaint_of(url, exceptions):
            raise BadRecord(Reason.INVALID, f"webhooks[{number}] {why}")
    for number, hook in enumerate(contacts.chats):
        why = complaint_of(hook.url, exceptions) or _stranger(hook.platform, hook.url, exceptions)
        if why:
            raise BadRecord(Reason.INVALID, f"chats[{number}] {why}")


def is_platforms(platform: str, url: str, exceptions: Collection[str]) -> bool:
    """Whether a URL is at a host of the chat platform."""
    host = urlsplit(url).hostname or ""
    return host in exceptions or any(fnmatchcase(host, each) for each in CHAT_HOSTS[platform])


def _stranger(platform: str, url: str, exceptions: Collection[str]) -> str | None:
    if is_platforms(platform, url, exceptions):
        return None
    return f"leads to {urlsplit(url).hostname}, which is none of {platform}'s hosts"


def _complaint_of_host(host: str) -> str | None:
    try:
        ip: IPv4Address | IPv6Address = ip_address(host)
    except ValueError:
        labels = host.split(".")
        if _NUMBER.fullmatch(labels[-1]) or not all(map(_LABEL.fullmatch, labels)):
            # Octal, hexadecimal and short forms of addresses, too.
            return f"leads to {host!r}, which is no name"
        if len(labels) == 1 or any(host.endswith(f".{name}") for name in _WITHIN):
            return f"leads to {host}, a name within a network"
        return None
    return None if is_public(str(ip)) else f"leads to {host}, which is not public"
