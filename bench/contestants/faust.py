"""Stock Faust as its documentation has it: an agent, two tables, `topic.send`.

Settings are Faust's own but for RocksDB tables. The codecs are ours, on raw bytes: a good deal
faster than Faust's, so the comparison is of the runtime and not of JSON libraries. It has uvloop,
as `faust --loop uvloop` sets it for all its threads, and the collector set as our workers do.

Faust drops records that it fetches while it ends its recovery (its issue 596), and would never
come to the end of what was there before. So it gets its requests when it says that it is up.
"""

from pathlib import Path
from typing import Any

import faust
import mode.loop

from bench.contestants.equipment import equip, report
from bench.contestants.work import decode_request, work
from bench.decide.topics import FAUST, FAUST_APP
from bench.decide.workload import PARTITIONS, state_key

UP = "bench: up"
BYTES: dict[str, Any] = {"key_type": bytes, "value_type": bytes}
RAW: dict[str, Any] = BYTES | {"key_serializer": "raw", "value_serializer": "raw"}


def build(kafka: str, folder: Path) -> faust.App:
    """The app."""
    app = faust.App(
        FAUST_APP,
        broker=f"kafka://{kafka}",
        store="rocksdb://",
        datadir=str(folder),
        topic_partitions=PARTITIONS,
        table_standby_replicas=0,
        web_enabled=False,
    )
    requests = app.topic(FAUST.requests, **RAW)
    deliver = app.topic(FAUST.deliver, **RAW)
    delivery_events = app.topic(FAUST.delivery_events, **RAW)
    profiles = app.Table("profiles", partitions=PARTITIONS, **BYTES)
    ledgers = app.Table("ledgers", partitions=PARTITIONS, **BYTES)

    @app.agent(requests)
    async def decider(stream: Any) -> None:
        async for value in stream:
            request = decode_request(value)
            user, key = request.user.encode(), state_key(request.user)
            outcome = work(request, profiles.get(key), ledgers.get(key))
            for delivery in outcome.deliveries:
                await deliver.send(key=user, value=delivery)
            for event in outcome.events:
                await delivery_events.send(value=event)
            if outcome.ledger is not None:
                ledgers[key] = outcome.ledger

    @app.task
    async def tell() -> None:
        report()
        print(UP, flush=True)

    return app


def run(kafka: str, folder: Path) -> None:
    """Run it as `faust worker --loop uvloop` does."""
    mode.loop.use("uvloop")
    app = build(kafka, folder)
    app.finalize()
    equip()
    faust.Worker(app, loglevel="WARN", redirect_stdouts=False).execute_from_commandline()
