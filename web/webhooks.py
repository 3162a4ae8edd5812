"""`/webhooks/PROVIDER`: what providers report, taken once it is theirs and Kafka has it."""

import logging
from collections.abc import Iterable

from aiohttp import web

from pipeline.clock import Clock
from schemas.errors import Unavailable
from web.reports.incoming import (
    BadSignature,
    Incoming,
    Malformed,
    ReplayGuard,
    Reporter,
    plausible,
)
from web.workers.report_writer import BackChannel

RETRY_AFTER = "30"
"""Seconds after which a provider may try again while Kafka is away."""
log = logging.getLogger(__name__)


class Webhooks:
    """The reporters that are set up, by name."""

    def __init__(
        self, reporters: Iterable[Reporter], back: BackChannel, public_url: str, clock: Clock
    ) -> None:
        self._reporters = {each.name: each for each in reporters if each.is_set_up}
        self._back = back
        self._public_url = public_url.rstrip("/")
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Where providers report; Vonage also asks by GET."""
        return [web.route(method, "/webhooks/{provider}", self.take) for method in ("GET", "POST")]

    async def take(self, request: web.Request) -> web.Response:
        """200 once all of it is in Kafka; 403, 400 or 404 for what is not to be sent again."""
        reporter = self._reporters.get(request.match_info["provider"])
        if reporter is None:
            return web.Response(status=404)
        body = await request.read()
        incoming = Incoming(
            method=request.method,
            url=f"{self._public_url}{request.raw_path}",
            headers=request.headers,
            # What is asked by GET has its fields in the query.
            body=body if request.method == "POST" else request.query_string.encode(),
        )
        try:
            now = self._clock.now()
            await reporter.verify(incoming, now)
            reports = [plausible(report, now) for report in reporter.parse(incoming, now)]
            await self._back.take(reports, reporter.name)
        except BadSignature as error:
            log.warning("%s: refused a report: %s", reporter.name, error)
            return web.Response(status=403)
        except Malformed as error:
            log.warning("%s: a report can't be read: %s", reporter.name, error)
            return web.Response(status=400)
        except Unavailable as error:
            log.warning("%s: a report could not be taken: %s", reporter.name, error)
            if isinstance(reporter, ReplayGuard):
                reporter.release(incoming)
            return web.Response(status=503, headers={"Retry-After": RETRY_AFTER})
        return web.Response()
