"""The in-app gateway and the API: how soon a message is at a socket, and how much is taken.

Everything runs on this machine: Kafka, the in-app worker, the web process, and, in processes of
their own, the clients.
"""

from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from bench.gateway.api import INBOX_ITEMS, accepts, reads
from bench.gateway.centrifugo import build
from bench.gateway.opened import opened
from bench.gateway.pace import Pace, pace
from bench.gateway.rate_search import calmest
from bench.gateway.sockets import Arrived
from bench.pairs import Progress, Ratio
from schemas.errors import Unavailable

STEP = 5
"""Seconds at each rate that is tried, at most."""
NOT_ASKED = "Centrifugo is left out, as was asked."


class Asked(NamedTuple):
    """Sockets, messages a second for so many seconds, whether Centrifugo is to be raced `beside`,
    and pairs of runs of the API and a bare handler."""

    sockets: int
    rate: int
    seconds: int
    beside: bool
    pairs: int


class GatewayFound(Struct, frozen=True):
    """What the benchmark found.

    Milliseconds from the message's acceptance to its arrival at the client, and the share of the
    machine that other programs took meanwhile; bytes of the web process's memory a socket;
    requests a second that `POST /v1/events` takes, and that a bare aiohttp handler takes that only
    writes the body to Kafka, medians over the rounds, with the interval of the ratio and the ratio
    of its processor time a request to ours; milliseconds in which the first page of an inbox of
    1,000 is read. Then Centrifugo's pace beside ours, or why it is left out.
    """

    sockets: int
    messages_per_second: int
    arrived: int
    missing: int
    p50_ms: float
    p99_ms: float
    elsewhere: float
    bytes_per_socket: int
    events_per_second: int
    bare_per_second: int
    share_of_bare: float
    interval: Ratio
    cpu_ratio: Ratio
    inbox_p50_ms: float
    inbox_p99_ms: float
    centrifugo: Pace | None = None
    centrifugo_left_out: str = ""


async def run(asked: Asked, progress: Progress) -> GatewayFound:
    """Open the sockets, send at the rate, measure the API, then, if asked, race Centrifugo."""
    sockets, rate, seconds = asked.sockets, asked.rate, asked.seconds
    program, left_out = await _program(progress) if asked.beside else (None, NOT_ASKED)
    async with opened(sockets, rate, progress) as at:
        progress(f"{rate:,} messages a second for {seconds} s")
        measured = await calmest(at.messages.measure, rate, seconds)
        arrived = measured.arrived or Arrived(0, 0.0, 0.0)
        progress("The API takes events, beside a bare handler")
        took = await accepts(at.house, at.url, at.key, asked.pairs, progress)
        progress(f"An inbox of {INBOX_ITEMS:,} is read")
        p50, p99 = await reads(at.house, at.url, at.key)
    found = None
    if program is not None:
        step = min(seconds, STEP)
        found = await pace(program, sockets, rate, step, arrived.p99_ms, progress)
    return GatewayFound(
        sockets=sockets,
        messages_per_second=rate,
        arrived=arrived.count,
        missing=rate * seconds - arrived.count,
        p50_ms=arrived.p50_ms,
        p99_ms=arrived.p99_ms,
        elsewhere=measured.elsewhere,
        bytes_per_socket=at.bytes_per_socket,
        events_per_second=took.ours,
        bare_per_second=took.bare,
        share_of_bare=took.ratio.median,
        interval=took.ratio,
        cpu_ratio=took.cpu_ratio,
        inbox_p50_ms=p50,
        inbox_p99_ms=p99,
        centrifugo=found,
        centrifugo_left_out=left_out,
    )


async def _program(progress: Progress) -> tuple[Path | None, str]:
    # First of all, so that the compiler has nothing to do with what is measured.
    progress("Centrifugo is being built")
    try:
        return await build(), ""
    except Unavailable as error:
        return None, str(error)
