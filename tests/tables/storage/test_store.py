"""Partition stores: one write is whole, and the changelog is the truth whatever the disk holds."""

import contextlib
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from embedded.process import free_port
from schemas.errors import BrokenChangelog, TocsinError, Unavailable
from tables.storage.store import FRONTIER, OFFSET
from tables.storage.table import Table
from tests.tables.ground import Ground, Note, everything, many_notes, notes, producing

FIRST = notes({"a": "one", "b": "two"})
SECOND = notes({"a": None, "b": "three", "c": "four"})


async def two_writes(ground: Ground, name: str = "db") -> dict[bytes, bytes]:
    """A store with some history; returns all that it holds in the end."""
    async with ground.open(name) as store:
        await store.write(FIRST, ("events", 10))
        await store.write(SECOND, ("events", 20))
        await store.write({}, ("follows", 7))
        return everything(store)


async def test_many_keys_are_read_at_once_and_what_is_missing_is_none(ground: Ground) -> None:
    async with ground.open() as store:
        await store.write(FIRST)
        keys = [b"nb", b"nothing", b"na", b"nb"]
        assert store.get_many(keys) == [FIRST.get(key) for key in keys]
        assert store.get_many([]) == []


async def test_a_scan_yields_its_prefix_in_order_and_nothing_beyond(ground: Ground) -> None:
    async with ground.open() as store:
        names = ["a", "ab", "aa", "b", "", "a\x00", "a\xff"]
        await store.write(notes(dict.fromkeys(names, "x")))
        found = [key for key, _ in store.scan(b"na")]
        assert found == sorted(b"n" + name.encode() for name in names if name.startswith("a"))


async def test_a_write_is_one_batch_of_the_changelog_and_ends_with_the_frontier(
    ground: Ground,
) -> None:
    async with ground.open() as store:
        await store.write(FIRST, ("events", 10))
    assert ground.producer.batches == 1
    assert await ground.log() == [*FIRST.items(), (FRONTIER + b"events", OFFSET.pack(10))]


async def test_nothing_to_write_writes_nothing(ground: Ground) -> None:
    async with ground.open() as store:
        await store.write({})
    assert await ground.log() == []


async def test_what_the_changelog_does_not_take_is_not_in_the_state(ground: Ground) -> None:
    async with ground.open() as store:
        await store.write(FIRST, ("events", 10))
        before = everything(store)
        ground.producer.dies_after = ground.producer.batches
        with pytest.raises(Unavailable, match="ground-changelog"):
            await store.write(SECOND, ("events", 20))
        assert everything(store) == before
    assert await ground.contents("anew") == before


async def test_a_kill_inside_a_write_of_many_batches_leaves_all_of_it_or_nothing(
    ground: Ground,
) -> None:
    """Half a write would be read as state: an edge without its count, which a replay skips."""
    changes = many_notes(megabytes=1)
    async with ground.open() as store:
        ground.producer.dies_after = 1
        with contextlib.suppress(Unavailable):
            await store.write(changes, ("events", 10))
    restored = await ground.contents("anew")
    assert sum(key in restored for key in changes) in (0, len(changes))


async def test_a_restore_returns_the_frontier_of_every_topic(ground: Ground) -> None:
    assert await ground.frontiers("db") == {}
    await two_writes(ground)
    assert await ground.frontiers("db") == {"events": 20, "follows": 7}
    assert await ground.frontiers("anew") == {"events": 20, "follows": 7}


async def test_a_crash_between_changelog_and_rocksdb_is_healed(ground: Ground) -> None:
    async with ground.open() as store:
        await store.write(FIRST, ("events", 10))
    shutil.copytree(ground.folder / "db", ground.folder / "before")
    async with ground.open() as store:
        await store.write(SECOND, ("events", 20))
        after = everything(store)
    assert await ground.frontiers("before") == {"events": 20}
    assert await ground.contents("before") == after


async def test_a_deleted_folder_is_restored_equal(ground: Ground) -> None:
    before = await two_writes(ground)
    shutil.rmtree(ground.folder / "db")
    assert await ground.contents("db") == before


async def test_a_changelog_of_many_batches_is_restored_equal(ground: Ground) -> None:
    async with ground.open() as store:
        await store.write(many_notes(megabytes=10), ("events", 10))
        await store.write(notes({"000007": None, "last": "one"}), ("events", 11))
        before = everything(store)
    assert ground.producer.batches > 2
    assert len(before) == 10_000 + 1  # one more, one less; a frontier
    assert await ground.contents("anew") == before


def garble(path: Path) -> None:
    """Flip bits all over a file."""
    path.write_bytes(bytes(byte ^ 0x5A for byte in path.read_bytes()))


