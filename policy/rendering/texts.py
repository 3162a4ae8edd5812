"""The texts of a type on one channel as written: contradictions, and which falls back to which."""

from collections.abc import Iterator

from jinja2 import TemplateSyntaxError

from policy.catalogue.entry import Layout
from policy.catalogue.text_entry import Templates, Texts, Translation, WhatsAppEntry
from policy.rendering.channels.buttons import SHOWING
from policy.rendering.channels.own_links import OwnLink, speaks_of
from policy.rendering.locales import chain, is_locale
from policy.rendering.sandbox.template import parse_template
from policy.rendering.words import has_words
from schemas.vocabulary import Channel

_MARKUP = ("html", "mjml")
_FIELDS = ("title", "body", *_MARKUP)
_ENGLISH = "en"
"""By which texts are taken to be whose language is not said."""


RESERVED = frozenset({"from", "message_type"})
RESERVED_PREFIXES = ("google", "gcm")
"""Names of data that FCM refuses a message for (its REST reference, `Message.data`)."""


class BadTemplate(Exception):
    """A template that can't be used; `field` is its path in the table of the channel.

    An empty field means the table as a whole.
    """

    def __init__(self, field: str, complaint: str) -> None:
        super().__init__(f"{field} {complaint}".lstrip())
        self.field = field
        self.complaint = complaint


def unsubscribing(templates: Templates, layout: Layout) -> Iterator[tuple[str, str]]:
    """Where a text has a link to unsubscribe by, by field."""
    said = "is in it, and a transactional type comes all the same"
    for path, texts in _all_texts(templates):
        for field in _FIELDS:
            source = getattr(texts, field)
            if source is not None and _speaks_of_leaving(source):
                yield path + field, f"can't be: {OwnLink.UNSUBSCRIBE} {said}"
    if any(source and _speaks_of_leaving(source) for source in (layout.html, layout.mjml)):
        yield "layout", f"{templates.layout!r} can't be: {OwnLink.UNSUBSCRIBE} {said}"


def _speaks_of_leaving(source: str) -> bool:
    try:
        return speaks_of(parse_template(source), OwnLink.UNSUBSCRIBE)
    except TemplateSyntaxError:
        return False  # what is wrong with it is told elsewhere


def check(channel: Channel, templates: Templates) -> None:
    """Raise BadTemplate for the first field that contradicts the others, or the channel."""
    for field, complaint in _contradictions(channel, templates):
        raise BadTemplate(field, complaint)


def sources_of(templates: Templates) -> list[str]:
    """Every text that is there, also of translations and digests."""
    every = [texts for _, texts in _all_texts(templates)]
    found = (getattr(texts, field) for texts in every for field in _FIELDS)
    filling = (source for texts in every if texts.whatsapp for source in texts.whatsapp.variables)
    buttons = [templates.actions, *(each.actions for each in templates.locales.values())]
    shown = [text for each in buttons for action in each for text in (action.label, action.url)]
    badge = None if templates.badge is None else str(templates.badge)
    said = [source for source in (*found, templates.image, badge) if source is not None]
    return [*said, *filling, *shown]


def locales_of(templates: Templates) -> dict[str, list[str]]:
    """For each translation, under CLDR's name, the names in the table whose texts will do."""
    written = {chain(name)[0]: name for name in templates.locales}
    return {
        known: [written[each] for each in chain(name) if each in written]
        for known, name in written.items()
    }


def _contradictions(channel: Channel, templates: Templates) -> Iterator[tuple[str, str]]:
    if channel is Channel.EMAIL and templates.title is None:
        yield "title", "is missing, and an e-mail needs a subject"
    if channel is Channel.PUSH:
        for name in templates.data:
            if name.lower() in RESERVED or name.lower().startswith(RESERVED_PREFIXES):
                yield "data", f"has {name}, a name that FCM keeps for itself"
            if name in ("image", "actions") and getattr(templates, name):
                yield "data", f"has {name}, which travels there by itself"
    if channel is Channel.SMS and (templates.title is not None or templates.data):
        yield "", "has more than a body, and an SMS has nothing else"
    if channel is Channel.CHAT and templates.data:
        yield "data", "is not for chats, which have nothing but a text"
    if channel is not Channel.SMS and templates.segments is not None:
        yield "segments", "is for SMS only"
    for field in ("sound", "badge"):
        if channel is not Channel.PUSH and getattr(templates, field) is not None:
            yield field, "is for push only"
    if channel not in SHOWING:
        for field in ("image", "actions"):
            if getattr(templates, field):
                yield field, f"has no effect on {channel}, which shows none"
    if templates.layout and not (templates.html or templates.mjml):
        yield "layout", "needs html or mjml to go around"
    if templates.language and not is_locale(templates.language):
        yield "language", f"{templates.language!r} is not a locale"
    for path, texts in _all_texts(templates):
        yield from _unsuited(channel, path, texts)
    yield from _translations(templates)
    yield from _untranslated(templates)


