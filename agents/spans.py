"""The spans of an event's way: routed, decided, called. Their ids follow from what they are about,
so that what a crash repeats is the same span again."""

from collections.abc import Iterable, Mapping, Sequence

from aiokafka import ConsumerRecord
from msgspec.structs import replace

from pipeline.processing.slices import Slice
from pipeline.tracing.export import emit, is_tracing
from pipeline.tracing.span import CLIENT, CONSUMER, INTERNAL, Span
from policy.decision.decision import Decision, Outcome
from schemas.delivery import Delivery
from schemas.event import Event
from schemas.request import Request
from schemas.trace import HEADER, STATE_HEADER, TraceContext, begun, parse, rooted, state_of
from schemas.vocabulary import Stage
from sinks.provider import Outcome as Called
from sinks.provider import Sent

MOST_LINKS = 128
"""Of a span: OpenTelemetry's own limit, beyond which a collector may drop them."""


def traced(record: ConsumerRecord, event: Event, ratio: float) -> Event:
    """The event with the span of its routing as `trace`, if it is traced, else without one.

    What its producer decided counts, in the header or in `trace`; of events of whose trace nothing
    is said, so large a share is traced.
    """
    if not is_tracing():
        return replace(event, trace="") if event.trace else event
    if not (record.headers or event.trace or ratio):
        return event
    parent, is_said = _parent(record, event)
    if is_said:
        if parent is None:
            return replace(event, trace="") if event.trace else event
        context = parent.child("route", record.topic, str(record.partition), str(record.offset))
    else:
        root = begun(ratio, event.tenant, event.id)
        if root is None:
            return event
        context = root
    state = _state(record, event)
    attributes = {
        "messaging.system": "kafka",
        "messaging.destination.name": record.topic,
        "messaging.kafka.offset": str(record.offset),
        "tocsin.event_id": event.id,
        "tocsin.event_type": event.type,
        "tocsin.tenant": event.tenant,
    }
    at = record.timestamp
    emit(Span("route", CONSUMER, context, parent, at, at, attributes, state=state))
    return replace(event, trace=str(context), tracestate=state)


def decided(decision: Decision, now: int) -> tuple[Delivery, ...]:
    """The deliveries, each with the span of its decision as `trace`; links lead to all events that
    a digest tells of."""
    told = [
        (each.outcome.channel, each.request.event.trace)
        for each in decision.notices
        if each.outcome.stage is Stage.DIGESTED and each.request.event.trace
    ]
    return tuple(_decided(each, told, now) if each.trace else each for each in decision.deliveries)


def not_sent_span(request: Request, notification: str, outcome: Outcome, now: int) -> None:
    """Emit that a message is not sent, or not now, and why."""
    parent, _ = parse(request.event.trace)
    if parent is None:
        return
    channel = str(outcome.channel or "")
    context = parent.child("decide", notification, channel, outcome.stage, outcome.digest)
    attributes = {
        "tocsin.notification_id": notification,
        "tocsin.type": request.type,
        "tocsin.channel": channel,
        "tocsin.stage": str(outcome.stage),
        "tocsin.reason": str(outcome.reason),
    }
    state = request.event.tracestate
    emit(Span("decide", INTERNAL, context, parent, now, now, attributes, state=state))


def call_headers(first: Delivery, deliveries: Sequence[Delivery]) -> Mapping[str, str]:
    """What one call to a provider for these bears of the trace of the first that has one."""
    parent, _ = parse(first.trace)
    if parent is None:
        return {}
    headers = {HEADER: str(_call_of(parent, deliveries))}
    return {**headers, STATE_HEADER: first.tracestate} if first.tracestate else headers


def called(
    provider: str,
    deliveries: Sequence[Delivery],
    outcomes: Sequence[Called],
    start: int,
    end: int,
) -> None:
    """Emit the call; where several deliveries share it, it links to the others' decisions."""
    contexts = [context for each in deliveries if (context := parse(each.trace)[0]) is not None]
    if not contexts:
        return
    parent, *others = contexts
    first = next(each for each in deliveries if each.trace)
    failed = [each for each in outcomes if not isinstance(each, Sent)]
    attributes = {
        "tocsin.provider": provider,
        "tocsin.channel": str(first.channel),
        "tocsin.notification_id": first.notification_id,
        "tocsin.delivery_id": first.delivery_id,
        "tocsin.attempt": str(first.attempt),
    }
    error = str(failed[0].reason) if failed else ""
    context = _call_of(parent, deliveries)
    emit(
        Span(
            *("send", CLIENT, context, parent, start, end, attributes, tuple(others), error),
            state=first.tracestate,
        )
    )


def slice_done(role: str, slice_: Slice, traces: Iterable[str], start: int, end: int) -> None:
    """Emit that records were worked on together, until all that came of them was durable.

    It is a trace by itself, which links to the spans of those records that are traced.
    """
    found = dict.fromkeys(context for each in traces if (context := parse(each)[0]) is not None)
    if not found:
        return
    at = slice_.partition
    context = rooted("slice", role, at.topic, str(at.partition), str(slice_.start))
    attributes = {
        "messaging.system": "kafka",
        "messaging.destination.name": at.topic,
        "messaging.destination.partition.id": str(at.partition),
        "messaging.kafka.offset": str(slice_.start),
        "messaging.batch.message_count": str(len(slice_.records)),
        "tocsin.role": role,
    }
    links = tuple(found)[:MOST_LINKS]
    emit(Span("slice", CONSUMER, context, None, start, end, attributes, links))


def _state(record: ConsumerRecord, event: Event) -> str:
    """What goes with the `traceparent` of the header, or else with that of the event."""
    said = [value for name, value in record.headers if name.lower() == STATE_HEADER and value]
    if said:
        return state_of(b",".join(said).decode(errors="replace"))
    has_header = any(name.lower() == HEADER for name, _ in record.headers)
    return "" if has_header or not event.tracestate else state_of(event.tracestate)


def _parent(record: ConsumerRecord, event: Event) -> tuple[TraceContext | None, bool]:
    for name, value in record.headers:
        if name.lower() == HEADER:
            parent, is_one = parse((value or b"").decode(errors="replace"))
            if is_one:
                return parent, True
    return parse(event.trace) if event.trace else (None, False)


def _decided(delivery: Delivery, told: Sequence[tuple[object, str]], now: int) -> Delivery:
    parent, _ = parse(delivery.trace)
    if parent is None:
        return delivery
    context = parent.child("decide", delivery.delivery_id)
    links = tuple(
        link
        for channel, trace in told
        if channel == delivery.channel and trace != delivery.trace
        for link in parse(trace)[:1]
        if link is not None
    )
    attributes = {
        "tocsin.notification_id": delivery.notification_id,
        "tocsin.delivery_id": delivery.delivery_id,
        "tocsin.type": delivery.type,
        "tocsin.channel": str(delivery.channel),
    }
    state = delivery.tracestate
    emit(Span("decide", INTERNAL, context, parent, now, now, attributes, links, state=state))
    return replace(delivery, trace=str(context))


def _call_of(parent: TraceContext, deliveries: Sequence[Delivery]) -> TraceContext:
    attempts = [f"{each.delivery_id}.{each.attempt}" for each in deliveries]
    return parent.child("send", *attempts)
