"""All of Tocsin on one machine: Kafka, ClickHouse, the simulators, and the roles' processes."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from itertools import chain, repeat
from pathlib import Path
from typing import Self

from agents.setup import set_up
from embedded.clickhouse import ClickHouse
from embedded.kafka import Kafka
from embedded.kafka_cluster import KafkaCluster
from embedded.process import Child, free_port, tail
from pipeline.settings import Settings
from pipeline.variables import settings_of
from schemas.errors import Unavailable
from schemas.topics import EVENTS, ROLES

ROOT = Path(__file__).parent.parent
CATALOGUE = ROOT / "catalogue"
"""What the demo and the page to play with are made for."""
PAUSES = (0.5, 5, 10)
"""Seconds before a role that ended is started again; the last one repeats. A crash is over at once;
one that can't start waits for what is away, and must not keep that from starting."""
READY = "ready"
"""What a worker's first line ends with once it has joined its group."""

WEB = "web"
"""The web process, which is no role, as it has no group."""
ASK_CLICKHOUSE = {"analytics", WEB}
"""A house without these has none, and no tables: its start and theirs take as long as Kafka's."""
TOGETHER = "worker"
"""The process of all roles of a house that runs them in one."""

PARTITIONS = 4
"""Of each topic in a new folder. On one machine half as many as elsewhere serve as many workers as
it has processors for, and each costs Kafka and us time whatever comes (docs/measured.md)."""

Progress = Callable[[str], None]


class Simulators:
    """The provider simulators as a child process."""

    def __init__(self, folder: Path) -> None:
        self.accept_log = folder / "accepted.jsonl"
        self.port = free_port()
        self._folder = folder
        self._child = Child("The provider simulators")

    @property
    def environment(self) -> dict[str, str]:
        """Settings by which the sinks reach them."""
        settings: dict[str, str] = json.loads((self._folder / "environment.json").read_text())
        return settings

    async def start(self) -> None:
        """Start and return once they listen."""
        log = self._folder / "simulators.log"
        options = ["--port", self.port, "--log", self.accept_log, "--folder", self._folder]
        argv = [sys.executable, "-m", "embedded.simulators", *map(str, options)]
        ready = _says(log, "simulators ready")
        await self._child.start(argv, {"PYTHONPATH": str(ROOT)}, log, ready)

    async def stop(self) -> None:
        """End them in order."""
        await self._child.stop()


class Worker:
    """A process that runs one role, several or `web`, started again when it ends by itself."""

    def __init__(
        self, name: str, folder: Path, environment: Mapping[str, str], *roles: str
    ) -> None:
        """The process of this name with these roles; without any, with the role of that name."""
        self.role = name
        roles = roles or (name,)
        self._command = [name] if name == WEB else ["worker", *roles]
        self.ready = f"all {len(roles)} roles {READY}" if len(roles) > 1 else f"{roles[0]} {READY}"
        """What its log says once it has joined its groups."""
        self.restarts = 0
        self.log = folder / f"{name}.log"
        self.code = ROOT
        """The folder with the version that it runs, from its next start on."""
        self._environment = environment
        self._child = Child("The worker" if name == TOGETHER else f"The {name} worker")
        self._watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """Process id of the running worker."""
        return self._child.pid

    @cached_property
    def metrics_port(self) -> int:
        """The loopback port at which it is scraped, unless a setting says another."""
        return free_port()

    async def start(self) -> None:
        """Start it; raises Unavailable with its last lines when it ends at once."""
        await self._start()
        self._watch = asyncio.create_task(self._keep_running())

    async def stop(self, grace: float = 30.0) -> None:
        """Let it finish what is in hand, commit and end."""
        if self._watch is not None:
            self._watch.cancel()
        await self._child.stop(grace)

    async def kill(self) -> None:
        """End it at once, as a crash would; it is started again."""
        await self._child.kill()

    async def _start(self) -> None:
        # Not from wherever we were started: that may be another version.
        argv = [sys.executable, "-P", "-m", "cli", *self._command]
        metrics = {} if self.role == WEB else {"TOCSIN_METRICS_PORT": str(self.metrics_port)}
        environment = {"PYTHONPATH": str(self.code), **metrics, **self._environment}
        if environment.get("TOCSIN_CATALOGUE") == str(CATALOGUE):
            # Each version with what it ships: an older one can't read all that is in ours.
            environment["TOCSIN_CATALOGUE"] = str(self.code / CATALOGUE.name)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        ready = _says(self.log, self.ready)
        await self._child.start(argv, environment, self.log, ready)

    async def _keep_running(self) -> None:
        while True:
            await self._child.wait()
            for pause in chain(PAUSES, repeat(PAUSES[-1])):
                await asyncio.sleep(pause)
                self.restarts += 1
                try:
                    await self._start()
                    break
                except Unavailable:
                    continue


