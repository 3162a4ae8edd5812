"""Provider calls: our sinks beside the bare HTTP client and beside the vendors' own SDKs.

All three send the same messages to the same server, in turns, so that what the machine does
meanwhile meets all of them alike: the simulators check their first calls, and a stand-in answers
the others as the simulators did. The bare client repeats one finished request.
"""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec
import pyreqwest.client
from msgspec import Struct
from msgspec.structs import replace

from bench.pairs import ITSELF, Progress, Ratio, Rounds, cpu_ratio, middle, speed_ratio
from bench.sinks.apple_server import apple_server
from bench.sinks.bare_relay import bare_relay
from bench.sinks.contest import AT_ONCE, BARE, OURS, VENDOR, Contest, Contestant, Send
from bench.sinks.stub_server import standing_in
from bench.sinks.witness import Witness
from bench.vendors import VENDORS
from bench.vendors.client import Opened, Outside
from bench.vendors.message import device, ids_of, mailbox, phone, text_of, title_of
from embedded.local_stack import Simulators
from embedded.process import LOOPBACK
from embedded.simulators.credentials import Credentials, chat_hook
from pipeline.process.gc_tuning import tune_collector
from pipeline.variables import settings_of
from schemas.delivery import Content, Delivery
from schemas.vocabulary import Channel, Priority
from sinks.email.smtp import Smtp
from sinks.http.client import HttpClient, Reply
from sinks.provider import Provider, Sent, TransientFailure
from sinks.registry import kind_of

BATCH = 100
"""Deliveries in a call, where a provider takes so many; ours and an SDK's carry the same."""
READY = 200
"""Calls whose deliveries are made before, at most: a sink gets them from Kafka."""
VENDOR_SHARE = 0.25
"""An SDK makes a quarter of the calls in a round, as it takes as long for them and longer."""
ADDRESSES = {"push": device, "email": mailbox, "sms": phone}
HOOKS = 100
"""Of a chat platform: each takes only so many messages at once."""


class Speed(Struct, frozen=True):
    """Of the calls of one contestant, medians over the rounds; a call carries `deliveries`."""

    calls_per_second: int
    cpu_us_per_call: float
    deliveries: int


class Sink(Struct, frozen=True):
    """One provider's contestants, and how we compare; some have no SDK.

    Each ratio counts deliveries, however many a call carries, and is the median of the rounds'
    own; its interval stands beside it. `share_of_bare` and `vendor_ratio` are ours to theirs in
    deliveries a second, and `vendor_cpu_ratio` is theirs to ours in CPU time a delivery.
    `bounded` says what keeps all contestants from being faster, where it is the other side.
    """

    ours: Speed
    bare: Speed
    share_of_bare: float
    bare_interval: Ratio
    bare_cpu_interval: Ratio
    """The bare client's processor time a delivery to ours; what is missing to 1 our sink adds."""
    vendor: Speed | None = None
    vendor_ratio: float = 0.0
    vendor_interval: Ratio | None = None
    vendor_cpu_ratio: float = 0.0
    vendor_cpu_interval: Ratio | None = None
    vendor_client: str = ""
    vendor_why_one: str = ""
    """Why the SDK's call carries one message, where it does."""
    compared: int = 0
    """Messages that the SDK and ours were seen to send alike, before anything was measured."""
    bounded: str = ""


class Sinks(Struct, frozen=True):
    """What the benchmark found, by provider."""

    sinks: dict[str, Sink]


class Request(NamedTuple):
    """What a provider put on the wire for one call."""

    url: str
    body: bytes
    headers: dict[str, str]


