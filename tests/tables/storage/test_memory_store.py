"""A store in memory reads and writes as one on a disk does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.processing.frontiers import Bounds, Stored, find
from pipeline.producing.outputs import Records
from pipeline.producing.write_queue import Entry
from tables.storage.journal import Unsent
from tables.storage.journal_records import ABOVE_OWN, key_of_outputs, key_of_part
from tables.storage.memory_store import MemoryStore
from tables.storage.store import FRONTIER, OFFSET

SAID: Records = [("out", 3, [(b"k", b"v")])]
keys = st.binary(max_size=3).map(lambda rest: b"n" + rest) | st.sampled_from([b"m", b"o", b"oa"])


class Log:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int, list[Entry]]] = []

    async def write(self, topic: str, partition: int, entries: list[Entry]) -> int:
        """Take them."""
        self.sent.append((topic, partition, entries))
        return 0


class Small(MemoryStore):
    """One that cuts a write in parts beyond a hundred bytes."""

    most_bytes = 100


@given(st.lists(st.dictionaries(keys, st.none() | st.binary(max_size=3), max_size=6), max_size=8))
async def test_it_holds_what_a_dictionary_would(writes: list[dict[bytes, bytes | None]]) -> None:
    store, expected = MemoryStore(), dict[bytes, bytes]()
    for changes in writes:
        await store.write(changes)
        for key, value in changes.items():
            if value is None:
                expected.pop(key, None)
            else:
                expected[key] = value
        assert store.stored == expected
        asked = [*expected, b"n unknown"]
        assert store.get_many(asked) == [*expected.values(), None]
        for prefix in (b"n", b"n\x00", b"m", b"o", b"oa", b"p"):
            for start in (b"", b"\x00", b"a", b"\x80"):
                assert list(store.scan(prefix, start)) == [
                    (key, expected[key])
                    for key in sorted(expected)
                    if key.startswith(prefix) and key >= prefix + start
                ]
    # And a second one, made from what is stored.
    assert list(MemoryStore(dict(store.stored)).scan(b"n")) == list(store.scan(b"n"))


async def test_frontiers_are_by_topic_and_0_where_nothing_was_done() -> None:
    store = MemoryStore()
    assert await store.restore() == {}
    await store.write({}, ("events", 258))
    await store.write({b"na": b"x"}, ("event", 7))
    await store.write({b"na": b"x"}, ("events", 300))
    assert [store.frontier(topic) for topic in ("events", "event", "even")] == [300, 7, 0]
    assert store.stored[FRONTIER + b"events"] == OFFSET.pack(300)
    assert await MemoryStore(dict(store.stored)).restore() == {"events": 300, "event": 7}


async def test_one_that_begins_in_memory_has_not_lost_its_state() -> None:
    """Beside what a group has committed, an empty state of a worker on a disk is a lost one."""
    store = MemoryStore()
    stored = Stored(await store.restore(), store.is_new)
    assert find("chat", "deliver.chat.low", Bounds(0, 9, 5), stored) is None


async def test_what_is_forgotten_is_gone_and_nothing_beside_it() -> None:
    store = MemoryStore()
    await store.write({b"n" + bytes([at]): b"x" for at in range(9)} | {b"m": b"x", b"o": b"x"})
    store.drop_before(b"n\x02", b"n\x05")
    left = [b"n" + bytes([at]) for at in (0, 1, 5, 6, 7, 8)]
    assert [key for key, _ in store.scan(b"n")] == left
    assert sorted(store.stored) == [b"m", *left, b"o"]


@pytest.mark.parametrize("kind", [MemoryStore, Small])
async def test_what_was_not_said_to_be_sent_is_sent_by_the_next_one(
    kind: type[MemoryStore],
) -> None:
    store = kind()
    unsent = await store.write({b"na": b"x" * 200}, ("events", 5), SAID)
    assert unsent == Unsent(now=0)
    for _ in range(2):
        successor = kind(dict(store.stored))
        assert await successor.restore() == {"events": 5}
        log = Log()
        await successor.send_again(log)
        assert log.sent == SAID
        assert dict(successor.scan(b"n")) == {b"na": b"x" * 200}
        # Then it is noted, and nothing of the journal is left.
        assert successor.stored == {b"na": b"x" * 200, FRONTIER + b"events": OFFSET.pack(5)}
        again = kind(dict(successor.stored))
        await again.restore()
        await again.send_again(log)
        assert log.sent == SAID
        log.sent.clear()
    await store.sent(unsent.now)
    await store.note_sent(0)
    assert store.stored == {b"na": b"x" * 200, FRONTIER + b"events": OFFSET.pack(5)}


async def test_parts_of_a_write_that_was_never_completed_are_cleared_away() -> None:
    left = {key_of_part(0, 0): b"a token.x", key_of_part(0, 1): b"a token.y", b"na": b"x"}
    store = MemoryStore(dict(left))
    await store.restore()
    await store.send_again(Log())
    assert store.stored == {b"na": b"x"}


async def test_several_wait_to_be_sent_each_under_a_number_of_its_own() -> None:
    store = MemoryStore()
    said: list[Records] = [[("out", 0, [(b"k", b"%d" % number)])] for number in range(4)]
    unsent = [await store.write({b"na": b"x"}, None, each) for each in said[:3]]
    assert [each.now for each in unsent] == [0, 1, 2]
    await store.sent(1)
    # Its number is free, and what is written under it now is sent last.
    assert await store.write({b"nb": b"x"}, None, said[3]) == Unsent(now=1)
    assert await store.write({b"nc": b"x"}) == Unsent()
    await store.sent(None)
    log, successor = Log(), MemoryStore(dict(store.stored))
    await successor.restore()
    await successor.send_again(log)
    assert log.sent == [*said[0], *said[2], *said[3]]
    assert not [key for key in successor.stored if key < ABOVE_OWN]


async def test_what_is_said_to_be_sent_later_is_noted_later() -> None:
    store = MemoryStore()
    unsent = await store.write({b"na": b"1"}, None, SAID)
    await store.sent(unsent.now)
    await store.note_sent(3600)
    assert key_of_outputs(0) in store.stored
    await store.note_sent(0)
    assert store.stored == {b"na": b"1"}


async def test_nothing_to_write_is_nothing_written() -> None:
    store = MemoryStore()
    assert await store.write({}) == Unsent()
    assert store.stored == {}
    store.close()


LATER: Records = [("rows", 0, [(None, b"told")])]


async def test_what_is_sent_later_has_a_number_of_its_own() -> None:
    store = MemoryStore()
    unsent = await store.write({b"na": b"x"}, None, SAID, LATER)
    assert unsent == Unsent(now=0, later=1)
    await store.sent(0)
    await store.note_sent(0)
    log, successor = Log(), MemoryStore(dict(store.stored))
    await successor.restore()
    await successor.send_again(log)
    assert log.sent == LATER, "and not what was sent and noted"
    store.sent_later(1)
    # Both numbers are free again, in whichever order they are.
    assert await store.write({b"na": b"y"}, None, [], LATER) == Unsent(later=0)
    assert await store.write({b"na": b"z"}, None, SAID, LATER) == Unsent(now=1, later=2)
    for number in (0, 2):
        store.sent_later(number)
    await store.sent(1)
    await store.note_sent(0)
    assert store.stored == {b"na": b"z"}


async def test_a_write_in_parts_sends_all_of_it_under_one_number() -> None:
    store = Small()
    unsent = await store.write({b"na": b"x" * 200}, None, SAID, LATER)
    assert unsent == Unsent(now=0)
    log, successor = Log(), Small(dict(store.stored))
    await successor.restore()
    await successor.send_again(log)
    assert log.sent == [*SAID, *LATER]
    await store.sent(0)
    assert store.stored == {b"na": b"x" * 200}
