"""A draft from records is a catalogue that can be used as it is."""

from typing import Any

import orjson
import pytest

from policy.catalogue.catalogue import parse
from policy.source.inference import NothingToInfer, draft
from policy.source.record import Mapped, SourceRecord
from policy.source.usable import judged
from schemas.event import Event
from tests.policy.source.payloads import BEFORE, change
from tests.policy.source.sources import AT, said

ORDER = {
    "id": 7,
    "customerId": "ann",
    "shop_id": 31,
    "total": 12.5,
    "gift": None,
    "tags": ["new"],
    "created_at": 1_773_480_389,
    'odd "name"': 1,
}
LATE: dict[str, Any] = {
    "op": "u",
    "before": None,
    "after": {"shop_id": 31},
    "source": {"ts_ms": AT},
}
"""Without a moment of its own: its source has one."""
CLOUD = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "t", "data": ORDER}


def records(*values: Any) -> list[SourceRecord]:
    """Records with these values, JSON unless they are bytes."""
    raw = [each if isinstance(each, bytes) else orjson.dumps(each) for each in values]
    return [SourceRecord(value=each, timestamp=AT, topic="shop.public.orders-v1") for each in raw]


@pytest.mark.parametrize(
    ("value", "kind", "actor", "at"),
    [
        (ORDER, "json", "31", AT // 1000),
        (change("u", ORDER, ORDER), "debezium+json", "31", 1465581029),
        (change("u", ORDER, ORDER, schema=True), "debezium+json", "31", 1465581029),
        (change("c", None, BEFORE), "debezium+json", "unknown", 1465581029),
        (ORDER | {"created_at": AT // 1000 - 90_000}, "json", "31", AT // 1000),
        (ORDER | {"created_at": AT // 1000 - 90_000, "updatedAt": AT}, "json", "31", AT // 1000),
        (LATE, "debezium+json", "31", AT // 1000),
        (CLOUD, "cloudevents", "31", AT // 1000),
        (ORDER | {"created_at": AT * 1000}, "json", "31", AT // 1000),
        (ORDER | {"created_at": "2026-03-14T09:26:29Z"}, "json", "31", AT // 1000),
        ({"word": "only"}, "json", "unknown", AT // 1000),
    ],
)
async def test_a_draft_reads_the_records_that_it_was_drawn_from(
    value: Any, kind: str, actor: str, at: int
) -> None:
    given = records(value, b"no JSON")
    text = draft("shop.public.orders-v1", given)
    catalogue = parse({"draft.toml": text})
    (source,) = catalogue.sources.values()
    assert source.entry.format == kind
    assert source.reads("shop.public.orders-v1")
    outcome = await said(source, given[0].value)
    assert isinstance(outcome, Mapped), outcome
    assert isinstance(outcome.value, Event)
    assert catalogue.knows(outcome.value)
    assert outcome.value.actor == actor
    assert int(outcome.value.occurred_at.timestamp()) == at


@pytest.mark.parametrize("values", [(), (b"no JSON",), ([1, 2], "text", None)])
def test_of_what_is_no_object_nothing_is_drafted(values: tuple[Any, ...]) -> None:
    with pytest.raises(NothingToInfer, match=f"none of {len(values)} records of it"):
        draft("it", records(*values))


@pytest.mark.parametrize("topic", ["a" * 249, "...", "2024.orders", "_x"])
async def test_a_draft_can_be_used_whatever_a_topic_is_called(topic: str) -> None:
    (source,) = parse({"draft.toml": draft(topic, records(ORDER))}).sources.values()
    assert source.reads(topic)


async def test_fields_of_any_name_have_their_own_values() -> None:
    """Not those of the record that Kafka gives these names, nor the words of expressions."""
    names = ["key", "topic", "timestamp", "value", "headers", "in", "none", "größe", "order-no"]
    value = {"user_id": 3} | {name: f"of {name}" for name in names} | {'an "odd"': 1, "x": "\x7f"}
    (source,) = parse({"draft.toml": draft("it", records(value))}).sources.values()
    outcome = await said(source, records(value)[0].value)
    assert isinstance(outcome, Mapped), outcome
    assert isinstance(outcome.value, Event)
    del value['an "odd"']
    assert outcome.value.data == value


async def test_what_some_records_lack_makes_none_of_them_unusable() -> None:
    first = {"user_id": 1, "shop_id": 7, "created_at": AT}
    given = records(first, {"user_id": 2, "shop_id": None})
    catalogue = parse({"draft.toml": draft("it", given)})
    (source,) = catalogue.sources.values()
    for each, actor in zip(given, ("7", "unknown"), strict=True):
        outcome = await said(source, each.value)
        assert isinstance(outcome, Mapped), outcome
        assert isinstance(outcome.value, Event)
        assert outcome.value.actor == actor
        assert judged(outcome, catalogue) is outcome


async def test_what_a_schema_beside_rows_says_of_them_is_read() -> None:
    """As Debezium writes a numeric(10,2), a numeric and a date of PostgreSQL's unless it is told
    otherwise."""
    row = {"customer_id": 9, "total": "B88=", "rate": {"scale": 3, "value": "+y4="}, "due": 20787}
    columns = [
        {"field": "customer_id", "type": "int32"},
        {
            "field": "total",
            "type": "bytes",
            "name": "org.apache.kafka.connect.data.Decimal",
            "parameters": {"scale": "2", "connect.decimal.precision": "10"},
        },
        {"field": "rate", "type": "struct", "name": "io.debezium.data.VariableScaleDecimal"},
        {"field": "due", "type": "int32", "name": "io.debezium.time.Date"},
    ]
    after = {"type": "struct", "field": "after", "fields": columns}
    schema = {"type": "struct", "fields": [after]}
    given = orjson.loads(change("u", row, row, schema=True)) | {"schema": schema}
    (source,) = parse({"draft.toml": draft("it", records(given))}).sources.values()
    outcome = await said(source, records(given)[0].value)
    assert isinstance(outcome, Mapped), outcome
    assert isinstance(outcome.value, Event)
    assert outcome.value.data == {
        "customer_id": 9,
        "total": "19.99",
        "rate": "-1.234",
        "due": "2026-11-30",
    }
