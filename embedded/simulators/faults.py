"""Faults by request: what a provider does wrong, set while it runs."""

import asyncio
import random
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Annotated, NamedTuple

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

Share = Annotated[float, Meta(ge=0, le=1)]
Handler = Callable[[web.Request], Awaitable[web.Response]]
Refuse = Callable[[int], web.Response]

CLOSE_WITH_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: RST in place of FIN


class Fault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one provider misbehaves; the shares are of its requests, drawn from `seed`.

    `latency` is seconds before anything is looked at; a caller that gives up meanwhile may find
    its message accepted all the same. `error_rate` of the requests get `status`,
    with `retry_after` as its Retry-After header (seconds or an HTTP date). `dead` addresses get
    the provider's own answer for one that is gone, and `refused` ones that for an address with
    this status, where it has one (push): a token of another sender, a subscription with another
    key, a device that gets too much. A hung request is held until the fault is
    replaced or cleared, a reset one is cut off before it is
    accepted; a dropped and a malformed reply come after that.
    """

    latency: Annotated[float, Meta(ge=0)] = 0.0
    error_rate: Share = 0.0
    status: Annotated[int, Meta(ge=400, le=599)] = 503
    retry_after: int | str | None = None
    dead: frozenset[str] = frozenset()
    refused: dict[str, Annotated[int, Meta(ge=400, le=599)]] = {}
    hang_rate: Share = 0.0
    reset_rate: Share = 0.0
    drop_reply_rate: Share = 0.0
    malformed_rate: Share = 0.0
    seed: int = 0


class Drawn(NamedTuple):
    """What is wrong with one request."""

    hangs: bool
    resets: bool
    fails: bool
    drops: bool
    garbles: bool


class Injector:
    """Applies one fault, request by request; the same order of requests meets the same faults."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.requests = 0
        self._random = random.Random(fault.seed)  # noqa: S311 - repeatable, not secret
        self._cleared = asyncio.Event()

    def clear(self) -> None:
        """Let go of the requests that hang."""
        self._cleared.set()

    async def cleared(self) -> None:
        """Hang until the fault is replaced or cleared."""
        await self._cleared.wait()

    def draw(self) -> Drawn:
        """What is to happen to the request that has just come."""
        self.requests += 1
        fault = self.fault
        # Every request takes five draws, so one rate changed does not shift the others.
        return Drawn(
            hangs=self._random.random() < fault.hang_rate,
            resets=self._random.random() < fault.reset_rate,
            fails=self._random.random() < fault.error_rate,
            drops=self._random.random() < fault.drop_reply_rate,
            garbles=self._random.random() < fault.malformed_rate,
        )

    async def answer(self, request: web.Request, handler: Handler, refuse: Refuse) -> web.Response:
        """Answer as the fault wants it: in place of the handler, after it, or not at all."""
        drawn, fault = self.draw(), self.fault
        try:
            # Read first: a caller that gives up while we are slow has still sent its message.
            await request.read()
        except ConnectionError:
            return _cut_off(request)
        await asyncio.sleep(fault.latency)
        if drawn.hangs:
            await self.cleared()
            return _cut_off(request)
        if drawn.resets:
            return _cut_off(request)
        if drawn.fails:
            return self._refused(refuse)
        response = await handler(request)
        if drawn.drops:
            return _cut_off(request)
        if drawn.garbles:
            # An echo of the credentials, so that a caller who logs odd bodies is found out.
            text = f"<html>{request.headers.get('Authorization')}</html>"
            return web.Response(text=text, content_type="text/html")
        return response

    def _refused(self, refuse: Refuse) -> web.Response:
        response = refuse(self.fault.status)
        if self.fault.retry_after is not None:
            response.headers["Retry-After"] = str(self.fault.retry_after)
        return response


class Faults:
    """The faults in force, by provider; `PUT` and `DELETE /_faults/{provider}` change them."""

    def __init__(self) -> None:
        self._injectors: dict[str, Injector] = {}
        self._providers: set[str] = set()

    def guard(self, provider: str, handler: Handler, refuse: Refuse) -> Handler:
        """Put the provider's faults in front of its handler."""
        self.know(provider)

        async def guarded(request: web.Request) -> web.Response:
            injector = self._injectors.get(provider)
            if injector is None:
                return await handler(request)
            return await injector.answer(request, handler, refuse)

        return guarded

    def know(self, provider: str) -> None:
        """Let faults be set for a provider that looks for them itself."""
        self._providers.add(provider)

    def injector(self, provider: str) -> Injector | None:
        """The provider's fault, if one is in force."""
        return self._injectors.get(provider)

    def is_dead(self, provider: str, address: str) -> bool:
        """Whether the address was declared gone."""
        injector = self._injectors.get(provider)
        return injector is not None and address in injector.fault.dead

    def refusal(self, provider: str, address: str) -> int | None:
        """The status that this address alone is answered with, if any."""
        injector = self._injectors.get(provider)
        return None if injector is None else injector.fault.refused.get(address)

    def requests(self, provider: str) -> int:
        """How many requests met the provider's present fault."""
        return self._injectors[provider].requests

    def set(self, provider: str, fault: Fault) -> None:
        """Replace the provider's fault; its random draws start again."""
        self.clear(provider)
        self._injectors[provider] = Injector(fault)

    def clear(self, provider: str) -> None:
        """End the provider's fault."""
        if injector := self._injectors.pop(provider, None):
            injector.clear()

    def clear_all(self) -> None:
        """End every fault."""
        for provider in tuple(self._injectors):
            self.clear(provider)

    async def put(self, request: web.Request) -> web.Response:
        """`PUT /_faults/{provider}` with a Fault as JSON."""
        try:
            fault = msgspec.json.decode(await request.read(), type=Fault)
        except msgspec.MsgspecError as error:
            return web.Response(status=400, text=f"{error}\n")
        self.set(self._provider(request), fault)
        return web.Response(status=204)

    async def delete(self, request: web.Request) -> web.Response:
        """`DELETE /_faults/{provider}`."""
        self.clear(self._provider(request))
        return web.Response(status=204)

    def _provider(self, request: web.Request) -> str:
        provider = request.match_info["provider"]
        if provider not in self._providers:
            raise web.HTTPNotFound(text=f"{provider} is none of {sorted(self._providers)}\n")
        return provider


def _cut_off(request: web.Request) -> web.Response:
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, CLOSE_WITH_RESET)
        request.transport.abort()
    return web.Response()  # goes nowhere: the connection is gone
