"""What the user reads, rendered from events by a type's templates for one channel."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import UndefinedError
from msgspec import Struct

from policy.catalogue.entry import Layout
from policy.catalogue.text_entry import Templates
from policy.rendering.channels.approved import Filling
from policy.rendering.channels.badge import badge_of
from policy.rendering.channels.buttons import actions_of, beside_of, fitting, image_of
from policy.rendering.channels.limits import Room, room_of
from policy.rendering.channels.own_links import (
    OWN_LINKS,
    STAND_INS,
    speaks_of,
    unsigned,
    without_sign,
)
from policy.rendering.compiled_texts import Wording, compile_wordings
from policy.rendering.default_digest import gathered
from policy.rendering.failure import failure_of
from policy.rendering.locales import chain
from policy.rendering.reader import USER, Reader, speaks_of_reader
from policy.rendering.sandbox.plain_text import clean, clean_html
from policy.rendering.sandbox.render_limits import TooMuch
from policy.rendering.sandbox.template import Text, parse_template
from policy.rendering.texts import BadTemplate as BadTemplate
from policy.rendering.texts import check, sources_of, unsubscribing
from schemas.delivery import Content
from schemas.errors import BadRecord
from schemas.event import Event
from schemas.vocabulary import Channel, Reason

_SAYS_MORE = re.compile(r"{[{%][^}]*\bmore\b")


class Rendering(Struct, frozen=True, kw_only=True):
    """The compiled templates of one type and channel; `subject` names them in errors.

    Texts are those of the user's locale, of the next in its chain (`pt-BR`, `pt`) that has one,
    or the base, each field by itself. Dates, numbers and plurals are by the user's locale; but
    with base texts whose `language` is said, and the user's is another, by that. Where a locale
    is unknown, they are by English.

    What can't be rendered raises BadRecord, naming the variable, the filter or the bound. What
    a push or an SMS has no room for is cut. `sources` are the templates as written; `says_more` is
    whether they tell how many events of a digest are left out, `is_personal` whether they speak of
    who reads them, who must be given then, `has_links` whether they bear links of ours.
    """

    subject: str
    channel: Channel
    wording: Wording
    room: Room
    locales: dict[str, Wording] = {}
    language: str = ""
    data: tuple[str, ...] = ()
    sound: str = ""
    sources: tuple[str, ...] = ()
    says_more: bool = False
    is_personal: bool = False
    has_links: bool = False

    def content(self, event: Event, locale: str, reader: Reader | None = None) -> Content:
        """What one event says: templates have its `data`, `actor` and `occurred_at`, the reader as
        `user`, and `locale`."""
        wording = self.wording
        if self.locales or self.language:
            wording, locale = self._spoken(locale)
        try:
            # Written out, as a call costs a twentieth of a short text.
            if self.has_links:
                event, reader = unsigned(event), without_sign(reader)
            values = {"data": event.data, "actor": event.actor, "occurred_at": event.occurred_at}
            if self.is_personal:
                values[USER] = reader or {}
            if self.has_links:
                values |= STAND_INS
            body = wording.body(values, locale)
            if not body.isprintable():
                body = clean(body)
            title = wording.title(values, locale) if wording.title else ""
            data = self._beside(event) if self.data else {}
            if wording.image or wording.buttons or wording.badge or self.sound:
                return self._shown(wording, wording.approved, values, locale, title, body, data)
            return Content(
                body=self.room.fitted(title, body, data),
                title=title,
                html=_html(wording.html, values, locale) if wording.html else "",
                data=data,
                approved=wording.approved.filled(values, locale) if wording.approved else None,
            )
        except Exception as error:
            raise self._failed(error) from error

    def digest(self, events: Sequence[Event], locale: str, reader: Reader | None = None) -> Content:
        """What several events say at once; `events` are at least one, the oldest first.

        Templates have `events`, a list whose items have `data`, `actor` and `occurred_at`;
        `count`, how many they are; and `data`, `actor` and `occurred_at` of the newest. Where a
        text would be beyond its bounds, the list is cut, the oldest are told, and `more` is how
        many are not; a body whose templates don't say that has a line such as "+12". Without
        a text of its own, a digest has the title of the newest event and the bodies of as many
        of the newest as the channel holds, in order, and for the others a line such as "+12";
        html and a template of WhatsApp's it has only if there is one for digests. The data beside
        it are of the newest.
        """
        told = len(events)
        while True:
            try:
                return self._digest(events, told, locale, reader)
            except TooMuch as error:
                if told == 1:
                    raise self._failed(error) from error
                told //= 2
            except Exception as error:
                raise self._failed(error) from error

    def _digest(
        self, events: Sequence[Event], told: int, locale: str, reader: Reader | None
    ) -> Content:
        """The same with at most `told` of the events in the list."""
        wording, locale = self._spoken(locale)
        filling = wording.digest_approved
        of_reader: dict[str, Any] = {}
        if self.has_links:
            events, reader = [unsigned(event) for event in events], without_sign(reader)
            of_reader |= STAND_INS
        if self.is_personal:
            of_reader[USER] = reader or {}
        every, more = [_values(event) | of_reader for event in events], len(events) - told
        values = every[-1] | {"events": every[:told], "count": len(every), "more": more}
        heading = wording.digest_title or wording.title
        title = heading(values, locale) if heading else ""
        data = self._beside(events[-1])
        if wording.digest_body:
            body = clean(wording.digest_body(values, locale))
            tail = f"\n+{more}" if more and not self.says_more else ""
        else:
            bodies = (clean(wording.body(one, locale)) for one in reversed(every))
            between = "\n\n" if self.channel is Channel.EMAIL else "\n"
            body, tail = gathered(
                bodies, len(every), lambda text: self.room.holds(title, text, data), between
            )
        if wording.image or wording.buttons or wording.badge or self.sound:
            return self._shown(wording, filling, values, locale, title, body, data, tail)
        return Content(
            body=self.room.fitted(title, body, data, tail),
            title=title,
            html=_html(wording.digest_html, values, locale) if wording.digest_html else "",
            data=data,
            approved=filling.filled(values, locale) if filling else None,
        )

    def _shown(
        self,
        wording: Wording,
        filling: Filling | None,
        values: dict[str, Any],
        locale: str,
        title: str,
        body: str,
        data: dict[str, Any],
        tail: str = "",
    ) -> Content:
        """The message with all that it shows beside; a digest has that of its newest event."""
        image = image_of(wording.image, values, locale) if wording.image else ""
        actions = actions_of(wording.buttons, values, locale)
        image, actions = fitting(self.room, title, body, data, image, actions)
        return Content(
            body=self.room.fitted(title, body, beside_of(data, image, actions), tail),
            title=title,
            data=data,
            approved=filling.filled(values, locale) if filling else None,
            image=image,
            actions=actions,
            sound=self.sound,
            badge=badge_of(wording.badge, values, locale),
        )

    def _spoken(self, locale: str) -> tuple[Wording, str]:
        """The texts for a user's locale, and the locale by which to format them."""
        names = chain(locale)
        for name in names:
            if name in self.locales:
                return self.locales[name], locale
        if self.language and names[-1:] != chain(self.language)[-1:]:
            return self.wording, self.language
        return self.wording, locale

    def _beside(self, event: Event) -> dict[str, Any]:
        """The fields that travel beside the text."""
        data = event.data
        try:
            return {name: data[name] for name in self.data}
        except KeyError as error:
            raise UndefinedError(f"the variable {error} is missing") from None

    def _failed(self, error: Exception) -> BadRecord:
        return BadRecord(Reason.RENDER_FAILED, f"{self.subject}: {failure_of(error)}")


