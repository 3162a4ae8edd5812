import asyncio
from typing import Any

import pytest
import uvloop

from bench.whole.provider_stub import UNKNOWN, Calls, Connection, Receipts, answer_to
from bench.whole.receipts import (
    Latency,
    Sent,
    Shown,
    latencies,
    latency_of,
    note_shown,
    read_receipts,
    sent_of,
    took_of,
)
from schemas.delivery_event import DeliveryEvent
from schemas.encoding import encode
from schemas.inbox import InboxCounts, Item, Live, Message
from schemas.vocabulary import Channel, Priority, Stage


def event(stage: Stage, name: str, **fields: Any) -> DeliveryEvent:
    plain: dict[str, Any] = {
        "id": f"{name}-{stage}",
        "stage": stage,
        "at": 1500,
        "occurred_at": 900,
        "accepted_at": 1000,
        "tenant": "default",
        "type": "order_shipped",
        "category": "orders",
        "priority": Priority.HIGH,
        "user": "ann",
        "event_id": "e1",
        "notification_id": f"n-{name}",
        "delivery_id": f"d-{name}",
        "channel": Channel.PUSH,
    }
    return DeliveryEvent(**(plain | fields))


ITEM: dict[str, Any] = {
    "id": f"0000000001000.{'ab' * 16}",
    "number": 3,
    "notification_id": "n-bell",
    "type": "order_shipped",
    "title": "Shipped",
    "body": "It is on its way.",
    "occurred_at": "1970-01-01T00:00:00.900Z",
}


def live(item: Item | None) -> Live[Message]:
    """What gateways are told of an item, or of counts alone."""
    message = Message("item" if item else "counts", 3, InboxCounts(1, 1, 3), "t:1", item)
    return Live(user="ann", id=3, is_item=item is not None, message=message)


def sent(name: str, accepted_at: int, priority: str = "high", stored_at: int = 0) -> Sent:
    channel = "inapp" if stored_at else "push"
    return Sent(name, f"n-{name}", priority, channel, accepted_at, stored_at)


def test_a_percentile_is_the_smallest_that_so_many_do_not_exceed() -> None:
    took = [float(number) for number in range(200, 0, -1)]
    assert latency_of(took) == Latency(200, 100.0, 198.0)
    assert latency_of([7.25]) == Latency(1, 7.2, 7.2)
    assert latency_of([], missing=3) == Latency(0, 0.0, 0.0, 3)


def test_of_a_message_that_came_twice_the_first_counts_and_a_torn_line_does_not() -> None:
    log = b"1.5 d-a\n2.25 d-b\n1.75 d-a\n3.0 d-"
    assert read_receipts(log) == {"d-a": 1500.0, "d-b": 2250.0}


def test_what_was_held_or_went_out_in_a_digest_is_left_out() -> None:
    events = [
        event(Stage.QUEUED, "now"),
        event(Stage.SENT, "now"),
        event(Stage.SENT, "now"),  # told twice
        event(Stage.HELD, "quiet"),
        event(Stage.SENT, "quiet"),
        event(Stage.DIGESTED, "member", detail="in n-digest"),
        event(Stage.SENT, "digest"),
        event(Stage.SENT, "bell", channel=Channel.INAPP),
    ]
    shown: Shown = {}
    note_shown(shown, encode(live(Item(**ITEM))) + b"\n" + encode(live(None)), 1600)
    note_shown(shown, encode(live(Item(**ITEM))), 1700)  # told twice
    assert shown == {("ann", "n-bell"): 1600}
    assert sent_of(events, shown) == [
        Sent("d-now", "n-now", "high", "push", 1000),
        Sent("d-bell", "n-bell", "high", "inapp", 1000, 1600),
    ]
    assert sent_of(events, {})[1].received_at({}) is None


def test_receipts_count_for_the_events_of_the_window_that_they_belong_to() -> None:
    all_sent = [
        sent("warming", 999),
        sent("first", 1000),
        sent("lost", 1500),
        sent("bell", 1900, stored_at=1940),
        sent("urgent", 1999, "critical"),
        sent("later", 2000),
    ]
    received = {"warming": 1001.0, "first": 1030.0, "urgent": 2009.0, "later": 2001.0}
    assert latencies(all_sent, received, 1000, 2000) == {
        "critical": {"push": Latency(1, 10.0, 10.0)},
        "high": {"inapp": Latency(1, 40.0, 40.0), "push": Latency(1, 30.0, 30.0, missing=1)},
    }
    assert took_of(all_sent, received, 1000, 2000) == {"critical": [10.0], "high": [30.0, 40.0]}


def call(path: str, body: bytes, header: str = "Content-Length") -> bytes:
    return f"POST {path} HTTP/1.1\r\n{header}: {len(body)}\r\n\r\n".encode() + body


CALLS = (
    call("/v1/projects/p/messages:send", b'{"delivery_id":"aaa-1"}'),
    call("/v3/mail/send", b'[{"delivery_id": "b"}, {"delivery_id":"c"}]', header="content-length"),
    call("/2010-04-01/Accounts/A/Messages.json", b"To=1&Callback=x%3Fdelivery_id%3Dd%26y"),
    b"GET /elsewhere HTTP/1.1\r\n\r\n",
)


@pytest.mark.parametrize("size", [1, 7, 50, 1000])
def test_calls_are_whole_however_they_arrive(size: int) -> None:
    everything, calls = b"".join(CALLS), Calls()
    pieces = [everything[at : at + size] for at in range(0, len(everything), size)]
    assert [call for piece in pieces for call in calls.take(piece)] == list(CALLS)


def test_each_provider_is_answered_as_it_answers_and_others_are_not_found() -> None:
    answers = [answer_to(call).split(b"\r\n", 1)[0] for call in CALLS]
    assert answers == [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 202 Accepted",
        b"HTTP/1.1 201 Created",
        b"HTTP/1.1 404 Not Found",
    ]
    assert answer_to(CALLS[3]) == UNKNOWN


def test_every_message_of_a_call_is_noted(tmp_path: Any) -> None:
    with (tmp_path / "log").open("wb") as log:
        receipts = Receipts(log)
        for call in CALLS:
            receipts.note(call)
        receipts.write()
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line.split()[1] for line in lines] == ["aaa-1", "b", "c", "d"]


def test_calls_are_answered_on_the_event_loop_that_the_stub_runs_on(tmp_path: Any) -> None:
    async def ask(log: Any) -> list[bytes]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(Receipts(log)), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answers = []
        for sent_call in CALLS:
            writer.write(sent_call)
            answers.append(await reader.readexactly(len(answer_to(sent_call))))
        writer.close()
        server.close()
        return answers

    with (tmp_path / "log").open("wb") as log:
        assert uvloop.run(ask(log)) == [answer_to(each) for each in CALLS]
