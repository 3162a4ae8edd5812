"""The API: how many events it takes, beside a bare handler, and how soon an inbox is read."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping

import aiohttp

from bench.deliveries import TOPIC, delivery
from embedded.house import ROOT, House
from pipeline.outputs import partition_of
from pipeline.producer import start_producer

AT_ONCE = 64
INBOX_ITEMS = 1000
READS = 500


async def accepts(house: House, url: str, key: str) -> tuple[int, int]:
    """Events that the API takes a second, and that a bare handler takes."""
    event = {"type": "order.shipped", "actor": "shop", "data": {"customer_id": "ann"}}
    headers = {"Authorization": f"Bearer {key}"}
    bare = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.bare_handler", house.kafka.address,
        stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        assert bare.stdout is not None  # noqa: S101 - a pipe, as asked for
        other = (await bare.stdout.readline()).decode().strip()
        best = {url: 0, other: 0}
        for _ in range(3):  # in turn, the best of each
            for target in best:
                best[target] = max(
                    best[target], await _posts(f"{target}/v1/events", event, headers)
                )
    finally:
        bare.terminate()
        await bare.wait()
    return best[url], best[other]


async def _posts(url: str, event: Mapping[str, object], headers: dict[str, str]) -> int:
    count = 3000
    left = iter(range(count))
    begin = time.perf_counter()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:

        async def work() -> None:
            for number in left:
                body = json.dumps({**event, "id": f"{begin}-{number}"})
                kind = {"Content-Type": "application/json"}
                async with session.post(url, data=body, headers={**headers, **kind}) as answer:
                    if answer.status != 202:
                        raise RuntimeError(f"{url} answered {answer.status}")

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return round(count / (time.perf_counter() - begin))


async def reads(house: House, url: str, key: str) -> tuple[float, float]:
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
