"""HTTP/2 in the clear, as a server: what aiohttp can't, for handlers written for aiohttp."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

from aiohttp import web
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError

from embedded.simulators.faults import Handler

HOST = "127.0.0.1"
log = logging.getLogger(__name__)


class Request:
    """One request, as far as our handlers look at it."""

    def __init__(self, headers: Mapping[str, str], transport: asyncio.BaseTransport) -> None:
        self.headers = headers
        self.path = headers[":path"]
        self.method = headers[":method"]
        self.transport = transport
        self.body = bytearray()

    async def read(self) -> bytes:
        """The body, which is whole before the handler is called."""
        return bytes(self.body)


class Connection(asyncio.Protocol):
    """One client's connection; each stream's handler runs as a task."""

    def __init__(self, handler: Handler, tasks: set[asyncio.Task[None]]) -> None:
        self._handler = handler
        self._tasks = tasks
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._requests: dict[int, Request] = {}
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = transport
        self._h2.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Read frames; a request that is whole is answered."""
        try:
            events = self._h2.receive_data(data)
        except ProtocolError:
            self._transport.abort()
            return
        for event in events:
            if isinstance(event, RequestReceived):
                headers = {str(name): str(value) for name, value in event.headers}
                self._requests[event.stream_id] = Request(headers, self._transport)
            elif isinstance(event, DataReceived):
                self._requests[event.stream_id].body += event.data
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, StreamEnded):
                self._start(event.stream_id)
            elif isinstance(event, StreamReset):
                self._requests.pop(event.stream_id, None)
        self._flush()

    def _start(self, stream: int) -> None:
        task = asyncio.ensure_future(self._answer(stream, self._requests[stream]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, stream: int, request: Request) -> None:
        try:
            response = await self._handler(cast("web.Request", request))
        except Exception:
            # As aiohttp has it: whoever waits for the stream would wait for good.
            log.exception("%s %s", request.method, request.path)
            response = web.Response(status=500, text="Internal Server Error")
        if self._transport.is_closing() or self._requests.pop(stream, None) is None:
            return
        body = bytes(response.body or b"")  # type: ignore[arg-type]
        headers = [(":status", str(response.status))]
        headers += [(name.lower(), value) for name, value in response.headers.items()]
        self._h2.send_headers(stream, headers, end_stream=not body)
        if body:
            self._h2.send_data(stream, body, end_stream=True)
        self._flush()

    def _flush(self) -> None:
        self._transport.write(self._h2.data_to_send())


@asynccontextmanager
async def serving_http2(handler: Handler) -> AsyncIterator[str]:
    """Serve on a free loopback port inside the block; its URL."""
    tasks: set[asyncio.Task[None]] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(handler, tasks), HOST, 0)
    try:
        yield f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
