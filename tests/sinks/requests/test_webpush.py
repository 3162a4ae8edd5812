"""The exact requests to the push services of browsers."""

import json
from typing import Any

import http_ece
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from schemas.delivery import Content, Delivery
from schemas.vocabulary import Channel, Priority, Reason
from sinks.provider import PermanentFailure, Sent
from sinks.push.vapid import decoded, encoded
from sinks.push.webpush import WebPush
from tests.sinks.replies.table import reply
from tests.sinks.requests.recorder import NOW, Recorder, Still, delivery, settings
from tests.sinks.requests.test_push import KEY, LOST

BROWSER = ec.derive_private_key(11, ec.SECP256R1())


POINT = BROWSER.public_key().public_bytes(
    serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
)


SECRET = b"0123456789abcdef"


def browser(endpoint: str, **fields: Any) -> Delivery:
    keys = {"p256dh": encoded(POINT), "auth": encoded(SECRET)}
    address = f"web:{json.dumps({'endpoint': endpoint, 'keys': keys})}"
    return delivery(Channel.PUSH, address, **fields)


def webpush(http: Recorder, *hosts: str) -> WebPush:
    chosen = settings(
        vapid_private_key=encoded((7).to_bytes(32)),
        vapid_subject="mailto:a@example.com",
        webpush_hosts=hosts or ("push.example.net",),
    )
    return WebPush(chosen, http, Still())


@pytest.mark.parametrize(
    ("priority", "urgency"),
    [
        (Priority.CRITICAL, "high"),
        (Priority.HIGH, "high"),
        (Priority.NORMAL, "normal"),
        (Priority.LOW, "low"),
        (Priority.BULK, "very-low"),
    ],
)
@pytest.mark.parametrize(
    # 0 is refused by Windows: https://github.com/web-push-libs/pywebpush/issues/162.
    ("left", "ttl"),
    [(3_600_000, "3600"), (-5, "1"), (10**13, "2419200"), (999, "1")],
)
async def test_webpush(priority: Priority, urgency: str, left: int, ttl: str) -> None:
    http = Recorder(reply(201, b"", {"location": "/m"}))
    provider = webpush(http)
    content = Content(body="B", title="T", data={"order": 7})
    said = browser(
        "https://push.example.net/x", priority=priority, content=content, expires_at=NOW + left
    )
    assert list(await provider.send([said])) == [Sent("/m")]
    assert (provider.name, provider.channel, provider.scheme) == ("webpush", Channel.PUSH, "web")
    assert http.request.url == "https://push.example.net/x"
    headers = dict(http.request.headers)
    token, _, key = headers.pop("Authorization").removeprefix("vapid t=").partition(", k=")
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(key))
    assert public == KEY.public_key()
    claims = jwt.decode(
        token,
        KEY.public_key(),
        ["ES256"],
        {"verify_exp": False},
        audience="https://push.example.net",
    )
    assert claims["exp"] == NOW // 1000 + 12 * 3600
    assert claims["sub"] == "mailto:a@example.com"
    assert headers == {
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": ttl,
        "Urgency": urgency,
        "Topic": said.notification_id,
    }
    text = http_ece.decrypt(
        http.request.body, private_key=BROWSER, auth_secret=SECRET, version="aes128gcm"
    )
    assert json.loads(text) == {
        "title": "T",
        "body": "B",
        "notification_id": said.notification_id,
        "delivery_id": said.delivery_id,
        "data": {"order": 7},
    }


@pytest.mark.parametrize(
    ("endpoint", "is_called"),
    [
        ("https://push.example.net/x", True),
        ("https://db5.notify.example.com/x", True),
        ("https://other.example.net/x", False),
        ("https://push.example.net.evil.example/x", False),
        ("http://push.example.net/x", False),
        ("ftp://push.example.net/x", False),
        ("http://127.0.0.1:9/x", True),
        ("http://localhost:9/x", True),
        ("http://127.0.0.2:9/x", False),
        ("https:///x", False),
        ("https://[", False),
    ],
)
async def test_which_endpoints_are_called(endpoint: str, is_called: bool) -> None:
    http = Recorder(reply(201, b""))
    provider = webpush(
        http, "push.example.net", "*.notify.example.com", "127.0.0.1", "localhost", "127.0.0.2"
    )
    (outcome,) = await provider.send([browser(endpoint)])
    assert isinstance(outcome, Sent if is_called else PermanentFailure)
    assert len(http.requests) == is_called


@pytest.mark.parametrize("over", [0, 1])
async def test_a_payload_has_3993_bytes(over: int) -> None:
    """4,096 less a salt of 16, a size of 4, a key with its length of 66, and a tag of 17."""
    http = Recorder(reply(201, b""))
    bare = len(
        '{"title":"","body":"","notification_id":"","delivery_id":""}'
    ) + 64  # fmt: skip
    content = Content(body="x" * (3993 - bare + over))
    (outcome,) = await webpush(http).send([browser("https://push.example.net/x", content=content)])
    if over:
        assert outcome == PermanentFailure(Reason.REJECTED, "3994 bytes, 3993 are possible")
    else:
        assert isinstance(outcome, Sent)
        assert len(http.request.body) == 4096


async def test_a_push_service_that_does_not_reply() -> None:
    said = browser("https://push.example.net/x")
    assert list(await webpush(Recorder(LOST)).send([said])) == [LOST]
