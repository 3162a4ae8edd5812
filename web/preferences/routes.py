"""`/preferences/TOKEN`: by a subscriber token, or by the ticket that a mail bears for this alone.

Mails are forwarded, and their links stand in logs. So the ticket has an end, and shows and changes
nothing of whom the person blocks.
"""

import logging
from collections.abc import Collection, Mapping
from pathlib import Path

import jinja2
import msgspec
from aiohttp import web
from msgspec import Struct

from policy.time.timestamps import moment
from policy.time.wall_clock import is_zone, zones
from policy.tracking.ticket import PREFERENCES_LIFE_MS, Purpose, is_over
from policy.user.preference_matrix import Choice, choices
from policy.user.user_view import Known
from schemas.errors import Unavailable
from schemas.profile import Block, ProfileChange, QuietHours, Subscription
from schemas.topics import BLOCKS, PROFILE_CHANGES, SUPPRESSIONS
from schemas.vocabulary import Channel, Frequency
from web.api.problem import Problem
from web.api.route import RETRY_AFTER
from web.api.services import Services
from web.gateway.token import Subscriber, read_token
from web.http.forms import Form, form_of
from web.http.languages import language_of
from web.http.rate_limits import UserLimits
from web.links.routes import NO_MORE, PAGE
from web.preferences.blocks import blocks_in
from web.preferences.entered import Entered
from web.preferences.words import words_of
from web.tickets import Tickets

FOLDER = Path(__file__).parents[1] / "pages"
log = logging.getLogger(__name__)


class Guest(Struct, frozen=True):
    """Whose page it is, and whether it may show whom they block."""

    subscriber: Subscriber
    sees_blocks: bool


