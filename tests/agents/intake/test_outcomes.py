"""Outcomes as other services read them: by the CloudEvents SDK, from the topic."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import ConsumerRecord
from cloudevents.core.bindings.kafka import KafkaMessage, from_structured
from cloudevents.core.formats.json import JSONFormat

from pipeline.producing.outputs import partition_of
from policy.delivery_events import reached
from policy.source.compile import compile_source
from policy.source.entry import SourceEntry
from schemas.outcome import TYPE
from schemas.topics import CONTACTS, DEAD_LETTERS, DELIVERY_EVENTS, EVENTS, MISPLACED, OUTCOMES
from schemas.vocabulary import Stage as Step
from tests.agents.line import PARTITIONS, Line
from tests.agents.names import unique
from tests.agents.samples import delivery, order_shipped, reachable
from tests.agents.stage import Stage, staging


@pytest.fixture
async def telling(line: Line, tmp_path: Path) -> AsyncIterator[Stage]:
    """A stage on which outcomes are told."""
    async with staging(line, tmp_path, outcomes=True) as ready:
        yield ready


def event_of(record: ConsumerRecord) -> Any:
    """The record as the SDK reads it, which refuses what is no CloudEvent."""
    message = KafkaMessage(dict(record.headers), record.key, record.value)
    return from_structured(message, JSONFormat())


async def test_the_sdk_reads_what_became_of_a_notification(telling: Stage) -> None:
    user = unique("user")
    said = delivery(telling.clock, user=user)
    rows = [reached(said, step, telling.clock.now()) for step in (Step.QUEUED, Step.SENT)]
    await telling.say(DELIVERY_EVENTS, *rows, key=None, partition=1)
    await telling.work(telling.intake)
    (record,) = await telling.raw(OUTCOMES)
    assert dict(record.headers) == {"content-type": b"application/cloudevents+json; charset=UTF-8"}
    assert (record.key, record.partition) == (user.encode(), partition_of(user, PARTITIONS))
    event = event_of(record)
    assert event.get_specversion() == "1.0"
    assert (event.get_type(), event.get_source()) == (f"{TYPE}sent.v1", "/tocsin/default")
    assert (event.get_id(), event.get_subject()) == (rows[1].id, said.notification_id)
    assert event.get_time().timestamp() * 1000 == pytest.approx(rows[1].at, abs=1)
    assert event.get_data()["channel"] == "push"


async def test_what_is_not_sent_says_why_for_all_channels(telling: Stage) -> None:
    """From the event to the outcome, through the roles between."""
    user = unique("user")
    event = order_shipped(user)
    await telling.say(CONTACTS, reachable(user))
    await telling.say(EVENTS, event, event)
    await telling.work(telling.router, telling.decider, telling.intake)
    found = [event_of(record) for record in await telling.raw(OUTCOMES)]
    (again,) = [each for each in found if each.get_data().get("reason") == "duplicate"]
    assert again.get_type() == f"{TYPE}suppressed.v1"
    assert (again.get_data()["user"], again.get_data()["event_id"]) == (user, event.id)


async def test_after_a_crash_the_same_ids_come_again(telling: Stage) -> None:
    said = delivery(telling.clock)
    sent = reached(said, Step.SENT, telling.clock.now())
    await telling.say(DELIVERY_EVENTS, sent, b"{no json", key=None, partition=0)
    await telling.work(telling.intake)
    telling.again(DELIVERY_EVENTS)
    await telling.work(telling.intake)
    records = await telling.raw(OUTCOMES)
    assert [event_of(each).get_id() for each in records] == [sent.id, sent.id]
    assert records[0].value == records[1].value
    assert len({each.key for each in await telling.raw(DEAD_LETTERS)}) == 1


async def test_where_it_is_not_set_delivery_events_are_not_even_read(
    stage: Stage, telling: Stage
) -> None:
    assert stage.intake.topics == (MISPLACED.name,)
    assert telling.intake.topics == (MISPLACED.name, DELIVERY_EVENTS.name)


@pytest.mark.parametrize("pattern", ["outcomes", "out*", "?utcomes"])
def test_a_source_that_would_read_them_is_refused(pattern: str) -> None:
    entry = msgspec.convert(
        {"into": "events", "format": "cloudevents", "topics": [pattern]}, SourceEntry
    )
    _, problems = compile_source("loop", entry)
    assert any("Tocsin's own" in said for _, said in problems)
