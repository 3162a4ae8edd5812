"""A span, and how OTLP writes it as JSON (opentelemetry.io/docs/specs/otlp, "JSON Protobuf")."""

from collections.abc import Sequence
from typing import Any

import msgspec

from schemas.trace import TraceContext

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5
"""Kinds, as OTLP numbers them."""
_ERROR = 2
_encode = msgspec.json.Encoder().encode


class Span(msgspec.Struct, frozen=True, gc=False):
    """A piece of work from `start` to `end` (epoch ms); `error` is empty where it went well.

    `state` is the `tracestate` that it has.
    `attributes` name ids and kinds alone: no address and no text is among them. `links` are what
    else it is about, beside its `parent`.
    """

    name: str
    kind: int
    context: TraceContext
    parent: TraceContext | None
    start: int
    end: int
    attributes: dict[str, str]
    links: tuple[TraceContext, ...] = ()
    error: str = ""
    state: str = ""


def request_of(spans: Sequence[Span], service: dict[str, str]) -> bytes:
    """The body of a request that exports the spans of a service."""
    return _encode(
        {
            "resourceSpans": [
                {
                    "resource": {"attributes": _attributes(service)},
                    "scopeSpans": [
                        {"scope": {"name": "tocsin"}, "spans": [_written(each) for each in spans]}
                    ],
                }
            ]
        }
    )


def _written(span: Span) -> dict[str, Any]:
    found: dict[str, Any] = {
        "traceId": span.context.trace_id,
        "spanId": span.context.span_id,
        "flags": 1,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": f"{span.start}000000",
        "endTimeUnixNano": f"{span.end}000000",
        "attributes": _attributes(span.attributes),
    }
    if span.parent is not None:
        found["parentSpanId"] = span.parent.span_id
    if span.state:
        found["traceState"] = span.state
    if span.links:
        found["links"] = [
            {"traceId": each.trace_id, "spanId": each.span_id, "flags": 1} for each in span.links
        ]
    if span.error:
        found["status"] = {"code": _ERROR, "message": span.error}
    return found


def _attributes(texts: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": text}} for key, text in texts.items() if text]
