"""A turn: what it leaves, up to where, and what is said where it can't be kept."""

from typing import Any

import pytest
from msgspec.structs import replace

from agents.router.routing import Routed, Routing
from agents.router.unrouted import begin_routing
from pipeline.clock import SystemClock
from pipeline.producing.memory_log import MemoryLog
from pipeline.producing.outputs import MOST_BYTES, Outputs
from pipeline.producing.write_queue import Entry
from schemas.encoding import encode
from schemas.errors import Unavailable
from schemas.event import Event
from schemas.request import Request
from schemas.topics import REQUESTS, Topic
from schemas.vocabulary import Priority
from tables.storage.memory_store import MemoryStore
from tables.storage.transaction import Transaction
from tables.unrouted import UNROUTED
from tests.policy.samples import variant
from tests.tables.ground import COUNTS, NOTES, Note
from tests.tables.storage.test_table import slice_to
from tests.tables.stored import turn_of
from tests.tables.test_pending import NOON, ORIGIN

OUT = Topic(name="out", key="", written_by="", read_by="")


class Refusing:
    """A log that a record breaks."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def write(self, topic: str, partition: int, entries: list[Entry]) -> int:
        """Refuse it."""
        raise self._error


@pytest.mark.parametrize(("up_to", "frontier"), [(None, 30), (29, 29), (0, 0)])
async def test_a_topic_is_done_up_to_the_end_of_its_slice_or_as_far_as_is_said(
    up_to: int | None, frontier: int
) -> None:
    store = MemoryStore()
    await Transaction(slice_to(30), store, Outputs(MemoryLog(SystemClock()))).commit(up_to)
    assert await store.restore() == {"events": frontier}


async def test_a_turn_that_is_of_no_slice_moves_no_frontier() -> None:
    store = MemoryStore()
    transaction = turn_of(store)
    transaction.view(COUNTS).put(b"x", 7)
    await transaction.commit(9)
    assert store.stored == {b"cx": b"\x07"}
    await turn_of(store).commit()
    assert store.stored == {b"cx": b"\x07"}


async def test_one_table_is_one_view_and_each_turn_has_its_own() -> None:
    store = MemoryStore()
    transaction = turn_of(store)
    transaction.view(NOTES).put(b"x", Note("a"))
    assert transaction.view(NOTES).get(b"x") == Note("a")
    assert transaction.view(COUNTS).get(b"x") is None
    assert turn_of(store).view(NOTES).get(b"x") is None


async def test_what_was_sent_is_noted_so_that_nobody_sends_it_again() -> None:
    store, log = MemoryStore(), MemoryLog(SystemClock())
    transaction = Transaction(slice_to(30), store, Outputs(log))
    transaction.outputs.add(OUT, 0, b"k", b"v")
    await transaction.commit()
    await store.note_sent(0)
    await store.restore()
    await store.send_again(log)
    assert [(record.key, record.value) for record in log.topics["out"]] == [(b"k", b"v")]


async def test_a_value_as_large_as_kafka_takes_is_stored_and_a_byte_more_is_refused() -> None:
    """Text of so many bytes, after a byte for the list and five for its length."""
    store = MemoryStore()
    transaction = turn_of(store)
    transaction.view(NOTES).put(b"x", Note("x" * (MOST_BYTES - 6)))
    transaction.view(NOTES).put(b"gone", None)
    await transaction.commit()
    assert len(store.stored[b"nx"]) == MOST_BYTES
    transaction = turn_of(store)
    transaction.view(COUNTS).put(b"x", 1)
    transaction.view(NOTES).put(b"y", Note("x" * (MOST_BYTES - 5)))
    with pytest.raises(ValueError, match=f"{MOST_BYTES + 1} bytes of state"):
        await transaction.commit()
    assert store.stored.keys() == {b"nx"}


async def test_what_breaks_while_it_is_sent_is_no_records_fault_and_is_named() -> None:
    """A record that is blamed is taken once more; but its state is stored already."""
    store = MemoryStore()
    transaction = Transaction(slice_to(30), store, Outputs(Refusing(OverflowError("too large"))))
    transaction.outputs.add(OUT, 0, b"k", b"v")
    with pytest.raises(Unavailable, match=r"\(OverflowError: too large\)"):
        await transaction.commit()
    assert await store.restore() == {"events": 30}


async def test_what_is_broken_around_it_is_told_as_it_is() -> None:
    gone = Unavailable("no broker")
    transaction = Transaction(slice_to(30), MemoryStore(), Outputs(Refusing(gone)))
    transaction.outputs.add(OUT, 0, b"k", b"v")
    with pytest.raises(Unavailable) as raised:
        await transaction.commit()
    assert raised.value is gone


def request_of(size: int) -> Request:
    """A request that takes so many bytes as it is written."""
    values: dict[str, Any] = {"type": "thing", "user": "ann", "origin": ORIGIN, "accepted_at": 5}
    event = Event(id="e", type="t", actor="a", occurred_at=NOON, data={"text": ""})
    empty = len(encode(Request(**values, event=event)))
    return Request(**values, event=replace(event, data={"text": "x" * (size - empty)}))


@pytest.mark.parametrize(
    ("written_before", "fitting"), [(0, 32), (64 << 10, 31), (1 << 20, 16), (5 << 20, 16)]
)
def test_an_event_that_sets_off_much_fills_a_turn_up_to_two_mebibytes(
    written_before: int, fitting: int
) -> None:
    """By forty requests of 64 KiB; sixteen always go, and the rest is noted for the next turns."""
    transaction, spec = turn_of(MemoryStore()), variant()
    for _ in range(written_before >> 16):
        transaction.outputs.add(OUT, 0, b"k", b"x" * (1 << 16))
    routing = Routing(request_of(1 << 16).event, ORIGIN, 5, 1)
    each = request_of(1 << 16)
    routed: Routed = [(REQUESTS[Priority.NORMAL], 0, str(user), each) for user in range(40)]
    assert begin_routing(transaction, routing, spec, routed) == routed[:fitting]
    (key,) = transaction.view(UNROUTED).keys(b"")
    left = transaction.view(UNROUTED).get(key)
    assert left is not None
    assert left.done == fitting
