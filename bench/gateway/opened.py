"""Tocsin with sockets open, as both questions to its gateway need it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from bench.gateway.clients import clients
from bench.gateway.deliveries import TOPIC, delivery
from bench.gateway.messages import Messages
from bench.memory import memory_of
from bench.pairs import Progress
from embedded.local_stack import WEB, LocalStack
from pipeline.producing.producer import start_producer
from web.api.keys import ApiKey, Scope, new_key, table_of

WARMING = 3
"""Seconds of messages that are not measured, of any contestant: runtimes settle in them."""
PER_MINUTE = 10_000_000
"""Requests: what is measured is not to meet a limit."""


class Opened(NamedTuple):
    """Tocsin with sockets open, and warm."""

    house: LocalStack
    key: str
    url: str
    messages: Messages
    bytes_per_socket: int


@asynccontextmanager
async def opened(sockets: int, rate: int, progress: Progress) -> AsyncIterator[Opened]:
    """A fresh Tocsin with so many sockets, that has been sent messages at this rate."""
    with TemporaryDirectory(prefix="tocsin-bench-", ignore_cleanup_errors=True) as folder:
        keys = Path(folder) / "keys.toml"
        key = _key(keys)
        house = LocalStack(
            Path(folder) / "house",
            roles=("decider", "inapp", WEB),
            api_keys=keys,
            tenant_requests_per_minute=PER_MINUTE,
        )
        progress("Kafka, the in-app worker and the web process are starting")
        await house.start()
        try:
            producer = await start_producer(house.kafka.address)
            try:
                before = memory_of(house.workers[WEB].pid)
                progress(f"{sockets:,} sockets are being opened")
                secret = house.settings.signing_key.get_secret_value()
                async with clients("tocsin", house.web_port, sockets, secret) as to:
                    memory = (memory_of(house.workers[WEB].pid) - before) // sockets
                    partitions = house.settings.partitions
                    messages = Messages(producer, TOPIC, partitions, delivery, to)
                    await messages.measure(rate, WARMING)
                    url = f"http://127.0.0.1:{house.web_port}"
                    yield Opened(house, key, url, messages, memory)
            finally:
                await producer.stop()
        finally:
            await house.stop()


def _key(path: Path) -> str:
    text, sha256 = new_key()
    key = ApiKey(
        name="bench",
        sha256=sha256,
        tenant="default",
        scopes=frozenset(Scope),
        per_minute=PER_MINUTE,
    )
    path.write_text(table_of(key))
    return text
