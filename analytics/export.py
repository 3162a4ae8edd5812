"""A view or a table as a Parquet file, written by ClickHouse itself."""

from collections.abc import AsyncIterator

from analytics.clickhouse import ClickHouse
from analytics.quoting import quoted
from schemas.errors import WrongUsage

BUCKET = "s3://"
_NAMES = """
SELECT name FROM system.tables
WHERE database = currentDatabase() AND engine NOT LIKE '%Materialized%'
    AND name NOT IN ('audit', 'audit_trail', 'erased', 'migrations', 'delivery_events_0006')
    AND NOT startsWith(name, 'claims_')
ORDER BY name
"""


async def names(clickhouse: ClickHouse) -> list[str]:
    """What can be exported: all but who was erased; raises Unavailable."""
    return [name for (name,) in await clickhouse.query(_NAMES)]


async def parquet(clickhouse: ClickHouse, name: str, where: str = "") -> AsyncIterator[bytes]:
    """The file, piece by piece; raises Unavailable, and WrongUsage where there is no such
    view. `where` is a condition in SQL, by whoever may ask anything in any case."""
    async for piece in clickhouse.stream(await _select(clickhouse, name, where), "Parquet"):
        yield piece


async def to_bucket(clickhouse: ClickHouse, name: str, url: str, where: str = "") -> None:
    """Have the server write it to s3://BUCKET/KEY, by the keys that it has for it; raises the
    same."""
    bucket, _, key = url.removeprefix(BUCKET).partition("/")
    if not bucket or not key:
        raise WrongUsage(f"{url!r} is no place such as s3://BUCKET/FILE.parquet.")
    place = quoted(f"https://{bucket}.s3.amazonaws.com/{key}")
    select = await _select(clickhouse, name, where)
    await clickhouse.command(f"INSERT INTO FUNCTION s3({place}, 'Parquet') {select}")


async def _select(clickhouse: ClickHouse, name: str, where: str) -> str:
    known = await names(clickhouse)
    if name not in known:
        raise WrongUsage(f"There is no view {name!r}; there are {', '.join(known)}.")
    return f"SELECT * FROM {name}{f' WHERE {where}' if where else ''}"  # noqa: S608 - by its owner
