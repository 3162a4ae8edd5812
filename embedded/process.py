"""Child processes: started, checked to be ready, stopped in order, and never left behind."""

import asyncio
import atexit
import contextlib
import errno
import fcntl
import os
import secrets
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from schemas.errors import PortTaken, Unavailable

LOOPBACK = "127.0.0.1"
FREE_PORTS = range(15_000, 32_000)
"""Below every system's ephemeral range: a client that keeps calling a dead port in that range can
be given the port itself, connect to itself, and so keep the restarted server from listening."""
START_SECONDS = 300.0
"""How long a program may take until it is ready, on a machine that is busy with much else; one
that ends is told at once."""
POLL_SECONDS = 0.05
TAIL_LINES = 15

_reserved: list[socket.socket] = []
"""What keeps our ports ours: the system lets go of them when this process ends."""

# PR_SET_PDEATHSIG is 1. Set by a program that then becomes the child, not by `preexec_fn`, which
# runs Python between fork and exec and can deadlock in a parent with threads.
_TIE_TO_PARENT = (
    "import ctypes, os, signal, sys\n"
    "ctypes.CDLL(None).prctl(1, int(signal.SIGKILL))\n"
    "if os.getppid() != int(sys.argv[1]): sys.exit('the parent ended first')\n"
    "os.execvp(sys.argv[2], sys.argv[2:])\n"
)


class Child:
    """One child process in a session of its own.

    Ctrl-C in the terminal does not reach it, so that whoever started it decides the order in
    which things stop. On Linux it is killed when the process that started it ends, however that
    ends; macOS has no such tie, so there a kill -9 of the parent leaves the child running.
    Start it from a thread that lives as long as the child should: the tie is to that thread.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        """Process id of the last start; raises Unavailable if there was none."""
        return self._started.pid

    @property
    def returncode(self) -> int | None:
        """Exit code, -N if signal N ended it, None while it runs or before the first start."""
        return None if self._process is None else self._process.returncode

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        log_path: Path,
        ready: Callable[[], Awaitable[bool]],
        within: float = START_SECONDS,
    ) -> None:
        """Start `argv` and return once `ready` says True.

        `env` is added to our own environment; output is appended to `log_path`, which only one
        child at a time can have. Raises Unavailable with the last log lines, and leaves nothing
        running, if the child ends first or is not ready within `within` seconds; a cancelled
        start leaves nothing running either.
        """
        if self.running:
            raise Unavailable(f"{self.name} runs already, as process {self.pid}; stop it first.")
        begin = await self._spawn(argv, env, log_path)
        try:
            trouble = await self._trouble(ready, within)
        except BaseException:
            await self.kill()
            raise
        if trouble:
            await self.kill()
            raise Unavailable(f"{self.name} {trouble}; {log_path} ends:\n{tail(log_path, begin)}")

    async def run(self, argv: Sequence[str], env: Mapping[str, str], log_path: Path) -> None:
        """Start `argv` and wait until it ends; raises Unavailable if that was with an error."""
        begin = await self._spawn(argv, env, log_path)
        try:
            code = await self.wait()
        except BaseException:
            await self.kill()
            raise
        if code:
            end = tail(log_path, begin)
            raise Unavailable(f"{self.name} failed with code {code}; {log_path} ends:\n{end}")

    async def stop(self, grace: float = 15.0) -> None:
        """Ask it to end, wait `grace` seconds, then kill it; returns when it is gone."""
        if self._process is None or not self.running:
            return
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), grace)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End it and everything it started at once; returns when it is gone."""
        if self._process is not None and self.running:
            self._signal(signal.SIGKILL)
            await self._process.wait()

    async def wait(self) -> int:
        """Wait until it ends and return its exit code."""
        return await self._started.wait()

    async def _spawn(self, argv: Sequence[str], env: Mapping[str, str], log_path: Path) -> int:
        """Start it and return where in the log its output begins."""
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with log_path.open("ab") as log:
            self._claim(log, log_path)
            begin = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                *_tied(argv),
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **env},
                start_new_session=True,
            )
        return begin

    def _claim(self, log: BinaryIO, log_path: Path) -> None:
        # The child inherits the lock with its output and so holds it for as long as it lives.
        # Kafka itself notices a second one on its folder too late: the first then hangs.
        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(
                f"{self.name} runs already, with {log_path}; nothing was started. End it first."
            ) from None

    @property
    def _started(self) -> Process:
        if self._process is None:
            raise Unavailable(f"{self.name} was never started.")
        return self._process

    def _signal(self, number: signal.Signals) -> None:
        # To the group, which is the child's own: what it started must not outlive it either.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    async def _trouble(self, ready: Callable[[], Awaitable[bool]], within: float) -> str:
        """Why it did not become ready; empty if it did."""
        try:
            async with asyncio.timeout(within):
                while self.running:
                    if await ready():
                        return ""
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            return f"was not ready within {within:g} s and was killed"
        return f"ended with code {self.returncode} before it was ready"


def free_port() -> int:
    """A loopback port that nobody listens on, and that no other process of ours is given.

    On Linux it is this process's until that ends, so that whoever is told of it may begin to
    listen later. Elsewhere two that are started in the same moment may be given the same.
    """
    while True:
        port = FREE_PORTS.start + secrets.randbelow(len(FREE_PORTS))
        with contextlib.suppress(Unavailable):
            check_port(port)
            if _reserve(port):
                return port


def _reserve(port: int) -> bool:
    """Whether nobody else has it; from then on we have."""
    if sys.platform != "linux":
        return True
    # A name without a file, known to the same network namespace as the port itself.
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0tocsin-port-{port}")
    except OSError:
        claim.close()
        return False
    # Before the interpreter lets go of it by itself, which it warns of.
    atexit.register(claim.close)
    _reserved.append(claim)
    return True


def check_port(port: int) -> None:
    """Raise PortTaken if another program listens on `port`, Unavailable if we may not."""
    with socket.socket() as probe:
        # A port that only connections in TIME_WAIT remember can be listened on again.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortTaken(
                    f"Port {port} is taken by another program, so nothing was started; "
                    "end that program or choose another port."
                ) from None
            raise Unavailable(f"Port {port} can't be listened on: {error.strerror}.") from None


def tail(log_path: Path, begin: int = 0) -> str:
    """The last lines that were logged after byte `begin`."""
    with log_path.open("rb") as log:
        log.seek(max(begin, log.seek(0, os.SEEK_END) - 16_384))
        lines = log.read().decode(errors="replace").splitlines()
    return "\n".join(lines[-TAIL_LINES:]) or "(nothing)"


def _tied(argv: Sequence[str]) -> Sequence[str]:
    if sys.platform != "linux":
        return argv
    return [sys.executable, "-I", "-S", "-c", _TIE_TO_PARENT, str(os.getpid()), *argv]
