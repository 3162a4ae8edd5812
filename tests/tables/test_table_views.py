"""What a view reads and remembers: nothing twice, and nothing that was not stored."""

import random
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tables.storage.memory_store import MemoryStore
from tables.storage.table import Table, View, checker, is_of_table, key_of, last_part, parts_of
from tests.tables.ground import COUNTS, NOTES, Note, notes

KEPT: Table[Note] = Table(b"n", Note, kept=3)
keys = st.binary(max_size=2)


class Watched(MemoryStore):
    """A store that notes what it is asked for."""

    def __init__(self, stored: dict[bytes, bytes] | None = None) -> None:
        super().__init__(stored)
        self.asked: list[list[bytes]] = []
        self.scanned: list[bytes] = []

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """As the store does it."""
        self.asked.append(list(keys))
        return super().get_many(keys)

    def scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """As the store does it."""
        for key, value in super().scan(prefix, start):
            self.scanned.append(key)
            yield key, value


def watched(*names: str, text: str = "x") -> Watched:
    rows = notes(dict.fromkeys(names, text))
    return Watched({key: value for key, value in rows.items() if value is not None})


async def finish(view: View[Note], store: MemoryStore) -> None:
    await store.write(view.changes())
    view.keep()


def test_what_is_asked_for_together_is_read_together_and_once() -> None:
    store = watched("a", "b", "c")
    view = View(NOTES, store)
    view.put(b"c", Note("own"))
    view.load([b"a", b"b", b"c", b"d"])
    assert store.asked == [[b"na", b"nb", b"nd"]]
    assert [view.get(key) for key in (b"a", b"b", b"c", b"d")] == [
        Note("x"),
        Note("x"),
        Note("own"),
        None,
    ]
    view.load([b"a", b"c", b"d"])
    assert len(store.asked) == 1
    assert view.get(b"e") is None
    assert store.asked[1:] == [[b"ne"]]


def test_it_counts_the_bytes_that_were_read() -> None:
    """A note of one letter has three: the list, the text's length, the letter."""
    store = watched("a", "b")
    view = View(NOTES, store)
    assert view.bytes_read == 0
    view.load([b"a", b"b", b"gone"])
    assert view.bytes_read == 6
    view.get(b"a")
    view.put(b"own", Note("x" * 99))
    view.get(b"own")
    assert view.bytes_read == 6


async def test_what_was_used_last_is_not_read_again_by_later_turns() -> None:
    store = watched("a", "b", "c")
    first = View(KEPT, store)
    assert first.get(b"a") == Note("x")
    assert first.get(b"gone") is None
    await finish(first, store)
    second = View(KEPT, store)
    assert second.get(b"a") == Note("x")
    second.put(b"b", Note("new"))
    await finish(second, store)
    third = View(KEPT, store)
    third.load([b"a", b"b", b"gone"])
    assert [third.get(key) for key in (b"a", b"b", b"gone")] == [Note("x"), Note("new"), None]
    assert store.asked == [[b"na"], [b"ngone"]]
    assert third.bytes_read == 0


async def test_what_is_used_again_and_again_stays_whatever_else_is_used_between() -> None:
    store = watched("a", *map(str, range(20)))
    for number in range(20):
        view = View(KEPT, store)
        view.get(b"a")
        view.get(b"%d" % number)
        await finish(view, store)
    assert sum(asked == [b"na"] for asked in store.asked) == 1


async def test_a_turn_that_is_given_up_leaves_nothing_to_later_ones() -> None:
    store = watched("a")
    given_up = View(KEPT, store)
    given_up.put(b"a", Note("never stored"))
    given_up.put(b"b", Note("never stored"))
    later = View(KEPT, store)
    assert (later.get(b"a"), later.get(b"b")) == (Note("x"), None)


def test_a_look_behind_a_key_reads_nothing_before_it() -> None:
    """A million followers are gone through in steps, and each begins where the last one ended."""
    store = watched(*(f"{number:03}" for number in range(500)))
    found = View(NOTES, store).keys(b"", b"450")
    assert [next(found), next(found)] == [b"451", b"452"]
    assert store.scanned == [b"n450", b"n451", b"n452"]
    store.scanned.clear()
    assert list(View(NOTES, store).keys(b"45", b"457")) == [b"458", b"459"]
    assert store.scanned == [b"n457", b"n458", b"n459"]


