"""A copy of what a changelog says: of the keys that are wanted, as of now."""

from dataclasses import replace

import pytest

from embedded.process import free_port
from schemas.errors import BrokenChangelog, Unavailable
from tables.storage.memory_store import MemoryStore
from tables.storage.snapshot import Wanted, snapshot
from tests.tables.ground import COUNTS, NOTES, Ground, many_notes, notes

ROLE = "ground"
"""Whose changelog the ground is."""


async def copy(ground: Ground, wanted: Wanted) -> MemoryStore:
    return await snapshot(ground.kafka, ROLE, ground.partition, wanted, NOTES, COUNTS)


async def test_it_holds_what_is_wanted_as_it_was_said_last(ground: Ground) -> None:
    async with ground.open() as store:
        await store.write(
            notes({"a": "old", "b": "gone", "ab": "one", "ac": "gone"}), ("events", 10)
        )
        await store.write({**notes({"a": "new", "b": None, "ac": None}), b"ca": COUNTS.encode(7)})
        found = await copy(ground, lambda key: key.startswith(b"na") or key[:1] == b"c")
    assert found.stored == {**notes({"a": "new", "ab": "one"}), b"ca": b"\x07"}
    assert [key for key, _ in found.scan(b"n")] == [b"na", b"nab"]
    nobody = await copy(ground, lambda key: False)
    assert nobody.stored == {}


async def test_a_write_of_many_batches_is_in_it_when_it_is_complete(ground: Ground) -> None:
    changes = many_notes(megabytes=8)
    wanted = notes({"000000": "x" * 1000})
    async with ground.open() as store:
        ground.producer.dies_after = ground.producer.batches + 2
        with pytest.raises(Unavailable):
            await store.write(changes)
        assert (await copy(ground, lambda key: key == b"n000000")).stored == {}
    async with ground.open() as store:
        unsent = await store.write(changes, None, [(ground.topic, 0, [(b"cx", b"\x01")])])
        # Neither its keys stand there yet, nor that its outputs were sent.
        assert (await copy(ground, lambda key: key == b"n000000")).stored == wanted
        await store.sent(unsent.now)
    assert (await copy(ground, lambda key: key == b"n000000")).stored == wanted


async def test_what_is_not_wanted_need_not_be_readable(ground: Ground) -> None:
    """It may be of a newer version; what is asked for must be what we take it for."""
    await ground.append(b"nbad", b"\xc1")
    await ground.append(b"na", notes({"a": "x"})[b"na"] or b"")
    await ground.append(b"\x07strange", b"\xc1")
    found = await copy(ground, lambda key: key == b"na")
    assert found.stored == notes({"a": "x"})
    with pytest.raises(BrokenChangelog, match=f"ground-changelog-{ground.partition} offset 0 "):
        await copy(ground, lambda key: key[:1] == b"n")


async def test_it_is_of_one_partition(ground: Ground) -> None:
    async with ground.open() as store:
        await store.write(notes({"here": "x"}))
    other = replace(ground, partition=126)
    assert (await copy(other, lambda key: b"here" in key)).stored == {}
    assert (await copy(ground, lambda key: b"here" in key)).stored == notes({"here": "x"})


async def test_without_a_broker_nothing_is_said(ground: Ground) -> None:
    away = replace(ground, kafka=f"127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable, match="does not answer"):
        await copy(away, lambda key: True)
