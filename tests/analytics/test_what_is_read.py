"""What a question reads: the place where its answer stands, and not all that is kept."""

from datetime import timedelta
from typing import Any

import pytest

from analytics import timeline
from analytics.clickhouse import ClickHouse
from analytics.panels import PANELS
from bench.analytics.known_week import END, TENANT, WEEK, fill
from bench.analytics.questions import UNFINISHED

NOTIFICATIONS = 20_000
GRANULE = 8192
DAY = str((END - WEEK + timedelta(days=3)).date())


async def rows_read(database: ClickHouse, question: str, asked: dict[str, Any]) -> int:
    """Rows of delivery_events that the engine would read."""
    found = await database.query(f"EXPLAIN ESTIMATE {question}", asked)
    return sum(rows for _, table, _, rows, _ in found if table == "delivery_events")


@pytest.fixture
async def week(database: ClickHouse) -> ClickHouse:
    """68,000 events, some 9,700 a day, in one part a month."""
    await fill(database, NOTIFICATIONS, lambda said: None)
    await database.command("OPTIMIZE TABLE delivery_events FINAL")
    return database


async def test_a_timeline_reads_its_place(week: ClickHouse) -> None:
    """At most two granules, as a notification may stand where one ends."""
    ((name,),) = await week.query(
        "SELECT min(notification_id) FROM delivery_events "
        "WHERE toDate(occurred_at) = {day:Date} AND stage = 'sent'",
        {"day": DAY},
    )
    asked = {"tenant": TENANT, "name": name, "beginning": name[:12]}
    assert await rows_read(week, timeline._NOTIFICATION, asked) <= 2 * GRANULE
    found = await timeline.timeline(week, TENANT, name)
    assert [each.stage for each in found] == ["queued", "sent", "delivered", "opened"]
    assert await timeline.ids_beginning(week, TENANT, name[:8], 5) == [name]
    assert await timeline.ids_beginning(week, TENANT, name[:20], 5) == [name]
    assert await timeline.timeline(week, TENANT, "f" * 32) == []


async def test_what_is_unfinished_in_a_day_is_read_from_it(week: ClickHouse) -> None:
    """A granule before and one after it hold rows of it too."""
    asked = {"tenant": TENANT, "day": DAY}
    assert 9_000 < await rows_read(week, UNFINISHED, asked) <= 9_800 + 2 * GRANULE


async def test_what_texts_cost_is_read_from_no_event_of_other_channels(week: ClickHouse) -> None:
    """There are none here: by the channels of each granule."""
    (panel,) = (panel for panel in PANELS if panel.name == "texts")
    asked = {"tenant": TENANT, "type": "", "channel": "", "priority": ""}
    times = {"from": f"{END - WEEK:%F %T}", "to": f"{END:%F %T}"}
    assert await rows_read(week, panel.sql, {**asked, **times}) == 0
