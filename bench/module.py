"""A module of the benchmarks in a process of its own, spoken to line by line."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from embedded.local_stack import ROOT
from schemas.errors import Unavailable


@asynccontextmanager
async def running(module: str, *arguments: object) -> AsyncIterator[Process]:
    """The module as a process, with pipes for what it is told and what it says; killed at last."""
    argv = [sys.executable, "-m", module, *map(str, arguments)]
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=PIPE, stdout=PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def tell(process: Process, line: bytes) -> None:
    """Tell it a line, whole with its end."""
    assert process.stdin is not None  # noqa: S101 - a pipe, as asked for
    process.stdin.write(line)


async def line_of(process: Process) -> bytes:
    """The next line that it says; raises Unavailable where it ended instead."""
    assert process.stdout is not None  # noqa: S101 - a pipe, as asked for
    line = await process.stdout.readline()
    if not line:
        raise Unavailable("A process of the benchmark ended; what it said is above.")
    return line
