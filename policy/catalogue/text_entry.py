"""What texts of a type may say in a file of the catalogue, by channel and by locale."""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.event import Name
from schemas.vocabulary import Channel

LocaleName = Annotated[str, Meta(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$")]
SoundName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$")]


class WhatsAppEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A template that WhatsApp approved, which it takes at any time."""

    template: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_:-]{1,512}$")]
    """Twilio's ContentSid, or at Vonage NAMESPACE:NAME."""
    language: LocaleName | None = None
    """Of the approved template, where Vonage sends it."""
    variables: Annotated[tuple[str, ...], Meta(max_length=100)] = ()
    """Jinja2 sources for {{1}}, {{2}} and so on; each becomes a single line."""


class Texts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Jinja2 sources that one locale, or a digest, has of its own; what is absent falls back."""

    body: str | None = None
    """The text; of an SMS, all of it."""
    title: str | None = None
    """The title; of an e-mail, its subject."""
    html: str | None = None
    """The HTML of an e-mail."""
    mjml: str | None = None
    """The same in MJML, in place of `html`."""
    whatsapp: WhatsAppEntry | None = None
    """What is sent on WhatsApp in place of the other texts."""


class ActionEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Jinja2 sources of a button."""

    label: Annotated[str, Meta(min_length=1)]
    """The text on the button."""
    url: Annotated[str, Meta(min_length=1)]
    """The web page that it leads to."""


Actions = Annotated[tuple[ActionEntry, ...], Meta(max_length=3)]


class Translation(Texts, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The texts of one locale, with those of its digest, and all of its buttons."""

    digest: Texts | None = None
    """The texts for several events together."""
    actions: Actions = ()
    """Up to three buttons, in place of those of the base texts."""


class Templates(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The texts of one channel, as Jinja2 sources."""

    body: str
    """The text; of an SMS, all of it."""
    title: str | None = None
    """The title; of an e-mail, its subject."""
    html: str | None = None
    """The HTML of an e-mail; its plain text is `body`."""
    mjml: str | None = None
    """The same in MJML, in place of `html`."""
    layout: Name | None = None
    """The name of the layout around the html or mjml."""
    data: tuple[str, ...] = ()
    """Fields of the event's data that are sent beside the texts."""
    language: LocaleName | None = None
    """The language of these texts. Where it is set, dates, numbers and plurals follow it for users
    of other languages too."""
    segments: Annotated[int, Meta(ge=1, le=10)] | None = None
    """Segments that an SMS may have at most; 4 unless set. A longer text is cut."""
    digest: Texts | None = None
    """The texts for several events together."""
    image: str | None = None
    """The https address of an image."""
    actions: Actions = ()
    """Up to three buttons."""
    locales: dict[LocaleName, Translation] = {}
    """Translations by locale, such as `de` or `pt-BR`; what a translation lacks falls back to these
    texts."""
    whatsapp: WhatsAppEntry | None = None
    """What is sent on WhatsApp in place of the other texts."""
    sound: SoundName | None = None
    """The sound of a push: a file of the app such as "chime.caf", on Android res/raw/chime, or
    "none" for a silent one; the device's default unless set."""
    badge: Annotated[int, Meta(ge=0, le=99_999)] | str | None = None
    """The number at the app's icon, as such or as a template; 0 removes it."""


class ByChannel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Templates by channel; fields rather than a dict, so that an error's path is complete."""

    push: Templates | None = None
    """For push messages."""
    email: Templates | None = None
    """For e-mails."""
    sms: Templates | None = None
    """For SMS."""
    inapp: Templates | None = None
    """For the in-app inbox."""
    chat: Templates | None = None
    """For chats."""
    webhook: Templates | None = None
    """For webhooks."""

    def given(self) -> dict[Channel, Templates]:
        """Those that are there."""
        found = ((channel, getattr(self, channel)) for channel in Channel)
        return {channel: templates for channel, templates in found if templates is not None}
