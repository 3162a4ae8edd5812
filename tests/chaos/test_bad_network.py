"""A network between some workers and Kafka where answers come late and connections end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from embedded.local_stack import WEB, LocalStack, Worker
from embedded.process import free_port
from tests.chaos.conftest import SESSION_TIMEOUT, Tell
from tests.chaos.under_load import Api, Load, under_load
from tests.kafka_proxy import BadNetwork, KafkaProxy, proxy_to

SEED = 20_261
RATE = 20
"""Events a second."""
BRIEF = 8
LONG = 120


@asynccontextmanager
async def behind(
    house: LocalStack, proxy: KafkaProxy, folder: Path, roles: tuple[str, ...]
) -> AsyncIterator[tuple[Api, list[Worker]]]:
    """Another worker of each role, and `tocsin web`, which reach Kafka by the proxy alone."""
    port, keys = free_port(), folder / "keys.toml"
    environment = house.environment | {
        "TOCSIN_KAFKA": proxy.address,
        "TOCSIN_DATA_DIR": str(folder / "state"),
        "TOCSIN_SESSION_TIMEOUT": str(SESSION_TIMEOUT),
        "TOCSIN_WEB_PORT": str(port),
        "TOCSIN_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "TOCSIN_API_KEYS": str(keys),
    }
    workers = [Worker(role, folder / "logs", environment) for role in (*roles, WEB)]
    async with AsyncExitStack() as stack:
        for worker in workers:
            stack.push_async_callback(worker.stop)
        await asyncio.gather(*(worker.start() for worker in workers))
        yield Api(port, keys), workers


@asynccontextmanager
async def bad_network(
    house: LocalStack, folder: Path, name: str, roles: tuple[str, ...], seconds: int, tell: Tell
) -> AsyncIterator[tuple[Load, KafkaProxy]]:
    """While the block runs, what the workers behind the proxy hear is late, and may never come."""
    async with (
        proxy_to(int(house.kafka.address.rpartition(":")[2])) as proxy,
        behind(house, proxy, folder, roles) as (api, workers),
        under_load(
            house,
            [*house.workers.values(), *workers],
            api,
            name,
            seconds + 120,
            RATE,
            tell,
            soon=seconds >= LONG,
        ) as load,
    ):
        await load.accepts()
        proxy.network = BadNetwork(Random(SEED))
        yield load, proxy
        proxy.network = None
        load.healed()
        await load.accepts()
        tell(f"seed {SEED}: {proxy.late} answers late, {proxy.reset} connections reset")
        assert proxy.late and proxy.reset


async def test_answers_come_late_and_connections_end(
    house: LocalStack, tmp_path: Path, tell: Tell
) -> None:
    roles = ("decider", "push")
    async with bad_network(house, tmp_path, "bad-network", roles, BRIEF, tell) as (_, proxy):
        await asyncio.sleep(BRIEF)
        while not proxy.reset:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.1)


@pytest.mark.chaos
async def test_answers_come_late_for_long(house: LocalStack, tmp_path: Path, tell: Tell) -> None:
    roles = ("router", "decider", "push", "email", "inapp")
    async with bad_network(house, tmp_path, "worse-network", roles, LONG, tell):
        await asyncio.sleep(LONG)
