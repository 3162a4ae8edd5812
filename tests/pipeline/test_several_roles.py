"""Roles that share a process: they stop, end and refuse to start together."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from embedded.kafka import Kafka
from pipeline.consuming.app import SliceApp
from schemas.errors import ExitCode, Unavailable
from tests.kafka_proxy import HEARTBEAT, of, proxy_to
from tests.patience import PATIENCE, ended, until
from tests.pipeline.recorder import PARTITIONS, Recorder
from tests.pipeline.stoppable import SOUND
from tests.pipeline.worker_processes import Workers

ALL = list(range(PARTITIONS))


@pytest.fixture
async def recorders(kafka: Kafka) -> tuple[Recorder, Recorder]:
    """Two roles with a topic each."""
    both = Recorder(kafka.address), Recorder(kafka.address)
    for recorder in both:
        await recorder.fill(SOUND)
    return both


@asynccontextmanager
async def sharing(recorders: tuple[Recorder, Recorder]) -> AsyncIterator[list[SliceApp]]:
    """A worker of each role in this process, as others of their groups."""
    first, second = recorders
    async with first.worker() as one, second.worker() as two:
        yield [one, two]


async def test_all_roles_work_share_with_others_and_hand_over_at_once(
    recorders: tuple[Recorder, Recorder], workers: Workers
) -> None:
    process = await workers.start(*recorders)
    for recorder in recorders:
        assert f"tocsin: {recorder.name} ready, {PARTITIONS} partitions" in workers.log.read_text()
    async with sharing(recorders) as apps:
        # Some of each role's partitions move, and some stay.
        await until(lambda: all(0 < len(app.partitions.numbers) < PARTITIONS for app in apps))
        await process.stop(PATIENCE)
        assert process.returncode == 0
        # A silent member's session would not have ended by then.
        await until(lambda: all(app.partitions.numbers == ALL for app in apps))
        assert "session has ended" not in workers.log.read_text()


async def test_one_role_without_its_lease_ends_the_process(
    kafka: Kafka, recorders: tuple[Recorder, Recorder], workers: Workers
) -> None:
    async with proxy_to(kafka.port) as proxy:
        process = await workers.start(*recorders, how="brief", kafka=proxy.address)
        proxy.hold(of(HEARTBEAT, within=recorders[1].name.encode()))
        assert await ended(process.wait()) == ExitCode.UNAVAILABLE
        proxy.let_go()
    # The other's heartbeats were answered all the time.
    said = workers.log.read_text()
    assert re.findall("Unavailable in the role (.+): The coordinator", said) == [recorders[1].name]
    assert "Nothing more was written and no provider called; it starts again" in said


async def test_one_role_that_breaks_ends_the_process_and_is_named(
    recorders: tuple[Recorder, Recorder], workers: Workers
) -> None:
    process = await workers.start(*recorders, how=f"breaks-{recorders[0].name}")
    await recorders[0].fill(1)
    assert await ended(process.wait()) == ExitCode.INTERNAL
    said = workers.log.read_text()
    assert f"tocsin: RuntimeError in the role {recorders[0].name}: the disk is gone" in said
    assert "finished work is kept, and a restart continues from there" in said


async def test_a_role_that_can_t_start_keeps_all_from_starting_and_is_named(
    recorders: tuple[Recorder, Recorder], workers: Workers
) -> None:
    good, bad = recorders
    with pytest.raises(Unavailable, match=r"ended with code [1-9]"):
        await workers.start(good, bad, how=bad.name)
    (said,) = [line for line in workers.log.read_text().splitlines() if "can't start" in line]
    assert (
        f"The role {bad.name} can't start, so none of this process's 2 roles was started; mend "
        f"that, or leave {bad.name} out. TOCSIN_THING can't be used." in said
    )
    assert "partitions" not in workers.log.read_text()
