"""A draft from records is a catalogue that can be used as it is."""

from typing import Any

import orjson
import pytest

from policy.catalogue.catalogue import parse
from policy.source.inference import NothingToInfer, draft
from policy.source.record import Mapped, SourceRecord
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
        (change("u", ORDER, ORDER), "debezium+json", "31", AT // 1000),
        (change("u", ORDER, ORDER, schema=True), "debezium+json", "31", AT // 1000),
        (change("c", None, BEFORE), "debezium+json", "unknown", 1465581029),
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
