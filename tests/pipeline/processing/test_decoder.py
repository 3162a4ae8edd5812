"""What becomes of a record before anybody works on it: read, moved, or set aside with a reason."""

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from aiokafka import ConsumerRecord, TopicPartition

from pipeline.processing.decoder import LARGEST_VALUE, Intake
from pipeline.processing.slices import Slice
from pipeline.producing.memory_log import MemoryLog
from pipeline.producing.outputs import Outputs, partition_of
from pipeline.records.made_record import make_record
from policy.time.timestamps import moment
from schemas.dead_letter import DeadLetter
from schemas.encoding import encode
from schemas.erasure import Erasure
from schemas.errors import BadRecord
from schemas.event import Event
from schemas.feedback import Receipt, Stop, Suppression
from schemas.kinds import encode_in
from schemas.misplaced import Misplaced
from schemas.request import Broadcast
from schemas.topics import (
    DEAD_LETTERS,
    DELIVERY_EVENTS,
    ERASURES,
    EVENTS,
    FEEDBACK,
    HINTS,
    MISPLACED,
    PLACED,
    REQUESTS,
    SUPPRESSIONS,
    Topic,
)
from schemas.vocabulary import Channel, Priority, Reason
from tests.sinks.set_clock import SetClock

PARTITIONS = 4
NOW = 1_795_000_000_000
TOO_DEEP = '{"a":' * 40 + "1" + "}" * 40
PLACED_EVENTS = PLACED["router"]


class Owned(msgspec.Struct, frozen=True):
    """A record of a user."""

    user: str


def key_in(partition: int) -> str:
    """A key that belongs there."""
    return next(k for k in map(str, range(99)) if partition_of(k, PARTITIONS) == partition)


def event(actor: str, data: str = "{}") -> bytes:
    """An event of theirs, as a producer writes it."""
    said = f'"id":"e","type":"t","actor":"{actor}","occurred_at":"2026-01-01T00:00:00Z"'
    return f'{{{said},"data":{data}}}'.encode()


def record(
    topic: Topic, partition: int, value: bytes | None, key: bytes | None = b"k", offset: int = 7
) -> ConsumerRecord:
    """A record as it stands in a topic."""
    return make_record(ConsumerRecord, topic.name, partition, offset, NOW - 5, key, value)


class Desk:
    """The intake of a role, and what it writes."""

    def __init__(self, role: str, kinds: dict[Topic, Any], bad_share: float = 1.0) -> None:
        self.clock = SetClock()
        self.clock.time = NOW
        self.outputs = Outputs(MemoryLog(self.clock))
        self._intake = Intake(role, kinds, self.clock, bad_share, PARTITIONS)

    def read(self, *records: ConsumerRecord) -> list[tuple[ConsumerRecord, Any]]:
        """What can be used of one slice."""
        return list(self._intake.read(_slice(records), self.outputs))

    def lines(self, *records: ConsumerRecord) -> list[Any]:
        """What can be used of a slice of lines."""
        return list(self._intake.read_lines(_slice(records), self.outputs))

    def set_aside(self, record: ConsumerRecord) -> None:
        """A record that was decoded, and can't be worked on."""
        self._intake.set_aside(record, BadRecord(Reason.UNKNOWN_TYPE, "of no type"), self.outputs)

    def letters(self) -> list[DeadLetter]:
        """What was set aside, in order."""
        return [
            msgspec.json.decode(value or b"", type=DeadLetter)
            for (topic, _), entries in self.outputs.entries.items()
            if topic == DEAD_LETTERS.name
            for _, value in entries
        ]

    def moved(self) -> list[tuple[int, bytes | None, Misplaced]]:
        """What was handed over: from which partition, under which key, and what."""
        return [
            (partition, key, msgspec.json.decode(value or b"", type=Misplaced))
            for (topic, partition), entries in self.outputs.entries.items()
            if topic == MISPLACED.name
            for key, value in entries
        ]


