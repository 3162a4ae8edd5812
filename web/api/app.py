"""The routes of the API together, and their OpenAPI document."""

from importlib.metadata import version

import msgspec
from aiohttp import web

from web.api.asking import Asking
from web.api.audiences import Audiences
from web.api.desk import Desk
from web.api.experiments import Experiments
from web.api.export import Exports
from web.api.feed import Feeds
from web.api.figures import Statistics
from web.api.history import History
from web.api.inbox import Inboxes
from web.api.keys import Keys
from web.api.openapi import document
from web.api.operations import Operations
from web.api.route import Gate, Route
from web.api.sending import Sending
from web.api.sources import Sources
from web.api.support import Support
from web.api.users import Users

MOST_BYTES = 1 << 20
"""Of a request's body; larger ones are answered 413."""
DOCUMENT = "/v1/openapi.json"


def routes_of(desk: Desk) -> list[Route]:
    """Every route."""
    sending = (Sending, Sources, Audiences, Users, Inboxes, Feeds)
    asking = (Asking, History, Support, Statistics, Experiments, Exports, Operations)
    return [route for kind in (*sending, *asking) for route in kind(desk).routes()]


def api(desk: Desk, keys: Keys) -> list[web.RouteDef]:
    """The routes as aiohttp wants them, and the document of them, which needs no key."""
    settings, routes = desk.settings, routes_of(desk)
    per_minute = settings.tenant_requests_per_minute
    gate = Gate(keys, desk.limits, MOST_BYTES, per_minute, desk.trail)
    server = settings.public_url.rstrip("/") or f"http://127.0.0.1:{settings.web_port}"
    text = msgspec.json.encode(document(routes, version("tocsin"), server))

    async def described(_: web.Request) -> web.Response:
        return web.Response(body=text, content_type="application/json")

    return [web.get(DOCUMENT, described), *map(gate.open, routes)]
