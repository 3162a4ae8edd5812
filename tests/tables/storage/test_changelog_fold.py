"""What a changelog says that is read from some point on: wherever its writer stopped."""

import pytest

from pipeline.producing.outputs import Records
from pipeline.producing.write_queue import Entry
from tables.storage.changelog_fold import Fold, Unfinished
from tables.storage.journal_records import (
    TOKEN_BYTES,
    Completion,
    LargeWrite,
    cut,
    encode,
    key_of_completion,
    key_of_outputs,
    key_of_part,
)

TOKEN, OTHER = b"a token.", b"another."
ROWS: list[Entry] = [(b"na", b"one"), (b"nb", None), (b"nc", b"x" * 100)]
SAID: Records = [("out", 3, [(b"k", b"v"), (None, b"w")])]


def outputs(number: int, records: Records | None) -> Entry:
    return key_of_outputs(number), None if records is None else encode(records)


def parts(number: int, token: bytes = TOKEN, said: Records | None = None) -> list[Entry]:
    """A large write, in parts of 40 bytes."""
    whole = cut(LargeWrite(ROWS, said or []), token, 40 + TOKEN_BYTES)
    return [(key_of_part(number, at), part) for at, part in enumerate(whole)]


def completed(number: int, token: bytes = TOKEN) -> Entry:
    return key_of_completion(number), encode(Completion(token, len(parts(number, token))))


def taken_back(number: int) -> list[Entry]:
    return [(key_of_completion(number), None), *((key, None) for key, _ in parts(number))]


def test_a_part_is_no_longer_than_was_asked_for() -> None:
    assert [len(part or b"") for _, part in parts(0)][:-1] == [48] * (len(parts(0)) - 1)
    assert len(parts(0)) == 4


def test_what_tables_say_is_passed_on_as_it_is_and_in_order() -> None:
    fold = Fold()
    entries: list[Entry] = [(b"nb", b"2"), (b"na", None), (None, b"?"), (b"nb", b"3")]
    assert list(fold.take(entries, 0)) == entries
    # Also where a record of the journal's own stands between them.
    entries[2:2] = [outputs(0, SAID)]
    assert list(fold.take(entries, 0)) == [entry for entry in entries if entry != outputs(0, SAID)]


def test_outputs_are_unfinished_until_it_is_noted_that_they_were_sent() -> None:
    fold = Fold()
    assert list(fold.take([(b"na", b"1"), outputs(0, SAID)], 7)) == [(b"na", b"1")]
    assert fold.unfinished == {0: Unfinished(7, SAID)}
    # Whoever reads it later must see them again, however far the state is.
    assert (fold.restored(20), fold.restored(5)) == (7, 5)
    fold.take([outputs(0, None), (b"na", b"2")], 9)
    assert fold.unfinished == {}
    assert fold.restored(20) == 20


def test_what_is_noted_twice_or_of_what_nobody_saw_changes_nothing() -> None:
    """As where a restore begins behind the outputs."""
    fold = Fold()
    fold.take([outputs(3, None), outputs(0, SAID), outputs(1, None)], 4)
    assert fold.unfinished == {0: Unfinished(4, SAID)}
    fold.take([*taken_back(5)], 9)
    assert (fold.void_parts(), fold.restored(20)) == ([], 4)


def test_the_earliest_unfinished_comes_first_also_where_a_number_is_used_again() -> None:
    """In that order they are sent, so that of one key the last one stays."""
    fold = Fold()
    fold.take([outputs(0, SAID)], 1)
    fold.take([outputs(1, [("out", 0, [])])], 2)
    fold.take([outputs(0, [("out", 9, [])])], 3)
    assert list(fold.unfinished.items()) == [
        (1, Unfinished(2, [("out", 0, [])])),
        (0, Unfinished(3, [("out", 9, [])])),
    ]
    fold.take(parts(1), 4)
    fold.take([outputs(2, SAID), completed(1)], 5)
    assert list(fold.unfinished) == [0, 2, 1]


def test_a_large_write_changes_state_where_it_is_completed() -> None:
    fold = Fold()
    assert list(fold.take(parts(2, said=SAID)[:2], 5)) == []
    assert list(fold.take(parts(2, said=SAID)[2:], 6)) == []
    whole = [(key_of_completion(2), encode(Completion(TOKEN, len(parts(2, said=SAID)))))]
    assert list(fold.take([(b"na", b"before"), *whole, (b"na", b"after")], 7)) == [
        (b"na", b"before"),
        *ROWS,
        (b"na", b"after"),
    ]
    # It is in the changelog from its first part on, and keys and parts are still to be mended.
    assert fold.unfinished == {
        2: Unfinished(5, SAID, len(parts(2, said=SAID)), (b"na", b"nb", b"nc"))
    }
    assert fold.void_parts() == []
    assert fold.restored(20) == 5
    fold.take([outputs(2, None)], 8)
    assert list(fold.unfinished) == [2], "that goes with its parts, and not by a note"
    fold.take(taken_back(2), 9)
    assert (fold.unfinished, fold.void_parts(), fold.restored(20)) == ({}, [], 20)


def test_parts_that_were_never_completed_are_void_and_are_named_to_be_taken_back() -> None:
    fold = Fold()
    assert list(fold.take([*parts(0)[:2], outputs(1, SAID)], 5)) == []
    assert fold.void_parts() == [key_of_part(0, 0), key_of_part(0, 1)]
    assert fold.restored(20) == 5
    fold.take([(key_of_part(0, 0), None)], 8)
    assert fold.void_parts() == [key_of_part(0, 1)]
    assert fold.restored(20) == 5
    fold.take([outputs(1, None), (key_of_part(0, 1), None)], 9)
    assert (fold.void_parts(), fold.restored(20)) == ([], 20)
    # Parts that come under the number then are in the changelog from there on.
    fold.take(parts(0)[:1], 12)
    assert fold.restored(20) == 12


def test_parts_of_an_earlier_write_are_no_part_of_the_one_that_is_completed() -> None:
    fold = Fold()
    fold.take(parts(0, OTHER), 1)
    fold.take(parts(0)[:1], 2)
    assert list(fold.take([completed(0)], 3)) == []
    with pytest.raises(ValueError, match="lacks some of its parts"):
        fold.void_parts()
    assert list(fold.take([*parts(0)[1:], completed(0)], 4)) == ROWS
    assert fold.void_parts() == []


@pytest.mark.parametrize("left", [0, 1, 3])
def test_a_completed_write_of_which_compaction_took_parts_is_said_again_further_on(
    left: int,
) -> None:
    """The parts that are missing were taken back, so all of it stands under its own keys."""
    fold = Fold()
    assert list(fold.take([*parts(0)[:left], completed(0), *ROWS], 5)) == ROWS
    with pytest.raises(ValueError, match="lacks some of its parts"):
        fold.void_parts()
    fold.take(taken_back(0), 6)
    assert (fold.void_parts(), fold.unfinished, fold.restored(20)) == ([], {}, 20)