class LocalStack:
    """Everything in one folder, started in order and stopped in the reverse order.

    Data stays in the folder, so a house can be started again where it was.
    """

    def __init__(
        self,
        folder: Path,
        *,
        kafka_port: int | None = None,
        clickhouse_port: int | None = None,
        web_port: int | None = None,
        roles: tuple[str, ...] = ROLES,
        together: Mapping[str, tuple[str, ...]] | None = None,
        brokers: int = 1,
        partitions: int | None = None,
        **settings: object,
    ) -> None:
        """Ports are free ones unless given; `settings` go to every worker.

        Topics have as many `partitions` as they have in this folder already, or PARTITIONS.

        Among the `roles` may be WEB; ClickHouse runs for those alone that ask it. Each is a process
        of its name, unless it runs `together` with others in the process that is named there. With
        several `brokers`, which choose their ports themselves, each of them has every record.
        """
        self.folder = folder.absolute()
        kept = partitions_in(self.folder / "kafka")
        self._settings = settings | {"partitions": partitions or kept or PARTITIONS}
        self._brokers = brokers
        self.kafka: Kafka | KafkaCluster = (
            Kafka(self.folder / "kafka", kafka_port)
            if brokers == 1
            else KafkaCluster(self.folder / "kafka", brokers)
        )
        self.clickhouse = ClickHouse(self.folder / "clickhouse", clickhouse_port)
        self.simulators = Simulators(self.folder / "simulators")
        self.workers: dict[str, Worker] = {}
        self._roles = roles
        self._together = together or {}
        self.web_port = web_port or free_port()

    @property
    def roles(self) -> tuple[str, ...]:
        """What it runs, whichever processes do it; WEB is no role."""
        return tuple(role for role in self._roles if role != WEB)

    def worker_of(self, role: str) -> Worker:
        """The process that runs this role, and maybe others."""
        return self.workers[self._process_of(role)]

    @property
    def accept_log(self) -> Path:
        """What the simulated providers accepted: the witness outside of Tocsin."""
        return self.simulators.accept_log

    @property
    def environment(self) -> dict[str, str]:
        """Variables by which any process reaches this house."""
        overrides = {f"TOCSIN_{name.upper()}": str(v) for name, v in self._settings.items()}
        return {
            **self.simulators.environment,
            "NO_PROXY": "127.0.0.1,localhost",
            "TOCSIN_KAFKA": self.kafka.address,
            "TOCSIN_REPLICATION": str(self._brokers),
            "TOCSIN_CLICKHOUSE_HOST": self.clickhouse.host,
            "TOCSIN_CLICKHOUSE_PORT": str(self.clickhouse.port),
            "TOCSIN_DATA_DIR": str(self.folder / "state"),
            "TOCSIN_CATALOGUE": str(CATALOGUE),
            **self._web(),
            **overrides,
        }

    def _web(self) -> dict[str, str]:
        if WEB not in self._roles:
            return {}
        port = str(self.web_port)
        return {"TOCSIN_WEB_PORT": port, "TOCSIN_PUBLIC_URL": f"http://127.0.0.1:{port}"}

    @property
    def settings(self) -> Settings:
        """The settings that the workers run with."""
        return settings_of(self.environment)

    async def start(self, progress: Progress = lambda _: None) -> None:
        """Start all; on any failure what was started is stopped, and the error says what to do."""
        try:
            has_tables = not ASK_CLICKHOUSE.isdisjoint(self._roles)
            progress("Kafka, ClickHouse and the provider simulators are starting")
            starting = [self.kafka.start(), self.simulators.start()]
            await asyncio.gather(*starting, *([self.clickhouse.start()] if has_tables else []))
            progress("Topics and tables are being created")
            await set_up(self.settings, has_tables=has_tables)
            progress("Workers are starting")
            await self._start_workers()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop all: workers first, so that what they have in hand is finished."""
        await asyncio.gather(*(worker.stop() for worker in self.workers.values()))
        await asyncio.gather(self.simulators.stop(), self.clickhouse.stop(), self.kafka.stop())

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _start_workers(self) -> None:
        logs = self.folder / "logs"
        processes: dict[str, list[str]] = {}
        for role in self._roles:
            processes.setdefault(self._process_of(role), []).append(role)
        self.workers = {
            name: Worker(name, logs, self.environment, *roles) for name, roles in processes.items()
        }
        await asyncio.gather(*(worker.start() for worker in self.workers.values()))

    def _process_of(self, role: str) -> str:
        return next((name for name, roles in self._together.items() if role in roles), role)


def partitions_in(folder: Path) -> int:
    """How many partitions a topic has in the data of a Kafka, of one node or several; 0 if none."""
    return len({kept.name for kept in folder.rglob(f"{EVENTS.name}-*") if kept.is_dir()})


def _says(log: Path, words: str) -> Callable[[], Awaitable[bool]]:
    begin = log.stat().st_size if log.exists() else 0

    async def ready() -> bool:
        return words in tail(log, begin)

    return ready
