"""Topics with several kinds of records: each is written with its name, and read by it."""

import json

import msgspec
import pytest
from msgspec import Struct

from schemas.encoding import encode
from schemas.feedback import Suppression
from schemas.kinds import (
    MOVED,
    PLAIN,
    STRUCTS,
    encode_in,
    is_kind,
    kind_of,
    sent_again,
    structs_of,
)
from schemas.request import Request
from schemas.topics import FORMER, REQUESTS, SUPPRESSIONS, TOPICS, Topic
from schemas.vocabulary import Priority
from tests.schemas.test_examples import FOLDER, example_of

HIGH, BULK = REQUESTS[Priority.HIGH], REQUESTS[Priority.BULK]


def example(struct: type[Struct]) -> Struct:
    """The example of a struct."""
    text = (FOLDER / f"{example_of(struct)}.json").read_bytes()
    return msgspec.json.decode(text, type=struct)


def test_which_topics_hold_what() -> None:
    users = {"receipt", "stop", "subscription", "cancellation"}
    mixed = {topic.name: set(topic.kinds) for topic in TOPICS if topic.kinds}
    assert mixed == {
        SUPPRESSIONS.name: users,
        **{topic.name: {"broadcast"} for topic in REQUESTS.values()},
        BULK.name: {"broadcast", "cancellation"},
    }
    assert {name for kinds in mixed.values() for name in kinds} == STRUCTS.keys()
    assert structs_of(HIGH, Request) == {"": Request, "broadcast": STRUCTS["broadcast"]}


@pytest.mark.parametrize("topic", [SUPPRESSIONS, HIGH, BULK], ids=lambda topic: topic.name)
def test_a_record_says_its_kind_beside_its_fields(topic: Topic) -> None:
    for name in topic.kinds:
        value = example(STRUCTS[name])
        record = encode_in(topic.name, value)
        assert json.loads(record) == {"kind": name, **json.loads(encode(value))}
        assert kind_of(record) == name
        assert is_kind(name, record)
        assert msgspec.json.decode(record, type=STRUCTS[name]) == value


def test_what_a_topic_holds_alone_says_nothing() -> None:
    for topic, struct in ((HIGH, Request), (SUPPRESSIONS, Suppression)):
        value = example(struct)
        assert encode_in(topic.name, value) == encode(value)
        assert kind_of(encode(value)) == PLAIN
        assert not any(is_kind(name, encode(value)) for name in STRUCTS)
    broadcast = example(STRUCTS["broadcast"])
    assert encode_in("broadcasts.high", broadcast) == encode(broadcast)


@pytest.mark.parametrize("struct", STRUCTS.values(), ids=STRUCTS)
def test_what_has_moved_is_sent_again_as_it_is_written_now(struct: type[Struct]) -> None:
    value = example(struct)
    moved = [topic for topic, (_, name) in MOVED.items() if STRUCTS[name] is struct]
    assert moved
    for topic in moved:
        goal, _ = MOVED[topic]
        assert sent_again(topic, encode(value)) == (goal, encode_in(goal, value))
        assert sent_again(goal, encode_in(goal, value)) == (goal, encode_in(goal, value))


def test_what_no_version_reads_any_more_has_moved_and_nothing_else() -> None:
    assert FORMER.keys() == MOVED.keys()
    assert not FORMER.keys() & {topic.name for topic in TOPICS}
    by_name = {topic.name: topic for topic in TOPICS}
    assert {name: by_name[goal].read_by for name, (goal, _) in MOVED.items()} == FORMER
    for value in (None, b"", b"{", b"[]"):
        goal, again = sent_again("broadcasts.low", value)
        assert goal == REQUESTS[Priority.LOW].name
        assert again == (b'{"kind":"broadcast",' if value == b"{" else value)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (b'{"a":{"kind":"stop"}}', PLAIN),
        (b'{"a":"\\"kind\\":"}', PLAIN),
        (b'{ "x": 1, "kind" : "stop" }', "stop"),
        (b'{"kind":5}', PLAIN),
        (b'{"kind":"stop"', PLAIN),
        (b'["kind"]', PLAIN),
        (b"", PLAIN),
        (b'\xff"kind"', PLAIN),
    ],
)
def test_only_a_field_of_the_record_itself_counts(value: bytes, kind: str) -> None:
    assert kind_of(value) == kind


def test_no_struct_of_a_mixed_topic_has_a_field_of_that_name() -> None:
    structs: list[type[Struct]] = [*STRUCTS.values(), Request, Suppression]
    for struct in structs:
        assert "kind" not in struct.__struct_encode_fields__
