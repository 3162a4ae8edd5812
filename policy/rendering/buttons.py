"""What a message shows beside its text: an image, and buttons that lead somewhere."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from policy.rendering.links import is_link
from policy.rendering.plain_text import MARK, cut, one_line
from policy.rendering.template import Text
from schemas.delivery import Action
from schemas.vocabulary import Channel

SHOWING = frozenset({Channel.CHAT})
"""Where there is room for them."""
MOST_LABEL = 40
"""Characters of a button's label: Slack takes 75, and phones show fewer than that."""


class Button(Struct, frozen=True):
    """A button's compiled label, and where it leads."""

    label: Text
    url: Text


def beside_of(data: dict[str, Any], image: str, actions: Sequence[Action]) -> dict[str, Any]:
    """What takes room beside the text: the data, and these as an app gets them."""
    more: dict[str, Any] = {"image": image} if image else {}
    if actions:
        more["actions"] = [{"label": each.label, "url": each.url} for each in actions]
    return {**data, **more} if more else data


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
