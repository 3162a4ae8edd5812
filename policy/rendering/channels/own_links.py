"""The links of ours that an e-mail may bear: what stands for them until it leaves.

They are signed for one message to one address, which is known where it is sent. Until then a
stand-in is in the text, which no value can say: the sign in it is taken out of all that comes with
an event.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

import msgspec
from jinja2.nodes import Name, Node
from msgspec.structs import replace

from schemas.delivery import Content
from schemas.event import Event

_SIGN = "\ue0c1"
_RAW = _SIGN.encode()
Value = TypeVar("Value")


class OwnLink(StrEnum):
    """By which names templates speak of them."""

    PREFERENCES = "preferences_url"
    UNSUBSCRIBE = "unsubscribe_url"


OWN_LINKS = frozenset(map(str, OwnLink))
STAND_INS = {str(link): f"https://{_SIGN}{link}" for link in OwnLink}
"""What templates have for them."""


def speaks_of(tree: Node, *links: str) -> bool:
    """Whether a template says any of these links."""
    return any(node.name in links for node in tree.find_all(Name))


def has_links(content: Content) -> bool:
    """Whether anything stands for a link."""
    return _SIGN in content.html or _SIGN in content.body


def links_in(content: Content) -> list[OwnLink]:
    """Which links it has."""
    return [link for link in OwnLink if STAND_INS[link] in content.html + content.body]


def with_urls(content: Content, urls: Mapping[OwnLink, str]) -> Content:
    """The same with these in place of what stands for them."""
    body, html = content.body, content.html
    for link, url in urls.items():
        body, html = (text.replace(STAND_INS[link], url) for text in (body, html))
    return replace(content, body=body, html=html)


def unsigned(event: Event) -> Event:
    """The event without the sign, wherever its data or its actor have it."""
    return replace(event, data=without_sign(event.data), actor=event.actor.replace(_SIGN, ""))


def without_sign(value: Value) -> Value:
    """Free-form data without the sign in any text of it."""
    raw = msgspec.msgpack.encode(value)
    if _RAW not in raw:
        return value
    taken: Value = msgspec.json.decode(msgspec.json.encode(value).replace(_RAW, b""))
    return taken
