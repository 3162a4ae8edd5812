"""Told twice, late, or in another order: no figure changes."""

from random import Random
from typing import Any

from analytics.clickhouse import ClickHouse
from analytics.migration import migrations
from schemas.vocabulary import Stage
from tests.analytics.story import DAY, NOON, STORY, happened

VIEWS = sorted(
    {
        statement.split("CREATE OR REPLACE VIEW ")[1].split()[0]
        for file in migrations()
        for statement in file.statements("")
        if "CREATE OR REPLACE VIEW " in statement
    }
    # Of the one that is for 0.3.0 see ROLL_UPS; the other one is a part of `hourly`.
    - {"by_hour", "folded_hours"}
)
DIMENSIONS = "tenant, type, category, channel, provider, priority, stage, reason, catalogue"
_LESS_GONE = """
SELECT {start} AS began, [dimensions],
    uniqExactMerge(happenings) - uniqExactMergeIf(happenings, gone) AS n
FROM
(
    SELECT {name} AS start, [dimensions], happenings, false AS gone FROM by_{name}
    UNION ALL
    SELECT minute, [dimensions], happenings, true FROM erased_happenings
)
GROUP BY ALL HAVING n > 0
""".replace("[dimensions]", DIMENSIONS)
ROLL_UPS = {
    "minute": _LESS_GONE.format(name="minute", start="start"),
    "hour": _LESS_GONE.format(name="hour", start="toStartOfHour(start)"),
}


async def figures(database: ClickHouse) -> dict[str, list[Any]]:
    """All that anyone could see."""
    questions = {name: f"SELECT * FROM {name}" for name in VIEWS} | ROLL_UPS
    return {name: sorted(map(repr, await database.query(q))) for name, q in questions.items()}


COMPARED = [
    *(
        happened(
            Stage.ASSIGNED, name, variant=f"holdout.q1/{group}", within=60, channel=None, user=name
        )
        for name, group in (("k", "told"), ("l", "held_out"))
    ),
    happened(Stage.GOAL, "m", 5, user="k", occurred_at=NOON + 5, channel=None),
]
"""One who was told and reached the goal, and one who was held out."""


async def test_the_same_topic_read_twice_changes_no_figure(database: ClickHouse) -> None:
    told = [*STORY, *COMPARED]
    await database.insert(told)
    once = await figures(database)
    assert len(VIEWS) == 31
    empty = {name for name in once if not once[name]}
    assert empty == {
        "audit_trail",
        "deliverability",
        "digest_members",
        "opt_outs_by_means",
        "outcomes_by_attribute",
        "deliverability_by_carrier",
    }, once
    again = list(told)
    Random(1).shuffle(again)
    # In other blocks, of which ClickHouse itself does not know that it has seen them.
    for start in range(0, len(again), 7):
        await database.insert(again[start : start + 7])
    assert await figures(database) == once
    for table in ("delivery_events", "notification_state", "by_minute", "hour_sets"):
        await database.command(f"OPTIMIZE TABLE {table} FINAL")
    assert await figures(database) == once


async def test_rolled_up_figures_are_those_of_the_events(database: ClickHouse) -> None:
    await database.insert(STORY)
    await database.insert(STORY[:9])
    exact = await database.query(
        "SELECT stage, uniqExact(id) FROM delivery_events "
        "WHERE detail != 'machine' GROUP BY stage ORDER BY stage"
    )
    for table in ("by_minute", "by_hour"):
        question = (
            f"SELECT stage, uniqExactMerge(happenings) FROM {table} GROUP BY stage ORDER BY stage"
        )
        assert await database.query(question) == exact


async def test_a_receipt_that_comes_days_later_counts_on_the_events_day(
    database: ClickHouse,
) -> None:
    await database.insert(STORY)
    days = 5 * 86_400_000
    await database.insert([happened(Stage.DELIVERED, "b", days, provider="fcm")])
    question = "SELECT day, sum(delivered) FROM funnel WHERE channel = 'push' GROUP BY day"
    ((day, delivered),) = await database.query(question)
    assert (str(day), delivered) == (DAY, 2)
