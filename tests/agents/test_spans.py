"""One trace of an event: from its producer's span to the provider's call, with links of digests."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import msgspec
import pytest
from aiokafka import ConsumerRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from pydantic import SecretStr

from agents.replay.in_memory_pipeline import HeldClock, Rehearsal
from agents.sink.dispatch import Dispatch
from agents.sink.provider_calls import Call
from agents.spans import traced
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.process.runtime import Runtime
from pipeline.producing.memory_log import MemoryLog
from pipeline.records.made_record import make_record
from pipeline.settings import Settings
from pipeline.tracing.export import start_tracing, stop_tracing
from policy.catalogue.catalogue import parse as parse_catalogue
from schemas.delivery import Delivery
from schemas.encoding import encode
from schemas.event import Event
from schemas.topics import CONTACTS, DELIVER, EVENTS
from schemas.trace import HEADER, TraceContext, parse
from sinks.http.client import HttpClient
from sinks.registry import Weighted
from sinks.sms.twilio import Twilio
from tables.sent import SentLedger
from tables.storage.memory_store import MemoryStore
from tests.agents.compositions.flow import kind
from tests.collector import Collector, collecting
from tests.patience import PATIENCE

NOON = round(datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp() * 1000)
TEN_MINUTES = 600_000
PARENT = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
OTHER = TraceContext("11111111111111111111111111111111", "2222222222222222")
SMS = kind("transactional = true", "sms")
DIGEST = kind('transactional = true\ndigests = [{ channels = ["sms"], every = "10m" }]', "sms")


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    async with collecting() as running:
        url, secret = f"{running.url}/v1/traces", SecretStr("Bearer of-this-test")
        start_tracing(Settings(otlp_url=url, otlp_authorization=secret), "tocsin-test")
        try:
            yield running
        finally:
            await asyncio.to_thread(stop_tracing)


async def collected() -> None:
    """All that was emitted has arrived, or was given up."""
    await asyncio.to_thread(stop_tracing)


def event(name: str, trace: str) -> Event:
    return Event(
        id=name,
        type="thing.happened",
        actor="bob",
        occurred_at=datetime.fromtimestamp(NOON / 1000, UTC),
        data={"who": "ann", "key": "k", "text": name},
        trace=trace,
    )


def record(said: Event, *headers: tuple[str, bytes]) -> ConsumerRecord:
    return make_record(ConsumerRecord, EVENTS.name, 0, 7, NOON, b"bob", encode(said), headers)


async def deliveries(catalogue: str, *events: Event, until: int = NOON) -> list[Delivery]:
    """What router and decider make of them, in memory."""
    clock = HeldClock(NOON)
    log = MemoryLog(clock)
    settings = Settings(sms_prices={})
    fixed = FixedCatalogue(parse_catalogue({"t.toml": catalogue}))
    workers = Rehearsal(fixed, settings, log, clock, MemoryStore({}), MemoryStore({}))
    contacts = encode({"user": "ann", "phone": "+15005550001"})
    await log.write(CONTACTS.name, 0, [(b"ann", contacts)])
    await workers.settle()
    await log.write(EVENTS.name, 0, [(b"bob", encode(each)) for each in events])
    await workers.settle()
    await workers.advance(until)
    return [
        msgspec.json.decode(each.value, type=Delivery)
        for topic in dict.fromkeys(DELIVER.values())
        for each in log.topics.get(topic.name, ())
    ]


async def send(collector: Collector, *sent: Delivery) -> None:
    """Have Twilio called for each."""
    settings = Settings(
        twilio_url=collector.url,
        twilio_account_sid="AC1",
        twilio_auth_token=SecretStr("secret"),
        provider_timeout=PATIENCE,
    )
    http = HttpClient(PATIENCE, connections=2)
    clock = HeldClock(NOON)
    runtime = Runtime(settings, MemoryLog(clock), clock)
    dispatch = Dispatch([Weighted(Twilio(settings, http), 1)], runtime, holds=False)
    ledger = SentLedger(MemoryStore({}))
    for each in sent:
        await dispatch.deliver(Call(each, ledger, asyncio.Event()))
    await http.close()


def ids(span: Span) -> tuple[str, str, str]:
    return span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()


async def test_an_event_is_one_trace_from_its_producer_to_the_providers_request(
    collector: Collector,
) -> None:
    (sent,) = await deliveries(SMS, event("e1", str(PARENT)))
    await send(collector, sent)
    await collected()
    (route,), (decide,), (call,) = map(collector.named, ("route", "decide", "send"))
    assert ids(route) == (PARENT.trace_id, route.span_id.hex(), PARENT.span_id)
    assert ids(decide) == (PARENT.trace_id, decide.span_id.hex(), route.span_id.hex())
    assert ids(call) == (PARENT.trace_id, call.span_id.hex(), decide.span_id.hex())
    (headers,) = collector.calls
    assert headers[HEADER] == f"00-{PARENT.trace_id}-{call.span_id.hex()}-01"
    assert [each.kind for each in (route, decide, call)] == [
        Span.SPAN_KIND_CONSUMER,
        Span.SPAN_KIND_INTERNAL,
        Span.SPAN_KIND_CLIENT,
    ]
    assert collector.services == {"tocsin-test"}
    assert {each["authorization"] for each in collector.requests} == {"Bearer of-this-test"}


async def test_a_digest_goes_on_the_newest_trace_and_links_to_the_others(
    collector: Collector,
) -> None:
    events = event("e1", str(OTHER)), event("e2", str(PARENT))
    (sent,) = await deliveries(DIGEST, *events, until=NOON + 2 * TEN_MINUTES)
    await collected()
    decided = {each.span_id.hex(): each for each in collector.named("decide")}
    context, _ = parse(sent.trace)
    assert context is not None
    last = decided[context.span_id]
    routes = {each.trace_id.hex(): each.span_id.hex() for each in collector.named("route")}
    traces = {OTHER.trace_id, PARENT.trace_id}
    assert routes.keys() == traces
    assert routes[last.trace_id.hex()] == last.parent_span_id.hex()
    (other,) = traces - {last.trace_id.hex()}
    assert [(each.trace_id.hex(), each.span_id.hex()) for each in last.links] == [
        (other, routes[other])
    ]


async def test_spans_name_no_address_and_no_text(collector: Collector) -> None:
    said = event("e1", str(PARENT))
    (sent,) = await deliveries(SMS, said)
    await send(collector, sent)
    await collected()
    texts = {each.value.string_value for span in collector.spans for each in span.attributes} | {
        span.name for span in collector.spans
    }
    assert not any(secret in text for text in texts for secret in ("+1500", "ann", "secret"))


async def test_what_is_not_sent_says_why(collector: Collector) -> None:
    assert not await deliveries(kind("", "sms"), event("e1", str(PARENT)))
    await collected()
    (span,) = collector.named("decide")
    found = {each.key: each.value.string_value for each in span.attributes}
    assert (found["tocsin.stage"], found["tocsin.reason"]) == ("suppressed", "opted_out")


async def test_a_failed_call_is_an_error_and_the_next_attempt_another_span(
    collector: Collector,
) -> None:
    (sent,) = await deliveries(SMS, event("e1", str(PARENT)))
    lost = Collector(url="http://127.0.0.1:1")
    await send(lost, sent)
    await send(collector, msgspec.structs.replace(sent, attempt=1))
    await collected()
    first, second = collector.named("send")
    assert (first.status.code, first.status.message) == (Status.STATUS_CODE_ERROR, "unreachable")
    assert second.status.code == Status.STATUS_CODE_UNSET
    assert first.span_id != second.span_id


async def test_the_same_work_again_is_the_same_span(collector: Collector) -> None:
    said = event("e1", str(PARENT))
    assert await deliveries(SMS, said) == await deliveries(SMS, said)
    await collected()
    assert len({each.span_id for each in collector.spans}) == 2


HEADERS = (
    ((HEADER, str(PARENT).encode()),),
    (("Traceparent", str(PARENT).encode()), ("other", b"x")),
)


@pytest.mark.parametrize("headers", HEADERS)
async def test_a_kafka_header_says_where_an_event_belongs(
    collector: Collector, headers: tuple[tuple[str, bytes], ...]
) -> None:
    said = event("e1", str(OTHER))
    context, _ = parse(traced(record(said, *headers), said, 0.0).trace)
    assert context is not None
    assert context.trace_id == PARENT.trace_id


@pytest.mark.parametrize(
    ("header", "ratio", "is_traced"),
    [
        (str(PARENT)[:-1] + "0", 1.0, False),  # its producer decided that it is not
        ("", 1.0, True),
        ("nonsense", 1.0, True),
        ("", 0.0, False),
    ],
)
async def test_of_others_a_share_is_traced(
    collector: Collector, header: str, ratio: float, is_traced: bool
) -> None:
    said = event("e1", "")
    headers = ((HEADER, header.encode()),) if header else ()
    assert bool(traced(record(said, *headers), said, ratio).trace) is is_traced


async def test_without_a_collector_nothing_is_traced() -> None:
    said = event("e1", str(PARENT))
    assert traced(record(said, (HEADER, str(PARENT).encode())), said, 1.0).trace == ""
    (sent,) = await deliveries(SMS, said)
    assert sent.trace == ""
