"""Days that are closed become counts, and no figure changes by it."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from agents.analytics import analytics
from analytics.clickhouse import COLUMNS, ClickHouse
from analytics.erasure import erase
from analytics.folding import Patience, fold
from analytics.migration import migrate, migrations
from analytics.panels import PANELS, Span
from analytics.panels import figures as figures_of
from analytics.reconcile import _HOURS_APART
from schemas.delivery_event import DeliveryEvent
from schemas.vocabulary import Stage
from tests.agents.stage import Stage as Scene
from tests.analytics.story import NOON, STORY, TENANT, happened, sent
from tests.analytics.test_twice import ROLL_UPS

DAY_MS = 86_400_000
AGO = 15
"""Days before those of the story, so that all of it is closed."""
DATE = (datetime.fromtimestamp(NOON / 1000, UTC) - timedelta(days=AGO)).date()
ROLLED_UP = [panel for panel in PANELS if panel.name in ("why_not", "week_over_week")]
AT_ONCE = Patience(margin=0, pause=0)
STAGES = "SELECT stage, toUInt32(sum(messages)) FROM hourly GROUP BY stage ORDER BY stage"
# As 0.3.0 asks.
STAGES_BEFORE = (
    "SELECT stage, uniqExactMerge(happenings) FROM by_hour GROUP BY stage ORDER BY stage"
)
# Who told of an open is kept until then.
BEFORE = f"""
SELECT * EXCEPT (provider, n), if(stage IN ('opened', 'clicked'), '', provider), sum(n)
FROM ({ROLL_UPS["hour"]}) GROUP BY ALL
"""
COUNTED = [
    ("bounced", 1), ("clicked", 1), ("delivered", 1), ("failed", 1), ("held", 1), ("opened", 1),
    ("queued", 7), ("retrying", 1), ("sent", 6), ("suppressed", 2),
]  # fmt: skip
"""Of the story, by hand: of what was opened, one by a machine, which nobody counts."""


def long_ago(*events: DeliveryEvent, days: int = AGO) -> list[DeliveryEvent]:
    """The same, so many days before."""
    before = days * DAY_MS
    return [
        replace(
            event,
            at=event.at - before,
            occurred_at=event.occurred_at - before,
            accepted_at=event.accepted_at - before,
        )
        for event in events
    ]


async def fold_all(database: ClickHouse) -> int:
    """All that there is to fold; returns in how many steps."""
    steps = 1
    while await fold(database, patience=AT_ONCE):
        steps += 1
    return steps


async def seen(database: ClickHouse) -> dict[str, Any]:
    """All that anyone could see of what is kept by the hour, also by what 0.3.0 asks."""
    found: dict[str, Any] = {}
    for name, question in (("hourly", "SELECT * FROM hourly"), ("by_hour", BEFORE)):
        found[name] = sorted(map(repr, await database.query(question)))
    # Days that begin and end within an hour, as the story does not.
    first = datetime.combine(DATE, time(0, 17), UTC) - timedelta(days=1)
    span = Span(TENANT, first, first + timedelta(hours=49))
    for panel in ROLLED_UP:
        found[panel.name] = (await figures_of(database, panel, span)).rows
    # As what was before, it is folded, too.
    later = replace(span, start=span.start + timedelta(days=7), end=span.end + timedelta(days=7))
    found["before"] = (await figures_of(database, ROLLED_UP[-1], later)).rows
    return found


async def test_figures_are_what_they_were(database: ClickHouse) -> None:
    """With what was told twice, on another day, of another tenant, or of who was erased since."""
    told = long_ago(*STORY, *sent("x", 100, user="erased"), *sent("y", 5, tenant="globex"))
    await database.insert([*told, *told[:5], *long_ago(*sent("z", 10), days=AGO + 1), *STORY])
    await erase(database, TENANT, "erased", NOON)
    before = await seen(database)
    await fold_all(database)
    assert await database.query("SELECT count() FROM folded_days") == [(2,)]
    assert await database.query("SELECT min(toDate(hour)) > {d:Date} FROM hour_sets", {"d": DATE})
    assert await seen(database) == before
    for table in ("delivery_events", "hour_counts", "counted_days", "folded_days"):
        await database.command(f"OPTIMIZE TABLE {table} FINAL")
    assert await seen(database) == before


async def test_what_is_counted_is_right_by_hand(database: ClickHouse) -> None:
    await database.insert(long_ago(*STORY))
    await fold_all(database)
    assert await database.query("SELECT count() FROM hour_sets") == [(0,)]
    assert await database.query(STAGES) == COUNTED
    assert await database.query(STAGES_BEFORE) == COUNTED
    assert await database.query("SELECT DISTINCT toString(hour) FROM hourly") == [
        (f"{DATE} 12:00:00",)
    ]


async def test_what_comes_late_counts_once_and_not_again(database: ClickHouse) -> None:
    """Also what had been counted already, and what is of a type or an hour that had nothing."""
    await database.insert(long_ago(*STORY))
    await fold_all(database)
    late = long_ago(
        happened(Stage.OPENED, "c", 20 * DAY_MS, provider="link"),
        happened(Stage.SENT, "n", type="other", occurred_at=NOON + 3_600_000),
    )
    again = [replace(event, at=event.at + DAY_MS) for event in long_ago(*STORY)]
    await database.insert([*late, *again])
    await fold_all(database)
    more = {**dict(COUNTED), "opened": 2, "sent": 7}
    assert dict(await database.query(STAGES)) == more
    assert dict(await database.query(STAGES_BEFORE)) == more
    await database.insert([*late, *again])
    await fold_all(database)
    assert dict(await database.query(STAGES)) == more
    assert (await database.query(_HOURS_APART, {"first": DATE, "last": DATE, "most": 5})) == [
        (0, [])
    ]


async def test_an_open_that_two_tell_of_counts_once(database: ClickHouse) -> None:
    """Our own link, and the provider; before the day is folded and after, and when erased."""
    opens = long_ago(
        *(happened(Stage.OPENED, "c", at, provider=by) for at, by in ((9, "links"), (5, "fcm"))),
        *(happened(Stage.CLICKED, "x", 7, provider=by, user="gone") for by in ("links", "fcm")),
    )
    for told in ([*long_ago(*STORY), *opens], []):
        if told:
            await database.insert(told)
        else:
            await fold_all(database)
        found = await database.query(STAGES)
        assert dict(found) == {**dict(COUNTED), "opened": 2, "clicked": 2}
    for _ in range(2):
        await erase(database, TENANT, "gone", NOON)
        assert dict(await database.query(STAGES)) == {**dict(COUNTED), "opened": 2}
        await fold_all(database)


async def test_a_day_is_not_counted_anew_where_nothing_came(database: ClickHouse) -> None:
    await database.insert(long_ago(*STORY, *sent("o", 1, type="other")))
    await fold_all(database)
    await database.insert(long_ago(happened(Stage.OPENED, "o", type="other")))
    assert await fold_all(database) == 2
    counts = "SELECT type, uniqExact(counted_at) FROM hour_counts GROUP BY type ORDER BY type"
    assert await database.query(counts) == [("order_shipped", 1), ("other", 2)]
    # Not twice within half an hour.
    await database.insert(long_ago(happened(Stage.CLICKED, "o", type="other")))
    assert not await fold(database)


async def test_who_is_erased_later_is_taken_off_at_once(database: ClickHouse) -> None:
    await database.insert(long_ago(*STORY))
    without = await seen(database)
    await database.insert(long_ago(*sent("x", 100, user="gone"), *sent("a2", 1, user="gone")))
    await fold_all(database)
    assert await seen(database) != without
    for _ in range(2):
        await erase(database, TENANT, "gone", NOON)
        assert await seen(database) == without
        await fold_all(database)
        assert await seen(database) == without
    assert await database.query("SELECT sum(count) > 22 FROM hour_counts FINAL") == [(True,)]


async def test_what_is_told_late_and_then_erased_leaves_no_trace(database: ClickHouse) -> None:
    await database.insert(long_ago(*STORY))
    without = await seen(database)
    await fold_all(database)
    await database.insert(long_ago(*sent("x", 100, user="gone")))
    await erase(database, TENANT, "gone", NOON)
    await fold_all(database)
    assert await seen(database) == without


@pytest.mark.parametrize("cut_after", [1, 3])
async def test_a_step_that_was_cut_short_is_finished_by_the_next(
    database: ClickHouse, cut_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each statement; also when the day was folded and something came since."""
    await database.insert(long_ago(*STORY))
    run, left = database.command, cut_after

    async def command(*args: Any) -> None:
        nonlocal left
        if not left:
            raise InterruptedError
        left -= 1
        await run(*args)

    for _ in range(2):
        before, left = await seen(database), cut_after
        monkeypatch.setattr(database, "command", command)
        with suppress(InterruptedError):
            await fold_all(database)
        monkeypatch.undo()
        assert await seen(database) == before
        await fold_all(database)
        assert await seen(database) == before
        await database.insert(long_ago(*STORY[:9]))


