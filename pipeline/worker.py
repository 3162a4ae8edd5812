"""Running one role in this process until it is told to stop."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import uvloop

from pipeline.app import build_app, fail
from pipeline.clock import SystemClock
from pipeline.errors import Unavailable
from pipeline.partitions import Partitions, Role
from pipeline.runtime import Runtime, start_producer
from pipeline.settings import Settings

BuildRole = Callable[[Runtime], Role]


def run_worker(settings: Settings, build_role: BuildRole) -> None:
    """Work until SIGTERM or SIGINT, then finish what is in hand, commit and return."""
    uvloop.run(work(settings, build_role))


async def work(settings: Settings, build_role: BuildRole) -> None:
    """The worker as a coroutine; raises Unavailable when it can't start."""
    _check_folder(settings.data_dir)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    producer = await start_producer(settings.kafka)
    role = build_role(Runtime(settings, producer, SystemClock()))
    if role.check is not None:
        await role.check()
    partitions = Partitions(role, bytes_in_flight=settings.bytes_in_flight, fail=fail)
    app = build_app(settings, partitions)
    app.finalize()
    await app.start()
    await partitions.joined.wait()
    sys.stdout.write(f"tocsin: {role.name} ready, {len(partitions.numbers)} partitions\n")
    sys.stdout.flush()
    await stop.wait()
    await partitions.close()
    await app.consumer.force_commit()
    with contextlib.suppress(asyncio.CancelledError):
        await app.stop()
    await producer.stop()


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".writable").touch()
    except OSError as error:
        raise Unavailable(
            f"The state folder {folder} can't be written ({error.strerror}). Nothing was started; "
            "make it writable, or set TOCSIN_DATA_DIR to a folder that is."
        ) from error
