"""Apache Kafka on this machine: a KRaft node, as a child process, alone or one of several."""

import os
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from aiokafka.errors import KafkaError
from msgspec import Struct

from embedded.java import class_archive, java, kafka_classpath
from embedded.kafka_format import CLUSTER_ID, format_once
from embedded.process import LOOPBACK, Child, check_port, free_port
from pipeline.kafka.clients import new_admin
from schemas.topics import LARGEST_RECORD

NODE_ID = 1
SEVERAL = {
    # On cores that are busy with much else, one that was late would be taken for gone every time.
    "controller.quorum.election.timeout.ms": "3000",
    "controller.quorum.fetch.timeout.ms": "6000",
    "controller.quorum.request.timeout.ms": "6000",
}
"""Beside `FIXED`, where controllers elect one of them."""
BATCH_OVERHEAD = 64 << 10
"""Headers and framing of a batch count too; a record of the largest size must still fit."""
JVM = (
    "-Xms128m",
    "-XX:+ExitOnOutOfMemoryError",
    # Short runs on few cores: the better code of the second compiler costs more than it saves.
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Djava.awt.headless=true",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
)
FIXED = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "message.max.bytes": str(LARGEST_RECORD + BATCH_OVERHEAD),
    # Workers are restarted all the time in tests and demos; nobody should wait for them.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # After a kill the same broker is let in again only when its old session has run out.
    "broker.session.timeout.ms": "6000",
    "broker.heartbeat.interval.ms": "500",
    "offsets.topic.num.partitions": "8",
    "transaction.state.log.num.partitions": "8",
    # The default takes a quarter of the heap.
    "log.cleaner.dedupe.buffer.size": str(32 << 20),
}


class Node(Struct, frozen=True):
    """One of the nodes of a Kafka: its id, and the controllers' ports by the ids of all nodes.

    The only node of a Kafka takes any free port for that, anew at each start.
    """

    id: int = NODE_ID
    controllers: Mapping[int, int] = {}
    heap_mb: int = 512

    @property
    def properties(self) -> dict[str, str]:
        """What depends on how many nodes there are."""
        ports = self.controllers or {self.id: free_port()}
        replicas, in_sync = str(len(ports)), str(min(2, len(ports)))
        election = SEVERAL if len(ports) > 1 else {}
        voters = (f"{number}@{LOOPBACK}:{port}" for number, port in sorted(ports.items()))
        return {
            "node.id": str(self.id),
            "controller.quorum.voters": ",".join(voters),
            "offsets.topic.replication.factor": replicas,
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": in_sync,
            "share.coordinator.state.topic.replication.factor": replicas,
            "share.coordinator.state.topic.min.isr": in_sync,
            "listeners": f"CONTROLLER://{LOOPBACK}:{ports[self.id]}",
            **election,
        }


async def java_for_kafka(*options: str, heap_mb: int = Node().heap_mb) -> list[str]:
    """Java with Kafka's classes, and these options of it; what it runs is to follow.

    Raises DownloadFailed.
    """
    archive = class_archive()
    shared = [f"-XX:SharedArchiveFile={archive}"] if archive.exists() else []
    heap = f"-Xmx{heap_mb}m"
    return [str(java()), heap, *JVM, *shared, *options, "-cp", await kafka_classpath()]


class Kafka:
    """A Kafka of one node that keeps its data in `folder` and listens on the loopback only.

    `port` is the clients' port, a free one unless given, and stays the same over restarts. What
    was acknowledged survives stop() and kill(): the system's page cache outlives the process.
    It does not survive the machine losing power; that takes replicas, which one node has not.
    Several nodes make a cluster (`embedded.kafka_cluster`). `options` are Java's.
    """

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        node: Node | None = None,
        options: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder.absolute()
        self.port = port or free_port()
        self.node = node or Node()
        self._options = options
        self._child = Child("Kafka")

    @property
    def address(self) -> str:
        """Where clients bootstrap, as host:port."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """Process id; raises Unavailable before the first start."""
        return self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether its process is there, be it ready, paused or about to end."""
        return self._child.running

    @property
    def log_path(self) -> Path:
        """Kafka's warnings and errors over all starts."""
        return self.folder / "kafka.log"

    async def start(self) -> None:
        """Start and return once metadata requests are answered.

        The first start on a machine downloads 45 MB, the first in a folder formats it. Raises
        PortTaken, DownloadFailed, or Unavailable: the folder is in use, or Kafka's last log lines.
        """
        check_port(self.port)
        properties = await self.prepare()
        argv = [*await self._program(), "kafka.Kafka", str(properties)]
        await self._child.start(argv, {}, self.log_path, self._ready)

    async def prepare(self) -> Path:
        """Write Kafka's properties into the folder, and format it unless it is; returns the file.

        Raises DownloadFailed, or Unavailable with what Kafka's tool said.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        properties = self.folder / "server.properties"
        properties.write_text(self._properties())
        await format_once(self._data, self.node.id, lambda: self._use_format_tool(properties))
        return properties

    async def stop(self) -> None:
        """End it in order; killed if that takes longer than 30 s."""
        await self._child.stop(grace=30)

    async def kill(self) -> None:
        """SIGKILL, as a crash would; start() recovers from it on the same folder and port."""
        await self._child.kill()

    def pause(self) -> None:
        """Let it stand still, as a machine that swaps does, until it is resumed."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _properties(self) -> str:
        listener = f"PLAINTEXT://{self.address}"
        own = self.node.properties
        values = (
            FIXED
            | own
            | {
                "listeners": f"{listener},{own['listeners']}",
                "advertised.listeners": listener,
                "log.dirs": str(self._data),
            }
        )
        return "".join(f"{name}={value}\n" for name, value in values.items())

    async def _program(self) -> list[str]:
        return await java_for_kafka(*self._options, heap_mb=self.node.heap_mb)

    async def _use_format_tool(self, properties: Path) -> None:
        formatting = Child("Formatting Kafka's folder")
        options = ["--cluster-id", CLUSTER_ID, "--ignore-formatted", "--config", str(properties)]
        argv = [*await self._program(), "kafka.tools.StorageTool", "format", *options]
        await formatting.run(argv, {}, self.log_path)

    async def _ready(self) -> bool:
        # aiokafka logs an error for each refused connection, so it is asked once there is one.
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex((LOOPBACK, self.port)):
                return False
        admin = new_admin(self.address, request_timeout_ms=5_000)
        try:
            await admin.start()
            cluster = await admin.describe_cluster()
        except (KafkaError, OSError):
            return False
        finally:
            await admin.close()
        # While others answer for it, it may still be catching up.
        return any(broker["node_id"] == self.node.id for broker in cluster["brokers"])
