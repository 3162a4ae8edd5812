"""A worker from its start to its stop, in this process; `stoppable.py` runs it as another one."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import IO, Any

import aiohttp
import msgspec
import pytest
from aiokafka import TopicPartition

from embedded.kafka import Kafka
from pipeline.admin.topic_creation import create_topics
from pipeline.consuming.app import SliceApp, build_app
from pipeline.consuming.membership import Member, member_of
from pipeline.kafka.clients import reader
from pipeline.kafka.topic_reading import read_topic
from pipeline.process.queries import SIGNATURE, signature
from pipeline.process.running_role import BuildRole
from pipeline.process.runtime import Runtime
from pipeline.process.worker import work
from pipeline.settings import Settings
from schemas.errors import Misconfigured, PortTaken, RoleNotStarted, TocsinError, Unavailable
from schemas.question import Owner
from schemas.topics import Topic
from tests.patience import ended, until
from tests.pipeline.recorder import PARTITIONS, Notes, Recorder

numbers = count()
ALL = 20 * PARTITIONS
"""Records of a role."""


class Asked(Notes):
    """A handler that can be asked."""

    async def answer(self, question: bytes) -> bytes:
        """The question itself."""
        return question


class Process:
    """What a worker of these recorders' roles is built of, and what became of it."""

    def __init__(self, settings: Settings, *recorders: Recorder) -> None:
        self.settings = settings
        self.recorders = recorders
        self.runtimes: list[Runtime] = []
        self.closed: list[str] = []
        self.failures: list[tuple[BaseException, str]] = []
        self.apps: list[SliceApp] = []
        self.answers = False

    def fail(self, error: BaseException, role: str = "") -> None:
        """What would end the process."""
        self.failures.append((error, role))

    def builders(self) -> dict[str, BuildRole]:
        """By name, how each role is made."""
        return {recorder.name: self._builder(recorder) for recorder in self.recorders}

    def _builder(self, recorder: Recorder) -> BuildRole:
        async def close() -> None:
            self.closed.append(recorder.name)

        def build(runtime: Runtime):  # type: ignore[no-untyped-def]
            self.runtimes.append(runtime)
            role = replace(recorder.role(), close=close, answers=self.answers)
            if self.answers:
                return replace(role, open_handler=lambda number, _: Asked(recorder, number))
            return role

        return build

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so, unless the worker ends; raises what ended it."""
        await until(lambda: self._task.done() or is_so())
        if self._task.done():
            self._task.result()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["asyncio.Task[None]"]:
        """It works until it is told to stop, as an operator tells it."""
        self._task = task = asyncio.create_task(work(self.settings, self.builders()))
        try:
            yield task
        finally:
            if not task.done():
                os.kill(os.getpid(), signal.SIGTERM)
                await ended(task)
            for name in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().remove_signal_handler(name)
            # A worker leaves that to the end of its process.
            for app in self.apps:
                await app.stop()
            self.apps.clear()


@pytest.fixture
async def process(
    kafka: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Process]:
    """Of two roles with 20 records in each partition; their topics are none that is checked."""

    async def check_nothing(*_: object) -> None:
        pass

    recorders = Recorder(kafka.address), Recorder(kafka.address)
    for recorder in recorders:
        await recorder.fill(20)
    settings = recorders[0].settings.model_copy(update={"data_dir": tmp_path})
    process = Process(settings, *recorders)

    def build(*arguments: Any) -> SliceApp:
        process.apps.append(build_app(*arguments))
        return process.apps[-1]

    def enter(*arguments: Any) -> tuple[Member, IO[str]]:
        member, lock = member_of(*arguments)
        locks.append(lock)
        return member, lock

    locks: list[IO[str]] = []
    monkeypatch.setattr("pipeline.process.running_role.member_of", enter)
    monkeypatch.setattr("pipeline.process.running_role.build_app", build)
    monkeypatch.setattr("pipeline.process.running_role.check_topics_of", check_nothing)
    monkeypatch.setattr("pipeline.process.running_role.fail", process.fail)
    monkeypatch.setattr("pipeline.process.worker.fail", process.fail)
    monkeypatch.setattr("pipeline.process.worker.tune_collector", lambda: None)
    yield process
    # One that does not start leaves that to the end of its process, too.
    for lock in locks:
        lock.close()


async def committed(kafka: Kafka, recorder: Recorder) -> list[int | None]:
    """What the role's group has, by partition."""
    async with reader(kafka.address, group_id=f"tocsin-{recorder.name}") as consumer:
        tps = [TopicPartition(recorder.topic.name, number) for number in range(PARTITIONS)]
        return [await consumer.committed(tp) for tp in tps]


async def test_all_roles_work_and_a_stop_commits_what_they_did(
    kafka: Kafka, process: Process, capfd: pytest.CaptureFixture[str]
) -> None:
    first, second = process.recorders
    async with process.running():
        await process.until(
            lambda: all(each.count() == 20 * PARTITIONS for each in process.recorders)
        )
    said = capfd.readouterr().out.splitlines()
    assert sorted(said[:2]) == sorted(
        f"tocsin: {each.name} ready, 3 partitions" for each in process.recorders
    )
    assert said[2:] == ["tocsin: all 2 roles ready"]
    for recorder in process.recorders:
        assert await committed(kafka, recorder) == [20] * PARTITIONS
    assert process.closed == [first.name, second.name]
    assert not process.failures


