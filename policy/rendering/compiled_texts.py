"""The compiled texts of one locale, each its own or its fallback."""

from collections.abc import Mapping

from msgspec import Struct

from policy.catalogue.entry import Layout
from policy.catalogue.text_entry import Templates, Texts, WhatsAppEntry
from policy.rendering.channels.approved import Filling
from policy.rendering.channels.buttons import Button
from policy.rendering.channels.mail import Mail
from policy.rendering.sandbox.plain_text import one_line
from policy.rendering.sandbox.template import (
    DIGEST_NAMES,
    NAMES,
    Text,
    compile_template,
    constant_of,
)
from policy.rendering.texts import BadTemplate, locales_of

_Written = tuple[str, Templates | Texts | None]
"""Where in the table, and what stands there."""


class Wording(Struct, frozen=True, kw_only=True):
    """What a channel says; where a digest has no text of its own, it is made of the others.

    Titles are clean and a single line, the other texts as the templates make them.
    """

    body: Text
    title: Text | None = None
    html: Text | None = None
    digest_body: Text | None = None
    digest_title: Text | None = None
    digest_html: Text | None = None
    approved: Filling | None = None
    digest_approved: Filling | None = None
    image: Text | None = None
    buttons: tuple[Button, ...] = ()
    badge: Text | None = None


def compile_wordings(
    templates: Templates, layouts: Mapping[str, Layout], links: frozenset[str] = frozenset()
) -> tuple[Wording, dict[str, Wording]]:
    """The base texts, and those of each translation under CLDR's name.

    All but titles may speak of `links`. Expects templates without contradictions. Raises
    BadTemplate.
    """
    compiler = _Compiler(Mail(templates.layout, layouts), links)
    base, digest = ("", templates), ("digest.", templates.digest)
    locales = {}
    for known, names in locales_of(templates).items():
        found = [(f"locales.{name}.", templates.locales[name]) for name in names]
        digests = [(f"{path}digest.", each.digest) for path, each in found]
        locales[known] = compiler.wording([*found, base], [*digests, digest])
    return compiler.wording([base], [digest]), locales


class _Compiler:
    """Compiles each text once, for however many locales it is the fallback."""

    def __init__(self, mail: Mail, links: frozenset[str]) -> None:
        self._mail = mail
        self._links = links
        self._done: dict[str, Text] = {}

    def wording(self, texts: list[_Written], digests: list[_Written]) -> Wording:
        """The texts that come first in these lists."""
        body = self._text("body", texts, NAMES)
        if body is None:
            raise BadTemplate("body", "is missing")
        return Wording(
            body=body,
            title=self._text("title", texts, NAMES),
            html=self._html(texts, NAMES),
            digest_body=self._text("body", digests, DIGEST_NAMES),
            digest_title=self._text("title", digests, DIGEST_NAMES),
            digest_html=self._html(digests, DIGEST_NAMES),
            approved=self._filling(texts, NAMES),
            digest_approved=self._filling(digests, DIGEST_NAMES),
            image=self._text("image", texts, NAMES),
            buttons=self._buttons(texts),
            badge=self._text("badge", texts, NAMES),
        )

    def _filling(self, texts: list[_Written], names: frozenset[str]) -> Filling | None:
        for path, written in texts:
            said: WhatsAppEntry | None = getattr(written, "whatsapp", None)
            if said is not None:
                variables = (
                    self._compiled("variable", source, names, f"{path}whatsapp.variables")
                    for source in said.variables
                )
                return Filling(said.template, said.language or "", tuple(variables))
        return None

    def _buttons(self, texts: list[_Written]) -> tuple[Button, ...]:
        for path, written in texts:
            actions = getattr(written, "actions", ())
            if actions:
                return tuple(
                    Button(
                        self._compiled("label", each.label, NAMES, f"{path}actions.{at}.label"),
                        self._compiled("url", each.url, NAMES, f"{path}actions.{at}.url"),
                    )
                    for at, each in enumerate(actions)
                )
        return ()

    def _html(self, texts: list[_Written], names: frozenset[str]) -> Text | None:
        return self._text("html", texts, names) or self._text("mjml", texts, names)

    def _text(self, field: str, texts: list[_Written], names: frozenset[str]) -> Text | None:
        for path, written in texts:
            source = getattr(written, field, None)
            if source is not None:
                place = path + field
                if place not in self._done:
                    # A badge may be a number.
                    self._done[place] = self._compiled(field, str(source), names, place)
                return self._done[place]
        return None

    def _compiled(self, field: str, source: str, names: frozenset[str], place: str) -> Text:
        if field != "title":
            names = names | self._links
        if field in ("html", "mjml"):
            return self._mail.compiled(field, source, names, place)
        try:
            text = compile_template(source, names)
        except ValueError as error:
            raise BadTemplate(place, str(error)) from None
        return _titled(text, constant_of(source)) if field == "title" else text


def _titled(text: Text, constant: str | None) -> Text:
    """The text as a single line; a constant one is looked through once and not by every event."""
    if constant is None:
        return lambda values, locale: one_line(text(values, locale))
    title = one_line(constant)
    return lambda values, locale: title
