"""What is told of a delivery, by what its providers said."""

from typing import Any, cast

import msgspec

from agents.sink.dispatch import Answer
from agents.sink.emission import Emission
from pipeline.producing.outputs import Outputs
from schemas.delivery_event import DeliveryEvent
from schemas.topics import DELIVERY_EVENTS
from schemas.vocabulary import Channel, Reason, Stage
from sinks.provider import TransientFailure
from tables.sent import SentMark
from tests.agents.samples import delivery
from tests.agents.shifted_clock import ShiftedClock


class _Record:
    topic, partition, offset, key, value, headers, timestamp = "t", 0, 1, b"k", b"v", (), 5


def told(answer: Answer) -> list[DeliveryEvent]:
    clock = ShiftedClock()
    outputs = Outputs(cast("Any", None))
    said = delivery(clock, channel=Channel.SMS, address="+4915112345678")
    Emission("sms", clock, cast("Any", _Record()), said, outputs).answered(answer)
    entries = outputs.entries[DELIVERY_EVENTS.name, 0]
    return [msgspec.json.decode(value or b"", type=DeliveryEvent) for _, value in entries]


def test_a_provider_that_failed_before_another_took_it_is_told_of() -> None:
    """Else an outage that fail-over hides is in no figure."""
    away = TransientFailure(Reason.UNREACHABLE, "refused")
    mark = SentMark(at=9, provider="up", reference="r", attempt=0)
    first, sent = told(Answer("up", mark, (("down", away),)))
    assert (first.stage, first.provider, first.reason) == (
        Stage.RETRYING,
        "down",
        Reason.UNREACHABLE,
    )
    assert (sent.stage, sent.provider) == (Stage.SENT, "up")
    assert {first.destination, sent.destination} == {"DE mobile"}


def test_all_that_failed_are_told_of_each_once() -> None:
    away = TransientFailure(Reason.UNREACHABLE, "refused")
    rows = told(Answer("last", away, (("first", away), ("second", away))))
    assert [row.provider for row in rows] == ["first", "second", "last"]
    assert len({row.id for row in rows}) == 3