class PreferencePages:
    """The page, which works without scripts."""

    def __init__(self, desk: Services) -> None:
        self._desk = desk
        self._tickets = Tickets(desk.settings, desk.owners)
        self._limits = UserLimits(desk.limits, desk.settings)
        self._key = desk.settings.signing_key.get_secret_value().encode()
        pages = jinja2.Environment(loader=jinja2.FileSystemLoader(FOLDER), autoescape=True)
        self._page = pages.get_template("preferences.html")

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        return [
            web.get("/preferences/{token}", self.show),
            web.post("/preferences/{token}", self.save),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """What holds now."""
        try:
            guest = await self._whose(request)
            if guest is None:
                return self._told(request, "invalid", 404)
            subscriber = guest.subscriber
            await self._limits.require(*subscriber)
            position = request.query.get("after")
            known = await self._desk.known(*subscriber, position)
            return self._shown(request, guest, known, "saved" if position else "")
        except (Unavailable, Problem) as error:
            log.warning("preferences can't be shown: %s", error)
            return self._later(request, error)

    async def save(self, request: web.Request) -> web.Response:
        """Store it, and show what holds then."""
        try:
            guest = await self._whose(request)
        except Unavailable as error:
            return self._later(request, error)
        if guest is None:
            return self._told(request, "invalid", 404)
        subscriber, form = guest.subscriber, await form_of(request)
        try:
            await self._limits.require(*subscriber)
            known = await self._desk.known(*subscriber)
            if form is None:
                return self._shown(request, guest, known, "wrong", 400)
            zone, blocks, quiet = str(form.get("zone", "")), list[Block](), None
            wrong = set[str]()
            try:
                quiet = _quiet_hours(form, known.preferences.quiet_hours)
            except (ValueError, msgspec.ValidationError):
                wrong.add("quiet")
            if zone and not is_zone(zone):
                wrong.add("zone")
            if guest.sees_blocks:
                try:
                    now = moment(self._desk.clock.now())
                    blocks = blocks_in(form, known.blocked, subscriber, now)
                except (ValueError, msgspec.ValidationError):
                    wrong.add("block")
            if wrong:
                return self._shown(request, guest, known, "wrong", 400, form, wrong)
            positions = [await self._store(subscriber, known, form, quiet, zone)]
            positions += [(await self._desk.write(BLOCKS, block)).position for block in blocks]
        except (Unavailable, Problem) as error:
            log.warning("preferences can't be stored: %s", error)
            return self._later(request, error)
        place = f"{request.path}?after={','.join(positions)}"
        return web.Response(status=303, headers={**PAGE, "Location": place})

    async def _store(
        self,
        subscriber: Subscriber,
        known: Known,
        form: Form,
        quiet: tuple[QuietHours, ...] | None,
        zone: str,
    ) -> str:
        shown = self._choices(known)
        wanted = _wanted(shown, form)
        often = {
            row.category: Frequency(form[f"frequency.{row.category}"])
            for row in shown
            if form.get(f"frequency.{row.category}") in tuple(Frequency)
        }
        # Only what the page shows: what others change meanwhile, or the page does not know, stays.
        change = ProfileChange(
            user=subscriber.user,
            tenant=subscriber.tenant,
            by="page",
            categories={category: channels for category, channels in wanted.items() if channels},
            frequency=often,
            quiet_hours=quiet,
            zone=zone if zone and zone != self._zone(known) else None,
        )
        written = await self._desk.write(PROFILE_CHANGES, change)
        back = [
            Subscription(
                user=subscriber.user,
                tenant=subscriber.tenant,
                category=category,
                channel=channel,
                at=moment(self._desk.clock.now()),
                subscribed=True,
            )
            for category, channels in known.unsubscribed.items()
            for channel in channels
            if wanted.get(category, {}).get(channel)
        ]
        await self._desk.write_all(SUPPRESSIONS, back)
        return written.position

    def _choices(self, known: Known) -> list[Choice]:
        catalogue = self._desk.catalogues.current
        return choices(catalogue, known, catalogue.tenant(known.contacts.tenant))

    def _zone(self, known: Known) -> str:
        tenant = self._desk.catalogues.current.tenant(known.contacts.tenant)
        return known.contacts.zone or tenant.zone

    async def _whose(self, request: web.Request) -> Guest | None:
        text, now = request.match_info["token"], self._desk.clock.now()
        subscriber = read_token(text, self._key, now // 1000)
        if subscriber is not None:
            return Guest(subscriber, sees_blocks=True)
        ticket = await self._tickets.find(text, Purpose.PREFERENCES)
        if ticket is None or is_over(ticket, now, PREFERENCES_LIFE_MS):
            return None
        return Guest(Subscriber(ticket.tenant, ticket.user), sees_blocks=False)

    def _shown(
        self,
        request: web.Request,
        guest: Guest,
        known: Known,
        said: str,
        status: int = 200,
        form: Form | None = None,
        wrong: Collection[str] = (),
    ) -> web.Response:
        """What holds, or, of a form in which something is `wrong`, what the person wrote."""
        catalogue = self._desk.catalogues.current
        tenant = catalogue.tenant(known.contacts.tenant)
        rows = self._choices(known)
        language, words = words_of(known.contacts.locale or "", language_of(request), tenant.locale)
        used = [channel for channel in Channel if any(channel in row.channels for row in rows)]
        zone = self._zone(known)
        entered = Entered(form, known, zone, wrong)
        text = self._page.render(
            language=language,
            words=words,
            title=words["title"],
            said=words.get(said, ""),
            wrong=wrong,
            channels=used,
            rows=[
                {
                    "category": row.category,
                    "label": catalogue.label(row.category, language)
                    or words.get(row.category)
                    or row.category.replace("_", " ").capitalize(),
                    "channels": entered.channels(row),
                    "frequency": entered.frequency(row),
                    "frequencies": list(Frequency),
                }
                for row in rows
            ],
            start=entered.start,
            end=entered.end,
            # With the present one, though it may be an odd one: else the first would be picked.
            zones=dict.fromkeys((zone, *zones())),
            zone=entered.zone,
            sees_blocks=guest.sees_blocks,
            blocked=entered.blocked if guest.sees_blocks else {},
            block=entered.block,
        )
        return web.Response(text=text, status=status, content_type="text/html", headers=PAGE)

    def _later(self, request: web.Request, error: Unavailable | Problem) -> web.Response:
        if isinstance(error, Problem) and error.status == 429:
            return self._told(request, "later", 429, error.headers)
        return self._told(request, "later", 503, RETRY_AFTER)

    def _told(
        self, request: web.Request, what: str, status: int, more: Mapping[str, str] = NO_MORE
    ) -> web.Response:
        language, words = words_of(language_of(request))
        title, said = words[f"{what}_title"], words[what]
        text = self._page.render(language=language, title=title, text=said)
        headers = {**PAGE, **more}
        return web.Response(text=text, status=status, content_type="text/html", headers=headers)


def _wanted(shown: list[Choice], form: Form) -> dict[str, dict[Channel, bool]]:
    """What is on and off of the cells that the person was shown; a newer catalogue has others."""
    on, seen = set(form.getall("on", ())), set(form.getall("shown", ()))
    nothing = form.get("do") == "off"
    return {
        row.category: {
            channel: f"{row.category}.{channel}" in on and not nothing
            for channel in row.channels
            if f"{row.category}.{channel}" in seen
        }
        for row in shown
    }


def _quiet_hours(form: Form, before: tuple[QuietHours, ...]) -> tuple[QuietHours, ...] | None:
    """What the person made of them, None where they were not touched.

    Not touched stays also what the page does not show: days, and other spans. Raises ValueError or
    ValidationError for what can't be: one end alone, no times of day, or no time at all.
    """
    said = {"start": str(form.get("start", "")), "end": str(form.get("end", ""))}
    shown = {"start": before[0].start, "end": before[0].end} if before else {"start": "", "end": ""}
    if said == shown:
        return None
    if not any(said.values()):
        return ()
    hours = msgspec.convert(said, QuietHours)
    if hours.start == hours.end:
        raise ValueError("an equal start and end are no span")
    return (hours,)
