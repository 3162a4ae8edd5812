"""Stand for the real parts in a fork: they start nothing, and lead to what runs already."""

import asyncio
import socket
import threading
import time
from pathlib import Path

import embedded.clickhouse
import embedded.house
import embedded.kafka
from embedded.clickhouse import ClickHouse
from embedded.house import WEB, House, Progress
from embedded.kafka import Kafka
from embedded.process import LOOPBACK
from pipeline.settings import Settings
from tests.mutation.shared import Services

READY_SECONDS = 60.0


def borrow(services: Services) -> None:
    """Have all that starts a Kafka, a ClickHouse or a house from now on use the running one."""

    class BorrowedKafka(Kafka):
        """A Kafka that runs already."""

        def __init__(self, folder: Path, port: int | None = None) -> None:
            super().__init__(folder, int(services.kafka.rpartition(":")[2]))

        async def start(self) -> None:
            """It has."""

        async def stop(self) -> None:
            """Others use it."""

    class BorrowedClickHouse(ClickHouse):
        """A ClickHouse that runs already."""

        def __init__(self, folder: Path, port: int | None = None) -> None:
            super().__init__(folder, services.clickhouse)

        async def start(self) -> None:
            """It has."""

        async def stop(self) -> None:
            """Others use it."""

    class BorrowedHouse(House):
        """A house whose roles run already, with a web server of this process's own."""

        @property
        def environment(self) -> dict[str, str]:
            """That of the running house, with this one's settings."""
            own = {f"TOCSIN_{name.upper()}": str(value) for name, value in self._settings.items()}
            return {**services.house, **self._web(), **own}

        async def start(self, progress: Progress = lambda _: None) -> None:
            """Serve, if it has a web process at all."""
            if WEB in self._roles:
                threading.Thread(target=_serve, args=[self.settings], daemon=True).start()
                await _answers(self.web_port)

        async def stop(self) -> None:
            """The thread ends with the process."""

    if services.kafka:
        embedded.kafka.Kafka = BorrowedKafka  # type: ignore[misc]
    if services.clickhouse:
        embedded.clickhouse.ClickHouse = BorrowedClickHouse  # type: ignore[misc]
    if services.house:
        embedded.house.Kafka = BorrowedKafka  # type: ignore[attr-defined]
        embedded.house.ClickHouse = BorrowedClickHouse  # type: ignore[attr-defined]
        embedded.house.House = BorrowedHouse  # type: ignore[misc]
        import web.app  # noqa: F401 - so that a fork need not


def _serve(settings: Settings) -> None:
    from web.app import run

    class Loop(asyncio.SelectorEventLoop):
        """One that leaves signals to the main thread."""

        def add_signal_handler(self, *_: object) -> None:
            """None are set."""

    loop = Loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(run(settings))


async def _answers(port: int) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex((LOOPBACK, port)) == 0:
                return
        await asyncio.sleep(0.05)
    raise TimeoutError("The web server does not listen.")
