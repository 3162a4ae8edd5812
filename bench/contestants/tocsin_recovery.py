"""Tocsin's partition store restoring itself, on the event loop that a worker has."""

import asyncio
from pathlib import Path

import uvloop

from bench.contestants.equipment import equip, report
from bench.contestants.recovery import Watch
from pipeline.producing.producer import start_producer
from schemas.topics import changelog
from tables.followers import FOLLOWERS
from tables.storage.restore import Changelog
from tables.storage.store import PartitionStore
from tables.storage.table import checker
from tables.users import LEDGERS, PROFILES


def run(kafka: str, folder: Path) -> None:
    """Restore one partition, tell, and stay up."""
    uvloop.run(_restore(kafka, folder))


async def _restore(kafka: str, folder: Path) -> None:
    check = checker(PROFILES, LEDGERS, FOLLOWERS)
    source = Changelog(kafka, changelog("decider").name, 0, check)
    store = PartitionStore(folder, source, await start_producer(kafka))
    equip()
    report()
    watch = Watch()
    await store.restore()
    watch.stop()
    watch.print(sum(1 for prefix in (PROFILES.prefix, LEDGERS.prefix) for _ in store.scan(prefix)))
    await asyncio.Event().wait()
