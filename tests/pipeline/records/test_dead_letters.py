"""A dead letter keeps a record whole up to its bounds, and says where it could not."""

import pytest
from aiokafka import ConsumerRecord

from pipeline.records.dead_letters import KEPT_KEY, KEPT_VALUE, dead_letter
from schemas.dead_letter import DeadLetter
from schemas.errors import BadRecord
from schemas.vocabulary import Reason

KEY, VALUE = 65_536, 262_144


def letter(
    key: bytes | None = b"key",
    value: bytes | None = b"value",
    headers: tuple[tuple[str, bytes | None], ...] = (),
    detail: str = "why",
) -> DeadLetter:
    record = ConsumerRecord("events", 3, 41, 7, 0, key, value, None, 0, 0, headers)
    return dead_letter("router", record, BadRecord(Reason.INVALID, detail), 99)


def test_a_record_that_fits_is_kept_whole() -> None:
    headers = (("trace", b"\x00\xff"), ("empty", b""), ("trace", b"again"))
    assert letter(headers=headers) == DeadLetter(
        # BLAKE2b, 8 bytes, of router/events/3/41.
        id="a03dd282eddf9e4e",
        reason=Reason.INVALID,
        detail="why",
        role="router",
        topic="events",
        partition=3,
        offset=41,
        at=99,
        key=b"key",
        value=b"value",
        headers=headers,
        truncated=False,
        accepted_at=7,
    )


@pytest.mark.parametrize(
    ("size", "is_kept"), [(KEY - 1, True), (KEY, True), (KEY + 1, False), (2 * KEY, False)]
)
def test_headers_are_kept_all_or_none_and_never_cut(size: int, is_kept: bool) -> None:
    """The bound is on names and contents of all of them together."""
    assert KEPT_KEY == KEY
    headers = (("abc", b"x" * 100), ("d", b""), ("e", b"y" * (size - 105)))
    found = letter(headers=headers)
    assert found.headers == (headers if is_kept else ())
    assert found.truncated is not is_kept
    assert (found.key, found.value) == (b"key", b"value")


def test_a_header_without_content_has_an_empty_one() -> None:
    assert letter(headers=(("a", None),)).headers == (("a", b""),)


@pytest.mark.parametrize(("more", "truncated"), [(0, False), (1, True)])
def test_keys_and_values_are_cut_at_their_bounds(more: int, truncated: bool) -> None:
    assert KEPT_VALUE == VALUE
    found = letter(key=b"k" * (KEY + more))
    assert (found.key, found.truncated) == (b"k" * KEY, truncated)
    found = letter(value=b"v" * (VALUE + more))
    assert (found.value, found.truncated) == (b"v" * VALUE, truncated)
    assert letter(detail="x" * (500 + more)).detail == "x" * 500


def test_what_is_not_there_is_not_there() -> None:
    found = letter(key=None, value=None)
    assert (found.key, found.value, found.truncated) == (None, None, False)
    found = letter(key=b"", value=b"")
    assert (found.key, found.value) == (b"", b"")
