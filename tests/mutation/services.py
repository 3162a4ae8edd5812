"""Starts what the tests of all mutants share, from clean sources, until standard input ends.

`python -m tests.mutation.services FOLDER NAME…` prints where they are as JSON, in one line.
"""

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from embedded.clickhouse import ClickHouse
from embedded.kafka import Kafka
from tests.mutation.shared import Services


async def start(folder: Path, names: list[str]) -> None:
    """Start them, say where they are, and stop them when nobody needs them any more."""
    async with AsyncExitStack() as stack:
        services = Services()
        if "kafka" in names:
            kafka = await stack.enter_async_context(Kafka(folder / "kafka"))
            services = Services(kafka=kafka.address)
        if "clickhouse" in names:
            clickhouse = await stack.enter_async_context(ClickHouse(folder / "clickhouse"))
            services = Services(kafka=services.kafka, clickhouse=clickhouse.port)
        sys.stdout.write(msgspec.json.encode(services).decode() + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    """Run from the command line."""
    os.setsid()  # Ctrl-C is for the process that asked for them
    asyncio.run(start(Path(sys.argv[1]), sys.argv[2:]))


if __name__ == "__main__":
    main()