def _all_texts(templates: Templates) -> Iterator[tuple[str, Templates | Texts]]:
    yield "", templates
    if templates.digest:
        yield "digest.", templates.digest
    for name, translation in templates.locales.items():
        yield f"locales.{name}.", translation
        if translation.digest:
            yield f"locales.{name}.digest.", translation.digest


def _unsuited(channel: Channel, path: str, texts: Templates | Texts) -> Iterator[tuple[str, str]]:
    for field in _MARKUP:
        if channel is not Channel.EMAIL and getattr(texts, field) is not None:
            yield path + field, "is for e-mail only"
    if channel is not Channel.CHAT and texts.whatsapp is not None:
        yield path + "whatsapp", "is for chats only"
    if channel is Channel.SMS and texts.title is not None:
        yield path + "title", "is not for SMS, which has nothing but a body"
    if texts.html is not None and texts.mjml is not None:
        yield path + "html", "and mjml are both there, and a mail has one of them"


def _translations(templates: Templates) -> Iterator[tuple[str, str]]:
    known = dict[str, str]()
    for name, translation in templates.locales.items():
        if not is_locale(name):
            yield f"locales.{name}", "is not a locale"
            continue
        same = known.setdefault(chain(name)[0], name)
        if same != name:
            yield f"locales.{name}", f"is the same locale as {same}"
        fields = ("title", "whatsapp", *_MARKUP)
        yield from _excess(f"locales.{name}.", translation, templates, fields)
        if translation.actions and len(translation.actions) != len(templates.actions):
            yield f"locales.{name}.actions", "are not as many as there are to translate"
        if translation.digest:
            base = templates.digest or Texts()
            path = f"locales.{name}.digest."
            yield from _excess(path, translation.digest, base, ("whatsapp", *_MARKUP))


def _untranslated(templates: Templates) -> Iterator[tuple[str, str]]:
    """What a translation leaves to the texts of another language, so that a message has both.

    To be asked of translations without other complaints: their names are locales.
    """
    own = _language(templates.language or _ENGLISH)
    for known, names in locales_of(templates).items():
        if _language(known) == own:
            continue
        translations = [templates.locales[name] for name in names]
        for path, fields in _lacking(templates, translations):
            yield (
                f"locales.{names[0]}.{path}{fields[0]}",
                "is missing, so that a message would be in two languages",
            )


def _lacking(
    templates: Templates, translations: list[Translation]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    labels = [action.label for action in templates.actions]
    if any(map(has_words, labels)) and not any(each.actions for each in translations):
        yield "", ("actions",)
    digests = [each.digest for each in translations if each.digest]
    for path, base, others in (
        ("", templates, translations),
        ("digest.", templates.digest, digests),
    ):
        for fields in (("title",), ("body",), _MARKUP, ("whatsapp",)):
            written = [getattr(base, field, None) for field in fields]
            if any(map(_speaks, written)) and not any(
                getattr(each, field) is not None for each in others for field in fields
            ):
                yield path, fields


def _speaks(written: str | WhatsAppEntry | None) -> bool:
    """Whether it is in some language; WhatsApp knows which words its templates have."""
    return has_words(written) if isinstance(written, str) else written is not None


def _language(name: str) -> str:
    """Of a locale; Norwegian has two names for what is written alike."""
    language = chain(name)[-1].partition("_")[0]
    return "no" if language == "nb" else language


def _excess(
    path: str, texts: Texts, base: Templates | Texts, fields: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    for field in fields:
        if getattr(texts, field) is not None and getattr(base, field) is None:
            yield path + field, f"translates a {field} that is not there"
