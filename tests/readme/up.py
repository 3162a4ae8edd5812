"""`tocsin up` as README has it, in a terminal of its own, at ports that nobody uses."""

import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cli.environment import FILE
from embedded.process import free_port
from tests.readme.shell import COMMAND_SECONDS, environment_for

PORTS = {9092: "--kafka-port", 8123: "--clickhouse-port", 8090: "--web-port", 8091: "--page-port"}
"""Those that README names, and the options of `tocsin up` that choose others."""


def free_ports() -> dict[int, int]:
    """By README's port, the one to use for this run."""
    return {port: free_port() for port in PORTS}


def with_ports(text: str, ports: Mapping[int, int]) -> str:
    """A text of README with the ports of this run."""
    return re.sub(
        r"(?<=127\.0\.0\.1:)\d+", lambda found: str(ports.get(int(found[0]), found[0])), text
    )


@contextmanager
def up(folder: Path, log: Path, ports: Mapping[int, int]) -> Iterator[None]:
    """Everything runs inside the block, and has ended in order after it."""
    options = [word for port, option in PORTS.items() for word in (option, str(ports[port]))]
    with log.open("w") as output:
        process = subprocess.Popen(
            [".venv/bin/tocsin", "up", *options],
            cwd=folder, env=environment_for(folder), stdout=output, stderr=output,
        )  # fmt: skip
    try:
        _until_ready(process, folder / FILE, log)
        yield
        process.send_signal(signal.SIGINT)
        assert process.wait(COMMAND_SECONDS) == 0, log.read_text()
        assert not (folder / FILE).exists()
    finally:
        # What it started ends with it.
        process.kill()
        process.wait()


def _until_ready(process: subprocess.Popen[bytes], file: Path, log: Path) -> None:
    end = time.monotonic() + COMMAND_SECONDS
    while not (file.exists() and file.stat().st_size and "Ctrl-C" in log.read_text()):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.1)
