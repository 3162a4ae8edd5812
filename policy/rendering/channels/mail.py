"""The HTML part of an e-mail, from html or mjml, within its layout."""

import re
from collections.abc import Mapping

from policy.catalogue.entry import Layout
from policy.rendering.channels.mjml import html_of
from policy.rendering.sandbox.template import Text, compile_template
from policy.rendering.texts import BadTemplate

_CONTENT = re.compile(r"{{-?\s*content\s*-?}}")


class Mail:
    """How the mails of one type are put together.

    A layout goes around the source before anything is compiled, so that what it holds is
    escaped once, as the values in it are, and nothing is trusted that came with an event.
    """

    def __init__(self, layout: str | None, layouts: Mapping[str, Layout]) -> None:
        self._name = layout
        self._layout = layouts.get(layout) if layout else None
        if layout and self._layout is None:
            raise BadTemplate("layout", f"{layout!r} is not among the layouts")

    def compiled(self, kind: str, source: str, names: frozenset[str], field: str) -> Text:
        """The HTML of a source whose `kind` is html or mjml; raises BadTemplate."""
        around = self._around(kind, names)
        try:
            # Alone first, so that an error's line is the one in the source.
            compile_template(source, names, html=kind == "html")
            inside = _CONTENT.sub(lambda _: source, around) if around else source
            return compile_template(_html(kind, inside), names, html=True)
        except ValueError as error:
            raise BadTemplate(field, str(error)) from None

    def _around(self, kind: str, names: frozenset[str]) -> str:
        if self._layout is None:
            return ""
        source: str | None = getattr(self._layout, kind)
        if source is None:
            raise BadTemplate("layout", f"{self._name!r} has no {kind}, and the mail is {kind}")
        if len(_CONTENT.findall(source)) != 1:
            raise BadTemplate("layout", f"{self._name!r} needs {{{{ content }}}}, and once")
        try:
            alone = _CONTENT.sub("", source)
            compile_template(alone, names, html=kind == "html")
            compile_template(_html(kind, alone), names, html=True)
        except ValueError as error:
            raise BadTemplate("layout", f"{self._name!r} can't be used: {error}") from None
        return source


def _html(kind: str, source: str) -> str:
    return html_of(source) if kind == "mjml" else source
