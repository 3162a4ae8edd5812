"""A view goes into a Parquet file that other programs read."""

from pathlib import Path

import pytest

from analytics.clickhouse import ClickHouse
from analytics.export import parquet, to_bucket
from schemas.errors import WrongUsage
from tests.analytics.story import STORY, sent


async def test_a_view_as_parquet(database: ClickHouse, tmp_path: Path) -> None:
    """Read back by the engine, which takes it for what it is."""
    await database.insert([*STORY, *sent("z", 100, tenant="globex")])
    file = tmp_path / "told.parquet"
    found = b"".join(
        [piece async for piece in parquet(database, "who_was_told", "tenant = 'acme'")]
    )
    assert found[:4] == found[-4:] == b"PAR1"
    file.write_bytes(found)
    question = "SELECT user, channel FROM file({file:String}, 'Parquet') ORDER BY user"
    rows = await database.query(question, {"file": str(file)})
    told = await database.query(
        "SELECT user, channel FROM who_was_told WHERE tenant = 'acme' ORDER BY user"
    )
    assert rows == told
    assert len(told) == 6


@pytest.mark.parametrize("name", ["nothing", "erased", "migrations", "funnel; DROP TABLE by_hour"])
async def test_only_what_is_there_for_analysts(database: ClickHouse, name: str) -> None:
    with pytest.raises(WrongUsage, match=r"There is no view .* there are .*funnel"):
        [piece async for piece in parquet(database, name)]


async def test_a_bucket_has_a_name_and_a_file(database: ClickHouse) -> None:
    with pytest.raises(WrongUsage, match=r"s3://BUCKET/FILE"):
        await to_bucket(database, "funnel", "s3://bucket")
