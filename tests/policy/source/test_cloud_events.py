"""CloudEvents as the official SDK writes them for Kafka, and by hand what it does not write."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from cloudevents.core.bindings.kafka import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from policy.source.record import Mapped, Refused
from schemas.event import Event
from schemas.vocabulary import Reason
from tests.policy.source.sources import said, source_of

SOURCE = """
[sources.shop]
topics = "shop.events"
format = "cloudevents"
into = "events"
"""
ATTRIBUTES = {
    "id": "A234-1234-1234",
    "source": "https://github.com/cloudevents/spec/pull",
    "type": "thing.happened",
    "subject": "123",
    "time": datetime(2018, 4, 5, 17, 31, tzinfo=UTC),
    "datacontenttype": "application/json",
    "specversion": "1.0",
    "comexampleextension1": "value",
}


def sent(message: Any) -> dict[str, Any]:
    """A message of the SDK as a record."""
    return {"headers": tuple(message.headers.items()), "key": message.key}


@pytest.mark.parametrize("mode", [to_binary, to_structured])
async def test_an_event_of_the_sdk_is_one_without_any_mapping(mode: Any) -> None:
    message = mode(CloudEvent(ATTRIBUTES, {"who": ["ann"]}), JSONFormat())
    outcome = await said(source_of(SOURCE), message.value, **sent(message))
    assert outcome == Mapped(
        Event(
            id="https://github.com/cloudevents/spec/pull#A234-1234-1234",
            type="thing.happened",
            actor="123",
            occurred_at=ATTRIBUTES["time"],  # type: ignore[arg-type]
            data={"who": ["ann"]},
        ),
        "events",
    )


@pytest.mark.parametrize("mode", [to_binary, to_structured])
async def test_extensions_and_attributes_can_be_mapped(mode: Any) -> None:
    text = (
        SOURCE + '[sources.shop.set]\ntenant = "{{ comexampleextension1 }}"\nactor = "{{ source }}"'
    )
    message = mode(CloudEvent(ATTRIBUTES, {"who": ["ann"]}), JSONFormat())
    outcome = await said(source_of(text), message.value, **sent(message))
    assert isinstance(outcome, Mapped)
    assert isinstance(outcome.value, Event)
    assert (outcome.value.tenant, outcome.value.actor) == ("value", ATTRIBUTES["source"])


@pytest.mark.parametrize("mode", [to_binary, to_structured])
@pytest.mark.parametrize(
    ("data", "kind", "expected"),
    [
        (b"\xff\x00", "application/octet-stream", {"value": "/wA="}),
        ("words", "text/plain", {"value": "words"}),
        ([1, 2], "application/json", {"value": [1, 2]}),
        (None, "application/json", {}),
    ],
)
async def test_data_of_other_kinds_is_text(mode: Any, data: Any, kind: str, expected: Any) -> None:
    message = mode(CloudEvent(ATTRIBUTES | {"datacontenttype": kind}, data), JSONFormat())
    outcome = await said(source_of(SOURCE), message.value or None, **sent(message))
    assert isinstance(outcome, Mapped), outcome
    assert isinstance(outcome.value, Event)
    assert outcome.value.data == expected


@pytest.mark.parametrize(
    ("value", "headers", "why"),
    [
        ({"id": "1"}, {}, "no attributes"),
        ([], {"content-type": "application/cloudevents+json"}, "no object"),
        ({"specversion": "2.0"}, {}, "specversion is '2.0'"),
        ({"specversion": "1.0", "id": "1", "source": "s"}, {}, "no type"),
        ({}, {"ce_specversion": "1.0", "ce_id": "1", "ce_type": "t"}, "no source"),
        (
            {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data_base64": "?"},
            {},
            "data_base64",
        ),
    ],
)
async def test_what_is_no_cloud_event_is_refused(
    value: Any, headers: dict[str, str], why: str
) -> None:
    given = tuple((name, text.encode()) for name, text in headers.items())
    outcome = await said(source_of(SOURCE), orjson.dumps(value), headers=given)
    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.UNDECODABLE
    assert why in outcome.detail
