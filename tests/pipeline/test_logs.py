"""A worker says things once."""

import logging

from pipeline.logs import Repeats


def record(message: str, name: str = "aiokafka") -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, "", 0, message, (), None)


def test_the_same_message_passes_once_in_half_a_minute() -> None:
    now = 0.0
    repeats = Repeats(monotonic=lambda: now)
    assert [repeats.filter(record("away")) for _ in range(3)] == [True, False, False]
    assert repeats.filter(record("back"))
    assert repeats.filter(record("away", "other"))
    now = 31.0
    assert repeats.filter(record("away"))
