"""What a dead letter keeps of its record: all that fits, and headers whole or not at all."""

from typing import Any

import pytest
from aiokafka import ConsumerRecord

from pipeline.dead_letters import dead_letter
from pipeline.errors import BadRecord
from schemas.vocabulary import Reason

BAD = BadRecord(Reason.INVALID, "no")
VALUE, KEY = 256 * 1024, 64 * 1024


def record(**fields: Any) -> ConsumerRecord:
    values = {
        "topic": "events",
        "partition": 3,
        "offset": 41,
        "timestamp": 0,
        "timestamp_type": 0,
        "key": b"ada",
        "value": b"{}",
        "checksum": None,
        "serialized_key_size": 0,
        "serialized_value_size": 0,
        "headers": (("trace", b"abc"), ("empty", b"")),
    }
    return ConsumerRecord(**{**values, **fields})


def test_what_fits_is_kept_whole() -> None:
    letter = dead_letter("router", record(), BAD, 7)
    assert (letter.role, letter.topic, letter.partition, letter.offset) == (
        "router",
        "events",
        3,
        41,
    )
    assert (letter.reason, letter.detail, letter.at) == (Reason.INVALID, "no", 7)
    assert (letter.key, letter.value) == (b"ada", b"{}")
    assert letter.headers == (("trace", b"abc"), ("empty", b""))
    assert not letter.truncated


def test_its_id_is_the_records_place_and_the_roles() -> None:
    letter = dead_letter("router", record(), BAD, 7)
    assert letter.id == dead_letter("router", record(value=b"other"), BAD, 8).id
    others = [
        dead_letter("decider", record(), BAD, 7),
        dead_letter("router", record(topic="follows"), BAD, 7),
        dead_letter("router", record(partition=4), BAD, 7),
        dead_letter("router", record(offset=42), BAD, 7),
    ]
    assert len({letter.id, *(other.id for other in others)}) == 5
    assert len(letter.id) == 16


@pytest.mark.parametrize("over", [0, 1])
def test_a_value_and_a_key_are_cut_and_that_is_told(over: int) -> None:
    letter = dead_letter("router", record(value=b"v" * (VALUE + over)), BAD, 7)
    assert (letter.value, letter.truncated) == (b"v" * VALUE, bool(over))
    letter = dead_letter("router", record(key=b"k" * (KEY + over)), BAD, 7)
    assert (letter.key, letter.truncated) == (b"k" * KEY, bool(over))


@pytest.mark.parametrize(
    ("headers", "are_kept"),
    [
        ((("h", b"x" * (KEY - 1)),), True),
        ((("h", b"x" * KEY),), False),
        ((("a", b"x" * (KEY // 2 - 1)), ("b", b"x" * (KEY // 2 - 1))), True),
        ((("a", b"x" * (KEY // 2 - 1)), ("b", b"x" * (KEY // 2))), False),
        ((("n" * KEY, b""),), True),
        ((("n" * (KEY + 1), b""),), False),
        ((("none", None),), True),
        ((), True),
    ],
)
def test_headers_are_kept_whole_or_not_at_all(
    headers: tuple[tuple[str, bytes | None], ...], are_kept: bool
) -> None:
    """One that was cut would say something else than its sender said."""
    letter = dead_letter("router", record(headers=headers), BAD, 7)
    whole = tuple((name, content or b"") for name, content in headers)
    assert letter.headers == (whole if are_kept else ())
    assert letter.truncated is not are_kept


def test_a_record_without_key_and_value() -> None:
    letter = dead_letter("router", record(key=None, value=None), BAD, 7)
    assert (letter.key, letter.value, letter.truncated) == (None, None, False)
    empty = dead_letter("router", record(key=b"", value=b""), BAD, 7)
    assert (empty.key, empty.value) == (b"", b"")


def test_a_detail_has_five_hundred_characters() -> None:
    letter = dead_letter("router", record(), BadRecord(Reason.INVALID, "d" * 501), 7)
    assert letter.detail == "d" * 500
