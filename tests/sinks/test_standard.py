"""Standard Webhooks: signatures that the library takes, and no way into our own network."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from embedded.simulators.credentials import Credentials
from pipeline.settings import Settings
from schemas.vocabulary import Channel, Reason
from sinks.http.client import MOST_BYTES, HttpClient, Reply
from sinks.http.endpoints import AT_ONCE, LOOKED_UP_MS, Endpoints
from sinks.provider import Outcome, PermanentFailure, Sent, TransientFailure
from sinks.webhook.secret import secret_of
from sinks.webhook.standard import StandardWebhooks
from tables.sent import SentMark
from tests.patience import ended, until
from tests.sinks.dispatching import Dispatching
from tests.sinks.rig import IMPATIENT, PATIENT, Case, Rig
from tests.sinks.set_clock import SetClock


def subscribe(_: Credentials, url: str, number: int) -> str:
    return f"{url}/receiver/{number}"


STANDARD = Case(
    kind=StandardWebhooks,
    channel=Channel.WEBHOOK,
    address="",
    invalid="https://10.0.0.1/receiver/1",
    dead=Reason.UNREGISTERED,
    is_known=False,
    subscribe=subscribe,
    misconfigured=[
        ({"webhook_keys": SecretStr("")}, "TOCSIN_WEBHOOK_KEYS is not set"),
        ({"webhook_keys": SecretStr("short")}, "TOCSIN_WEBHOOK_KEYS"),
        ({"webhook_keys": SecretStr(",".join(["x" * 32] * 3))}, "TOCSIN_WEBHOOK_KEYS"),
    ],
)
alone = pytest.mark.parametrize("rig", ["standard"], indirect=True)
NEW, OLD = "n" * 40, "o" * 40


class Listener:
    """A receiver that keeps what it got and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.reply = web.Response()
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append((headers, await request.read()))
        return web.Response(status=self.reply.status, headers=self.reply.headers)


@pytest.fixture
async def listener() -> object:
    listening = Listener()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", listening.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    listening.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield listening
    await runner.cleanup()


@asynccontextmanager
async def answering(reply: bytes) -> AsyncIterator[str]:
    """A receiver that answers each call with just these bytes; its URL."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@alone
async def test_either_secret_of_a_change_verifies(
    rig: Rig, settings: Settings, http: HttpClient, listener: Listener
) -> None:
    changing = settings.model_copy(update={"webhook_keys": SecretStr(f"{NEW},{OLD}")})
    provider = StandardWebhooks(changing, http)
    url = f"{listener.url}/hook"
    await provider.send([rig.delivery(address=url, tenant="acme")])
    ((headers, body),) = listener.got
    for key in (NEW, OLD):
        said = Webhook(secret_of(key.encode(), "acme", url)).verify(body, headers)
        assert said["data"]["user"] == "user-0"
    for stranger in (
        secret_of(NEW.encode(), "other", url),
        secret_of(NEW.encode(), "acme", f"{url}2"),
        secret_of(b"x" * 40, "acme", url),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(stranger).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_of(NEW.encode(), "acme", url)).verify(body + b" ", headers)
    await provider.close()


@alone
async def test_a_repeat_has_the_same_id(rig: Rig, listener: Listener) -> None:
    sent = rig.delivery(address=f"{listener.url}/hook")
    await rig.provider.send([sent])
    await rig.provider.send([sent])
    assert [headers["webhook-id"] for headers, _ in listener.got] == [sent.delivery_id] * 2


@alone
@pytest.mark.parametrize("status", [400, 404, 409, 422, 302])
async def test_whatever_a_receiver_says_is_tried_again(rig: Rig, status: int) -> None:
    rig.fault(error_rate=1.0, status=max(400, status))
    assert isinstance(await rig.send(), TransientFailure)


@alone
async def test_a_redirect_is_not_followed(rig: Rig, listener: Listener) -> None:
    listener.reply = web.Response(status=307, headers={"Location": f"{rig.url}/receiver/1"})
    outcome = await rig.send(address=f"{listener.url}/hook")
    assert isinstance(outcome, TransientFailure)
    assert len(listener.got) == 1
    assert rig.witnessed() == []


@alone
async def test_a_receiver_in_trouble_stops_no_other(
    rig: Rig, settings: Settings, http: HttpClient, listener: Listener
) -> None:
    clock, faults = SetClock(), rig.running.simulators.faults
    provider = StandardWebhooks(settings, http, clock)
    line = Dispatching(provider, settings, clock)
    rig.fault(hang_rate=1.0)
    sending = asyncio.gather(*(line.deliver(rig.delivery(number)) for number in range(500)))
    await until(lambda: faults.requests(rig.name) == AT_ONCE)
    answer = await line.deliver(rig.delivery(500, address=f"{listener.url}/hook"))
    assert isinstance(answer.result, SentMark)
    assert not sending.done()
    assert faults.requests(rig.name) == AT_ONCE
    clock.time += int(PATIENT * 500) + 1  # half of what a call has
    faults.clear_all()
    results = [answer.result for answer in await ended(sending)]
    reasons = [result.reason for result in results if isinstance(result, TransientFailure)]
    assert reasons.count(Reason.UNREACHABLE) == AT_ONCE
    assert reasons.count(Reason.CIRCUIT_OPEN) == 500 - AT_ONCE
    await provider.close()


class Names:
    """A name server: what each look-up finds, one after the other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: tuple[str, ...]) -> None:
        self.left = list(answers)
        loop = asyncio.get_running_loop()
        real = loop.getaddrinfo

        async def getaddrinfo(host: str, port: int, **options: int) -> object:
            if host != "hooks.example.com":
                return await real(host, port, **options)
            found = self.left.pop(0)
            if not found:
                raise socket.gaierror(-2, "Name or service not known")
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in found]

        monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)


