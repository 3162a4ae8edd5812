"""The simulators of Apple's push service and of a browser's, driven by libraries made for them."""

import asyncio
import json
from typing import Any, NamedTuple

import pytest
from aioapns import APNs, NotificationRequest, PushType
from aioapns.connection import APNsProductionClientProtocol
from aiohttp import web
from pywebpush import WebPushException, webpush

from embedded.simulators.accept_log import digest_of
from embedded.simulators.push.http2 import HOST, serving_http2
from policy.contact.address import split_address
from sinks.http.client import HttpClient, Reply
from tests.embedded.conftest import Bench
from tests.patience import PATIENCE, ended

IDS = {"notification_id": "n1", "delivery_id": "d1"}


def apns(bench: Bench, **fields: str) -> APNs:
    account = bench.running.credentials.apns
    keys = {"key_id": account.key_id, "team_id": account.team_id, "topic": account.topic}
    client = APNs(key=account.private_key, **{**keys, **fields})

    class Here(APNsProductionClientProtocol):
        APNS_SERVER = HOST
        APNS_PORT = int(bench.running.environment["TOCSIN_APNS_URL"].rpartition(":")[2])

    # It speaks TLS alone, which our simulators don't.
    client.pool.protocol_class = Here
    client.pool.ssl_context = None
    return client


async def push(client: APNs, token: str = "ab" * 32, **fields: Any) -> Any:
    message = {"aps": {"alert": {"title": "Shipped", "body": "On its way"}}, **IDS}
    asked = {"device_token": token, "message": message, "push_type": PushType.ALERT, **fields}
    try:
        sending = client.send_notification(NotificationRequest(**asked))
        return await ended(sending)
    finally:
        for connection in client.pool.connections:
            connection.close()


async def test_aioapns_sends(bench: Bench) -> None:
    reply = await push(apns(bench), collapse_key="n1", priority=10, time_to_live=300)
    accepted = bench.last()
    assert reply.is_successful
    assert (accepted.provider, accepted.reference) == ("apns", reply.notification_id)
    assert (accepted.address, accepted.title) == (f"apns:{'ab' * 32}", "Shipped")
    assert accepted.delivery_id == "d1"


@pytest.mark.parametrize(
    ("keys", "fields", "status", "reason"),
    [
        ({"key_id": "OTHER"}, {}, "403", "InvalidProviderToken"),
        ({"team_id": "OTHER"}, {}, "403", "InvalidProviderToken"),
        ({"topic": "com.other"}, {}, "400", "TopicDisallowed"),
        ({}, {"token": "ab"}, "400", "BadDeviceToken"),
        ({}, {"message": {"aps": {"alert": "x" * 5000}}}, "413", "PayloadTooLarge"),
        ({}, {"message": {"alert": "no aps"}}, "400", "BadPayload"),
        ({}, {"collapse_key": "x" * 65}, "400", "BadCollapseId"),
    ],
)
async def test_aioapns_knows_what_is_refused(
    bench: Bench, keys: dict[str, str], fields: dict[str, Any], status: str, reason: str
) -> None:
    before = bench.count()
    reply = await push(apns(bench, **keys), **fields)
    assert (reply.status, reply.description) == (status, reason)
    assert bench.count() == before


async def test_aioapns_hears_of_a_device_that_is_gone(bench: Bench) -> None:
    bench.fault("apns", dead=frozenset({f"apns:{'cd' * 32}"}))
    reply = await push(apns(bench), "cd" * 32)
    assert (reply.status, reply.description) == ("410", "Unregistered")


@pytest.mark.parametrize(
    ("status", "reason"), [(400, "DeviceTokenNotForTopic"), (429, "TooManyRequests")]
)
async def test_one_device_is_refused_and_the_others_are_served(
    bench: Bench, status: int, reason: str
) -> None:
    bench.fault("apns", refused={f"apns:{'cd' * 32}": status})
    reply = await push(apns(bench), "cd" * 32)
    assert (reply.status, reply.description) == (str(status), reason)
    assert (await push(apns(bench))).is_successful


async def test_an_alert_may_be_a_text(bench: Bench) -> None:
    """{"aps": {"alert": "..."}}, of Apple's "Generating a remote notification"."""
    reply = await push(apns(bench), message={"aps": {"alert": "On its way"}, **IDS})
    assert reply.is_successful
    accepted = bench.last()
    assert (accepted.title, accepted.digest) == ("", digest_of("On its way"))


