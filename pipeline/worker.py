"""Running one role in this process until it is told to stop."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn

import uvloop
from prometheus_client import start_http_server

from pipeline.allocator import keep_freed_memory
from pipeline.app import SliceApp, build_app, fail
from pipeline.clock import SystemClock
from pipeline.collector import tune_collector
from pipeline.errors import PortTaken, Unavailable
from pipeline.lease import Lease
from pipeline.leased_log import LeasedLog
from pipeline.logs import set_up_logs
from pipeline.membership import member_of
from pipeline.partitions import Partitions, Role
from pipeline.producer import start_producer
from pipeline.queries import Queries, check_guarded
from pipeline.runtime import Runtime
from pipeline.settings import Settings
from pipeline.topic_mending import check_topics_of

BuildRole = Callable[[Runtime], Role]
LEAVE_SECONDS = 30.0
"""For which a stop waits for Kafka; others of the group may need `GRACE` before it can answer."""

log = logging.getLogger(__name__)


def run_worker(settings: Settings, build_role: BuildRole) -> NoReturn:
    """Work until SIGTERM or SIGINT, then finish what is in hand, commit and end the process.

    Faust's app is not stopped: by then it holds nothing, and it would wait for its thread for ever
    where a rebalance came to nothing.
    """
    set_up_logs()
    keep_freed_memory()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work(settings, build_role))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


async def work(settings: Settings, build_role: BuildRole) -> None:
    """The worker as a coroutine; raises what keeps it from starting, before it reads anything."""
    _check_folder(settings.data_dir)
    check_guarded(settings)
    _serve_metrics(settings.metrics_port)
    stop = _stop_signal()
    lease = Lease(settings.session_timeout)
    producer = await start_producer(settings.kafka, fail)
    log = LeasedLog(producer, lease)
    try:
        role = build_role(Runtime(settings, log, SystemClock(), lease.check))
        member, lock = member_of(settings.data_dir, role.name, settings.worker_name)
        await check_topics_of(settings, role.name, role.topics)
        if role.check is not None:
            await role.check()
    except BaseException:
        await producer.stop()
        raise
    partitions = Partitions(role, bytes_in_flight=settings.bytes_in_flight, fail=fail)
    queries = Queries(settings)
    if role.answers:
        queries.answer_for(role.name, partitions)
        partitions.opened = partial(queries.announce, role.name, log)
    await queries.start()
    app = build_app(settings, partitions, lease, member)
    app.finalize()
    tune_collector()
    keeping = [asyncio.create_task(task) for task in (lease.keep(), producer.renew_owners())]
    for task in keeping:
        task.add_done_callback(_fail_with)
    await app.start()
    await _run(app, partitions, stop)
    for task in keeping:
        task.cancel()
    await queries.stop()
    if role.close is not None:
        await role.close()
    await producer.stop()
    lock.close()


async def _run(app: SliceApp, partitions: Partitions, stop: asyncio.Event) -> None:
    await _first(partitions.joined, stop)
    count = len(partitions.numbers)
    sys.stdout.write(f"tocsin: {partitions.role.name} ready, {count} partitions\n")
    sys.stdout.flush()
    await stop.wait()
    await leave(app, partitions)


async def leave(app: SliceApp, partitions: Partitions) -> None:
    """Finish what is in hand, commit it and leave the group, whatever becomes of that.

    By then all is kept, so that Kafka not answering, or a client that broke, is worth a warning.
    """
    await partitions.leave()
    app.lease.end()  # or leaving the group would be taken for losing it
    try:
        async with asyncio.timeout(LEAVE_SECONDS):
            await app.consumer.force_commit()
            await app.consumer.leave()
    except (Exception, asyncio.CancelledError) as error:  # so a thread that ends answers us
        log.warning(
            "This worker could not leave its group within %.0f s (%r). All that it finished is "
            "kept; others have its partitions once its session has ended.",
            LEAVE_SECONDS,
            error,
        )


async def _first(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    return stop


def _fail_with(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        fail(error)


def _serve_metrics(port: int) -> None:
    if not port:
        return
    try:
        start_http_server(port, addr="127.0.0.1")
    except OSError as error:
        raise PortTaken(
            f"Port {port} can't be listened on ({error.strerror}), so nothing was started; "
            "set TOCSIN_METRICS_PORT to another, or to 0 for no metrics."
        ) from error


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".writable").touch()
    except OSError as error:
        raise Unavailable(
            f"The state folder {folder} can't be written ({error.strerror}). Nothing was started; "
            "make it writable, or set TOCSIN_DATA_DIR to a folder that is."
        ) from error
