"""`tocsin export`: a view of ClickHouse's as a file for other programs."""

import asyncio
from pathlib import Path

import click
import msgspec

from analytics.clickhouse import ClickHouse
from analytics.export import BUCKET, parquet, to_bucket
from cli.audit import put_on_record
from cli.settings import read_settings
from pipeline.settings import Settings


@click.command()
@click.argument("view")
@click.option(
    "--to", "place", required=True, metavar="FILE|s3://BUCKET/FILE", help="Where it is written."
)
@click.option("--where", default="", help='Of which rows, in SQL: "day >= today() - 7".')
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def export(view: str, place: str, where: str, as_json: bool) -> None:
    """Write all rows of VIEW, such as funnel or who_was_told, as Parquet.

    ClickHouse makes the file. What begins with s3:// is written by the server, with the keys that
    it has for it.
    """
    size = asyncio.run(_write(read_settings(), view, place, where))
    said = {"view": view, "to": place, "bytes": size}
    click.echo(msgspec.json.encode(said).decode() if as_json else f"{place}: {view}")


async def _write(settings: Settings, view: str, place: str, where: str) -> int | None:
    await put_on_record(settings, "exported", "export", thing=view)
    clickhouse = ClickHouse(settings)
    try:
        if place.startswith(BUCKET):
            await to_bucket(clickhouse, view, place, where)
            return None
        size, begun = 0, Path(f"{place}.part")
        pieces = parquet(clickhouse, view, where)
        first = await anext(pieces, b"")
        with begun.open("wb") as file:  # noqa: ASYNC230 - nothing else runs
            size += file.write(first)
            async for piece in pieces:
                size += file.write(piece)
        # A file that is there is a whole one.
        begun.replace(place)  # noqa: ASYNC240 - nor here
        return size
    finally:
        await clickhouse.close()
