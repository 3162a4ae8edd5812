"""The routes of the API together, and their OpenAPI document."""

from importlib.metadata import version

import msgspec
from aiohttp import web

from web.api.keys import Keys
from web.api.openapi.document import document
from web.api.route import Gate, LoggedIn, Route
from web.api.routes.audiences import Audiences
from web.api.routes.experiments import Experiments
from web.api.routes.explain import Asking
from web.api.routes.export import Exports
from web.api.routes.feed import Feeds
from web.api.routes.figures import Statistics
from web.api.routes.history import History
from web.api.routes.inbox import Inboxes
from web.api.routes.operations import Operations
from web.api.routes.sending import Sending
from web.api.routes.sources import Sources
from web.api.routes.support import Support
from web.api.routes.users import Users
from web.api.services import Services

MOST_BYTES = 1 << 20
"""Of a request's body; larger ones are answered 413."""
DOCUMENT = "/v1/openapi.json"


def routes_of(desk: Services) -> list[Route]:
    """Every route."""
    sending = (Sending, Sources, Audiences, Users, Inboxes, Feeds)
    asking = (Asking, History, Support, Statistics, Experiments, Exports, Operations)
    return [route for kind in (*sending, *asking) for route in kind(desk).routes()]


def api(desk: Services, keys: Keys, logged_in: LoggedIn | None = None) -> list[web.RouteDef]:
    """The routes as aiohttp wants them, and the document of them, which needs no key."""
    settings, routes = desk.settings, routes_of(desk)
    per_minute = settings.tenant_requests_per_minute
    gate = Gate(keys, desk.limits, MOST_BYTES, per_minute, desk.trail, logged_in)
    server = settings.public_url.rstrip("/") or f"http://127.0.0.1:{settings.web_port}"
    text = msgspec.json.encode(document(routes, version("tocsin"), server))

    async def described(_: web.Request) -> web.Response:
        return web.Response(body=text, content_type="application/json")

    return [web.get(DOCUMENT, described), *map(gate.open, routes)]
