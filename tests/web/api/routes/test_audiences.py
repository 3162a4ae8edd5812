"""Whom an event would concern is counted in each partition, in pages, and nothing is written."""

from typing import Any

import pytest
from msgspec import Struct

from schemas.question import CountAudience, Counted
from tests.web.api.client import Client
from tests.web.api.client import client as client

NEWS = {
    "id": "n1",
    "type": "news.published",
    "actor": "shop",
    "data": {"segment": "customers", "title": "t", "text": "x"},
}


def pages(*counts: int) -> Any:
    """In each partition so many users, a page after the other."""

    def answer(partition: str, question: Struct) -> Counted:
        assert isinstance(question, CountAudience)
        at = int(question.done or "0", 16)
        return Counted(counts[at], f"{at + 1:02x}" if at + 1 < len(counts) else "")

    return answer


async def test_a_segment_is_counted_in_all_partitions_page_by_page(client: Client) -> None:
    client.owners.answer = pages(3, 0, 4)
    status, found = await client.call("POST", "/audiences", NEWS)
    partitions = {whom for _, whom, _, _ in client.owners.asked}
    assert len(client.owners.asked) == 3 * len(partitions)
    assert (status, found) == (
        200,
        [
            {
                "type": "news",
                "users": 7 * len(partitions),
                "is_exact": True,
                "segment": "customers",
            }
        ],
    )
    for _, _, question, _ in client.owners.asked:
        assert isinstance(question, CountAudience)
        assert (question.broadcast.named, question.broadcast.event.tenant) == ("customers", "acme")
    assert not any(client.topics.topics.values())


async def test_what_takes_too_long_is_a_bound(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.api.routes.audiences.SECONDS", 0.0)
    client.owners.answer = pages(3, 4)
    _, (found,) = await client.call("POST", "/audiences", NEWS)
    partitions = {whom for _, whom, _, _ in client.owners.asked}
    assert (found["users"], found["is_exact"]) == (3 * len(partitions), False)


async def test_whom_an_event_names_is_known_without_asking(client: Client) -> None:
    data = {"customer_id": ["ann", "bob", "ann"], "order_id": "7"}
    event = {"id": "e", "type": "order.shipped", "actor": "shop", "data": data}
    _, found = await client.call("POST", "/audiences", event)
    assert found == [{"type": "order_shipped", "users": 2, "is_exact": True, "segment": ""}]
    assert not client.owners.asked


async def test_what_can_not_be_counted_is_said(client: Client) -> None:
    unknown = {**NEWS, "data": {"segment": "nobody"}}
    for event, pointer, detail in (
        (unknown, "/data", "data.segment names no segment of customers, longstanding, see news"),
        ({**NEWS, "type": "x"}, "/type", "no notification type of the catalogue"),
    ):
        status, found = await client.call("POST", "/audiences", event)
        assert (status, found["errors"]) == (400, [{"pointer": pointer, "detail": detail}])
