"""`/inbox/…`: a user's own inbox, by their subscriber token."""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from schemas.errors import Unavailable
from web.api.problem import Problem, field_error
from web.api.route import RETRY_AFTER, bearer_of
from web.api.services import Services
from web.gateway.hub import Hub
from web.gateway.presence import PresenceTracker
from web.gateway.socket import straight_to
from web.gateway.stream import Said, Stream, said
from web.gateway.token import Subscriber, read_token
from web.http.body import value_of
from web.http.rate_limits import UserLimits
from web.inbox import ChangeBody, Inbox, InboxQuery

HEARTBEAT = 20.0
"""Seconds; common proxies cut what is silent for 60."""
PAGES = Path(__file__).parents[1] / "pages"
BELL = PAGES / "bell.js"
BELL_MODULES = ("element", "later", "line", "look", "outbox", "rows", "words")
"""What the component is made of, in the folder `bell`; it asks for them by itself."""
LONGEST_POLL = 30.0
LARGEST = 4096
"""Bytes of what a client may say."""
SPREAD_MS = 5000
"""Clients of a process that ends come back within this time, not all at once."""
LIMITS: web.RequestKey[dict[str, str]] = web.RequestKey("limits", dict[str, str])
"""The headers that tell what more the user may ask."""
_encode = msgspec.json.Encoder().encode
_CHANGE = msgspec.json.Decoder(ChangeBody)
Plain = Callable[[web.Request], Awaitable[web.StreamResponse]]
Handler = Callable[[web.Request, Subscriber], Awaitable[web.StreamResponse]]