@given(
    st.dictionaries(keys, st.just(Note("x")), max_size=8),
    st.lists(st.tuples(keys, st.booleans(), keys, keys), max_size=10),
)
def test_keys_are_those_of_a_sorted_dictionary(
    stored: dict[bytes, Note], steps: list[tuple[bytes, bool, bytes, bytes]]
) -> None:
    """Between writes and deletions of the view's own, from any key on."""
    rows = {b"n" + key: NOTES.encode(value) for key, value in stored.items()}
    view, expected = View(NOTES, MemoryStore(rows)), set(stored)
    for key, is_put, prefix, rest in steps:
        view.put(key, Note("y") if is_put else None)
        expected = expected | {key} if is_put else expected - {key}
        within = sorted(each for each in expected if each.startswith(prefix))
        assert list(view.keys(prefix)) == within
        after = prefix + rest
        behind = [each for each in within if not after or each > after]
        assert list(view.keys(prefix, after)) == behind


async def test_a_table_of_one_row_that_needs_no_name_is_not_empty() -> None:
    """As what of a partition as a whole is kept: it stands under the empty key."""
    store = MemoryStore({b"n": b"\x91\xa1x"})
    view = View(NOTES, store)
    assert not view.is_empty()
    assert list(view.keys(b"")) == [b""]
    assert list(view.keys(b"", b"\x00")) == []
    view.put(b"", None)
    assert list(view.keys(b"")) == []


async def test_that_there_is_nothing_is_looked_for_again_only_once_something_was_written() -> None:
    store = Watched()
    for _ in range(3):
        assert View(NOTES, store).is_empty()
    view = View(NOTES, store)
    view.put(b"a", Note("x"))
    assert not view.is_empty()
    await finish(view, store)
    assert not View(NOTES, store).is_empty()
    view = View(NOTES, store)
    view.put(b"a", None)
    assert view.is_empty()
    await finish(view, store)
    assert View(NOTES, store).is_empty()
    # Another table's rows are none of this one's.
    await store.write({b"ca": b"\x01"})
    assert View(NOTES, store).is_empty()
    assert not View(COUNTS, store).is_empty()


async def test_a_turn_that_deleted_all_and_was_given_up_does_not_make_it_empty() -> None:
    store = watched("a")
    given_up = View(NOTES, store)
    given_up.put(b"a", None)
    assert given_up.is_empty()
    assert not View(NOTES, store).is_empty()


def test_a_view_that_wrote_nothing_scans_an_empty_table_once() -> None:
    store = Watched()
    assert View(NOTES, store).is_empty()
    # Written behind its back, as nobody does: that it does not see it says that it did not look.
    store.stored[b"na"] = b"\x91\xa1x"
    store._keys[b"n"].append(b"na")
    assert View(NOTES, store).is_empty()


@pytest.mark.parametrize("seed", range(5))
def test_parts_of_any_length_come_back(seed: int) -> None:
    dice = random.Random(seed)
    parts = ["é" * dice.choice([0, 1, 127, 128, 300, 30_000]) for _ in range(4)]
    assert parts_of(key_of(*parts)) == parts
    assert last_part(key_of(*parts)) == parts[-1]
    assert parts_of(b"") == []


@pytest.mark.parametrize(
    ("key", "value", "is_readable"),
    [
        (b"na", b"\x91\xa1x", True),
        (b"na", None, True),
        (b"na", b"\x91\x01", False),
        (b"ca", b"\x07", True),
        (b"ca", b"\x91\xa1x", False),
        # Of tables that only another version has.
        (b"za", b"\xc1", True),
        (b"Za", None, True),
        (b"\x00frontier/events", bytes(8), True),
        (b"\x00frontier/events", bytes(7), False),
        (b"\x00frontier/events", None, False),
        # The journal's own, which are read as a whole.
        (b"\x02\x00\x00", b"\xc1", True),
        (b"\x03\x00\x00\x00\x00\x00\x00", None, True),
        (b"\x04\x00\x00", b"", True),
        (b"\x05\x00\x00", b"\x91\xa1x", False),
        (b"\x00", b"", False),
        (b"", b"\x91\xa1x", False),
        (b"7", b"\x91\xa1x", False),
    ],
)
def test_what_a_restore_takes_and_what_stops_it(
    key: bytes, value: bytes | None, is_readable: bool
) -> None:
    check = checker(NOTES, COUNTS)
    try:
        check(key, value)
    except Exception as error:
        assert not is_readable
        assert isinstance(error, ValueError) or "unpack" in str(error)
    else:
        assert is_readable
    assert is_of_table(key) == (key[:1] in b"ncmzZ" and key != b"")
