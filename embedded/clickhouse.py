"""ClickHouse on this machine: the real engine behind its HTTP protocol, as a child process.

`python -m embedded.clickhouse --folder FOLDER --port PORT` runs it in the foreground.
"""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path
from typing import Self

import aiohttp
from aiohttp import web

from embedded.process import LOOPBACK, Child, check_port, free_port
from schemas.errors import TocsinError, Unavailable

ROOT = Path(__file__).parent.parent
PING_TIMEOUT = aiohttp.ClientTimeout(total=2)


class ClickHouse:
    """A ClickHouse that keeps its data in `folder` and listens on the loopback only.

    `port` is the HTTP port, a free one unless given, and stays the same over restarts. An
    insert that was answered survives stop() and kill(), though not the machine losing power.
    Times without a zone are UTC.
    """

    host = LOOPBACK

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder.absolute()
        self.port = port or free_port()
        self._child = Child("ClickHouse")

    @property
    def pid(self) -> int:
        """Process id; raises Unavailable before the first start."""
        return self._child.pid

    @property
    def log_path(self) -> Path:
        """The errors that it answered with, over all starts."""
        return self.folder / "clickhouse.log"

    async def start(self) -> None:
        """Start and return once it answers; raises PortTaken, or Unavailable with its log."""
        check_port(self.port)
        options = ["--folder", str(self.folder), "--port", str(self.port)]
        argv = [sys.executable, "-m", "embedded.clickhouse", *options]
        # The engine takes its time zone from the process.
        env = {"TZ": "UTC", "PYTHONPATH": str(ROOT)}
        await self._child.start(argv, env, self.log_path, self._ready)

    async def stop(self) -> None:
        """End it in order; killed if that takes longer than 15 s."""
        await self._child.stop()

    async def kill(self) -> None:
        """SIGKILL, as a crash would; start() recovers from it on the same folder and port."""
        await self._child.kill()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _ready(self) -> bool:
        url = f"http://{self.host}:{self.port}/ping"
        try:
            async with aiohttp.request("GET", url, timeout=PING_TIMEOUT) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False


async def serve(folder: Path, port: int) -> None:
    """Serve until SIGTERM or SIGINT; what is running then may end first. Raises PortTaken."""
    check_port(port)
    try:
        from embedded.clickhouse_engine import Engine
    except ImportError as error:
        raise Unavailable(
            f"ClickHouse can't be started here: {error}. Install the extra [embedded]."
        ) from None
    from embedded.clickhouse_http import Front

    stopped = asyncio.Event()
    front = Front(Engine(folder / "data"))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    # The front decompresses: aiohttp would do it for some encodings only.
    runner = web.AppRunner(front.app(), access_log=None, auto_decompress=False)
    try:
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, port, shutdown_timeout=5).start()
        sys.stdout.write(f"ClickHouse is ready on http://{LOOPBACK}:{port}\n")
        sys.stdout.flush()
        await stopped.wait()
    finally:
        await runner.cleanup()
        front.close()


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m embedded.clickhouse", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the data is kept")
    parser.add_argument("--port", type=int, default=8123, help="HTTP port on the loopback")
    given = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    try:
        asyncio.run(serve(given.folder, given.port))
    except TocsinError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
