"""An erased user is in no table, and everybody else's figures are what they were."""

import pytest
from msgspec.structs import replace

from analytics.clickhouse import ClickHouse
from analytics.erasure import Erased, erase, hash_of
from analytics.migration import migrate
from schemas.vocabulary import Stage
from tests.analytics.story import NOON, STORY, TENANT, happened, sent
from tests.analytics.test_twice import figures

LATER = NOON + 86_400_000
OTHERS = [event for event in STORY if event.notification_id != "a"]


async def test_what_is_left_is_as_if_the_user_had_never_been(database: ClickHouse) -> None:
    # In the same minute, in the same hour, and on another day.
    more = [
        replace(event, id=f"{event.id}-{at}", occurred_at=at)
        for event in STORY[:5]
        for at in (NOON + 600_000, NOON + 30 * 86_400_000)
    ]
    elsewhere = sent("a", 100, tenant="globex")
    await database.insert([*OTHERS, *elsewhere])
    without = await figures(database)
    await database.insert([*STORY[:5], *more])
    assert await figures(database) != without
    await erase(database, TENANT, "user-a", LATER)
    assert await figures(database) == without
    await erase(database, TENANT, "user-a", LATER)
    assert await figures(database) == without
    for table in ("delivery_events", "notification_state"):
        await database.command(f"OPTIMIZE TABLE {table} FINAL")
        question = f"SELECT count() FROM {table} WHERE tenant = 'acme' AND user = 'user-a'"
        assert await database.query(question) == [(0,)]
    assert (await database.query("SELECT count() FROM erased WHERE user_hash = 'user-a'")) == [(0,)]


async def test_what_was_accepted_since_stays_though_it_was_there_before(
    database: ClickHouse,
) -> None:
    """In the same hours, of the same user, who came back."""
    since = [
        replace(
            event,
            id=f"since.{event.id}",
            notification_id="since",
            delivery_id=event.delivery_id and "since",
            accepted_at=LATER + 1,
        )
        for event in STORY[:5]
    ]
    assert {event.notification_id for event in STORY[:5]} == {"a"}
    await database.insert([*OTHERS, *since])
    without = await figures(database)
    await database.insert(STORY[:5])
    assert await figures(database) != without
    await erase(database, TENANT, "user-a", LATER)
    assert await figures(database) == without


async def test_what_others_had_put_off_stays_counted_when_its_rows_are_gone(
    database: ClickHouse,
) -> None:
    then = NOON - 100 * 86_400_000
    await database.insert(
        [happened(Stage.HELD, "b", occurred_at=then), *sent("a", 100, occurred_at=then)]
    )
    await database.command("ALTER TABLE delivery_events MATERIALIZE TTL")
    await database.command("OPTIMIZE TABLE delivery_events FINAL")
    await erase(database, TENANT, "user-a", LATER)
    question = "SELECT stage, uniqExactMerge(happenings) FROM by_hour GROUP BY stage"
    assert ("held", 1) in await database.query(question)
    assert [row for row in (await figures(database))["hour"] if "held" in row]


async def test_nothing_of_before_comes_back_and_what_comes_later_does(
    database: ClickHouse,
) -> None:
    await erase(database, TENANT, "user-a", LATER)
    erased = Erased()
    await erased.load(database)
    report = happened(Stage.DELIVERED, "a", 2 * 86_400_000)
    again = happened(Stage.QUEUED, "a", accepted_at=LATER + 1)
    others = [replace(report, tenant="globex"), replace(report, user="user-b")]
    assert erased.without([*STORY, report, again, *others]) == [*OTHERS, again, *others]


def test_the_hash_keeps_tenants_and_users_apart() -> None:
    assert len({hash_of("a", "bc"), hash_of("ab", "c"), hash_of("", "abc")}) == 3


@pytest.mark.parametrize("cut_after", [1, 2, 3])
async def test_an_erasure_that_was_cut_short_is_finished_by_the_next(
    database: ClickHouse, cut_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate(database)
    await database.insert(OTHERS)
    without = await figures(database)
    await database.insert(STORY[:5])
    run, left = database.command, cut_after

    async def command(sql: str, parameters: object = None) -> None:
        nonlocal left
        if not left:
            raise InterruptedError
        left -= 1
        await run(sql, parameters)  # type: ignore[arg-type]

    monkeypatch.setattr(database, "command", command)
    with pytest.raises(InterruptedError):
        await erase(database, TENANT, "user-a", LATER)
    monkeypatch.undo()
    await erase(database, TENANT, "user-a", LATER)
    assert await figures(database) == without
