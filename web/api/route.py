"""A route of the API, and how a request comes to its handler."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import msgspec
from aiohttp import web
from msgspec import Struct

from pipeline.monitoring.logs import IDS
from schemas.audit import Deed
from schemas.bounds import OutOfBounds, bounded
from schemas.errors import Unavailable
from schemas.naming import LONGEST_NAME, is_name
from schemas.trace import HEADER, STATE_HEADER
from web.api.audit import Trail
from web.api.call import Call, Sent
from web.api.encoding import encode_reply
from web.api.idempotency import key_of
from web.api.keys import ApiKey, Keys, Scope
from web.api.problem import Problem, field_error
from web.http.body import value_of
from web.http.rate_limits import Limits, key_limit, tenant_limit

RETRY_AFTER = {"Retry-After": "5"}
LOST = "Internal error; the request may or may not have been stored."
log = logging.getLogger(__name__)


class Reply(NamedTuple):
    """A success."""

    value: Any = None
    status: int = 200
    headers: Mapping[str, str] = {}


Handler = Callable[[Call], Awaitable[Reply]]
Sender = Callable[[Mapping[str, str], Sent], ApiKey | None]
"""Who sends this to that path, without a key; None for somebody unknown."""
LoggedIn = Callable[[web.Request], ApiKey | None]
"""What whoever is logged in counts as, without a key; None for nobody. Raises Problem."""
_KEY = "Send Authorization: Bearer KEY."
_KEY_OR_SIGNATURE = (
    "Send Authorization: Bearer KEY, or, to a source with a signature, what is signed with its "
    "secret in TOCSIN_SOURCE_SECRETS and was signed within the last five minutes."
)
"""The same for each source, whether there is one, and a signature, or not."""


class Route(NamedTuple):
    """`body` and `query` are structs, None where nothing is taken; `replies` by status.

    `name` is what generated clients call it, and `tag` where they put it. `example` is a body.
    With `keyed` the header Idempotency-Key is taken. What is a `deed` is put on record first. With
    a `sender` it takes bodies of any kind, as they are, also from whoever that knows without a key.
    """

    method: str
    path: str
    scope: Scope
    summary: str
    handler: Handler
    replies: Mapping[int, Any]
    body: Any = None
    query: type[Struct] | None = None
    name: str = ""
    tag: str = ""
    example: Any = None
    keyed: bool = False
    sender: Sender | None = None
    deed: Deed | None = None


class Gate:
    """Lets requests through to their handlers, and answers those that can't be."""

    def __init__(
        self,
        keys: Keys,
        limits: Limits,
        most_bytes: int,
        tenant_per_minute: int,
        trail: Trail | None = None,
        logged_in: LoggedIn | None = None,
    ) -> None:
        """Without a `trail` no route may be a deed, without `logged_in` keys are the only way."""
        self._logged_in = logged_in
        self._trail = trail
        self._keys = keys
        self._limits = limits
        self._tenant_per_minute = tenant_per_minute
        self._most_bytes = most_bytes

    def open(self, route: Route) -> web.RouteDef:
        """The route as aiohttp wants it."""
        trail = self._trail
        if route.deed is not None and trail is None:
            raise ValueError(f"nobody puts {route.method} {route.path} on record")
        is_decoded = route.body is not None and route.sender is None
        decoder = msgspec.json.Decoder(route.body) if is_decoded else None

        async def handle(request: web.Request) -> web.Response:
            headers, ids = dict[str, str](), dict[str, Any]()
            try:
                sent = Sent() if route.sender is None else await self._sent(request)
                key = self._key(request, route.sender, sent)
                ids = {IDS: {"tenant": key.tenant, "key": key.name}}
                headers = await self._limits.require(
                    key_limit(key.name, key.per_minute),
                    tenant_limit(key.tenant, self._tenant_per_minute),
                )
                if route.scope not in key.scopes:
                    raise Problem(403, f"It needs the scope {route.scope}.")
                query = _query(request, route.query)
                body = await self._body(request, decoder)
                idempotency_key = key_of(request) if route.keyed else None
                trace = request.headers.get(HEADER, "")
                state = ",".join(request.headers.getall(STATE_HEADER, ())) if trace else ""
                call = Call(key, _path(request), query, body, idempotency_key, sent, trace, state)
                if route.deed is not None and trail is not None:
                    await trail.note(call, route.deed, f"{route.method} {route.path}")
                reply = await route.handler(call)
            except Problem as problem:
                problem.headers = {**headers, **problem.headers}
                return problem.response()
            except Unavailable as error:
                log.warning("%s %s: %s", route.method, route.path, error, extra=ids)
                return Problem(503, str(error), headers={**headers, **RETRY_AFTER}).response()
            except Exception:
                log.exception("%s %s failed", route.method, route.path, extra=ids)
                return Problem(500, LOST, headers=headers).response()
            return _response(reply, headers)

        return web.route(route.method, route.path, handle)

    def _key(self, request: web.Request, sender: Sender | None, sent: Sent) -> ApiKey:
        key = self._keys.find(bearer_of(request))
        if key is None and self._logged_in is not None and "Authorization" not in request.headers:
            key = self._logged_in(request)
        if key is None and sender is not None and "Authorization" not in request.headers:
            key = sender(_path(request), sent)
        if key is None:
            challenge = {"WWW-Authenticate": 'Bearer realm="tocsin"'}
            raise Problem(401, _KEY if sender is None else _KEY_OR_SIGNATURE, headers=challenge)
        return key

    async def _body(self, request: web.Request, decoder: Any) -> Any:
        if decoder is None:
            return None
        if request.content_type != "application/json":
            raise Problem(415, "Send Content-Type: application/json.")
        return value_of(await self._read(request), decoder)

    async def _sent(self, request: web.Request) -> Sent:
        headers = {name.lower(): text for name, text in request.headers.items()}
        return Sent(request.content_type, headers, await self._read(request))

    async def _read(self, request: web.Request) -> bytes:
        if (request.content_length or 0) > self._most_bytes:
            raise Problem(413, f"{self._most_bytes} bytes are possible.")
        try:
            return await request.read()
        except web.HTTPRequestEntityTooLarge:
            raise Problem(413, f"{self._most_bytes} bytes are possible.") from None


