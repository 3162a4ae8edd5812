"""Figures of some weeks that were counted in plain Python: whatever the order, the views agree."""

from random import Random
from typing import Any

from analytics.clickhouse import ClickHouse
from tests.analytics.counted import HAPPENED, QUESTIONS
from tests.analytics.test_folding import fold_all


async def counted(database: ClickHouse) -> dict[str, dict[Any, Any]]:
    found = {}
    for name, (_, width, question) in QUESTIONS.items():
        rows = [tuple(row) for row in await database.query(question)]
        found[name] = {row[:width]: row[width:] for row in rows}
        assert len(found[name]) == len(rows), name
    return found


async def test_views_say_what_was_counted(database: ClickHouse) -> None:
    """At once; read twice, shuffled and in other blocks; and when days are folded."""
    expected = {name: figures for name, (figures, _, _) in QUESTIONS.items()}
    await database.insert(HAPPENED)
    assert await counted(database) == expected
    again = [*HAPPENED, *HAPPENED]
    Random(3).shuffle(again)
    for start in range(0, len(again), 11):
        await database.insert(again[start : start + 11])
    assert await counted(database) == expected
    assert await fold_all(database) > 1
    assert await counted(database) == expected