@pytest.fixture
def endpoints() -> Iterator[tuple[Endpoints, SetClock]]:
    clock = SetClock()
    yield Endpoints(PATIENT, ("127.0.0.1",), clock), clock


def meaning(reply: Reply) -> Outcome:
    return Sent(str(reply.status))


async def call(endpoints: Endpoints, url: str) -> Outcome:
    return await endpoints.call("c", url, b"{}", {}, meaning)


URL = "https://hooks.example.com/hook"


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1", "::ffff:127.0.0.1", "224.0.0.1"],
)
async def test_a_name_for_a_private_address_is_refused_at_connect(
    endpoints: tuple[Endpoints, SetClock], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    Names(monkeypatch, (address,), ("8.8.8.8", address))
    for _ in range(2):
        outcome = await call(endpoints[0], URL)
        assert isinstance(outcome, PermanentFailure)
        assert outcome.reason is Reason.INVALID_ADDRESS


async def test_a_connection_leads_to_the_address_that_was_looked_at(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else is asked what the name stands for, until it is looked at again."""
    host, clock = "hooks.example.com", SetClock()
    port = listener.url.rpartition(":")[2]
    calls = Endpoints(PATIENT, (host,), clock)
    names = Names(monkeypatch, ("127.0.0.1",), ("127.0.0.2", "127.0.0.1"), ("127.0.0.2",))
    url = f"http://{host}:{port}/hook"
    assert await call(calls, url) == await call(calls, url) == Sent("200")
    assert len(names.left) == 2
    clock.time += LOOKED_UP_MS
    assert await call(calls, url) == Sent("200")
    clock.time += LOOKED_UP_MS
    gone = await call(calls, url)
    assert isinstance(gone, TransientFailure)
    assert gone.reason is Reason.UNREACHABLE
    assert [headers["host"] for headers, _ in listener.got] == [f"{host}:{port}"] * 3
    assert names.left == []
    await calls.close()


async def test_a_name_that_turns_private_is_refused_from_then_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = SetClock()
    calls = Endpoints(IMPATIENT, (), clock)
    # Nobody is reached there: tests have no way out.
    Names(monkeypatch, ("8.8.8.8",), ("127.0.0.1",), ())
    assert isinstance(await call(calls, URL), TransientFailure)
    clock.time += LOOKED_UP_MS
    refused = await call(calls, URL)
    assert isinstance(refused, PermanentFailure)
    unknown = await call(calls, URL)
    assert isinstance(unknown, TransientFailure)
    assert (unknown.reason, unknown.detail) == (
        Reason.UNREACHABLE,
        "its name can't be looked up: gaierror",
    )
    await calls.close()


@alone
@pytest.mark.parametrize("status", [200, 429, 503])
@pytest.mark.parametrize(
    "said", [b"\xff\xfe", b"9" * 400, b"Mon, 01 Jan 99999999999999999999 00:00:00 GMT"]
)
async def test_no_retry_after_of_a_receiver_ends_the_sink(
    rig: Rig, status: int, said: bytes
) -> None:
    raw = b"HTTP/1.1 %d X\r\nRetry-After: %b\r\nContent-Length: 0\r\n\r\n" % (status, said)
    async with answering(raw) as url:
        outcome = await rig.send(address=f"{url}/hook")
    assert isinstance(outcome, Sent if status == 200 else TransientFailure)


async def test_no_reply_of_a_receiver_fills_the_memory() -> None:
    packed = gzip.compress(b" " * 50_000_000)
    head = b"HTTP/1.1 500 X\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    read: list[int] = []

    def noted(reply: Reply) -> Outcome:
        read.append(len(reply.body))
        return Sent(str(reply.status))

    calls = Endpoints(PATIENT, ("127.0.0.1",), SetClock())
    async with answering(head + packed) as url:
        assert await calls.call("c", url, b"{}", {}, noted) == Sent("500")
    assert read == [MOST_BYTES] == [1_048_576]
    await calls.close()
