"""Stock Faust recovering a table, and the seconds that took from the assignment on."""

import time
from pathlib import Path
from typing import Any

import faust

from bench.contestants.faust import BYTES, RAW
from bench.topics import FAUST, FAUST_APP

RECOVERED = "bench: recovered, seconds:"


def run(kafka: str, folder: Path) -> None:
    """Recover one partition, tell, and stay up."""
    app = faust.App(
        FAUST_APP,
        broker=f"kafka://{kafka}",
        store="rocksdb://",
        datadir=str(folder),
        topic_partitions=1,
        table_standby_replicas=0,
        web_enabled=False,
    )
    profiles = app.Table("profiles", partitions=1, **BYTES)
    begin = 0.0

    @app.agent(app.topic(FAUST.requests, **RAW))
    async def reader(stream: Any) -> None:
        async for key in stream:
            profiles.get(key)

    @app.on_partitions_assigned.connect
    async def assigned(*_: Any, **__: Any) -> None:
        nonlocal begin
        begin = time.perf_counter()

    @profiles.on_recover
    async def recovered(*_: Any) -> None:
        print(RECOVERED, time.perf_counter() - begin, flush=True)

    faust.Worker(app, loglevel="WARN", redirect_stdouts=False).execute_from_commandline()
