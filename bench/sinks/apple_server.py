"""A server that stands in for Apple's and bounds nobody's rate: native HTTP/2, by Node.js."""

import asyncio
import shutil
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.module import line_of
from embedded.process import LOOPBACK

_SERVER = Path(__file__).with_suffix(".js")


@asynccontextmanager
async def apple_server() -> AsyncIterator[str]:
    """Its URL; empty where there is no Node.js."""
    node = shutil.which("node")
    if node is None:
        yield ""
        return
    process = await asyncio.create_subprocess_exec(node, str(_SERVER), stdin=PIPE, stdout=PIPE)
    try:
        yield f"http://{LOOPBACK}:{int(await line_of(process))}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
