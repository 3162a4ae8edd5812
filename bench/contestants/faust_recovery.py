"""Stock Faust recovering a table, and the seconds that took from the assignment on."""

from pathlib import Path
from typing import Any

import faust
import mode.loop

from bench.contestants.equipment import equip, report
from bench.contestants.faust import BYTES, RAW
from bench.contestants.recovery import Watch
from bench.decide.topics import FAUST, FAUST_APP


def run(kafka: str, folder: Path) -> None:
    """Recover one partition, tell, and stay up."""
    mode.loop.use("uvloop")
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
    watch: Watch | None = None

    @app.agent(app.topic(FAUST.requests, **RAW))
    async def reader(stream: Any) -> None:
        async for key in stream:
            profiles.get(key)

    @app.on_partitions_assigned.connect
    async def assigned(*_: Any, **__: Any) -> None:
        nonlocal watch
        report()
        watch = Watch()

    @profiles.on_recover
    async def recovered(*_: Any) -> None:
        if watch is not None:
            watch.stop()
            watch.print(sum(1 for _ in profiles))

    app.finalize()
    equip()
    faust.Worker(app, loglevel="WARN", redirect_stdouts=False).execute_from_commandline()
