"""Whom to forget is itself forgotten, once nothing older can come."""

from pipeline.clock import SystemClock
from pipeline.memory_log import MemoryLog
from pipeline.outputs import Outputs
from pipeline.topics import SENT_KEPT_MS
from tables.erased import Forgotten
from tables.memory import MemoryStore
from tables.turn import Turn


def test_who_was_erased_long_ago_is_known_no_more() -> None:
    turn = Turn(None, MemoryStore(), Outputs(MemoryLog(SystemClock())))
    assert Forgotten(turn).is_empty
    Forgotten(turn).note("t", "ada", 1000)
    assert Forgotten(turn).covers("t", "ada", 1000)
    assert not Forgotten(turn).covers("t", "ada", 1001)
    assert not Forgotten(turn).covers("ta", "da", 1000)
    Forgotten(turn).note("t", "bob", 1000 + SENT_KEPT_MS)
    assert Forgotten(turn).covers("t", "ada", 1000)
    Forgotten(turn).note("t", "cy", 1001 + SENT_KEPT_MS)
    assert not Forgotten(turn).covers("t", "ada", 1000)
