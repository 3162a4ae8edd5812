"""What is sent as a webhook, header by header: https://www.standardwebhooks.com."""

import hmac
from base64 import b64encode
from typing import Any

import pytest

from schemas.delivery import Content
from schemas.vocabulary import Channel, Reason
from sinks.provider import PermanentFailure, Sent, TransientFailure
from sinks.webhook.standard import StandardWebhooks
from tests.sinks.requests.endpoints import Known
from tests.sinks.requests.recorder import NOW, Recorder, Still, delivery, settings

URL = "https://hooks.example.com:8443/x"
KEY, OLD = "a" * 32, "b" * 32
FULL = Content(title="Grüße", body="Wörter", html="<p>W</p>", data={"order": 7})
BARE = Content(body="Wörter")
ID = "00000000000000000000000000000007"


def webhooks(http: Recorder, keys: str = KEY) -> tuple[StandardWebhooks, Known]:
    provider = StandardWebhooks(settings(webhook_keys=keys), http, Still())
    provider._endpoints = known = Known(http)
    return provider, known


@pytest.mark.parametrize(
    ("content", "own"),
    [(FULL, {"title": "Grüße", "data": {"order": 7}}), (BARE, {})],
    ids=["full", "bare"],
)
async def test_the_body_has_no_more_than_there_is(content: Content, own: dict[str, Any]) -> None:
    http = Recorder()
    provider, known = webhooks(http)
    said = delivery(Channel.WEBHOOK, URL, tenant="acme", content=content)
    assert list(await provider.send([said])) == [Sent(ID)]
    assert http.request.url == URL
    assert http.request.json == {
        "type": "order_shipped",
        "timestamp": "2026-11-18T11:06:40Z",
        "data": {
            "notification_id": "00000000000000000000000000000017",
            "event_id": "order-7-shipped",
            "tenant": "acme",
            "user": "ada",
            "category": "orders",
            "priority": "high",
            "body": "Wörter",
            **own,
        },
    }
    # Each hook fails by itself, as a host may serve several that have nothing in common.
    assert known.circuits == [URL]
    assert (provider.server_of(said), provider.calls_per_server) == ("hooks.example.com:8443", 16)
    assert provider.server_of(delivery(Channel.WEBHOOK, "https://[")) == "https://["


def signature(key: str, body: bytes) -> str:
    """HMAC-SHA256 of id, seconds and body; the secret is made from key, tenant and URL."""
    secret = hmac.digest(key.encode(), f"4:acme{URL}".encode(), "sha256")
    text = f"{ID}.{NOW // 1000}.".encode() + body
    return f"v1,{b64encode(hmac.digest(secret, text, 'sha256')).decode()}"


@pytest.mark.parametrize("keys", [[KEY], [KEY, OLD]])
async def test_the_headers(keys: list[str]) -> None:
    http = Recorder()
    provider, _ = webhooks(http, " , ".join(keys))
    await provider.send([delivery(Channel.WEBHOOK, URL, tenant="acme")])
    assert http.request.headers == {
        "Content-Type": "application/json",
        "webhook-id": ID,
        "webhook-timestamp": "1795000000",
        "webhook-signature": " ".join(signature(key, http.request.body) for key in keys),
    }


@pytest.mark.parametrize("keys", ["", "a" * 31, f"{KEY},", f"{KEY},{OLD},{KEY}"])
async def test_without_keys_nothing_is_called(keys: str) -> None:
    http = Recorder()
    provider, _ = webhooks(http, keys)
    waits = TransientFailure(Reason.UNAUTHORIZED, "TOCSIN_WEBHOOK_KEYS is not set")
    assert list(await provider.send([delivery(Channel.WEBHOOK, URL)])) == [waits]
    assert http.requests == []


async def test_what_is_no_url_is_refused() -> None:
    refused = PermanentFailure(Reason.INVALID_ADDRESS, "it is no URL")
    provider, _ = webhooks(Recorder())
    assert list(await provider.send([delivery(Channel.WEBHOOK, "https://[")])) == [refused]


def test_each_receiver_is_a_server_of_its_own() -> None:
    provider, _ = webhooks(Recorder())
    assert (provider.name, provider.channel, provider.scheme) == ("standard", Channel.WEBHOOK, "")
    assert (provider.is_one_server, provider.batch_size) == (False, 1)
