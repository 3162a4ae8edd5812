"""One trace of an event: from its producer's span to the provider's call, with links of digests."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import cast

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
from policy.decision.decision import Outcome as DecidedOutcome
from policy.delivery_events import not_sent, reached, reported
from policy.tracking.provider_report import Kind, Report
from policy.tracking.ticket import Purpose, issue_ticket, read_ticket
from schemas.delivery import Delivery
from schemas.encoding import encode
from schemas.event import Event
from schemas.request import Origin, Request
from schemas.topics import CONTACTS, DELIVER, EVENTS
from schemas.trace import HEADER, STATE_HEADER, TraceContext, parse
from schemas.vocabulary import Reason, Stage
from sinks.http.client import HttpClient
from sinks.registry import Weighted
from sinks.sms.twilio import Twilio
from tables.sent import SentLedger
from tables.storage.memory_store import MemoryStore
from tests.agents.compositions.flow import kind
from tests.collector import Collector, collecting
from tests.patience import PATIENCE
from web.tickets import Tickets
from web.workers.partition_router import Owners
from web.workers.report_writer import BackChannel

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


def event(name: str, trace: str, state: str = "") -> Event:
    return Event(
        id=name,
        type="thing.happened",
        actor="bob",
        occurred_at=datetime.fromtimestamp(NOON / 1000, UTC),
        data={"who": "ann", "key": "k", "text": name},
        trace=trace,
        tracestate=state,
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


async def test_what_other_tracers_said_goes_along(collector: Collector) -> None:
    state = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"
    (sent,) = await deliveries(SMS, event("e1", str(PARENT), state))
    await send(collector, sent)
    await collected()
    (headers,) = collector.calls
    assert headers[STATE_HEADER] == state
    spans = [each for each in collector.spans if each.name != "slice"]
    assert {each.trace_state for each in spans} == {state}
    assert len(spans) == 3


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ([b"a=1"], "a=1"),
        ([b"a=1", b"b=2"], "a=1,b=2"),
        ([b"nonsense"], ""),
        ([], ""),
    ],
)
async def test_the_state_of_a_kafka_header_takes_the_place_of_the_events(
    collector: Collector, said: list[bytes], kept: str
) -> None:
    event_ = event("e1", str(OTHER), "of=event")
    headers = [(HEADER, str(PARENT).encode()), *((STATE_HEADER, each) for each in said)]
    assert traced(record(event_, *headers), event_, 0.0).tracestate == kept


async def test_a_slice_links_to_all_of_its_records(collector: Collector) -> None:
    events = event("e1", str(OTHER)), event("e2", str(PARENT)), event("e3", "")
    await deliveries(SMS, *events)
    await collected()
    routes = {(each.trace_id, each.span_id) for each in collector.named("route")}
    router, decider = collector.named("slice")
    for each in (router, decider):
        assert {(link.trace_id, link.span_id) for link in each.links} == routes
        assert len(routes) == 2
        assert each.trace_id not in {trace_id for trace_id, _ in routes}
        assert each.end_time_unix_nano >= each.start_time_unix_nano
    found = {each.key: each.value.string_value for each in router.attributes}
    assert (found["tocsin.role"], found["messaging.batch.message_count"]) == ("router", "3")


async def test_the_rows_of_analysts_name_the_trace(collector: Collector) -> None:
    said = event("e1", str(PARENT))
    told = not_sent(
        Request(
            user="ann",
            type="t",
            event=said,
            accepted_at=NOON,
            origin=Origin("events", 0, 7, ""),
        ),
        parse_catalogue({"t.toml": SMS}).types["thing"],
        "n" * 32,
        DecidedOutcome(None, Reason.OPTED_OUT),
        NOON,
    )
    assert told.trace == PARENT.trace_id
    (sent,) = await deliveries(SMS, said)
    assert reached(sent, Stage.SENT, NOON).trace == PARENT.trace_id
    ticket = read_ticket(issue_ticket(sent, Purpose.REPORT, b"key"), Purpose.REPORT, b"key")
    assert ticket is not None
    assert reported(ticket, Stage.DELIVERED, NOON, provider="p", detail="").trace == (
        PARENT.trace_id
    )


@pytest.mark.parametrize("kind_", [Kind.DELIVERED, Kind.CLICKED])
async def test_what_comes_back_is_a_span_below_its_decision(
    collector: Collector, kind_: Kind
) -> None:
    (sent,) = await deliveries(SMS, event("e1", str(PARENT)))
    ticket = issue_ticket(sent, Purpose.REPORT, b"key")
    log, settings = MemoryLog(HeldClock(NOON)), Settings(signing_key=SecretStr("key"))
    tickets = Tickets(settings, cast("Owners", None))
    fixed = FixedCatalogue(parse_catalogue({"t.toml": SMS}))
    back = BackChannel(log, settings, tickets, fixed, HeldClock(NOON))
    report = Report(kind=kind_, at=NOON + 5000, ticket=ticket)
    assert await back.take([report, report], "twilio") == 2
    await collected()
    first, second = collector.named("report")
    (decide,) = collector.named("decide")
    assert ids(first) == (PARENT.trace_id, first.span_id.hex(), decide.span_id.hex())
    assert first.span_id == second.span_id
    found = {each.key: each.value.string_value for each in first.attributes}
    assert found["tocsin.notification_id"] == sent.notification_id
    assert found["tocsin.reported_at"] == "2026-03-02T12:00:05.000Z"


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
    assert len({each.span_id for each in collector.spans}) == len(collector.spans) / 2 == 4


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