def _slice(records: Iterable[ConsumerRecord]) -> Slice:
    records = tuple(records)
    place = TopicPartition(records[0].topic, records[0].partition)
    return Slice(place, 0, records[0].offset, records[-1].offset + 1, records, 0)


def router(bad_share: float = 1.0) -> Desk:
    """A role with a placed topic."""
    return Desk("router", {EVENTS: Event}, bad_share)


def placed(source: bytes, at: int, topic: str = "events", partition: int = 3) -> Any:
    """A record of the placed topic, in this partition, of one that stood in another."""
    moves = Misplaced(
        topic=topic,
        partition=partition,
        offset=41,
        accepted_at=NOW - 9000,
        value=msgspec.Raw(source),
        key=b"theirs",
    )
    return record(PLACED_EVENTS, at, msgspec.json.encode(moves), key=None)


def test_a_record_in_its_keys_partition_is_read_whatever_key_it_has() -> None:
    desk, actor = router(), key_in(2)
    here = record(EVENTS, 2, event(actor), key=b"any other")
    ((found, value),) = desk.read(here)
    assert (found, value.actor) == (here, actor)
    assert not desk.outputs.entries


def test_a_record_in_another_partition_is_handed_over_as_it_stands_and_not_read() -> None:
    desk = router()
    stray, value = key_in(1), event(key_in(1))
    assert desk.read(record(EVENTS, 2, value, key=b"theirs")) == []
    ((partition, key, moved),) = desk.moved()
    assert (partition, key) == (2, None)
    assert (moved.topic, moved.partition, moved.offset) == ("events", 2, 7)
    assert (moved.accepted_at, moved.key, bytes(moved.value)) == (NOW - 5, b"theirs", value)
    assert partition_of(stray, PARTITIONS) == 1
    assert desk.letters() == []


def test_records_beside_one_that_is_moved_are_read() -> None:
    desk = router()
    records = [
        record(EVENTS, 0, event(key_in(at)), offset=offset)
        for offset, at in enumerate((0, 1, 0, 2))
    ]
    assert [found.offset for found, _ in desk.read(*records)] == [0, 2]
    assert [moved.offset for _, _, moved in desk.moved()] == [1, 3]


def test_who_has_no_placed_topic_sets_aside_what_stands_in_another_partition() -> None:
    desk = Desk("push", {ERASURES: Erasure})
    user = key_in(1)
    assert desk.read(record(ERASURES, 2, b'{"user":"%s"}' % user.encode(), user.encode())) == []
    (letter,) = desk.letters()
    assert letter.reason is Reason.KEY_MISMATCH
    assert f"{user!r} belongs in partition 1, the record is in 2" in letter.detail
    assert desk.moved() == []


@pytest.mark.parametrize("role", ["router", "decider"])
def test_what_several_roles_read_is_moved_by_none_of_them(role: str) -> None:
    """A record that one of them moved would be worked on twice by the others."""
    desk = Desk(role, {ERASURES: Erasure})
    user = key_in(1)
    assert desk.read(record(ERASURES, 2, b'{"user":"%s"}' % user.encode(), user.encode())) == []
    assert (len(desk.letters()), desk.moved()) == (1, [])


@pytest.mark.parametrize(
    ("key", "reason", "said"),
    [
        (None, Reason.MISSING_KEY, "should be 'ada'"),
        (b"", Reason.MISSING_KEY, "should be 'ada'"),
        (b"bob", Reason.KEY_MISMATCH, "key is b'bob', its value says 'ada'"),
    ],
)
def test_of_what_we_write_ourselves_the_key_must_be_what_the_value_says(
    key: bytes | None, reason: Reason, said: str
) -> None:
    requests = REQUESTS[Priority.HIGH]
    desk = Desk("decider", {requests: Owned})
    (good,) = desk.read(record(requests, 0, b'{"user":"ada"}', b"ada"))
    assert good[1] == Owned("ada")
    assert desk.read(record(requests, 0, b'{"user":"ada"}', key)) == []
    (letter,) = desk.letters()
    assert letter.reason is reason
    assert said in letter.detail


