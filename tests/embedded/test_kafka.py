import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import UnknownTopicOrPartitionError

from embedded import java
from embedded.kafka import FIXED, Kafka
from embedded.process import LOOPBACK
from schemas.errors import DownloadFailed, PortTaken, Unavailable
from schemas.topics import LARGEST_RECORD


async def create(kafka: Kafka, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def produce(kafka: Kafka, topic: str, *values: bytes) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka.address, max_request_size=2 * LARGEST_RECORD, acks="all"
    )
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(topic, value)
    finally:
        await producer.stop()


async def consume(kafka: Kafka, topic: str, count: int) -> list[bytes]:
    async with consumer(kafka, topic) as records:
        return [(await records.getone()).value for _ in range(count)]


@asynccontextmanager
async def consumer(kafka: Kafka, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    records = AIOKafkaConsumer(
        topic,
        bootstrap_servers=kafka.address,
        group_id=f"{topic}-group",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=2 * LARGEST_RECORD,
    )
    await records.start()
    try:
        yield records
    finally:
        await records.stop()


@pytest.mark.parametrize("size", [10, 2 << 20, LARGEST_RECORD])
async def test_records_up_to_the_largest_come_back(kafka: Kafka, size: int) -> None:
    topic = f"sizes-{size}"
    await create(kafka, topic)
    await produce(kafka, topic, b"x" * size)
    assert await consume(kafka, topic, 1) == [b"x" * size]


async def test_topics_are_not_made_up(kafka: Kafka) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.address)
    await producer.start()
    # How long it waits for a topic to be made; its connection keeps all the time it needs.
    producer.client._request_timeout_ms = 300
    try:
        with pytest.raises(UnknownTopicOrPartitionError):
            await producer.send_and_wait("never-created", b"")
    finally:
        await producer.stop()


async def test_listens_on_the_loopback_only(kafka: Kafka) -> None:
    with socket.socket() as elsewhere, pytest.raises(ConnectionRefusedError):
        elsewhere.connect(("127.0.0.2", kafka.port))


async def test_taken_port_is_told(kafka: Kafka, tmp_path: Path) -> None:
    with pytest.raises(PortTaken, match=f"Port {kafka.port} is taken"):
        await Kafka(tmp_path, kafka.port).start()
    assert not (tmp_path / "server.properties").exists()


async def test_restart_and_kill_keep_what_was_acknowledged(tmp_path: Path) -> None:
    kafka = Kafka(tmp_path)
    async with kafka:
        await create(kafka, "kept")
        await produce(kafka, "kept", b"before the stop")
        await kafka.stop()
        await kafka.start()
        await produce(kafka, "kept", b"before the kill")
        await kafka.kill()
        await kafka.start()
        assert await consume(kafka, "kept", 2) == [b"before the stop", b"before the kill"]


async def test_a_folder_in_use_is_told(kafka: Kafka) -> None:
    with pytest.raises(Unavailable, match="Kafka runs already"):
        await Kafka(kafka.folder).start()


async def test_a_failed_download_is_told_and_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(repository: Path) -> list[Path]:
        repository.mkdir()
        raise OSError("no route to host")

    monkeypatch.setattr(java, "_fetch", offline)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    with pytest.raises(DownloadFailed, match="no route to host"):
        await java.kafka_classpath()
    assert _names(tmp_path / ".cache/tocsin") == []


async def test_jars_fetched_anew_are_the_same_to_java(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would not take the classes that it kept for those of jars of another time."""
    fetched = tmp_path / "kafka.jar"
    monkeypatch.setattr(java, "_fetch", lambda repository: [fetched])
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    times = set()
    for _ in range(2):
        fetched.write_bytes(b"classes")
        kept = Path((await java.kafka_classpath()).removesuffix("*"))
        times.add((kept / "kafka.jar").stat().st_mtime)
        shutil.rmtree(kept)
    assert times == {java.FETCHED_AT}


def test_compose_runs_the_same_kafka() -> None:
    compose = yaml.safe_load(Path(__file__, "../../../docker-compose.yml").resolve().read_text())
    kafka = compose["services"]["kafka"]
    assert kafka["image"] == f"apache/kafka:{java.KAFKA_VERSION}"
    assert str(kafka["environment"]["KAFKA_MESSAGE_MAX_BYTES"]) == FIXED["message.max.bytes"]


def test_addresses_are_known_before_the_start(tmp_path: Path) -> None:
    assert Kafka(tmp_path, 15_555).address == f"{LOOPBACK}:15555"


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]
