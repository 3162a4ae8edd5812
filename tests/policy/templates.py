"""Renderings and events that the tests of texts vary."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from policy.catalogue.entry import Layout
from policy.catalogue.text_entry import Templates
from policy.rendering.rendering import Rendering, compile_rendering
from policy.rendering.sandbox.template import DIGEST_NAMES, compile_template
from schemas.event import Event
from schemas.vocabulary import Channel

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def event(**data: Any) -> Event:
    """An event with these data."""
    return Event(id="e1", type="thing.happened", actor="bob", occurred_at=NOON, data=data)


def rendering(
    channel: str = "inapp", layouts: Mapping[str, Layout] | None = None, **fields: Any
) -> Rendering:
    """The rendering of templates with these fields."""
    return compile_rendering(
        f"thing.{channel}", Channel(channel), Templates(**fields), layouts or {}
    )


def mail(
    source: str,
    data: dict[str, Any],
    *,
    field: str = "html",
    layout: str | None = None,
    layouts: Mapping[str, Layout] | None = None,
) -> str:
    """The HTML of a mail with this source."""
    fields = {"title": "Hi", "body": "text", "layout": layout, field: source}
    made = rendering("email", layouts, **fields)
    return made.content(event(**data), "en").html


def text(
    source: str, data: dict[str, Any] | None = None, locale: str = "en", *, html: bool = False
) -> str:
    """What one template makes of these data."""
    values = {"data": data or {}, "actor": "bob", "occurred_at": NOON}
    return compile_template(source, DIGEST_NAMES, html=html)(values, locale)