@pytest.mark.parametrize("alert", [7, ["a"], True])
async def test_an_alert_is_nothing_else(bench: Bench, alert: Any) -> None:
    reply = await push(apns(bench), message={"aps": {"alert": alert}, **IDS})
    assert (reply.status, reply.description) == ("400", "BadPayload")


async def test_what_a_handler_raises_ends_its_stream_alone() -> None:
    """Nobody is to wait for good for an answer; the connection serves what comes next."""

    async def answer(request: web.Request) -> web.Response:
        if await request.read() == b"bad":
            raise AttributeError("'str' object has no attribute 'get'")
        return web.Response(text="good")

    client = HttpClient(PATIENCE, 1, http2=True)
    try:
        async with serving_http2(answer) as url:
            replies = [await client.post(url, body, {}) for body in (b"bad", b"good")]
    finally:
        await client.close()
    assert [reply.status for reply in replies if isinstance(reply, Reply)] == [500, 200]


@pytest.mark.parametrize(
    ("kind", "suffix", "fields"),
    [
        ("location", ".location-query", {}),
        ("pushtotalk", ".voip-ptt", {}),
        ("voip", ".voip", {"message": {"aps": {}, "call": "x" * 5000}}),
        ("complication", ".complication", {}),
        ("fileprovider", ".pushkit.fileprovider", {}),
        ("liveactivity", ".push-type.liveactivity", {}),
        ("background", "", {"priority": 5}),
    ],
)
async def test_each_push_type_has_its_topic(
    bench: Bench, kind: str, suffix: str, fields: dict[str, Any]
) -> None:
    """By Apple's "Sending notification requests to APNs"; the library knows not all of them."""
    topic = bench.running.credentials.apns.topic
    asked = {"push_type": Named(kind), "message": {"aps": {}, **IDS}, **fields}
    assert (await push(apns(bench, topic=topic + suffix), **asked)).is_successful
    other = await push(apns(bench, topic=f"{topic}.other"), **asked)
    assert (other.status, other.description) == ("400", "TopicDisallowed")


async def test_a_background_push_is_never_urgent(bench: Bench) -> None:
    reply = await push(apns(bench), push_type=PushType.BACKGROUND, priority=10)
    assert (reply.status, reply.description) == ("400", "BadPriority")


class Named(NamedTuple):
    """A push type by its name."""

    value: str


def subscription(bench: Bench, number: int = 7) -> Any:
    address = bench.running.credentials.browser.subscription(bench.running.base_url, number)
    return json.loads(split_address(address)[1])


async def to_browser(bench: Bench, key: str | None = None, **fields: Any) -> Any:
    payload = {"title": "Shipped", "body": "On its way", **IDS}
    asked = {
        "subscription_info": subscription(bench),
        "data": json.dumps(payload),
        "vapid_private_key": key or private_number(bench.running.credentials.browser.vapid_key),
        "vapid_claims": {"sub": "mailto:a@example.com"},
        "ttl": 60,
        **fields,
    }
    return await asyncio.to_thread(webpush, **asked)


def private_number(pem: str) -> str:
    """A PEM key in the form that the library takes as text."""
    return "".join(line for line in pem.splitlines() if "KEY" not in line)


async def test_pywebpush_sends(bench: Bench) -> None:
    reply = await to_browser(bench)
    accepted = bench.last()
    assert reply.status_code == 201
    assert (accepted.provider, accepted.reference) == ("webpush", reply.headers["Location"])
    assert (accepted.title, accepted.delivery_id) == ("Shipped", "d1")
    assert accepted.address == bench.running.credentials.browser.subscription(
        bench.running.base_url, 7
    )


async def test_pywebpush_knows_the_errors(bench: Bench) -> None:
    other = private_number(bench.running.credentials.apns.private_key)
    with pytest.raises(WebPushException, match="403"):
        await to_browser(bench, other)
    with pytest.raises(WebPushException, match="400"):
        await to_browser(bench, ttl=2_419_201)
    gone = bench.running.credentials.browser.subscription(bench.running.base_url, 7)
    bench.fault("webpush", dead=frozenset({gone}))
    with pytest.raises(WebPushException, match="410"):
        await to_browser(bench)


@pytest.mark.parametrize("status", [400, 401, 403, 429])
async def test_one_subscription_is_refused_and_the_others_are_served(
    bench: Bench, status: int
) -> None:
    """As of those that were made with another key."""
    browser, url = bench.running.credentials.browser, bench.running.base_url
    bench.fault("webpush", refused={browser.subscription(url, 7): status})
    with pytest.raises(WebPushException, match=str(status)):
        await to_browser(bench)
    reply = await to_browser(bench, subscription_info=subscription(bench, 8))
    assert reply.status_code == 201
