"""Centrifugo as it comes: built from its newest release, fed by its own Kafka consumer.

It keeps nothing for who is away, as that is its default and its fastest; ours keeps all.
"""

import asyncio
import json
import secrets
import shutil
from pathlib import Path
from typing import Self

import aiohttp

from embedded.local_stack import ROOT
from embedded.process import LOOPBACK, Child, free_port
from schemas.errors import Unavailable

MODULE = "github.com/centrifugal/centrifugo/v6"
TOPIC = "centrifugo"
BIN = ROOT / ".tocsin" / "centrifugo"
BUILDING = 900.0
"""Seconds; the first build compiles some 300 packages."""


async def build() -> Path:
    """The program, of the newest release; raises Unavailable where it can't be built."""
    go = shutil.which("go")
    if go is None:
        raise Unavailable("Centrifugo is left out: there is no `go` here to build it with.")
    building = Child("Building Centrifugo")
    try:
        async with asyncio.timeout(BUILDING):
            argv = [go, "install", f"{MODULE}@latest"]
            await building.run(argv, {"GOBIN": str(BIN)}, BIN / "build.log")
    except TimeoutError:
        raise Unavailable(f"Centrifugo is left out: no build after {BUILDING:g} s.") from None
    except Unavailable as error:
        raise Unavailable(f"Centrifugo is left out: {error}") from None
    return BIN / "centrifugo"


async def version_of(program: Path) -> str:
    """Which release it is; the program itself knows only when its makers built it."""
    asked = await asyncio.create_subprocess_exec(
        "go", "version", "-m", str(program), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asked.communicate()
    lines = (line.split() for line in said.decode().splitlines())
    return next((line[2] for line in lines if line[:2] == ["mod", MODULE]), "unknown")


class Centrifugo:
    """One node, on the loopback only, that publishes what is written to TOPIC."""

    def __init__(self, program: Path, folder: Path, kafka: str) -> None:
        self.port = free_port()
        self.secret = secrets.token_hex()
        self._program = program
        self._folder = folder
        self._kafka = kafka
        self._child = Child("Centrifugo")

    async def __aenter__(self) -> Self:
        config = self._folder / "centrifugo.json"
        config.write_text(json.dumps(self._config()))
        argv = [str(self._program), "--config", str(config)]
        await self._child.start(argv, {}, self._folder / "centrifugo.log", self._ready)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._child.stop()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._child.pid

    def _config(self) -> dict[str, object]:
        kafka = {"brokers": [self._kafka], "topics": [TOPIC], "consumer_group": "centrifugo"}
        return {
            "http_server": {"address": LOOPBACK, "port": self.port},
            "health": {"enabled": True},
            "log": {"level": "warn"},
            # It would tell its makers how it is used.
            "usage_stats": {"disabled": True},
            "client": {
                "token": {"hmac_secret_key": self.secret},
                "subscribe_to_user_personal_channel": {"enabled": True},
            },
            "consumers": [{"enabled": True, "name": "bench", "type": "kafka", "kafka": kafka}],
        }

    async def _ready(self) -> bool:
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://{LOOPBACK}:{self.port}/health") as answer,
            ):
                return answer.status == 200
        except aiohttp.ClientError:
            return False
