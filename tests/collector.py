"""A collector of spans, which reads them with OpenTelemetry's own messages; and a provider."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

IDS = ("traceId", "spanId", "parentSpanId")


@dataclass
class Collector:
    """What it was sent, in order; `calls` are the headers of the provider's requests."""

    url: str = ""
    requests: list[dict[str, str]] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    services: set[str] = field(default_factory=set)
    calls: list[dict[str, str]] = field(default_factory=list)

    def named(self, name: str) -> list[Span]:
        """The spans of this name."""
        return [each for each in self.spans if each.name == name]

    async def take(self, request: web.Request) -> web.Response:
        """As the receiver of a collector takes a request."""
        message = ParseDict(
            _with_bytes(json.loads(await request.read())), ExportTraceServiceRequest()
        )
        self.requests.append({name.lower(): text for name, text in request.headers.items()})
        for resource in message.resource_spans:
            self.services |= {each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += scope.spans
        return web.json_response({})

    async def call(self, request: web.Request) -> web.Response:
        """As Twilio takes a message."""
        self.calls.append({name.lower(): text for name, text in request.headers.items()})
        return web.json_response({"sid": "SM1", "num_segments": "1"}, status=201)


def _with_bytes(value: Any) -> Any:
    """OTLP writes ids in hex where Protobuf's own JSON has base64."""
    if isinstance(value, list):
        return [_with_bytes(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64encode(bytes.fromhex(each)).decode() if key in IDS else _with_bytes(each)
        for key, each in value.items()
    }


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """A collector that runs for the length of the block."""
    collector, app = Collector(), web.Application()
    app.router.add_post("/v1/traces", collector.take)
    app.router.add_post("/2010-04-01/{rest:.*}", collector.call)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield collector
    finally:
        await runner.cleanup()
