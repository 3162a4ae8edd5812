"""From and to of a figure are those that were asked for, to the millisecond, in every panel."""

from datetime import timedelta
from typing import Any

import pytest

from analytics.clickhouse import ClickHouse
from analytics.panels import PANELS, Span, figures
from schemas.vocabulary import Channel
from tests.analytics.story import NOON, TENANT
from tests.analytics.test_panel_terms import MOMENT, text_sent

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
BY_NAME = {panel.name: panel for panel in PANELS}


async def sums(database: ClickHouse, span: Span) -> dict[str, Any]:
    """How many texts each panel says were sent."""
    found = {}
    for name, column in (
        ("funnel", "notifications"), ("told", "notifications"), ("volume", "messages"),
        ("providers", "taken"), ("types", "sent"), ("texts", "messages"), ("tenants", "sent"),
    ):  # fmt: skip
        answer = await figures(database, BY_NAME[name], span)
        rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
        if name == "funnel":
            rows = [row for row in rows if row["stage"] == "sent"]
        found[name] = sum(row[column] for row in rows)
    return found


@pytest.mark.parametrize("kept", [True, False], ids=["minutes are kept", "hours alone"])
@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        # One every ten minutes, first at five past; in ms from noon.
        (0, 24 * HOUR_MS, 144),
        (9 * MINUTE_MS, 24 * HOUR_MS + 9 * MINUTE_MS, 144),
        (30 * MINUTE_MS, 45 * MINUTE_MS, 1),
        (31 * MINUTE_MS, 18 * HOUR_MS - 1, 105),
        # The first one and not the last.
        (5 * MINUTE_MS, 23 * HOUR_MS + 55 * MINUTE_MS, 143),
        (5 * MINUTE_MS + 1, 23 * HOUR_MS + 55 * MINUTE_MS + 1, 143),
        (5 * MINUTE_MS, 5 * MINUTE_MS + 1, 1),
        (5 * MINUTE_MS + 1, 5 * MINUTE_MS + 2, 0),
        (10 * HOUR_MS + 1, 14 * HOUR_MS + 2, 24),
    ],
)
async def test_every_panel_counts_what_occurred_from_then_until_then(
    database: ClickHouse, start: int, end: int, count: int, kept: bool
) -> None:
    every = range(NOON + 5 * MINUTE_MS, NOON + 25 * HOUR_MS, 10 * MINUTE_MS)
    told = [text_sent(f"n{at}", at) for at in every]
    assert len(told) == 150
    await database.insert(told)
    if not kept:
        await database.command("TRUNCATE TABLE by_minute")
    span = Span(
        TENANT,
        MOMENT + timedelta(milliseconds=start),
        MOMENT + timedelta(milliseconds=end),
        channel=Channel.SMS,
        minutes_from=None if kept else MOMENT + timedelta(days=2),
    )
    assert set((await sums(database, span)).values()) == {count}


async def test_whole_minutes_are_found_without_reading_events(database: ClickHouse) -> None:
    """A day of a large tenant's events is what a dashboard must not read every few seconds."""
    await database.insert([text_sent(f"n{n}", NOON + n * MINUTE_MS) for n in range(60)])
    await database.command("TRUNCATE TABLE delivery_events")
    for hours in (1, 24):
        span = Span(TENANT, MOMENT, MOMENT + timedelta(hours=hours))
        answer = await figures(database, BY_NAME["tenants"], span)
        assert answer.rows == [["acme", 60, 0, 0, 0]]