def bearer_of(request: web.Request) -> str:
    """What the header Authorization bears; empty where it bears nothing that could be ours."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    # A byte that is no text comes as half of a pair, which can't be encoded to be compared.
    return text.strip() if scheme.lower() == "bearer" and text.isascii() else ""


def _path(request: web.Request) -> Mapping[str, str]:
    for name, value in request.match_info.items():
        if not is_name(value):
            said = f"a name of 1 to {LONGEST_NAME} characters, none of them a control character"
            raise Problem(400, f"{name} in the path is not {said}.")
    return request.match_info


def _query(request: web.Request, kind: type[Struct] | None) -> Any:
    known = kind.__struct_encode_fields__ if kind else ()
    for name in request.query:
        if name not in known or len(request.query.getall(name)) > 1:
            may_have = f"It may have {', '.join(known)}." if known else "It has none."
            raise Problem(
                400, f"The query has {name!r}, which is unknown or there twice. {may_have}"
            )
    if kind is None:
        return None
    try:
        return bounded(msgspec.convert(dict(request.query), kind, strict=False))
    except (msgspec.ValidationError, OutOfBounds) as error:
        wrong = field_error(error, kind=kind)
        place = f", {wrong.pointer[1:]}" if wrong.pointer else ""
        raise Problem(400, f"In the query{place}: {wrong.detail}.") from None


def _response(reply: Reply, headers: Mapping[str, str]) -> web.Response:
    body = None if reply.value is None else encode_reply(reply.value)
    kind = {} if body is None else {"Content-Type": "application/json"}
    return web.Response(
        status=reply.status, body=body, headers={**headers, **kind, **reply.headers}
    )
