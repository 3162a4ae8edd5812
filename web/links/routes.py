"""The links that messages bear: the open pixel, clicks, and unsubscribing."""

import base64
import logging
from collections.abc import Mapping

from aiohttp import web

from pipeline.catalogue_folder import Catalogues
from pipeline.clock import Clock
from pipeline.settings import Settings
from policy.tracking.bot_detection import is_machine
from policy.tracking.links import is_signed
from policy.tracking.provider_report import Kind, Report
from policy.tracking.ticket import Purpose, Ticket, is_over
from policy.user.preference_matrix import Remainder, remainder
from schemas.errors import Unavailable
from web.api.problem import Problem
from web.http.forms import form_of
from web.http.languages import language_of
from web.http.rate_limits import Limits, UserLimits
from web.links.pages import Pages
from web.tickets import Tickets
from web.workers.report_writer import BackChannel

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
FRESH = {"Cache-Control": "no-store, private", "Referrer-Policy": "no-referrer"}
PAGE = FRESH | {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
}
NO_MORE: Mapping[str, str] = {}
PROVIDER = "links"
"""Who tells of it, in place of a provider."""
log = logging.getLogger(__name__)


class Links:
    """What people, and machines, do with a message."""

    def __init__(
        self,
        back: BackChannel,
        tickets: Tickets,
        catalogues: Catalogues,
        key: bytes,
        clock: Clock,
        limits: UserLimits | None = None,
    ) -> None:
        self._back = back
        self._tickets = tickets
        self._catalogues = catalogues
        self._limits = limits or UserLimits(Limits(), Settings())
        self._key = key
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.get("/open/{ticket}.gif", self.open),
            web.get("/click/{ticket}/{signature}", self.click),
            web.get("/unsubscribe/{ticket}", self.ask),
            web.post("/unsubscribe/{ticket}", self.unsubscribe),
        ]

    async def open(self, request: web.Request) -> web.Response:
        """The pixel; an open that can't be stored now is not counted."""
        await self._tell(request, Purpose.OPEN, Kind.OPENED)
        return web.Response(body=PIXEL, content_type="image/gif", headers=FRESH)

    async def click(self, request: web.Request) -> web.Response:
        """On to where the message led, and nowhere else; also where it is too old to be counted."""
        ticket, url = request.match_info["ticket"], request.query.get("to", "")
        if not is_signed(ticket, url, request.match_info["signature"], self._key):
            return _page(_pages(request).unknown(), 404)
        await self._tell(request, Purpose.CLICK, Kind.CLICKED)
        return web.Response(status=302, headers=FRESH | {"Location": url})

    async def ask(self, request: web.Request) -> web.Response:
        """A page with a button: scanners follow links, and must unsubscribe nobody."""
        pages = _pages(request)
        try:
            ticket = await self._ticket(request, Purpose.UNSUBSCRIBE)
        except Unavailable as error:
            log.warning("a page to unsubscribe can't be shown: %s", error)
            return _page(pages.later(), 503)
        if ticket is None:
            return _page(pages.unknown(), 404)
        if is_over(ticket, self._clock.now()):
            return _page(pages.over(), 410)
        category = self._named(ticket, pages)
        return _page(pages.ask(category, ticket.channel, self._remainder(ticket)))

    async def unsubscribe(self, request: web.Request) -> web.Response:
        """By the page's button, or by a mail program's one click (RFC 8058).

        The click counts whatever stands in its body, unless it is that of the button to come back.
        It is stored also where all of it is transactional now, as no type has to stay so.
        """
        pages = _pages(request)
        form = await form_of(request)
        # A body that can't be read takes nothing back of the click.
        wants = form is not None and form.get("do") == "subscribe"
        kind = Kind.RESUBSCRIBED if wants else Kind.UNSUBSCRIBED
        try:
            ticket = await self._ticket(request, Purpose.UNSUBSCRIBE)
            if ticket is None:
                return _page(pages.unknown(), 404)
            if is_over(ticket, self._clock.now()):
                return _page(pages.over(), 410)
            await self._limits.require(ticket.tenant, ticket.user)
            await self._back.note(ticket, self._report(request, kind), PROVIDER)
        except Unavailable as error:
            log.warning("a click on unsubscribe could not be stored: %s", error)
            return _page(pages.later(), 503)
        except Problem as problem:
            return _page(pages.later(), problem.status, problem.headers)
        category = self._named(ticket, pages)
        if wants:
            return _page(pages.back(category, ticket.channel))
        return _page(pages.done(category, ticket.channel, self._remainder(ticket)))

    def _named(self, ticket: Ticket, pages: Pages) -> str:
        catalogue = self._catalogues.current
        return catalogue.label(ticket.category, pages.language) or ticket.category

    def _remainder(self, ticket: Ticket) -> Remainder:
        return remainder(self._catalogues.current, ticket.category, ticket.channel)

    async def _ticket(self, request: web.Request, purpose: Purpose) -> Ticket | None:
        return await self._tickets.find(request.match_info["ticket"], purpose)

    async def _tell(self, request: web.Request, purpose: Purpose, kind: Kind) -> None:
        try:
            ticket = await self._ticket(request, purpose)
            if ticket is None or is_over(ticket, self._clock.now()):
                return
            await self._limits.require(ticket.tenant, ticket.user)
            await self._back.note(ticket, self._report(request, kind), PROVIDER)
        except (Unavailable, Problem) as error:
            # The person waits for a picture or a page, and would gain nothing by an error.
            log.warning("%s could not be stored: %s", kind, error)

    def _report(self, request: web.Request, kind: Kind) -> Report:
        return Report(
            kind=kind,
            at=self._clock.now(),
            machine=kind in (Kind.OPENED, Kind.CLICKED)
            and is_machine(request.method, request.headers),
        )


def _pages(request: web.Request) -> Pages:
    return Pages(language_of(request))


def _page(text: str, status: int = 200, more: Mapping[str, str] = NO_MORE) -> web.Response:
    headers = {**PAGE, **more}
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)
