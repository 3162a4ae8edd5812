"""Addresses that a template may make a link of, when the event's data say where it leads."""

from typing import Any
from urllib.parse import urlsplit

from policy.rendering.channels.own_links import STAND_INS
from policy.rendering.filters.unusable import Unusable

_WEB = ("http", "https")
_OTHER = ("mailto", "tel")
_LONGEST = 2048
_OURS = tuple(STAND_INS.values())


def is_link(value: Any) -> bool:
    """Whether it leads to a web page, a mailbox or a phone, and does not run as a program."""
    if isinstance(value, str) and value in _OURS:
        return True
    if not isinstance(value, str) or len(value) > _LONGEST or not value.isprintable():
        return False
    if " " in value or "\\" in value:
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.netloc) if parts.scheme in _WEB else parts.scheme in _OTHER


def is_web_page(value: str) -> bool:
    """Whether it leads to a web page."""
    return is_link(value) and urlsplit(value).scheme in _WEB


def link(value: Any) -> str:
    """The value, if it is a link; Unusable otherwise. `{% if data.x is link %}` asks first."""
    if not is_link(value):
        raise Unusable("link", value, "it is no http, https, mailto or tel address")
    return str(value)
