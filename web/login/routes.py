"""`/login`: to the provider and back, who is logged in, and the end of it."""

import logging
from collections.abc import Awaitable, Callable
from html import escape
from urllib.parse import quote, urlsplit

import msgspec
from aiohttp import web

from pipeline.clock import Clock
from pipeline.settings import Settings
from schemas.errors import Unavailable
from web.api.audit import Trail
from web.api.keys import Scope
from web.api.problem import Problem
from web.http.rate_limits import Limit, Limits
from web.login.attempt import LIFE, begin, read_attempt
from web.login.guard import Guard, pages_url
from web.login.provider import NotLoggedIn, Provider
from web.login.rights import Mapped, Rights
from web.login.session import Session, begin_session, seal

RETURN = "/login/return"
"""Where the provider sends people back: the redirect URI that it has to know of this client."""
PAGES = ("/dashboard", "/operator")
"""Where a log-in may lead to."""
MOST = Limit("log-ins", 600, "log-ins")
"""Each asks the provider, which must not be flooded by way of us."""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Tocsin: log-in</title>
<link rel="stylesheet" href="/console/console.css">
</head>
<body>
<header><h1>Tocsin</h1></header>
<main>
<p class="bad" role="alert">{said}</p>
<p><a href="/login?page={page}">Log in again</a></p>
</main>
</body>
</html>
"""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
log = logging.getLogger(__name__)


class Login:
    """The routes, for one client of one provider."""

    def __init__(
        self, settings: Settings, guard: Guard, trail: Trail, limits: Limits, clock: Clock
    ) -> None:
        """Raises Misconfigured for settings that can't be used."""
        self._provider = Provider(settings, clock)
        self._mapped = Mapped(settings)
        self._guard = guard
        self._trail = trail
        self._limits = limits
        self._clock = clock
        self._minutes = settings.oidc_session_minutes
        self._url = pages_url(settings)
        self._attempt_cookie = "__Secure-tocsin-login" if guard.is_secure else "tocsin-login"

    def routes(self) -> list[web.RouteDef]:
        """As aiohttp wants them."""
        return [
            web.get("/login", self._shown(self._begin)),
            web.get(RETURN, self._shown(self._return)),
            web.get("/login/session", self._session),
            web.post("/login/end", self._end),
        ]

    async def close(self) -> None:
        """End its connections."""
        await self._provider.close()

    async def _begin(self, request: web.Request) -> web.StreamResponse:
        attempt = begin(page_of(request.query.get("page", "")), self._guard.key, self._now)
        url = await self._provider.begin_url(attempt, self._url + RETURN)
        response = _redirect(url)
        # Lax: the provider's redirect is another site's, and has to bring it.
        response.set_cookie(
            self._attempt_cookie,
            attempt.cookie,
            max_age=LIFE,
            path="/login",
            httponly=True,
            secure=self._guard.is_secure,
            samesite="Lax",
        )
        return response

    async def _return(self, request: web.Request) -> web.StreamResponse:
        cookie, state = request.cookies.get(self._attempt_cookie, ""), request.query.get("state")
        attempt = read_attempt(cookie, state or "", self._guard.key, self._now)
        if attempt is None:
            why = f"this browser began no such log-in within the last {LIFE // 60} minutes"
            raise NotLoggedIn(why)
        await self._limits.require(MOST)
        claims = await self._provider.logged_in(
            request.query, attempt, self._url + RETURN, self._mapped.claims
        )
        session = self._begun(self._mapped.rights(claims))
        await self._trail.note_login(session.key, "logged in", f"GET {RETURN}")
        response = _redirect(attempt.page)
        self._set(response, seal(session, self._guard.key), 60 * self._minutes)
        response.del_cookie(self._attempt_cookie, path="/login", secure=self._guard.is_secure)
        return response

    def _begun(self, rights: Rights) -> Session:
        if not rights.scopes:
            raise NotLoggedIn(
                f"{rights.name} may do nothing here: no group of theirs is in TOCSIN_OIDC_RIGHTS, "
                "or they have no tenant"
            )
        return begin_session(rights, self._now, self._minutes)

    async def _session(self, request: web.Request) -> web.StreamResponse:
        session = self._guard.session(request)
        found = None if session is None else _Shown.of(session, session.proof(self._guard.key))
        body = msgspec.json.encode({"login": "/login", "session": found})
        return web.Response(body=body, content_type="application/json", headers=_HEADERS)

    async def _end(self, request: web.Request) -> web.StreamResponse:
        session = self._guard.session(request)
        try:
            if session is not None:
                self._guard.require_proof(request, session)
                await self._trail.note_login(session.key, "logged out", "POST /login/end")
        except Problem as problem:
            return problem.response()
        except Unavailable as error:
            # Who leaves a shared machine must not stay logged in because Kafka is away.
            log.warning("A log-out is not on record: %s", error)
        # Back where it was begun: a page of a provider's choice would be left open.
        url = await self._provider.end_url(f"{self._url}{PAGES[0]}")
        body = msgspec.json.encode({"url": url})
        response = web.Response(body=body, content_type="application/json", headers=_HEADERS)
        self._set(response, "", 0)
        return response

    def _set(self, response: web.StreamResponse, value: str, max_age: int) -> None:
        response.set_cookie(
            self._guard.cookie,
            value,
            max_age=max_age,
            path="/",
            httponly=True,
            secure=self._guard.is_secure,
            samesite="Strict",
        )

    def _shown(self, handler: Handler) -> Handler:
        """What goes wrong is shown to a person."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except NotLoggedIn as error:
                log.warning("A log-in was refused: %s", error)
                return _refusal(403, f"You are not logged in: {error}.")
            except Problem as problem:
                return _refusal(problem.status, problem.body.detail, problem.headers)
            except Unavailable as error:
                log.warning("A log-in was not possible: %s", error)
                return _refusal(503, f"Nobody can log in now: {error}")

        return handle

    @property
    def _now(self) -> int:
        return self._clock.now() // 1000


class _Shown(msgspec.Struct):
    """What a page may know of its session."""

    name: str
    tenant: str
    scopes: list[Scope]
    ends: int
    proof: str

    @classmethod
    def of(cls, session: Session, proof: str) -> "_Shown":
        scopes = sorted(session.scopes)
        return cls(session.name, session.tenant, scopes, session.ends, proof)


def no_login() -> list[web.RouteDef]:
    """What a page is told where no provider is set: that keys are the only way in."""

    async def nobody(_: web.Request) -> web.StreamResponse:
        body = msgspec.json.encode({"login": None, "session": None})
        return web.Response(body=body, content_type="application/json", headers=_HEADERS)

    return [web.get("/login/session", nobody)]


def page_of(wanted: str) -> str:
    """A page of ours with its query; what else is asked for leads to the first one."""
    parts = urlsplit(wanted)
    is_ours = not parts.scheme and not parts.netloc and parts.path in PAGES
    is_plain = wanted.isprintable() and wanted.isascii() and len(wanted) <= 1000
    return wanted if is_ours and is_plain and "\\" not in wanted else PAGES[0]


def _redirect(url: str) -> web.Response:
    return web.Response(status=303, headers={**_HEADERS, "Location": url})


def _refusal(status: int, said: str, headers: dict[str, str] | None = None) -> web.Response:
    text = _PAGE.format(said=escape(said), page=quote(PAGES[0]))
    headers = {**_HEADERS, **(headers or {})}
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)
