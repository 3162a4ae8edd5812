"""The API: how many events it takes, beside a bare handler, and how soon an inbox is read."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from msgspec import Struct

from bench.gateway.deliveries import TOPIC, delivery
from bench.module import line_of, running
from bench.pairs import (
    ITSELF,
    Progress,
    Ratio,
    Run,
    Turn,
    cpu_ratio,
    middle,
    speed_ratio,
    take_turns,
)
from bench.processor import cpu_seconds, cpu_us_each
from embedded.local_stack import WEB, LocalStack
from pipeline.producing.outputs import partition_of
from pipeline.producing.producer import start_producer

OURS, BARE = "the API", "a bare handler"
POSTS = 3000
"""Events of one run."""
AT_ONCE = 64
INBOX_ITEMS = 1000
READS = 500


class Accepts(Struct, frozen=True):
    """Events that each takes a second, medians over the rounds, and how ours compares.

    `ratio` is of ours to the bare handler's, `cpu_ratio` of its processor time to ours.
    """

    ours: int
    bare: int
    ratio: Ratio
    cpu_ratio: Ratio


async def accepts(house: LocalStack, url: str, key: str, pairs: int, progress: Progress) -> Accepts:
    """How many events the API takes, and how many a bare handler takes, in turn."""
    async with running("bench.gateway.bare_handler", house.kafka.address) as bare:
        other = (await line_of(bare)).decode().strip()
        targets = {OURS: (url, house.workers[WEB].pid), BARE: (other, bare.pid)}
        for target, _ in targets.values():  # neither begins cold
            await _posts(target, key)

        @asynccontextmanager
        async def open_round(number: int) -> AsyncIterator[Turn]:
            async def turn(name: str) -> Run:
                target, pid = targets[name]
                before, begin = cpu_seconds({ITSELF: pid}), time.perf_counter()
                await _posts(target, key)
                seconds = time.perf_counter() - begin
                cpu = cpu_us_each(before, cpu_seconds({ITSELF: pid}), POSTS)
                return Run(POSTS / seconds, cpu)

            yield turn

        rounds = await take_turns((OURS, BARE), pairs, open_round, progress)
    return Accepts(
        ours=round(middle(rounds, OURS).per_second),
        bare=round(middle(rounds, BARE).per_second),
        ratio=speed_ratio(rounds, OURS, BARE),
        cpu_ratio=cpu_ratio(rounds, OURS, BARE),
    )


async def _posts(url: str, key: str) -> None:
    event = {"type": "order.shipped", "actor": "shop", "data": {"customer_id": "ann"}}
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    left, run = iter(range(POSTS)), time.time_ns()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:

        async def work() -> None:
            for number in left:
                body = json.dumps({**event, "id": f"{run}-{number}"})
                async with session.post(f"{url}/v1/events", data=body, headers=headers) as answer:
                    if answer.status != 202:
                        raise RuntimeError(f"{url} answered {answer.status}")

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))


async def reads(house: LocalStack, url: str, key: str) -> tuple[float, float]:
    """Milliseconds in which the first page of an inbox is read: the median, the 99th of 100."""
    producer = await start_producer(house.kafka.address)
    partitions = house.settings.partitions
    entries = [(b"reader", delivery("reader", number)) for number in range(INBOX_ITEMS)]
    end = await producer.write(TOPIC, partition_of("reader", partitions), list(entries))
    await producer.stop()
    headers, took = {"Authorization": f"Bearer {key}"}, list[float]()
    async with aiohttp.ClientSession(headers=headers) as session:
        path = f"{url}/v1/users/reader/inbox"
        while True:
            async with session.get(f"{path}/counts") as answer:
                if (await answer.json()).get("last") == INBOX_ITEMS:
                    break
            await asyncio.sleep(0.1)
        for _ in range(READS):
            begin = time.perf_counter()
            async with session.get(path) as answer:
                await answer.read()
            took.append((time.perf_counter() - begin) * 1000)
    took.sort()
    return round(took[READS // 2], 1), round(took[int(READS * 0.99)], 1) if end else 0.0