async def run(calls: int, pairs: int, names: Sequence[str], progress: Progress) -> Sinks:
    """Start the simulators and let the contestants of each provider named take turns."""
    with TemporaryDirectory(prefix="tocsin-bench-", ignore_cleanup_errors=True) as folder:
        simulators = Simulators(Path(folder))
        await simulators.start()
        try:
            found = {}
            accounts = (Path(folder) / "accounts.json").read_bytes()
            # As our workers do: the SDKs that are loaded here would be looked through for cycles.
            tune_collector()
            async with standing_in(simulators.port) as (port, tell), apple_server() as apple:
                settings = settings_of(_elsewhere(simulators, port))
                credentials = msgspec.json.decode(accounts, type=Credentials)
                outside = Outside(settings, credentials, f"http://{LOOPBACK}:{port}")
                native = settings.model_copy(update={"apns_url": apple})
                witness = Witness(simulators.accept_log)
                for name in names:
                    contest = Contest(name, calls, pairs, tell, witness, progress)
                    measured = outside
                    if name == "apns" and apple:
                        measured = outside._replace(settings=native)
                    sink = await _sink(contest, outside, measured)
                    found[name] = replace(sink, bounded=_bounded(name, is_native=bool(apple)))
        finally:
            await simulators.stop()
    return Sinks(found)


def _elsewhere(simulators: Simulators, port: int) -> dict[str, str]:
    """The settings by which providers are reached at another port; APNs has one of its own."""
    here, there = f"http://{LOOPBACK}:{simulators.port}", f"http://{LOOPBACK}:{port}"
    return {name: value.replace(here, there) for name, value in simulators.environment.items()}


def _bounded(name: str, *, is_native: bool) -> str:
    if name == "smtp":
        return "the simulator: SMTP has no stand-in"
    if name == "apns" and not is_native:
        return "the simulator: its stand-in needs Node.js"
    return ""


async def _sink(contest: Contest, checked: Outside, measured: Outside) -> Sink:
    """The contest of one provider, whose calls are checked at one place and measured at another."""
    ready = min(READY, contest.calls)
    async with _contestants(contest.provider, checked, ready) as contestants:
        compared = await contest.check(contestants)
        if checked == measured:
            return _found(
                contest.provider, await contest.measure(contestants), contestants, compared
            )
    async with _contestants(contest.provider, measured, ready) as contestants:
        return _found(contest.provider, await contest.measure(contestants), contestants, compared)