def test_records_of_several_kinds_in_one_topic_are_read_as_what_each_says() -> None:
    requests = REQUESTS[Priority.HIGH]
    desk = Desk("decider", {requests: Owned})
    said = event("eve").decode()
    told = f'"type":"post","event":{said},"origin":["events",0,1],"accepted_at":5'
    plain = record(requests, 0, b'{"user":"ada"}', b"ada", 1)
    first = record(requests, 0, f'{{"kind":"broadcast",{told}}}'.encode(), b"eve", 2)
    last = record(requests, 0, f'{{{told},"kind":"broadcast"}}'.encode(), b"eve", 3)
    found = desk.read(plain, first, last)
    assert [type(value) for _, value in found] == [Owned, Broadcast, Broadcast]
    assert found[1][1] == found[2][1]


@pytest.mark.parametrize("kind", ["receipt", "cancellation", "of the next release"])
def test_a_kind_that_a_topic_does_not_hold_is_set_aside(kind: str) -> None:
    requests = REQUESTS[Priority.HIGH]
    desk = Desk("decider", {requests: Owned})
    value = f'{{"kind":"{kind}","user":"ada"}}'.encode()
    assert desk.read(record(requests, 0, value, b"ada")) == []
    (letter,) = desk.letters()
    assert (letter.reason, letter.value) == (Reason.INVALID, value)
    assert f"'{kind}' is no kind of record" in letter.detail


def test_of_other_kinds_in_a_public_topic_those_of_a_user_are_moved_as_its_own_are() -> None:
    desk = Desk("decider", {SUPPRESSIONS: Suppression, PLACED["decider"]: Misplaced})
    at, user = moment(NOW), key_in(1)
    arrived = Receipt(user=user, notification_id="0" * 32, channel=Channel.SMS, at=at)
    stop = Stop(phone="+15005550009", at=at)
    for value in (arrived, stop):
        said = record(SUPPRESSIONS, 0, encode_in(SUPPRESSIONS.name, value), b"", 1)
        found = [each for _, each in desk.read(said)]
        assert found == ([] if value is arrived else [stop])
    ((_, _, moved),) = desk.moved()
    carried = record(PLACED["decider"], 1, encode(moved))
    assert [value for _, value in desk.read(carried)] == [arrived]


def test_what_is_about_nobody_is_moved_nowhere() -> None:
    desk = Desk("decider", {SUPPRESSIONS: Suppression, PLACED["decider"]: Misplaced})
    stop = encode_in(SUPPRESSIONS.name, Stop(phone="+15005550009", at=moment(NOW)))
    told = Misplaced(
        topic=SUPPRESSIONS.name, partition=0, offset=3, accepted_at=NOW, value=msgspec.Raw(stop)
    )
    assert desk.read(record(PLACED["decider"], 1, encode(told))) == []
    (letter,) = desk.letters()
    assert (letter.topic, letter.reason) == (SUPPRESSIONS.name, Reason.INVALID)


def test_numbers_beyond_64_bits_are_read_as_text_and_what_nests_too_deep_is_set_aside() -> None:
    desk, actor = router(), key_in(0)
    large = 10**30
    ((_, value),) = desk.read(record(EVENTS, 0, event(actor, f'{{"n":{large}}}')))
    assert value.data == {"n": str(large)}
    assert desk.read(record(EVENTS, 0, event(actor, TOO_DEEP))) == []
    (letter,) = desk.letters()
    assert letter.reason is Reason.INVALID
    assert "$.data" in letter.detail


