"""What a message shows beside its text: an image, and buttons that lead somewhere."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from policy.message import MOST_LABEL
from policy.rendering.channels.limits import Room
from policy.rendering.links import is_link
from policy.rendering.sandbox.plain_text import MARK, cut, one_line
from policy.rendering.sandbox.template import Text
from schemas.delivery import Action
from schemas.vocabulary import Channel

SHOWING = frozenset({Channel.CHAT, Channel.INAPP, Channel.PUSH})
"""Where there is room for them."""


class Button(Struct, frozen=True):
    """A button's compiled label, and where it leads."""

    label: Text
    url: Text


FIRST = 100
"""Characters of a body that go before pictures and buttons where there is little room."""


def beside_of(data: Mapping[str, Any], image: str, actions: Sequence[Action]) -> Mapping[str, Any]:
    """What takes room beside the text: the data, and these as a push has them."""
    more: dict[str, Any] = {"image": image} if image else {}
    if actions:
        more["actions"] = [{"label": each.label, "url": each.url} for each in actions]
        # Browsers that FCM reaches get the labels and the first address by themselves.
        more["labels"] = [{"action": "0", "title": each.label} for each in actions]
        more["link"] = actions[0].url
    return {**data, **more} if more else data


def fitting(
    room: Room,
    title: str,
    body: str,
    data: Mapping[str, Any],
    image: str,
    actions: tuple[Action, ...],
) -> tuple[str, tuple[Action, ...]]:
    """As much of these as there is room for beside the text's beginning: the last goes first."""
    first = body[:FIRST]
    while (image or actions) and not room.holds(title, first, beside_of(data, image, actions)):
        if actions:
            actions = actions[:-1]
        else:
            image = ""
    return image, actions


def image_of(text: Text, values: dict[str, Any], locale: str) -> str:
    """The address of an image, empty for what is none that every provider fetches: by https."""
    url = text(values, locale).strip()
    return url if is_link(url) and urlsplit(url).scheme == "https" else ""


def actions_of(
    buttons: Sequence[Button], values: dict[str, Any], locale: str
) -> tuple[Action, ...]:
    """The buttons of a message; one that says nothing, or leads to no web page, is left out."""
    found = []
    for button in buttons:
        label, url = one_line(button.label(values, locale)), button.url(values, locale).strip()
        if len(label) > MOST_LABEL:
            label = cut(label, MOST_LABEL - 1) + MARK
        if label.strip() and is_link(url) and urlsplit(url).scheme in ("https", "http"):
            found.append(Action(label=label, url=url))
    return tuple(found)
