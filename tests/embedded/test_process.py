import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from embedded.process import Child, check_port, free_port
from schemas.errors import Unavailable
from tests.patience import PATIENCE

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True);"
    "time.sleep(600)",
]
PARENT = """
import asyncio, pathlib, sys, time
from embedded.process import Child
async def up():
    return True
async def main():
    child = Child("child")
    await child.start(["sleep", "600"], {}, pathlib.Path(sys.argv[1]), up)
    print(child.pid, flush=True)
    time.sleep(600)
asyncio.run(main())
"""
ASKS_FOR_PORTS = """
import sys
from embedded import process
ours = [int(port) for port in sys.argv[1:]]
draws = iter([*ours, *(port for port in range(15_000, 15_200) if port not in ours)])
process.secrets.randbelow = lambda _: next(draws) - process.FREE_PORTS.start
print(*(process.free_port() for _ in range(5)))
"""


class Up:
    """Ready once the child has said so in its log."""

    def __init__(self, log: Path) -> None:
        self.log = log

    async def __call__(self) -> bool:
        return self.log.read_text().endswith("up\n")


async def never() -> bool:
    return False


async def test_stop_ends_the_child_in_order(tmp_path: Path) -> None:
    child = Child("child")
    await child.start(SLEEP, {}, tmp_path / "log", Up(tmp_path / "log"))
    assert child.running
    assert os.getsid(child.pid) == child.pid
    await child.stop()
    assert child.returncode == -signal.SIGTERM
    await child.stop()


async def test_stop_kills_a_child_that_does_not_listen(tmp_path: Path) -> None:
    child = Child("child")
    await child.start(DEAF, {}, tmp_path / "log", Up(tmp_path / "log"))
    await child.stop(grace=0.1)
    assert child.returncode == -signal.SIGKILL


async def test_early_end_tells_the_code_and_this_starts_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("from an earlier start\n")
    argv = [sys.executable, "-c", "import os, sys; sys.exit(os.environ['WHY'])"]
    with pytest.raises(Unavailable, match=r"child ended with code 1 .*\nno luck") as raised:
        await Child("child").start(argv, {"WHY": "no luck"}, log, never)
    assert "earlier" not in str(raised.value)


async def test_not_ready_in_time_leaves_nothing_running(tmp_path: Path) -> None:
    child = Child("child")
    with pytest.raises(Unavailable, match=r"not ready within 0\.3 s"):
        await child.start(SLEEP, {}, tmp_path / "log", never, within=0.3)
    assert not child.running


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent")
def test_child_dies_with_a_killed_parent(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", PARENT, str(tmp_path / "log")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert not _gone(child)
        parent.kill()
    deadline = time.monotonic() + PATIENCE
    while not _gone(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_free_ports_can_be_listened_on() -> None:
    for _ in range(20):
        check_port(free_port())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has sockets without a file")
def test_a_port_is_given_to_one_process_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though none of those that were given one listens on it yet."""
    monkeypatch.setattr("embedded.process.FREE_PORTS", range(15_000, 15_200))
    ours = {free_port() for _ in range(5)}
    argv = [sys.executable, "-c", ASKS_FOR_PORTS, *map(str, ours)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    theirs = {int(port) for port in done.stdout.split()}
    assert (len(ours), len(theirs)) == (5, 5)
    assert ours.isdisjoint(theirs)


def _gone(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
