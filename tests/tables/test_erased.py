"""Whom to forget is itself forgotten, once nothing older can come."""

from pipeline.clock import SystemClock
from pipeline.memory_log import MemoryLog
from pipeline.outputs import Outputs
from tables.erased import REMEMBERED_MS, Forgotten
from tables.memory import MemoryStore
from tables.turn import Turn


def turn_of(store: MemoryStore) -> Turn:
    return Turn(None, store, Outputs(MemoryLog(SystemClock())))


async def test_that_nobody_was_erased_is_believed_only_until_somebody_is() -> None:
    store = MemoryStore()
    for turn in (turn_of(store), turn_of(store)):
        assert Forgotten(turn).is_empty
        await turn.finish()
    turn = turn_of(store)
    Forgotten(turn).note("t", "ada", 1000)
    assert not Forgotten(turn).is_empty
    await turn.finish()
    assert not Forgotten(turn_of(store)).is_empty


def test_who_was_erased_long_ago_is_known_no_more() -> None:
    turn = turn_of(MemoryStore())
    assert Forgotten(turn).is_empty
    Forgotten(turn).note("t", "ada", 1000)
    assert Forgotten(turn).covers("t", "ada", 1000)
    assert not Forgotten(turn).covers("t", "ada", 1001)
    assert not Forgotten(turn).covers("ta", "da", 1000)
    Forgotten(turn).note("t", "bob", 1000 + REMEMBERED_MS)
    assert Forgotten(turn).covers("t", "ada", 1000)
    # Each looks at its neighbours alone, so it takes some until all places were looked at.
    for number in range(100):
        Forgotten(turn).note("t", f"cy-{number}", 1001 + REMEMBERED_MS)
    assert not Forgotten(turn).covers("t", "ada", 1000)
