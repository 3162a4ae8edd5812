"""Cross-origin requests: browsers' pages of the origins that are listed may call us."""

from collections.abc import Awaitable, Callable, Collection

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ANY = "*"
METHODS = "GET, POST, PUT, PATCH, DELETE"
HEADERS = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID"
EXPOSED = (
    "Allow, Location, RateLimit-Limit, RateLimit-Policy, RateLimit-Remaining, RateLimit-Reset, "
    "Retry-After, WWW-Authenticate"
)
A_DAY = "86400"


def cross_origin(app: web.Application, origins: Collection[str]) -> None:
    """Let pages of these origins, or with `*` of any, call every route.

    No answer lets browsers send cookies along, and the session of whoever is logged in counts for
    our own pages alone (`web.login.guard`), so no origin gets more than what its token opens.
    """

    def allowed(request: web.Request) -> str | None:
        origin = request.headers.get("Origin")
        return origin if origin and (origin in origins or ANY in origins) else None

    async def tell(request: web.Request, response: web.StreamResponse) -> None:
        if origin := allowed(request):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = EXPOSED
        response.headers.add("Vary", "Origin")

    @web.middleware
    async def preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
            return await handler(request)
        permits = {
            "Access-Control-Allow-Methods": METHODS,
            "Access-Control-Allow-Headers": HEADERS,
            "Access-Control-Max-Age": A_DAY,
        }
        return web.Response(status=204, headers=permits if allowed(request) else {})

    app.middlewares.append(preflight)
    # Not in the middleware: a stream's headers are gone by the time that its handler returns.
    app.on_response_prepare.append(tell)
