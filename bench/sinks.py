"""Provider calls: our sinks beside the bare HTTP client and beside the vendors' own SDKs.

All three send the same messages to the same server, in turns, so that what the machine does
meanwhile meets all of them alike: the simulators check their first calls, and a stand-in answers
the others as the simulators did. The bare client repeats one finished request.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple

import msgspec
import pyreqwest.client
from msgspec import Struct

from bench.stand_in import CHECKED, REPEATED, Tell, standing_in
from bench.vendors import VENDORS
from bench.vendors.client import Outside
from embedded.house import Simulators
from embedded.process import LOOPBACK
from embedded.simulators.credentials import Credentials, chat_hook
from pipeline.collector import tune_collector
from pipeline.settings import settings_of
from schemas.delivery import Content, Delivery
from schemas.vocabulary import Channel, Priority
from sinks.http import HttpClient, Reply
from sinks.provider import Provider, Retry, Sent
from sinks.registry import PROVIDERS

Progress = Callable[[str], None]
AT_ONCE = 64
"""Calls in flight."""
BATCH = 100
"""Deliveries in a call, where a provider takes so many."""
ROUNDS = 20
"""Short ones: within seconds what else this machine does changes what all of them reach."""
VENDOR_SHARE = 4
"""An SDK makes a quarter of the calls in a round, as it takes as long for them and longer."""
ADDRESSES = {"push": "device-{}", "email": "user{}@example.com", "sms": "+1500555{:04d}"}
HOOKS = 100
"""Of a chat platform: each takes only so many messages at once."""


class Speed(Struct, frozen=True):
    """Of the calls of one contestant; a call carries `deliveries`."""

    calls_per_second: int
    cpu_us_per_call: float
    deliveries: int


class Sink(Struct, frozen=True):
    """One provider's contestants, and how we compare; some have no SDK.

    Each ratio is the median of the rounds', each of which compares neighbours in time.
    `share_of_bare` is ours to theirs in calls a second; `vendor_ratio` in deliveries a second, as
    the SDKs send one a call, and `vendor_cpu_ratio` theirs to ours in CPU time a delivery. APNs is
    HTTP/2, for which there is no stand-in: its simulator bounds all but the last.
    """

    ours: Speed
    bare: Speed
    share_of_bare: float
    vendor: Speed | None = None
    vendor_ratio: float = 0.0
    vendor_cpu_ratio: float = 0.0
    vendor_client: str = ""


class Sinks(Struct, frozen=True):
    """What the benchmark found, by provider."""

    sinks: dict[str, Sink]


class Request(NamedTuple):
    """What a provider put on the wire for one call."""

    url: str
    body: bytes
    headers: dict[str, str]


class Took(NamedTuple):
    """Seconds a call in one round, as the clock and as the processor have it."""

    wall: float
    cpu: float


Send = Callable[[int], Awaitable[None]]
"""Makes the call of this number; raises where it was not accepted."""


async def run(calls: int, progress: Progress) -> Sinks:
    """Start the simulators and let the contestants of each provider take turns."""
    with TemporaryDirectory(prefix="tocsin-bench-", ignore_cleanup_errors=True) as folder:
        simulators = Simulators(Path(folder))
        await simulators.start()
        try:
            found = {}
            accounts = (Path(folder) / "accounts.json").read_bytes()
            # As our workers do: the SDKs that are loaded here would be looked through for cycles.
            tune_collector()
            async with standing_in(simulators.port) as (port, tell):
                settings = settings_of(_elsewhere(simulators, port))
                credentials = msgspec.json.decode(accounts, type=Credentials)
                outside = Outside(settings, credentials, f"http://{LOOPBACK}:{port}")
                for name in PROVIDERS:
                    progress(f"{name}: {calls:,} calls of each contestant")
                    found[name] = await _sink(name, outside, calls, tell)
        finally:
            await simulators.stop()
    return Sinks(found)


def _elsewhere(simulators: Simulators, port: int) -> dict[str, str]:
    """The settings by which providers are reached at another port; APNs has one of its own."""
    here, there = f"http://{LOOPBACK}:{simulators.port}", f"http://{LOOPBACK}:{port}"
    return {name: value.replace(here, there) for name, value in simulators.environment.items()}


async def _sink(name: str, outside: Outside, calls: int, tell: Tell) -> Sink:
    settings, vendor = outside.settings, VENDORS.get(name)
    http = HttpClient(settings.provider_timeout, AT_ONCE)
    provider = PROVIDERS[name](settings, http)
    batch = min(BATCH, provider.batch_size)
    ours = _ours(provider, outside, batch)
    request = await _request_of(ours)
    theirs = vendor.open(outside) if vendor else None
    async with bare_client(http2=name == "apns") as client:
        contestants: dict[str, Send] = {"ours": ours, "bare": _bare(client, request)}
        if theirs:
            contestants["vendor"] = theirs.send
        rounds = await _race(contestants, calls, tell)
    if theirs:
        await theirs.close()
    await provider.close()
    await http.close()
    mine, other = rounds["ours"], rounds.get("vendor")
    return Sink(
        ours=_speed(mine, batch),
        bare=_speed(rounds["bare"], batch),
        share_of_bare=round(_ratio(rounds["bare"], mine, "wall"), 2),
        vendor=_speed(other, 1) if other else None,
        vendor_ratio=round(_ratio(other, mine, "wall") * batch, 1) if other else 0.0,
        vendor_cpu_ratio=round(_ratio(other, mine, "cpu") * batch, 1) if other else 0.0,
        vendor_client=vendor.client if vendor else "",
    )


async def _request_of(send: Send) -> Request:
    """What goes over the wire for a call, whichever client makes it."""
    seen: list[Request] = []
    post = HttpClient.post

    async def tapped(
        client: HttpClient, url: str, body: bytes, headers: Mapping[str, str]
    ) -> Reply | Retry:
        seen.append(Request(url, body, dict(headers)))
        return await post(client, url, body, headers)

    HttpClient.post = tapped  # type: ignore[method-assign, assignment]
    try:
        await send(0)
    finally:
        HttpClient.post = post  # type: ignore[method-assign]
    return seen[-1]


async def _race(contestants: dict[str, Send], calls: int, tell: Tell) -> dict[str, list[Took]]:
    """Rounds in turn, every other one backwards; each contestant is first checked, unmeasured."""
    took: dict[str, list[Took]] = {name: [] for name in contestants}
    tell(CHECKED)
    for send in contestants.values():
        await _send_all(send, range(AT_ONCE))
    tell(REPEATED)
    for number in range(ROUNDS):
        for name in list(contestants)[:: 1 if number % 2 else -1]:
            share = max(1, calls // ROUNDS // (VENDOR_SHARE if name == "vendor" else 1))
            begin, begin_cpu = time.perf_counter(), time.process_time()
            await _send_all(contestants[name], range(number * share, (number + 1) * share))
            wall, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
            took[name].append(Took(wall / share, cpu / share))
    return took


def _speed(rounds: Sequence[Took], deliveries: int) -> Speed:
    wall, cpu = median(took.wall for took in rounds), median(took.cpu for took in rounds)
    return Speed(round(1 / wall), round(cpu * 1e6, 1), deliveries)


def _ratio(theirs: Sequence[Took], ours: Sequence[Took], what: Literal["wall", "cpu"]) -> float:
    pairs = zip(theirs, ours, strict=True)
    return median(
        other.wall / mine.wall if what == "wall" else other.cpu / mine.cpu for other, mine in pairs
    )


async def _send_all(send: Send, numbers: Sequence[int]) -> None:
    left = iter(numbers)

    async def work() -> None:
        for number in left:
            await send(number)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))


def _ours(provider: Provider, outside: Outside, batch: int) -> Send:
    # Made before: a sink gets them from Kafka.
    ready = [
        [delivery(provider, outside, n * batch + place) for place in range(batch)]
        for n in range(200)
    ]

    async def send(number: int) -> None:
        for outcome in await provider.send(ready[number % len(ready)]):
            if not isinstance(outcome, Sent):
                raise RuntimeError(f"{provider.name} did not accept it: {outcome}")

    return send


def bare_client(*, http2: bool = False) -> pyreqwest.client.Client:
    """The HTTP client that our sinks are built on, as its documentation has it."""
    builder = pyreqwest.client.ClientBuilder().pool_max_idle_per_host(AT_ONCE)
    return (builder.http2_prior_knowledge() if http2 else builder).build()


def _bare(client: pyreqwest.client.Client, request: Request) -> Send:
    async def send(_: int) -> None:
        call = client.post(request.url).headers(request.headers).body_bytes(request.body).build()
        response = await call.send()
        await response.bytes()
        if response.status >= 300:
            raise RuntimeError(f"the simulator refused the bare request: {response.status}")

    return send


def delivery(provider: Provider, outside: Outside, number: int) -> Delivery:
    """A delivery of this number; the same text for every contestant."""
    now = time.time_ns() // 1_000_000
    return Delivery(
        delivery_id=f"{number:032x}",
        notification_id=f"{number + (1 << 64):032x}",
        event_id=f"order-{number}-shipped",
        type="order_shipped",
        category="orders",
        user=f"user-{number}",
        channel=provider.channel,
        priority=Priority.HIGH,
        address=address(provider, outside, number % 10_000),
        content=Content(title=f"Order {number}", body="Your order is on its way."),
        occurred_at=now,
        accepted_at=now,
        expires_at=now + 3_600_000,
    )


def address(provider: Provider, outside: Outside, number: int) -> str:
    """One of 10,000 addresses."""
    match provider.channel, provider.name:
        case _, "apns":
            return f"apns:{number:064x}"
        case _, "webpush":
            return outside.accounts.browser.subscription(outside.url, number)
        case Channel.CHAT, name:
            token = outside.accounts.chat_token
            return f"{name}:{chat_hook(name, outside.url, number % HOOKS, token)}"
        case Channel.WEBHOOK, _:
            return f"{outside.url}/receiver/{number % HOOKS}"
    return ADDRESSES[provider.channel].format(number)