async def test_who_was_stopped_lets_another_into_the_folder(process: Process) -> None:
    for times in (1, 2):
        for recorder in process.recorders:
            await recorder.fill(20)
        async with process.running():
            await process.until(
                lambda times=times: all(  # type: ignore[misc]
                    each.count() == (times + 1) * 20 * PARTITIONS for each in process.recorders
                )
            )
    assert not process.failures


async def test_what_a_role_writes_goes_to_kafka(kafka: Kafka, process: Process) -> None:
    topic = Topic(name=f"worker-{next(numbers)}", key="", written_by="", read_by="")
    await create_topics(process.settings, [topic])
    async with process.running():
        await process.until(lambda: all(each.count() for each in process.recorders))
        runtime = process.runtimes[0]
        runtime.check_lease()
        outputs = runtime.outputs()
        outputs.add(topic, 1, b"k", b"written")
        assert await ended(outputs.flush()) == {(topic.name, 1): 1}
        assert runtime.settings is process.settings
    assert [record.value async for record in read_topic(kafka.address, topic.name)] == [b"written"]


async def test_a_write_that_kafka_never_acknowledges_ends_the_process(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = process.recorders[0].topic.name
    async with process.running():
        await process.until(lambda: all(each.count() for each in process.recorders))
        with monkeypatch.context() as hasty:
            hasty.setattr("pipeline.producing.producer.DELIVERY_SECONDS", 0)
            with pytest.raises(Unavailable, match="did not acknowledge"):
                await ended(process.runtimes[0].producer.write(topic, 0, [(None, b"late")]))
    assert [type(error) for error, _ in process.failures] == [Unavailable]


async def test_what_renewing_raises_ends_the_process(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_work = asyncio.Event()

    async def refuse(_: object) -> None:
        await all_work.wait()
        raise Unavailable("Kafka does not answer")

    monkeypatch.setattr("pipeline.producing.producer.Producer.renew_owners", refuse)
    async with process.running():
        await process.until(lambda: all(each.count() for each in process.recorders))
        all_work.set()
        await process.until(lambda: bool(process.failures))
    assert [str(error) for error, _ in process.failures] == ["Kafka does not answer"]


async def test_who_can_be_asked_says_so_and_answers(
    kafka: Kafka, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    owners = Topic(name=f"owners-{next(numbers)}", key="", written_by="", read_by="")
    await create_topics(process.settings, [owners])
    monkeypatch.setattr("pipeline.process.queries.OWNERS", owners)
    process.answers = True
    names = [each.name for each in process.recorders]
    async with process.running():
        await process.until(
            lambda: all(each.count() == 20 * PARTITIONS for each in process.recorders)
        )
        said = [record async for record in read_topic(kafka.address, owners.name)]
        found = [msgspec.json.decode(record.value or b"", type=Owner) for record in said]
        assert sorted((each.role, each.partition) for each in found) == sorted(
            (name, number) for name in names for number in range(PARTITIONS)
        )
        async with aiohttp.ClientSession() as session:
            for owner in found:
                path = f"/{owner.partition}"
                signed = {SIGNATURE: signature(b"", path, b'"who?"')}
                async with session.post(owner.url + path, data=b'"who?"', headers=signed) as reply:
                    assert (reply.status, await reply.read()) == (200, b'"who?"')
    assert not process.failures


async def test_a_role_that_can_not_start_keeps_all_from_starting(process: Process) -> None:
    first, second = process.recorders

    async def refuse() -> None:
        raise Misconfigured("TOCSIN_THING can't be used. Nothing was started; set it.")

    builders = process.builders()
    builders[second.name] = lambda _: replace(second.role(), check=refuse)
    with pytest.raises(RoleNotStarted) as error:
        await ended(work(process.settings, builders))
    assert f"The role {second.name} can't start, so none of this process's 2 roles" in str(
        error.value
    )
    assert "TOCSIN_THING can't be used" in str(error.value)
    alone = process.settings.model_copy(update={"data_dir": process.settings.data_dir / "alone"})
    with pytest.raises(Misconfigured, match=r"^TOCSIN_THING"):
        await ended(work(alone, {second.name: builders[second.name]}))
    assert first.count() == 0


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"kafka": "127.0.0.1:1"}, Unavailable, "TOCSIN_KAFKA"),
        ({"query_host": "0.0.0.0"}, Misconfigured, "TOCSIN_SIGNING_KEY"),  # noqa: S104
        ({"data_dir": Path("/dev/null/state")}, TocsinError, "TOCSIN_DATA_DIR"),
    ],
)
async def test_what_keeps_a_worker_from_starting_is_said_before_anything_is_read(
    process: Process, changes: dict[str, object], error: type[TocsinError], said: str
) -> None:
    process.settings = process.settings.model_copy(update=changes)
    with pytest.raises(error, match=said):
        await ended(work(process.settings, process.builders()))
    assert process.runtimes == []


async def test_a_port_for_metrics_that_is_taken_is_said(process: Process) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process.settings = process.settings.model_copy(update={"metrics_port": port})
        with pytest.raises(PortTaken, match=rf"127\.0\.0\.1:{port} .*TOCSIN_METRICS_PORT"):
            await ended(work(process.settings, process.builders()))