def empty(path: Path) -> None:
    """Leave nothing in a file, as a full disk may."""
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [garble, empty, Path.unlink])
@pytest.mark.parametrize("file", ["CURRENT", "MANIFEST-*", "*.sst"])
async def test_a_corrupt_folder_is_built_again_from_the_changelog(
    ground: Ground, file: str, damage: Callable[[Path], None]
) -> None:
    before = await two_writes(ground)
    for path in list((ground.folder / "db").glob(file)):
        damage(path)
    assert await ground.contents("db") == before


async def test_a_damaged_block_is_never_taken_for_the_end_of_the_data(ground: Ground) -> None:
    noise = random.Random(1)
    texts = {f"{number:05}": noise.randbytes(300).hex() for number in range(3000)}
    async with ground.open() as store:
        await store.write(notes(texts))
        before = everything(store)
    (file,) = (ground.folder / "db").glob("*.sst")
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 0xFF
    file.write_bytes(bytes(content))
    try:
        found = await ground.contents("db")
    except TocsinError:
        return  # said, and not gone on with half of the state
    assert len(found) == len(before)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"nkey", b"\xc1"),
        (b"nkey", b""),
        (b"nkey", b"\x91\xa1\xff"),
        (b"nkey", b"\x91\x01"),
        (b"\x07key", b"\x91\xa1x"),
        (b"", b"\x91\xa1x"),
        (FRONTIER + b"events", b"\x00\x01"),
    ],
    ids=[
        "no MessagePack",
        "empty value",
        "text is not UTF-8",
        "another type",
        "of no table",
        "empty key",
        "frontier is no offset",
    ],
)
async def test_a_changelog_record_that_cant_be_read_stops_the_restore_and_says_where(
    ground: Ground, key: bytes, value: bytes
) -> None:
    async with ground.open() as store:
        await store.write(FIRST)
    offset = await ground.append(key, value)
    where = f"{ground.topic}-{ground.partition} offset {offset} "
    with pytest.raises(BrokenChangelog, match=where):
        await ground.contents("anew")


async def test_what_another_version_keeps_in_a_table_of_its_own_stays(ground: Ground) -> None:
    theirs = {b"zkey": b"\xc1 as they like", b"zother": None}
    async with ground.open() as store:
        await store.write(FIRST | theirs)
        await store.write({b"ngone": None})
    for folder in ("db", "anew"):
        found = await ground.contents(folder)
        assert found[b"zkey"] == theirs[b"zkey"]
        assert found.keys() >= FIRST.keys()
    # And its own tables are read again by the version that has them.
    newer = replace(ground, tables=(*ground.tables, Table(b"z", Note)))
    with pytest.raises(BrokenChangelog):
        await newer.contents("newer")


async def test_a_changelog_shorter_than_the_state_is_another_kafka(ground: Ground) -> None:
    await two_writes(ground)
    other = replace(ground, partition=ground.partition + 1)
    with pytest.raises(BrokenChangelog, match=f"{ground.topic}-{other.partition} ends at 0"):
        await other.contents("db")


async def test_a_file_where_the_folder_should_be_is_one_sentence(ground: Ground) -> None:
    (ground.folder / "db").touch()
    with pytest.raises(Unavailable, match=r"can't be written \(File exists\).*TOCSIN_DATA_DIR"):
        await ground.contents("db")


async def test_a_folder_that_another_worker_holds_is_one_sentence(ground: Ground) -> None:
    async with ground.open():
        with pytest.raises(Unavailable, match="another worker"):
            await ground.contents("db")


async def test_no_broker_at_the_restore_is_one_sentence(ground: Ground) -> None:
    away = replace(ground, kafka=f"127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable, match="does not answer"):
        await away.contents("db")


async def test_a_closed_store_says_so(ground: Ground) -> None:
    async with ground.open() as store:
        pass
    with pytest.raises(RuntimeError, match="not open"):
        store.get_many([b"na"])
    store.close()


async def test_a_compaction_drops_nothing(ground: Ground) -> None:
    async with ground.open() as store:
        await store.write(FIRST, ("events", 10))
        before = everything(store)
        store._db.compact_range(None, None)
        assert everything(store) == before


async def test_a_second_producer_restores_what_the_first_wrote(ground: Ground) -> None:
    before = await two_writes(ground)
    async with producing(ground.kafka) as producer:
        other = replace(ground, producer=producer)
        async with other.open("other") as store:
            assert everything(store) == before
            await store.write(notes({"d": "five"}))
    assert (await ground.contents("db"))[b"nd"] == notes({"d": "five"})[b"nd"]


async def test_a_state_is_new_until_something_is_stored_however_often_it_was_opened(
    ground: Ground,
) -> None:
    """Beside a commit, such a state says that the changelog was made anew."""
    for name in ("db", "db", "other"):
        async with ground.open(name) as store:
            assert store.is_new
    async with ground.open() as store:
        await store.write({}, ("events", 10))
        assert not store.is_new
    async with ground.open("anew") as store:
        assert not store.is_new