def compile_rendering(
    subject: str,
    channel: Channel,
    templates: Templates,
    layouts: Mapping[str, Layout],
    *,
    is_transactional: bool = False,
) -> Rendering:
    """The rendering that these templates describe, ready to run; raises BadTemplate."""
    check(channel, templates)
    layout = layouts.get(templates.layout or "", Layout())
    if is_transactional:
        for field, complaint in unsubscribing(templates, layout):
            raise BadTemplate(field, complaint)
    around = [source for source in (layout.html, layout.mjml) if source]
    links = OWN_LINKS if channel is Channel.EMAIL else frozenset()
    wording, locales = compile_wordings(templates, layouts, links)
    sources = (*sources_of(templates), *around)
    return Rendering(
        subject=subject,
        channel=channel,
        wording=wording,
        room=room_of(channel, templates.segments),
        locales=locales,
        language=templates.language or "",
        data=templates.data,
        sound=templates.sound or "",
        sources=sources,
        says_more=any(_SAYS_MORE.search(source) for source in sources),
        is_personal=any(speaks_of_reader(parse_template(source)) for source in sources),
        has_links=any(speaks_of(parse_template(source), *links) for source in sources),
    )


def _values(event: Event) -> dict[str, Any]:
    return {"data": event.data, "actor": event.actor, "occurred_at": event.occurred_at}


def _html(text: Text, values: dict[str, Any], locale: str) -> str:
    return clean_html(text(values, locale))
