"""The in-app gateway and the API: how soon a message is at a socket, and how much is taken.

Everything runs on this machine: Kafka, the in-app worker, the web process, and, in processes of
their own, the clients.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import msgspec
from msgspec import Struct

from bench.sockets import Arrived
from embedded.house import ROOT, WEB, House
from pipeline.outputs import partition_of
from pipeline.producer import start_producer
from pipeline.topics import DELIVER
from schemas.delivery import Content, Delivery
from schemas.vocabulary import Channel, Priority
from web.api.keys import ApiKey, Scope, new_key, table_of

Progress = Callable[[str], None]
TOPIC = DELIVER[Channel.INAPP, Priority.HIGH].name
TICK = 0.02
"""Seconds between what is written together: messages come evenly, not all at once."""
AT_ONCE = 64
INBOX_ITEMS = 1000
READS = 500


class GatewayFound(Struct, frozen=True):
    """What the benchmark found.

    Milliseconds from the message's acceptance to its arrival at the client; bytes of the web
    process's memory a socket; requests a second that `POST /v1/events` takes, and that a bare
    aiohttp handler takes that only writes the body to Kafka; milliseconds in which the first page
    of an inbox of 1,000 is read.
    """

    sockets: int
    messages_per_second: int
    arrived: int
    missing: int
    p50_ms: float
    p99_ms: float
    bytes_per_socket: int
    events_per_second: int
    bare_per_second: int
    share_of_bare: float
    inbox_p50_ms: float
    inbox_p99_ms: float


async def run(sockets: int, rate: int, seconds: int, progress: Progress) -> GatewayFound:
    """Open the sockets, send at the rate, then measure the API."""
    with TemporaryDirectory(prefix="tocsin-bench-", ignore_cleanup_errors=True) as folder:
        keys = Path(folder) / "keys.toml"
        key = _key(keys)
        house = House(Path(folder) / "house", roles=("decider", "inapp", WEB), api_keys=keys)
        progress("Kafka, the in-app worker and the web process are starting")
        await house.start()
        try:
            return await _measure(house, key, sockets, rate, seconds, progress)
        finally:
            await house.stop()


def _key(path: Path) -> str:
    text, sha256 = new_key()
    key = ApiKey(
        name="bench",
        sha256=sha256,
        tenant="default",
        scopes=frozenset(Scope),
        per_minute=10_000_000,
    )
    path.write_text(table_of(key))
    return text


async def _measure(
    house: House, key: str, sockets: int, rate: int, seconds: int, progress: Progress
) -> GatewayFound:
    url = f"http://127.0.0.1:{house.web_port}"
    before = _memory(house.workers[WEB].pid)
    progress(f"{sockets:,} sockets are being opened")
    clients = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.sockets", url, str(sockets),
        house.settings.signing_key.get_secret_value(),
        stdout=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert clients.stdout is not None  # noqa: S101 - a pipe, as asked for
    await clients.stdout.readline()
    memory = (_memory(house.workers[WEB].pid) - before) // sockets
    progress(f"{rate:,} messages a second for {seconds} s")
    await _send(house, sockets, rate, seconds)
    await asyncio.sleep(2)
    said, _ = await clients.communicate(b"done\n")
    arrived = msgspec.json.decode(said, type=Arrived)
    progress("The API takes events, beside a bare handler")
    mine, bare = await _accepts(house, url, key)
    progress(f"An inbox of {INBOX_ITEMS:,} is read")
    p50, p99 = await _reads(house, url, key)
    return GatewayFound(
        sockets=sockets,
        messages_per_second=rate,
        arrived=arrived.count,
        missing=rate * seconds - arrived.count,
        p50_ms=arrived.p50_ms,
        p99_ms=arrived.p99_ms,
        bytes_per_socket=memory,
        events_per_second=mine,
        bare_per_second=bare,
        share_of_bare=round(mine / bare, 2),
        inbox_p50_ms=p50,
        inbox_p99_ms=p99,
    )


async def _send(house: House, users: int, rate: int, seconds: int) -> None:
    producer = await start_producer(house.kafka.address)
    partitions = house.settings.partitions
    begin, sent = time.monotonic(), 0
    try:
        while sent < rate * seconds:
            due = min(rate * seconds, int((time.monotonic() - begin) * rate))
            entries: dict[int, list[tuple[bytes | None, bytes | None]]] = {}
            for number in range(sent, due):
                said = _delivery(f"user-{number % users}", number)
                place = partition_of(said.user, partitions)
                record = said.user.encode(), msgspec.json.encode(said)
                entries.setdefault(place, []).append(record)
            sent = due
            await asyncio.gather(*(producer.write(TOPIC, at, some) for at, some in entries.items()))
            await asyncio.sleep(TICK)
    finally:
        await producer.stop()


async def _accepts(house: House, url: str, key: str) -> tuple[int, int]:
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


async def _reads(house: House, url: str, key: str) -> tuple[float, float]:
    producer = await start_producer(house.kafka.address)
    partitions = house.settings.partitions
    entries = [
        (b"reader", msgspec.json.encode(_delivery("reader", number)))
        for number in range(INBOX_ITEMS)
    ]
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


def _delivery(user: str, number: int) -> Delivery:
    now = time.time_ns() // 1_000_000
    return Delivery(
        delivery_id=f"{number:032x}",
        notification_id=f"{number:032x}",
        event_id=f"event-{number}",
        type="chat_message",
        category="chat",
        user=user,
        channel=Channel.INAPP,
        priority=Priority.HIGH,
        address=user,
        content=Content(title="Bo", body="See you at eight?"),
        occurred_at=now,
        accepted_at=now,
        expires_at=now + 3_600_000,
    )


def _memory(process: int) -> int:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0
