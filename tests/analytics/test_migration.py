"""The schema grows file by file, is safe to repeat, and says where code and schema disagree."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from analytics.clickhouse import COLUMNS, ClickHouse
from analytics.migration import Migration, check_schema, filled, migrate, migrations
from analytics.timeline import ids_beginning, timeline
from schemas.errors import Misconfigured
from schemas.vocabulary import Reason, Stage
from tests.analytics.story import STORY, happened, sent

FILES = migrations()
OF_0_2 = ("due_at", "digest", "zone", "destination")
OF_0_4 = ("origin", "trace", "attribute", "carrier")
"""Columns that are newer than this release."""
BEFORE = Path(__file__).with_name("before_migrations.sql")


async def tables_of(database: ClickHouse) -> dict[str, str]:
    rows = await database.query(
        "SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase()"
    )
    return dict(rows)


async def test_it_is_applied_once(empty: ClickHouse) -> None:
    with pytest.raises(Misconfigured, match=r"0001_delivery_events.sql is missing"):
        await check_schema(empty)
    assert await migrate(empty) == [file.name for file in FILES]
    tables = await tables_of(empty)
    assert await migrate(empty) == []
    assert await tables_of(empty) == tables
    await check_schema(empty)


async def test_a_run_that_was_cut_short_goes_on(empty: ClickHouse) -> None:
    """The first statement of the second file was run, and nothing noted."""
    await migrate(empty, files=FILES[:1])
    await empty.command(FILES[1].statements("")[0])
    with pytest.raises(Misconfigured, match=r"0002_notification_state.sql is missing"):
        await check_schema(empty)
    assert await migrate(empty) == [file.name for file in FILES[1:]]
    await check_schema(empty)


@pytest.mark.parametrize("cut", [False, True])
async def test_tables_of_before_there_were_migrations_come_along(
    empty: ClickHouse, cut: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their rows stay, also where a first try was cut short."""
    for statement in BEFORE.read_text().split(";\n"):
        if statement.strip():
            await empty.command(statement)
    newer = ("variant", "within", *OF_0_2, *OF_0_4)
    older = tuple(name for name in COLUMNS if name not in newer)
    monkeypatch.setattr("analytics.clickhouse.COLUMNS", older)
    await empty.insert(sent("a", 100))
    monkeypatch.undo()
    if cut:
        for statement in FILES[1].statements("")[:3]:
            await empty.command(statement)
    await migrate(empty)
    await empty.close()  # the newer version is another process
    await empty.insert(sent("b", 100, variant="title/short"))
    question = "SELECT user, channel FROM who_was_told ORDER BY user"
    assert await empty.query(question) == [("user-a", "push"), ("user-b", "push")]
    question = "SELECT variant, user, sent FROM experiment_results"
    assert await empty.query(question) == [("short", "user-b", 1)]
    await check_schema(empty)


