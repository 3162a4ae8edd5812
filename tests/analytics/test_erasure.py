"""An erased user is in no table, and everybody else's figures are what they were."""

import os
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from analytics.analyst import LIMITS
from analytics.clickhouse import ClickHouse
from analytics.erasure import Erased, erase, hash_of, purge
from analytics.migration import migrate, migrations
from embedded.clickhouse import ClickHouse as Server
from policy.tracking.ticket import LIFE_MS
from schemas.vocabulary import Stage
from tests.analytics.story import NOON, STORY, TENANT, happened, sent
from tests.analytics.test_twice import figures
from tests.patience import until

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


async def test_the_figures_of_others_stand_still_meanwhile(
    database: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hundred were sent, one of them to who is erased."""
    await database.insert([row for n in range(200) for row in sent(f"n{n}", 100, user=f"u{n}")])
    run, seen = database.command, set()

    async def command(sql: str, parameters: Any = None) -> None:
        await run(sql, parameters)
        question = "SELECT sum(messages) FROM hourly WHERE stage = 'sent'"
        ((now,),) = await database.query(question)
        ((by_state,),) = await database.query("SELECT sum(sent) FROM funnel")
        seen.add((now, by_state))

    monkeypatch.setattr(database, "command", command)
    await erase(database, TENANT, "u7", LATER)
    assert seen == {(200, 200), (199, 200), (199, 199)}


async def test_all_of_very_many_notifications_go(
    database: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.erasure.AT_ONCE", 2)
    odd = "o'ne\\'"
    names = [f"{odd}{n}" for n in range(5)]
    await database.insert([row for name in names for row in sent(name, 100, user="ann")])
    await database.insert([row for name in names for row in sent(name, 100, user="bob")])
    await erase(database, TENANT, "ann", LATER)
    assert await database.query("SELECT DISTINCT user FROM delivery_events") == [("bob",)]


async def test_no_statement_that_is_kept_names_the_user(database: ClickHouse) -> None:
    await database.insert(STORY)
    await erase(database, TENANT, "user-a", LATER)
    question = "SELECT command FROM system.mutations WHERE database = currentDatabase()"
    kept = await database.query(question)
    assert kept
    assert not [command for (command,) in kept if "user-a" in command]


async def test_an_analyst_does_not_see_what_is_masked(database: ClickHouse) -> None:
    await database.insert(STORY)
    await erase(database, TENANT, "user-a", LATER)
    question = "SELECT count() FROM [table] WHERE user = 'user-a'"
    for table in ("delivery_events", "notification_state"):
        asked = question.replace("[table]", table)
        assert (await database.ask(asked, None, {"readonly": 2, **LIMITS}))[1] == [(0,)]
        shown = {"apply_deleted_mask": 0}
        assert (await database.ask(asked, None, shown))[1] != [(0,)]
    await purge(database)


async def test_in_the_end_no_file_has_a_byte_of_the_name(
    clickhouse: Server, empty: ClickHouse
) -> None:
    """Of a name that can't be compressed, so that it stands in files as it is written."""
    await migrate(empty)
    tables = ("delivery_events", "notification_state")
    for table in tables:
        # Eight minutes otherwise.
        await empty.command(f"ALTER TABLE {table} MODIFY SETTING old_parts_lifetime = 1")
    name = uuid4().hex
    others = [row for n in range(9) for row in sent(f"n{n}", 100)]
    await empty.insert([*sent("a", 100, user=name), *others])
    store = clickhouse.folder / "data"

    def having_it() -> list[Path]:
        # Passes over folders that ClickHouse deletes meanwhile.
        files = (Path(folder, each) for folder, _, names in os.walk(store) for each in names)
        return [path for path in files if name.encode() in _bytes_of(path)]

    assert having_it()
    await erase(empty, TENANT, name, LATER)
    assert await purge(empty) == list(tables)
    assert await purge(empty) == []  # it was begun within the day
    # Files are never written to again, and to read all that there are takes long.
    while left := having_it():
        await until(partial(_are_gone, left))
    assert await empty.query("SELECT uniqExact(user) FROM delivery_events") == [(9,)]


def _are_gone(paths: list[Path]) -> bool:
    return not any(path.exists() for path in paths)


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # replaced meanwhile
        return b""


def test_who_was_erased_is_known_for_longer_than_a_message_can_tell_of_them() -> None:
    (days,) = {
        int(statement.rpartition("INTERVAL ")[2].split()[0])
        for file in migrations()
        for statement in file.statements("")
        if "ALTER TABLE erased " in statement and "INTERVAL" in statement
    }
    assert days * 86_400_000 > LIFE_MS + 30 * 86_400_000