async def test_two_at_once_count_the_same(
    database: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each type in a step of its own."""
    monkeypatch.setattr("analytics.folding.AT_ONCE", 1)
    types = [replace(event, type=f"type_{n}") for n in range(3) for event in STORY]
    other = [replace(event, id=f"{event.type}.{event.id}") for event in types]
    await database.insert(long_ago(*other))
    before = await seen(database)
    await asyncio.gather(fold_all(database), fold_all(database))
    assert await seen(database) == before
    assert await database.query("SELECT uniqExact(day) FROM folded_days") == [(1,)]
    assert await fold_all(database) == 1


async def test_what_is_kept_for_90_days_stays_counted(database: ClickHouse) -> None:
    """Its events are gone when the day is folded, and when it is counted anew."""
    await database.insert(long_ago(*STORY, days=100))
    for _ in range(2):
        await database.command(
            "ALTER TABLE delivery_events DELETE WHERE retention = 'short'"
            " SETTINGS mutations_sync = 1"
        )
        await fold_all(database)
        assert await database.query(STAGES) == COUNTED
        assert await database.query(STAGES_BEFORE) == COUNTED
        await database.insert(long_ago(*STORY, days=100))


async def test_sets_stay_for_who_still_asks_them(database: ClickHouse) -> None:
    await database.insert(long_ago(*STORY))
    while await fold(database):
        pass
    assert await database.query("SELECT count() > 0 FROM hour_sets") == [(True,)]
    assert await database.query(STAGES) == COUNTED


async def test_a_day_that_is_not_closed_is_left_alone(database: ClickHouse) -> None:
    await database.insert(STORY)
    assert not await fold(database, patience=AT_ONCE)
    assert await database.query("SELECT count() FROM folded_days") == [(0,)]


async def test_the_worker_folds(stage: Scene, database: ClickHouse) -> None:
    await database.insert(long_ago(*STORY))
    await stage.work(analytics(database, stage.runtime))
    assert await database.query("SELECT day FROM folded_days") == [(DATE,)]
    assert await database.query(STAGES) == COUNTED


@pytest.mark.parametrize("cut", [10])
async def test_what_0_3_0_has_written_comes_along(
    empty: ClickHouse, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what it writes while the schema is changed, and when that was cut short."""
    (file,) = (file for file in migrations() if file.number == 29)
    await migrate(empty, files=[each for each in migrations() if each.number < 29])
    before, meanwhile, after = STORY[:10], STORY[10:15], STORY[15:]
    older = tuple(name for name in COLUMNS if name not in ("attribute", "carrier"))
    monkeypatch.setattr("analytics.clickhouse.COLUMNS", older)
    await empty.insert(list(before))
    for statement in file.statements("")[:cut]:
        await empty.command(statement)
    await empty.insert(list(meanwhile))
    await migrate(empty)
    await empty.insert(list(after))
    assert await empty.query(STAGES) == COUNTED
    assert await empty.query(STAGES_BEFORE) == COUNTED
    assert await empty.query(
        "SELECT engine FROM system.tables WHERE name = 'by_hour' AND database = currentDatabase()"
    ) == [("View",)]