async def test_all_that_0_2_0_has_written_comes_along(
    empty: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what it writes while the schema is new already; of what is told again, the first stays.
    Six files are its schema."""
    await migrate(empty, files=FILES[:6])
    newer = (*OF_0_2, *OF_0_4)
    older = tuple(name for name in COLUMNS if name not in newer)
    monkeypatch.setattr("analytics.clickhouse.COLUMNS", older)
    digested = happened(Stage.DIGESTED, "m", 9, reason=Reason.DIGEST, detail="in g", delivery_id="")
    left = happened(Stage.UNSUBSCRIBED, "b", 10)
    await empty.insert([*STORY, digested, left])
    await migrate(empty)
    again = [replace(event, at=event.at + 1000, provider="other") for event in STORY]
    await empty.insert([*again, *sent("after", 100)])
    ((rows, ids),) = await empty.query(
        "SELECT count(), uniqExact(id) FROM delivery_events FINAL WHERE provider != 'other'"
    )
    assert (rows, ids) == (len(STORY) + 4,) * 2
    ((counted,),) = await empty.query("SELECT sum(messages) FROM hourly WHERE provider != 'other'")
    # All but what a machine opened.
    assert counted == rows - 1
    assert await empty.query("SELECT sum(sent), sum(digested) FROM funnel") == [(7, 1)]
    assert await empty.query("SELECT user, digest FROM digest_members") == [("user-m", "g")]
    assert await empty.query("SELECT sum(unsubscribed) FROM opt_outs") == [(1,)]
    assert await empty.query("SELECT count() FROM delivery_events_0006") == [(0,)]


@pytest.mark.parametrize("cut", [1, 3])
async def test_what_0_3_0_has_written_is_found_by_its_id(
    empty: ClickHouse, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what it writes while the table of days is made, and when that was cut short."""
    older = [file for file in FILES if file.number <= 20]
    (days,) = (file for file in FILES if file.number == 26)
    await migrate(empty, files=older)
    older_columns = tuple(name for name in COLUMNS if name not in OF_0_4)
    monkeypatch.setattr("analytics.clickhouse.COLUMNS", older_columns)
    before, meanwhile, after = (sent(name, 100) for name in ("a", "b", "c"))
    await empty.insert(list(before))
    for statement in days.statements("")[:cut]:
        await empty.command(statement)
    await empty.insert(list(meanwhile))
    await migrate(empty)
    monkeypatch.undo()
    await empty.close()  # the newer version is another process
    await empty.insert(list(after))
    for events in (before, meanwhile, after):
        name = events[0].notification_id
        found = await timeline(empty, "acme", name)
        assert [each.stage for each in found] == [event.stage for event in events]
        assert await ids_beginning(empty, "acme", name, 5) == [name]


async def test_two_at_once_end_in_one_schema(empty: ClickHouse) -> None:
    await asyncio.gather(migrate(empty), migrate(empty))
    (count,) = (await empty.query("SELECT count() FROM migrations FINAL"))[0]
    assert count == len(FILES)
    await check_schema(empty)


async def test_a_table_that_another_run_is_replacing_is_waited_for(
    empty: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As between the other run's RENAME and CREATE."""
    await migrate(empty, files=FILES[:6])
    await empty.command("RENAME TABLE delivery_events TO away")

    async def replaced(_: float) -> None:
        await empty.command("RENAME TABLE away TO delivery_events")

    monkeypatch.setattr("analytics.migration.asyncio.sleep", replaced)
    await migrate(empty, files=FILES[:7])
    assert "earliest" in dict(
        await empty.query(
            "SELECT name, type FROM system.columns"
            " WHERE database = currentDatabase() AND table = 'delivery_events'"
        )
    )


async def test_an_older_version_leaves_a_newer_schema_alone(empty: ClickHouse) -> None:
    await migrate(empty)
    before = await tables_of(empty)
    with pytest.raises(Misconfigured, match=f"newer than this version: it has {FILES[-1].name}"):
        await migrate(empty, files=FILES[:-1])
    assert await tables_of(empty) == before


async def test_a_changed_file_is_named(empty: ClickHouse) -> None:
    await migrate(empty, files=FILES[:1])
    changed = replace(FILES[0], sql=FILES[0].sql + "-- more")
    with pytest.raises(Misconfigured, match=r"0001_delivery_events.sql is not the text"):
        await migrate(empty, files=[changed, *FILES[1:]])
    assert "notification_state" not in await tables_of(empty)


@pytest.mark.parametrize("name", ["0007_again.sql", "8_eighth.sql", "0008_eighth.sql.sql"])
def test_a_number_that_is_there_twice_and_a_name_that_is_none_are_found(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "0003_third.sql").write_text("SELECT 1")
    (tmp_path / "0007_seventh.sql").write_text("SELECT 1")
    assert [each.number for each in migrations(tmp_path)] == [3, 7]
    (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(Misconfigured, match=r"is not a migration from 000\d_NAME.sql on"):
        migrations(tmp_path)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
async def test_on_a_cluster_every_table_is_replicated(empty: ClickHouse, file: Migration) -> None:
    """The engine here is one server, which can read such statements and not run them."""
    for statement in file.statements("house"):
        # Of a replicated table it is done by one.
        assert ("ON CLUSTER house" in statement) == ("INSERT INTO" not in statement)
        assert statement.count("ENGINE = Replicated") == statement.count("ENGINE =")
        await empty.command(f"EXPLAIN AST {statement}")


def test_a_clusters_name_is_a_name() -> None:
    with pytest.raises(Misconfigured, match=r"TOCSIN_CLICKHOUSE_CLUSTER"):
        filled("SELECT 1", "a; DROP TABLE b")


async def test_what_is_told_without_an_attribute_counts_as_before(
    empty: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker of the release before, which knows no such columns, writes beside this one."""
    await migrate(empty, files=[file for file in FILES if file.number < 31])
    monkeypatch.setattr("analytics.clickhouse.COLUMNS", COLUMNS[:-2])
    assert COLUMNS[-2:] == ("attribute", "carrier")
    await empty.insert(sent("a", 100))
    await empty.close()
    assert await migrate(empty) == [file.name for file in FILES if file.number >= 31]
    await empty.insert(sent("b", 100))
    monkeypatch.undo()
    await empty.close()
    await empty.insert(sent("c", 100, attribute="plan=pro"))
    assert await empty.query("SELECT sum(told) FROM outcomes") == [(3,)]
    question = "SELECT attribute, value, told FROM outcomes_by_attribute"
    assert await empty.query(question) == [("plan", "pro", 1)]
