"""The least that a process can do to get rows into ClickHouse: the client's own inserts, in turn.

`python -m bench.analytics.bare_insert HOST PORT ROWS NAME END`: makes the rows, says so, and
inserts them once it is told.
"""

import asyncio
import sys

import clickhouse_connect
import uvloop

from agents.analytics import ROWS as INSERTED
from analytics.clickhouse import COLUMNS, INSERT_SETTINGS, columns_of
from bench.analytics.synthetic_events import happenings
from pipeline.process.allocator import keep_freed_memory
from pipeline.process.gc_tuning import tune_collector


async def insert(host: str, port: int, rows: int, name: str, end: int) -> None:
    """Insert so many rows, as many at a time as our worker does and with its settings."""
    events = list(happenings(rows, name, end))
    client = await clickhouse_connect.get_async_client(
        host=host, port=port, autogenerate_session_id=False
    )
    types = (await client.create_insert_context("delivery_events", COLUMNS)).column_types
    tune_collector()
    keep_freed_memory()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    for start in range(0, rows, INSERTED):
        await client.insert(
            "delivery_events",
            columns_of(events[start : start + INSERTED]),
            column_names=COLUMNS,
            column_oriented=True,
            column_types=types,
            settings=INSERT_SETTINGS,
        )
    await asyncio.Event().wait()


if __name__ == "__main__":
    host, port, rows, name, end = sys.argv[1:]
    uvloop.run(insert(host, int(port), int(rows), name, int(end)))
