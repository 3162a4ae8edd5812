"""Running one or more roles in this process until a signal stops it."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterable, Mapping
from typing import NoReturn

import uvloop

from pipeline.consuming.app import fail
from pipeline.kafka.request_counts import count_requests
from pipeline.monitoring import metrics
from pipeline.monitoring.logs import say, set_up_logs
from pipeline.monitoring.metrics_server import serve_metrics
from pipeline.monitoring.probes import STALL_SECONDS, Probes
from pipeline.process.allocator import keep_freed_memory
from pipeline.process.gc_tuning import tune_collector
from pipeline.process.prerequisites import check_folder, check_prefix
from pipeline.process.queries import Queries, check_guarded
from pipeline.process.running_role import BuildRole, RunningRole
from pipeline.producing.producer import Producer, start_producer
from pipeline.settings import Settings
from pipeline.tracing.export import start_tracing, stop_tracing
from schemas.errors import RoleNotStarted, TocsinError

SWITCH_SECONDS = 0.0005
"""After which a thread that runs Python lets the loop go on. With Python's own 5 ms, the loop waits
that long after each wait for the network while, say, a catalogue is compiled."""


def run_worker(settings: Settings, builders: Mapping[str, BuildRole]) -> NoReturn:
    """Work until SIGTERM or SIGINT, then finish what is in flight, commit and end the process.

    Faust's apps are not stopped: by then they hold nothing.
    """
    set_up_logs(settings.log_format, settings.log_level)
    start_tracing(settings, f"tocsin-{'-'.join(builders)}" if len(builders) == 1 else "tocsin")
    keep_freed_memory()
    sys.setswitchinterval(SWITCH_SECONDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work(settings, builders))
        stop_tracing()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


async def work(settings: Settings, builders: Mapping[str, BuildRole]) -> None:
    """The worker as a coroutine; raises what keeps it from starting, before it reads anything.

    All of the roles are started, or none; and whatever ends one of them ends the process.
    """
    check_folder(settings.data_dir)
    check_prefix(settings.data_dir, settings.prefix)
    check_guarded(settings)
    probes = _watched(settings)
    stop = _stop_signal()
    producer = await start_producer(settings.brokers, fail)
    queries = Queries(settings)
    try:
        roles = await _prepared(settings, producer, queries, builders)
        await queries.start()
    except BaseException:
        await producer.stop()
        raise
    tune_collector()
    probes.watch(roles)
    keeping = [
        asyncio.create_task(task)
        for task in (
            producer.renew_owners(),
            probes.keep_looking(),
            *(role.keep_lease() for role in roles),
        )
    ]
    for task in keeping:
        task.add_done_callback(_fail_with)
    starting = asyncio.create_task(_start(roles))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        return  # nothing was read yet
    await asyncio.gather(*(role.join(stop) for role in roles))
    if len(roles) > 1 and not stop.is_set():
        say(f"all {len(roles)} roles ready")
    await stopping
    probes.stop()
    await asyncio.gather(*(role.leave() for role in roles))
    for task in keeping:
        task.cancel()
    await queries.stop()
    for role in roles:
        await role.close()
    await producer.stop()


async def _start(roles: Iterable[RunningRole]) -> None:
    await asyncio.gather(*(role.start() for role in roles))


async def _prepared(
    settings: Settings, producer: Producer, queries: Queries, builders: Mapping[str, BuildRole]
) -> list[RunningRole]:
    """All roles, each found able to work; raises for the first that isn't."""
    roles = []
    for name, build in builders.items():
        try:
            role = RunningRole(settings, producer, queries, build)
            await role.prepare()
        except TocsinError as error:
            if len(builders) == 1:
                raise
            raise RoleNotStarted(
                f"The role {name} can't start, so none of this process's {len(builders)} roles "
                f"was started; mend that, or leave {name} out. {error}",
                error,
            ) from error
        roles.append(role)
    return roles


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    return stop


def _fail_with(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        fail(error)


def _watched(settings: Settings) -> Probes:
    """What is served of this process for those who watch it, where a port is set."""
    slowest = max(settings.provider_timeout, settings.smtp_final_timeout)
    probes = Probes(STALL_SECONDS + slowest)
    if settings.metrics_port:
        metrics.KAFKA.info({"prefix": settings.prefix})
        serve_metrics(settings.metrics_host, settings.metrics_port, probes)
        count_requests()
    return probes
