"""What one event says to everybody who reads it in one locale, rendered once for all of them."""

from policy.rendering.rendering import Rendering
from schemas.delivery import Content
from schemas.event import Event

_Rendered = dict[tuple[int, str], tuple[Rendering, Content]]
"""By a rendering's identity and the locale; it is kept with its text, so that none other has it."""


class CommonTexts:
    """The texts of the last event: an audience is decided on user by user, event after event.

    Only of renderings that say nothing of their reader. An event is known by its identity, as to
    compare events costs more than to render a short text, and is never changed.
    """

    def __init__(self) -> None:
        self._last: tuple[Event | None, _Rendered] = None, {}

    def content(self, rendering: Rendering, event: Event, locale: str) -> Content:
        """As `Rendering.content`; what raises there raises for each reader."""
        last, rendered = self._last
        if last is not event:
            # One assignment of both, as threads that explain may come in between.
            rendered = {}
            self._last = event, rendered
        key = id(rendering), locale
        found = rendered.get(key)
        if found is None:
            found = rendered[key] = rendering, rendering.content(event, locale)
        return found[1]
