"""What the check says of ClickHouse while an upgrade is under way."""

from agents.check.clickhouse import check_clickhouse
from agents.check.findings import Finding, State
from analytics.migration import Migration, migrate, migrations
from embedded.clickhouse import ClickHouse
from pipeline.settings import Settings
from tests.analytics.database import connected, created

NEXT = Migration(9999, "9999_of_the_next_version.sql", "SELECT 1;\n")


async def test_a_newer_schema_is_warned_of_and_the_grants_are_tried(clickhouse: ClickHouse) -> None:
    async with created(clickhouse) as name:
        settings = Settings(
            clickhouse_host=clickhouse.host,
            clickhouse_port=clickhouse.port,
            clickhouse_database=name,
        )

        async def found() -> dict[str, Finding]:
            return {each.subject: each async for each in check_clickhouse(settings)}

        async with connected(clickhouse, name) as database:
            await migrate(database)
            assert {each.state for each in (await found()).values()} == {State.OK}
            await migrate(database, files=[*migrations(), NEXT])
        newer = await found()
        tables = newer.pop("ClickHouse's tables")
        assert tables.state is State.WARNING
        assert NEXT.name in tables.found
        assert {each.state for each in newer.values()} == {State.OK}
        assert "ClickHouse's grants" in newer
