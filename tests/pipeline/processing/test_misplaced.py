"""A record on its way to its key's partition: what it keeps, and what is refused."""

import msgspec
import pytest
from aiokafka import ConsumerRecord

from pipeline.processing.misplaced import KEPT_KEY, as_it_stood, handed_over, is_on_its_way, stood
from pipeline.records.made_record import make_record
from schemas.errors import BadRecord
from schemas.misplaced import Misplaced
from schemas.vocabulary import Reason

AT = 1_795_000_000_000
TOPICS = ("events", "follows")


def record(
    value: bytes | None,
    key: bytes | None = b"key",
    headers: tuple[tuple[str, bytes], ...] = (),
    topic: str = "events",
) -> ConsumerRecord:
    """One that stands in partition 2 at offset 5."""
    return make_record(ConsumerRecord, topic, 2, 5, AT, key, value, headers)


def carried(source: ConsumerRecord) -> ConsumerRecord:
    """The record that moves it."""
    return make_record(ConsumerRecord, "placed.router", 0, 99, AT + 1, None, handed_over(source))


def source(topic: str = "events", partition: int = 2) -> Misplaced:
    """What a record of ours says that it moves."""
    return Misplaced(
        topic=topic, partition=partition, offset=5, accepted_at=AT, value=msgspec.Raw(b"{}")
    )


def test_on_arrival_it_is_the_record_that_its_producer_wrote() -> None:
    said = record(b'{"actor": "ada"}', headers=(("trace", b"1"), ("trace", b"2")))
    arrived = as_it_stood(carried(said), TOPICS, partitions=3)
    assert (arrived.topic, arrived.partition, arrived.offset) == ("events", 2, 5)
    assert (arrived.timestamp, arrived.key) == (AT, b"key")
    assert arrived.value == b'{"actor": "ada"}'
    assert list(arrived.headers) == [("trace", b"1"), ("trace", b"2")]


def test_a_key_and_headers_of_over_64_kib_are_left_behind() -> None:
    assert KEPT_KEY == 65_536
    fits = carried(record(b"{}", b"k" * 65_536, (("h", b"x" * 65_535),)))
    arrived = as_it_stood(fits, TOPICS, 3)
    assert arrived.key is not None
    assert (len(arrived.key), len(arrived.headers)) == (65_536, 1)
    large = carried(record(b"{}", b"k" * 65_537, (("h", b"x" * 65_535), ("i", b""))))
    arrived = as_it_stood(large, TOPICS, 3)
    assert (arrived.key, list(arrived.headers), arrived.value) == (None, [], b"{}")


@pytest.mark.parametrize(
    ("topic", "partition", "is_taken"),
    [
        ("events", 2, True),
        ("follows", 0, True),
        ("events", 3, False),
        ("events", 4, False),
        ("dead-letters", 0, False),
    ],
)
def test_only_what_stood_in_a_partition_of_these_topics_is_taken(
    topic: str, partition: int, *, is_taken: bool
) -> None:
    if is_taken:
        assert stood(source(topic, partition), TOPICS, 3).topic == topic
        return
    with pytest.raises(BadRecord, match=f"no record is moved here from {topic}-{partition}") as bad:
        stood(source(topic, partition), TOPICS, 3)
    assert bad.value.reason is Reason.INVALID


def test_a_name_that_is_no_topic_fills_no_dead_letter() -> None:
    with pytest.raises(BadRecord) as bad:
        stood(source("x" * 100_000), TOPICS, 3)
    assert bad.value.detail == "no record is moved here from " + "x" * 200


@pytest.mark.parametrize(
    ("value", "reason"),
    [(b"{", Reason.UNDECODABLE), (None, Reason.UNDECODABLE), (b"{}", Reason.INVALID)],
)
def test_what_moves_no_record_is_bad(value: bytes | None, reason: Reason) -> None:
    with pytest.raises(BadRecord) as bad:
        as_it_stood(record(value, topic="placed.router"), TOPICS, 3)
    assert bad.value.reason is reason


@pytest.mark.parametrize(
    ("topic", "moves"),
    [("misplaced", True), ("placed.router", True), ("placed.decider", True), ("events", False)],
)
def test_which_topics_hold_records_on_their_way(topic: str, *, moves: bool) -> None:
    assert is_on_its_way(record(b"{}", topic=topic)) is moves
