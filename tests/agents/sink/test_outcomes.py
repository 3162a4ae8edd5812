"""What follows from each outcome of a call: whether another provider is asked, whether the address
is barred, and when it is tried again. In memory, with providers that only answer."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from prometheus_client import REGISTRY

from agents.replay.in_memory_pipeline import HeldClock
from agents.sink.agent import sink
from pipeline.process.runtime import Runtime
from pipeline.producing.memory_log import MemoryLog
from pipeline.settings import Settings
from schemas.dead_letter import DeadLetter
from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.encoding import encode
from schemas.feedback import Suppression
from schemas.topics import DEAD_LETTERS, DELIVER, DELIVERY_EVENTS, RETRY, SUPPRESSIONS, Topic
from schemas.vocabulary import Channel, Priority, Reason, Stage, SuppressionReason
from sinks.provider import Outcome, PermanentFailure, Sent, TransientFailure
from sinks.registry import Weighted
from sinks.single_message import SingleMessageProvider
from tables.storage.memory_store import MemoryStore
from tests.sinks.requests.recorder import NOW, delivery

ADDRESSES = {
    Channel.PUSH: "device-7",
    Channel.EMAIL: "ada@example.com",
    Channel.SMS: "+4930123456",
    Channel.WEBHOOK: "https://hooks.example.com/7",
}


SECOND = Sent("second")


class Answering(SingleMessageProvider):
    """Answers every call alike."""

    channel = Channel.PUSH
    scheme = ""

    def __init__(self, name: str, outcome: Outcome) -> None:
        self.name = name
        self.outcome = outcome
        self.calls = 0

    async def check(self) -> None:
        """Nothing to check."""

    async def send_one(self, delivery: Delivery) -> Outcome:
        """The outcome that it was made with."""
        self.calls += 1
        return self.outcome


@dataclass
class Result:
    """What came of one delivery."""

    calls: tuple[int, int]
    event: DeliveryEvent
    letters: list[DeadLetter] = field(default_factory=list)
    retries: list[Delivery] = field(default_factory=list)
    bars: list[Suppression] = field(default_factory=list)


async def deliver(
    monkeypatch: pytest.MonkeyPatch,
    outcome: Outcome,
    *,
    channel: Channel = Channel.PUSH,
    then: Outcome = SECOND,
    **settings: Any,
) -> Result:
    """Hand one delivery to a sink with two providers, the second of which only stands by."""
    clock = HeldClock(NOW)
    log, store = MemoryLog(clock), MemoryStore({})
    monkeypatch.setattr("agents.sink.agent.open_store", lambda *_: store)
    first, second = Answering("first", outcome), Answering("second", then)
    runtime = Runtime(Settings(partitions=1, **settings), log, clock)
    role = sink(channel, [Weighted(first, 1), Weighted(second, 0)], runtime)
    topic = DELIVER[channel, Priority.HIGH]
    said = delivery(channel, ADDRESSES[channel])
    await log.write(topic.name, 0, [(b"ada", encode(said))])
    handler = role.open_handler(0, asyncio.Event())
    slice_ = log.slice_from(topic.name, 0)
    assert slice_ is not None
    await handler.handle(slice_)
    *passed_over, event = read(log, [DELIVERY_EVENTS], DeliveryEvent)
    assert all((each.stage, each.provider) == (Stage.RETRYING, "first") for each in passed_over)
    return Result(
        (first.calls, second.calls),
        event,
        read(log, [DEAD_LETTERS], DeadLetter),
        read(log, [RETRY], Delivery),
        read(log, [SUPPRESSIONS], Suppression),
    )


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        (Sent("m1"), "sent"),
        (TransientFailure(Reason.THROTTLED, ""), "retry"),
        (PermanentFailure(Reason.INVALID_ADDRESS, ""), "refused"),
    ],
)
async def test_outcomes_are_counted_by_the_words_of_alerts_and_dashboards(
    monkeypatch: pytest.MonkeyPatch, outcome: Outcome, word: str
) -> None:
    def count() -> float:
        labels = {"provider": "first", "outcome": word}
        return REGISTRY.get_sample_value("tocsin_provider_calls_total", labels) or 0

    before = count()
    await deliver(monkeypatch, outcome)
    assert count() == before + 1


def read(log: MemoryLog, topics: Sequence[Topic], kind: type[Any]) -> list[Any]:
    records = [record for topic in topics for record in log.topics[topic.name]]
    return [
        value
        for record in records
        for value in msgspec.json.Decoder(kind).decode_lines(record.value or b"")
    ]


CERTAIN = [
    TransientFailure(Reason.THROTTLED, "429", 30.0),
    TransientFailure(Reason.PROVIDER_ERROR, "503"),
    TransientFailure(Reason.UNAUTHORIZED, "401"),
    TransientFailure(Reason.UNREACHABLE, "refused"),
    TransientFailure(Reason.UNREADABLE_REPLY, "a stranger's 404"),
    TransientFailure(Reason.TIMEOUT, "408"),
    TransientFailure(Reason.CIRCUIT_OPEN, "its server is in trouble", 1.0),
]


@pytest.mark.parametrize("outcome", CERTAIN, ids=lambda outcome: outcome.reason)
async def test_what_was_certainly_not_taken_goes_to_the_second_at_once(
    monkeypatch: pytest.MonkeyPatch, outcome: TransientFailure
) -> None:
    found = await deliver(monkeypatch, outcome)
    assert found.calls == (1, 1)
    assert (found.event.stage, found.event.provider) == (Stage.SENT, "second")
    assert (found.letters, found.retries, found.bars) == ([], [], [])


@pytest.mark.parametrize("outcome", CERTAIN, ids=lambda outcome: outcome.reason)
async def test_where_neither_takes_it_the_last_ones_words_and_wait_count(
    monkeypatch: pytest.MonkeyPatch, outcome: TransientFailure
) -> None:
    found = await deliver(monkeypatch, TransientFailure(Reason.PROVIDER_ERROR, "500"), then=outcome)
    assert found.calls == (1, 1)
    assert (found.event.stage, found.event.reason) == (Stage.RETRYING, outcome.reason)
    assert (found.event.provider, found.event.detail) == ("second", outcome.detail)
    (again,) = found.retries
    assert again.attempt == 1
    assert again.due_at >= NOW + 1000 * (outcome.after or 0)
    assert again.due_at <= NOW + 1000 * max(5, outcome.after or 0)
    assert (found.letters, found.bars) == ([], [])


UNCERTAIN = [
    TransientFailure(Reason.TIMEOUT, "no reply", uncertain=True),
    TransientFailure(Reason.UNREACHABLE, "reset", uncertain=True),
    TransientFailure(Reason.PROVIDER_ERROR, "502", 30.0, uncertain=True),
    TransientFailure(Reason.UNREADABLE_REPLY, "HTTP 200 not understood", uncertain=True),
]


@pytest.mark.parametrize("outcome", UNCERTAIN, ids=lambda outcome: outcome.reason)
@pytest.mark.parametrize("channel", list(ADDRESSES))
async def test_what_may_have_been_taken_is_asked_of_no_other(
    monkeypatch: pytest.MonkeyPatch, outcome: TransientFailure, channel: Channel
) -> None:
    found = await deliver(monkeypatch, outcome, channel=channel)
    assert found.calls == (1, 0)
    assert (found.event.stage, found.event.provider) == (Stage.RETRYING, "first")
    assert found.event.reason is outcome.reason
    (again,) = found.retries
    assert again.due_at >= NOW + 1000 * (outcome.after or 0)
    assert (found.letters, found.bars) == ([], [])


@pytest.mark.parametrize("outcome", UNCERTAIN, ids=lambda outcome: outcome.reason)
@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS])
async def test_or_it_is_held_for_an_operator_where_that_is_chosen(
    monkeypatch: pytest.MonkeyPatch, outcome: TransientFailure, channel: Channel
) -> None:
    chosen: dict[str, Any] = {f"{channel}_uncertain": "hold"}
    found = await deliver(monkeypatch, outcome, channel=channel, **chosen)
    assert found.calls == (1, 0)
    assert (found.event.stage, found.event.reason) == (Stage.FAILED, Reason.UNCERTAIN)
    assert [letter.reason for letter in found.letters] == [Reason.UNCERTAIN]
    assert found.letters[0].detail == f"it may have been sent: {outcome.reason}: {outcome.detail}"
    assert (found.retries, found.bars) == ([], [])


async def test_what_is_sure_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    for outcome in CERTAIN:
        hold: dict[str, Any] = {"sms_uncertain": "hold"}
        found = await deliver(monkeypatch, outcome, channel=Channel.SMS, **hold)
        assert found.event.stage is Stage.SENT


@pytest.mark.parametrize(
    ("channel", "bar"),
    [
        (Channel.PUSH, SuppressionReason.UNREGISTERED),
        (Channel.EMAIL, SuppressionReason.UNREGISTERED),
        (Channel.WEBHOOK, SuppressionReason.UNREGISTERED),
        # Gone to a provider of texts is who answered STOP there, and START takes it back.
        (Channel.SMS, SuppressionReason.STOP),
    ],
)
async def test_an_address_that_is_gone_is_barred_and_asked_of_no_other(
    monkeypatch: pytest.MonkeyPatch, channel: Channel, bar: SuppressionReason
) -> None:
    found = await deliver(
        monkeypatch, PermanentFailure(Reason.UNREGISTERED, "410"), channel=channel
    )
    assert found.calls == (1, 0)
    assert (found.event.stage, found.event.reason) == (Stage.FAILED, Reason.UNREGISTERED)
    assert [letter.reason for letter in found.letters] == [Reason.UNREGISTERED]
    (said,) = found.bars
    assert (said.user, said.channel, said.reason) == ("ada", channel, bar)
    assert (said.address, said.until) == (ADDRESSES[channel], None)
    assert found.retries == []


async def test_what_never_was_a_device_is_barred_as_one_that_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = await deliver(monkeypatch, PermanentFailure(Reason.INVALID_ADDRESS, "BadDeviceToken"))
    assert found.event.reason is Reason.INVALID_ADDRESS
    (said,) = found.bars
    assert (said.reason, said.address) == (SuppressionReason.UNREGISTERED, ADDRESSES[Channel.PUSH])


@pytest.mark.parametrize("reason", [Reason.REJECTED, Reason.INVALID_ADDRESS, Reason.NO_PROVIDER])
async def test_what_is_refused_is_a_dead_letter_and_bars_nothing(
    monkeypatch: pytest.MonkeyPatch, reason: Reason
) -> None:
    found = await deliver(monkeypatch, PermanentFailure(reason, "no", lasting=False))
    assert found.calls == (1, 0)
    assert (found.event.stage, found.event.reason) == (Stage.FAILED, reason)
    assert [(letter.reason, letter.detail) for letter in found.letters] == [(reason, "no")]
    assert (found.retries, found.bars) == ([], [])


async def test_what_was_sent_is_told_as_sent_with_its_cost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = await deliver(monkeypatch, Sent("ref", 2, 0.15), channel=Channel.SMS)
    assert found.calls == (1, 0)
    event = found.event
    assert (event.stage, event.reason, event.provider) == (Stage.SENT, Reason.NONE, "first")
    assert (event.detail, event.segments, event.cost) == ("ref", 2, 0.15)
    assert (found.letters, found.retries, found.bars) == ([], [], [])