class Gateway:
    """The handlers."""

    def __init__(self, desk: Services, hub: Hub, here: PresenceTracker) -> None:
        self._desk = desk
        self._hub = hub
        self._here = here
        self._inbox = Inbox(desk)
        self._limits = UserLimits(desk.limits, desk.settings)
        self._key = desk.settings.signing_key.get_secret_value().encode()
        self._ending = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        return [
            web.get("/inbox/socket", self._for_subscriber(self.socket)),
            web.get("/inbox/stream", self._for_subscriber(self.stream)),
            web.get("/inbox/poll", self._for_subscriber(self.poll)),
            web.get("/inbox", self._for_subscriber(self.read)),
            web.get("/inbox/counts", self._for_subscriber(self.counts)),
            web.post("/inbox/changes", self._for_subscriber(self.change)),
            web.get("/inbox/bell.js", _script(BELL, "max-age=300")),
            # Together they are of one version, so each is asked for whether it is still the same.
            *(
                web.get(f"/inbox/bell/{path.name}", _script(path, "no-cache"))
                for path in (PAGES / "bell" / f"{name}.js" for name in BELL_MODULES)
            ),
        ]

    def end(self) -> None:
        """Let clients go, to come back to another process."""
        self._ending.set()

    async def socket(self, request: web.Request, subscriber: Subscriber) -> web.StreamResponse:
        """A WebSocket; what the client says is nothing but a sign of life."""
        # Messages are small: to compress one takes longer than to send it.
        answer = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=LARGEST, compress=False)
        async with self._connected(request, subscriber) as stream:
            first = await stream.begin(_last(request))
            limits: dict[str, str] = request[LIMITS]
            answer.headers.update(limits)
            await answer.prepare(request)
            sending = asyncio.create_task(_send_all(request, answer, stream, map(said, first)))
            ending = asyncio.create_task(self._ending.wait())
            hearing = asyncio.create_task(_hear(answer))
            await asyncio.wait((sending, ending, hearing), return_when=asyncio.FIRST_COMPLETED)
            await _end(sending, ending, hearing)
            if self._ending.is_set():
                hint = f"retry in {random.randrange(SPREAD_MS)} ms".encode()  # noqa: S311
                await answer.close(code=WSCloseCode.GOING_AWAY, message=hint)
            else:
                await answer.close()
        return answer

    async def stream(self, request: web.Request, subscriber: Subscriber) -> web.StreamResponse:
        """Server-sent events; the browser itself comes back with the last id."""
        limits: dict[str, str] = request[LIMITS]
        answer = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
                **limits,
            }
        )
        async with self._connected(request, subscriber) as stream:
            first = await stream.begin(_last(request))
            await answer.prepare(request)
            retry = random.randrange(1000, SPREAD_MS)  # noqa: S311 - to spread them
            await answer.write(f"retry: {retry}\n\n".encode())
            sending = asyncio.create_task(_write_all(answer, stream, map(said, first)))
            ending = asyncio.create_task(self._ending.wait())
            beating = asyncio.create_task(_beat(answer))
            await asyncio.wait((sending, ending, beating), return_when=asyncio.FIRST_COMPLETED)
            await _end(sending, ending, beating)
        return answer

    async def poll(self, request: web.Request, subscriber: Subscriber) -> web.StreamResponse:
        """Messages as JSON lines: at once where something is new, else when it comes, or none."""
        last = _last(request)
        async with self._connected(request, subscriber) as stream:
            messages = await stream.begin(last)
            new = [said(message) for message in messages]
            if last is not None and messages[-1].kind == "counts" and messages[-1].id == last:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LONGEST_POLL):
                        new = [await anext(stream.messages())]
        body = b"".join(each.text + b"\n" for each in new)
        return web.Response(body=body, content_type="application/x-ndjson")

    async def read(self, request: web.Request, subscriber: Subscriber) -> web.StreamResponse:
        """A page of it."""
        # Which passes over the token.
        query = msgspec.convert(dict(request.query), InboxQuery, strict=False)
        return _json(await self._inbox.page(subscriber, query))

    async def counts(self, _: web.Request, subscriber: Subscriber) -> web.StreamResponse:
        """How many are unread."""
        return _json(await self._inbox.counts(subscriber))

    async def change(self, request: web.Request, subscriber: Subscriber) -> web.StreamResponse:
        """202 once Kafka has it."""
        body = value_of(await request.read(), _CHANGE)
        return _json(await self._inbox.change(subscriber, body), 202)

    @asynccontextmanager
    async def _connected(
        self, request: web.Request, subscriber: Subscriber
    ) -> AsyncIterator[Stream]:
        listener = self._hub.listen(subscriber)
        if listener is None:
            raise Problem(429, "The user has too many connections.", headers=RETRY_AFTER)
        device = request.query.get("device") or f"web-{secrets.token_hex(6)}"
        stream = Stream(self._hub, self._desk.owners, subscriber, listener)
        try:
            await self._here.came(subscriber, device[:200])
            yield stream
        finally:
            stream.end()
            await self._here.went(subscriber, device[:200])

    def _for_subscriber(self, handler: Handler) -> Callable[..., Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            headers: dict[str, str] = {}
            try:
                subscriber = read_token(_token(request), self._key, self._desk.clock.now() // 1000)
                if subscriber is None:
                    raise Problem(401, "The subscriber token is missing, forged or has ended.")
                request[LIMITS] = headers = await self._limits.require(*subscriber)
                response = await handler(request, subscriber)
            except Problem as problem:
                problem.headers = {**headers, **problem.headers}
                return problem.response()
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                return Problem(400, "", field_error(error), headers=headers).response()
            except Unavailable as error:
                return Problem(503, str(error), headers={**headers, **RETRY_AFTER}).response()
            if not response.prepared:
                response.headers.update(headers)
            return response

        return handle


async def _send_all(
    request: web.Request, answer: web.WebSocketResponse, stream: Stream, first: Iterable[Said]
) -> None:
    for each in first:
        await answer.send_frame(each.text, WSMsgType.TEXT)
    if request.transport is not None:
        stream.go_straight(straight_to(request.transport))
    async for each in stream.messages():
        await answer.send_frame(each.text, WSMsgType.TEXT)


async def _write_all(answer: web.StreamResponse, stream: Stream, first: Iterable[Said]) -> None:
    for each in first:
        await answer.write(_event(each))
    async for each in stream.messages():
        await answer.write(_event(each))


def _script(file: Path, kept: str) -> Plain:
    """A part of the web component, which needs no token to be loaded."""
    headers = {"Cache-Control": kept, "Content-Type": "text/javascript; charset=utf-8"}

    async def serve(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(file, headers=headers)

    return serve


def _event(each: Said) -> bytes:
    return b"id: %d\ndata: %b\n\n" % each


async def _hear(answer: web.WebSocketResponse) -> None:
    async for message in answer:
        if message.type is WSMsgType.ERROR:
            return


async def _beat(answer: web.StreamResponse) -> None:
    while True:
        await asyncio.sleep(HEARTBEAT)
        await answer.write(b": ping\n\n")


async def _end(*tasks: asyncio.Task[object]) -> None:
    for task in tasks:
        task.cancel()
    # A client that is gone is nothing to tell of.
    await asyncio.gather(*tasks, return_exceptions=True)


def _token(request: web.Request) -> str:
    # A browser's EventSource and WebSocket can send no header.
    return bearer_of(request) or request.query.get("token", "")


def _last(request: web.Request) -> int | None:
    text = request.headers.get("Last-Event-ID") or request.query.get("last", "")
    return int(text) if text.isdecimal() and len(text) < 16 else None


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=_encode(value), content_type="application/json")
