"""`tocsin hints`: have the decider know in which hour each user opens most."""

import asyncio
import sys

import click

from analytics.clickhouse import ClickHouse
from cli.settings import read_settings
from pipeline.producing.outputs import Outputs
from pipeline.producing.producer import start_producer


@click.command()
@click.option(
    "--least", type=click.IntRange(1), default=5, show_default=True,
    help="Opens of the last 90 days that a user must have: of fewer, the hour says little.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One line of JSON on standard output.")
def hints(least: int, as_json: bool) -> None:
    """Compute each user's best hour from what they opened, and write it to the topic hints.

    Run it once a day. Types with send_at = "best_hour" use it. Running it twice changes nothing.
    """
    count = asyncio.run(_publish(least))
    if as_json:
        sys.stdout.write(f'{{"hints":{count}}}\n')
    else:
        click.echo(f"Wrote the best hours of {count:,} users.")


async def _publish(least: int) -> int:
    # Imported late, as the other commands need none of RocksDB.
    from agents.best_hours import publish_hints

    settings = read_settings()
    clickhouse = ClickHouse(settings)
    try:
        producer = await start_producer(settings.brokers)
        try:
            return await publish_hints(clickhouse, Outputs(producer), settings.partitions, least)
        finally:
            await producer.stop()
    finally:
        await clickhouse.close()