def test_that_a_key_is_to_be_forgotten_is_passed_over_in_a_compacted_topic_alone() -> None:
    desk = Desk("decider", {HINTS: Owned, FEEDBACK: Owned})
    assert desk.read(record(HINTS, 0, None)) == []
    assert desk.letters() == []
    assert desk.read(record(FEEDBACK, 0, None)) == []
    (letter,) = desk.letters()
    assert letter.reason is Reason.UNDECODABLE


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"{", Reason.UNDECODABLE),
        (b"\xff", Reason.UNDECODABLE),
        (b"[]", Reason.INVALID),
        (b"", Reason.UNDECODABLE),
        (b" " * (LARGEST_VALUE + 1), Reason.TOO_LARGE),
        (b" " * LARGEST_VALUE, Reason.UNDECODABLE),
    ],
)
def test_what_can_not_be_read_is_set_aside_with_the_reason(value: bytes, reason: Reason) -> None:
    desk = router()
    assert desk.read(record(EVENTS, 2, value, key=b"k")) == []
    (letter,) = desk.letters()
    assert (letter.role, letter.reason, letter.key) == ("router", reason, b"k")
    assert (letter.topic, letter.partition, letter.offset) == ("events", 2, 7)
    assert (letter.at, letter.accepted_at) == (NOW, NOW - 5)


def test_what_was_moved_is_read_as_if_it_stood_where_its_producer_wrote_it() -> None:
    desk, actor = router(), key_in(0)
    large = 10**30
    ((found, value),) = desk.read(placed(event(actor, f'{{"n":{large}}}'), at=0))
    assert (found.topic, found.partition, found.offset) == ("events", 3, 41)
    assert (found.timestamp, found.key) == (NOW - 9000, b"theirs")
    assert (value.actor, value.data) == (actor, {"n": str(large)})
    assert not desk.outputs.entries


def test_what_was_moved_is_never_moved_again() -> None:
    desk, actor = router(), key_in(1)
    assert desk.read(placed(event(actor), at=0)) == []
    assert desk.moved() == []
    (letter,) = desk.letters()
    assert letter.reason is Reason.KEY_MISMATCH
    assert letter.detail == (
        f"{actor!r} belongs in partition 1, the record is in 0; only Tocsin itself may write to "
        "placed.router"
    )


def test_the_dead_letter_of_what_was_moved_is_of_its_source() -> None:
    desk = router()
    assert desk.read(placed(event(key_in(0), TOO_DEEP), at=0)) == []
    (letter,) = desk.letters()
    assert (letter.topic, letter.partition, letter.offset) == ("events", 3, 41)
    assert (letter.reason, letter.key) == (Reason.INVALID, b"theirs")


def test_what_is_moved_from_a_topic_that_is_none_of_ours_is_set_aside_where_it_is() -> None:
    desk = router()
    assert desk.read(placed(event(key_in(0)), at=0, topic="outbox")) == []
    (letter,) = desk.letters()
    assert (letter.topic, letter.offset, letter.reason) == ("placed.router", 7, Reason.INVALID)


def test_each_line_is_a_value_and_a_bad_one_keeps_back_no_other() -> None:
    desk = Desk("analytics", {DELIVERY_EVENTS: Owned})
    found = desk.lines(
        record(DELIVERY_EVENTS, 0, b'{"user":"a"}\n{"user":"b"}', None, 7),
        record(DELIVERY_EVENTS, 0, b'{"user":"c"}\nnonsense\n{"user":"d"}', None, 8),
        record(DELIVERY_EVENTS, 0, b'{"user":"e"}', None, 9),
    )
    assert [value.user for value in found] == ["a", "b", "c", "d", "e"]
    (letter,) = desk.letters()
    assert (letter.offset, letter.reason) == (8, Reason.UNDECODABLE)


def test_what_is_too_large_to_be_read_gives_no_line() -> None:
    desk = Desk("analytics", {DELIVERY_EVENTS: Owned})
    filled = b'{"user":"a"}\n' + b" " * LARGEST_VALUE
    assert desk.lines(record(DELIVERY_EVENTS, 0, filled, None)) == []
    (letter,) = desk.letters()
    assert letter.reason is Reason.TOO_LARGE


def test_what_was_decoded_can_be_set_aside_too() -> None:
    desk = router()
    desk.set_aside(record(EVENTS, 2, event("ada"), b"ada"))
    (letter,) = desk.letters()
    assert (letter.reason, letter.detail) == (Reason.UNKNOWN_TYPE, "of no type")
    assert (letter.value, letter.truncated) == (event("ada"), False)
