"""URLs that carry secrets: which may."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_unreadable(url: str) -> bool:
    """Whether nobody on the way to it can read along: by TLS, or on this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