@asynccontextmanager
async def _contestants(
    name: str, outside: Outside, ready: int
) -> AsyncIterator[dict[str, Contestant]]:
    settings, vendor = outside.settings, VENDORS.get(name)
    async with AsyncExitStack() as closing:
        http = HttpClient(settings.provider_timeout, AT_ONCE)
        closing.push_async_callback(http.close)
        provider = kind_of(name)(settings, http)
        closing.push_async_callback(provider.close)
        batch = min(BATCH, provider.batch_size)
        # Of ours, which is what Kafka hands to a sink, as much is made before as is checked.
        calls = max(ready, AT_ONCE * BATCH // batch)
        ours = Contestant(_ours(provider, outside, batch, calls), batch)
        bare = await closing.enter_async_context(_bare_of(provider, outside, ours.send))
        contestants = {OURS: ours, BARE: Contestant(bare, batch)}
        if vendor:
            theirs = vendor.open(outside)
            closing.push_async_callback(theirs.close)
            carried = min(BATCH, vendor.batch_size)
            contestants[VENDOR] = Contestant(_vendor(theirs, carried), carried, VENDOR_SHARE)
        yield contestants


def _found(name: str, rounds: Rounds, contestants: Mapping[str, Contestant], compared: int) -> Sink:
    bare = speed_ratio(rounds, OURS, BARE)
    found = Sink(
        ours=_speed(rounds, OURS, contestants),
        bare=_speed(rounds, BARE, contestants),
        share_of_bare=bare.median,
        bare_interval=bare,
        bare_cpu_interval=cpu_ratio(rounds, OURS, BARE),
    )
    vendor = VENDORS.get(name)
    if vendor is None:
        return found
    ratio, cpu = speed_ratio(rounds, OURS, VENDOR), cpu_ratio(rounds, OURS, VENDOR)
    return replace(
        found,
        vendor=_speed(rounds, VENDOR, contestants),
        vendor_ratio=ratio.median,
        vendor_interval=ratio,
        vendor_cpu_ratio=cpu.median,
        vendor_cpu_interval=cpu,
        vendor_client=vendor.client,
        vendor_why_one=vendor.why_one if vendor.batch_size == 1 else "",
        compared=compared,
    )


def _speed(rounds: Rounds, name: str, contestants: Mapping[str, Contestant]) -> Speed:
    run, carried = middle(rounds, name), contestants[name].deliveries
    return Speed(
        calls_per_second=round(run.per_second / carried),
        cpu_us_per_call=round(run.cpu_us[ITSELF] * carried, 1),
        deliveries=carried,
    )


async def _request_of(send: Send) -> Request:
    """What goes over the wire for a call, whichever client makes it."""
    seen: list[Request] = []
    post = HttpClient.post

    async def tapped(
        client: HttpClient, url: str, body: bytes, headers: Mapping[str, str]
    ) -> Reply | TransientFailure:
        seen.append(Request(url, body, dict(headers)))
        return await post(client, url, body, headers)

    HttpClient.post = tapped  # type: ignore[method-assign, assignment]
    try:
        # None of those that are checked: Resend knows a call that is made again.
        await send(-1)
    finally:
        HttpClient.post = post  # type: ignore[method-assign]
    return seen[-1]


def _ours(provider: Provider, outside: Outside, batch: int, calls: int) -> Send:
    ready = [
        [delivery(provider, outside, n * batch + place) for place in range(batch)]
        for n in range(calls)
    ]

    async def send(number: int) -> None:
        for outcome in await provider.send(ready[number % len(ready)]):
            if not isinstance(outcome, Sent):
                raise RuntimeError(f"{provider.name} did not accept it: {outcome}")

    return send


def _vendor(client: Opened, carried: int) -> Send:
    async def send(number: int) -> None:
        await client.send(range(number * carried, (number + 1) * carried))

    return send


def bare_client(*, http2: bool = False) -> pyreqwest.client.Client:
    """The HTTP client that our sinks are built on, as its documentation has it."""
    builder = pyreqwest.client.ClientBuilder().pool_max_idle_per_host(AT_ONCE)
    return (builder.http2_prior_knowledge() if http2 else builder).build()


@asynccontextmanager
async def _bare_of(provider: Provider, outside: Outside, ours: Send) -> AsyncIterator[Send]:
    """What our sink is built on, with one finished call of ours to make again and again."""
    if isinstance(provider, Smtp):
        said = delivery(provider, outside, 1 << 32)  # none of those that are compared
        async with bare_relay(outside.settings, provider, said) as send:
            yield send
        return
    async with bare_client(http2=provider.name == "apns") as client:
        yield _bare(client, await _request_of(ours))


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
    ids = ids_of(number)
    return Delivery(
        delivery_id=ids["delivery_id"],
        notification_id=ids["notification_id"],
        event_id=f"order-{number}-shipped",
        type="order_shipped",
        category="orders",
        user=f"user-{number}",
        channel=provider.channel,
        priority=Priority.HIGH,
        address=address(provider, outside, number % 10_000),
        content=Content(title=title_of(number), body=text_of(number)),
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
        case Channel.CHAT, "telegram":
            return f"telegram:{number}"
        case Channel.CHAT, "slackapp":
            return f"slackapp:C{number}"
        case Channel.CHAT, "twiliowhatsapp" | "vonagewhatsapp":
            return f"whatsapp:{phone(number)}"
        case Channel.CHAT, name:
            token = outside.accounts.chat_token
            return f"{name}:{chat_hook(name, outside.url, number % HOOKS, token)}"
        case Channel.WEBHOOK, _:
            return f"{outside.url}/receiver/{number % HOOKS}"
    return ADDRESSES[provider.channel](number)
