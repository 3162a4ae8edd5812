"""Tocsin's gateway and Centrifugo: how many messages a second reach their sockets in time.

Both have a Kafka of their own, as many sockets with the same clients, and messages of the same
size from it, one after the other on the same machine.
"""

import time
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.decide.broker import arena
from bench.gateway.centrifugo import TOPIC, Centrifugo, version_of
from bench.gateway.clients import clients
from bench.gateway.deliveries import BODY, TITLE
from bench.gateway.messages import Messages
from bench.gateway.opened import WARMING, opened
from bench.gateway.rate_search import Rung, climb, highest, step
from bench.memory import memory_of
from bench.pairs import Progress

PARTITIONS = 8
"""As many as Tocsin has by default."""
GOAL_MS = 100.0
"""What Tocsin's p99 should stay under at Centrifugo's rate."""
FED_BY = "its own Kafka consumer"


class Pace(Struct, frozen=True):
    """What both held.

    `p99_ms` is Tocsin's at the plain rate; `centrifugo` and `tocsin` are each one's highest rate
    that did not exceed it, `tocsin_at_its_rate` is Tocsin at Centrifugo's, and so misses the goal
    or not.
    """

    version: str
    fed_by: str
    p99_ms: float
    centrifugo: Rung | None
    centrifugo_bytes_per_socket: int
    tocsin: Rung | None
    tocsin_at_its_rate: Rung | None
    goal_p99_ms: float
    tried: dict[str, list[Rung]]


async def pace(
    program: Path, sockets: int, rate: int, seconds: int, p99_ms: float, progress: Progress
) -> Pace:
    """Search by steps of so many seconds, from this rate on, for what keeps this p99."""
    memory, theirs = await _centrifugo(program, sockets, rate, seconds, p99_ms, progress)
    best, there = highest(theirs), None
    async with opened(sockets, rate, progress) as at:
        progress("Tocsin's highest rate is being looked for")
        ours = await climb(at.messages.measure, rate, seconds, p99_ms)
        if best is not None:
            its = best.messages_per_second
            progress(f"Tocsin at Centrifugo's {its:,} messages a second")
            there = await step(at.messages.measure, its, seconds, GOAL_MS)
    return Pace(
        version=await version_of(program),
        fed_by=FED_BY,
        p99_ms=p99_ms,
        centrifugo=best,
        centrifugo_bytes_per_socket=memory,
        tocsin=highest(ours),
        tocsin_at_its_rate=there,
        goal_p99_ms=GOAL_MS,
        tried={"centrifugo": theirs, "tocsin": ours},
    )


async def _centrifugo(
    program: Path, sockets: int, rate: int, seconds: int, p99_ms: float, progress: Progress
) -> tuple[int, list[Rung]]:
    """Bytes of memory a socket, and the rates that were tried."""
    progress(f"{sockets:,} sockets are being opened at Centrifugo")
    async with arena(PARTITIONS) as ready:
        await ready.create(TOPIC)
        async with Centrifugo(program, ready.folder, ready.address) as server:
            before = memory_of(server.pid)
            async with clients("centrifugo", server.port, sockets, server.secret) as to:
                memory = (memory_of(server.pid) - before) // sockets
                messages = Messages(ready.producer, TOPIC, PARTITIONS, publication, to)
                await messages.measure(rate, WARMING)
                progress("Centrifugo's highest rate is being looked for")
                return memory, await climb(messages.measure, rate, seconds, p99_ms)


def publication(user: str, number: int) -> bytes:
    """A command for Centrifugo's consumer, that shows the user what Tocsin's item would."""
    now = time.time_ns() // 1_000_000
    item = {
        "id": f"{now:013d}-{number:032x}",
        "number": number,
        "notification_id": f"{number:032x}",
        "type": "chat_message",
        "title": TITLE,
        "body": BODY,
        "occurred_at": now,
    }
    payload = {"channel": f"#{user}", "data": item}
    return msgspec.json.encode({"method": "publish", "payload": payload})
