"""What is sent for a push: header by header, and how tokens that ran out are renewed."""

import asyncio
from pathlib import Path
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from schemas.delivery import KEEPS_BADGE, SILENT, Content
from schemas.vocabulary import Channel, Priority, Reason
from sinks.http.adaptive_rate import Pace
from sinks.http.client import Reply
from sinks.provider import PermanentFailure, Sent, TransientFailure
from sinks.push.apns import Apns
from sinks.push.apns_payload import IDS, headers_of
from sinks.push.apns_payload import payload_of as apple_of
from sinks.push.fcm import Fcm
from sinks.push.webpush import payload_of as browser_of
from tests.sinks.replies.table import reply
from tests.sinks.requests.recorder import NOW, Recorder, Still, delivery, settings
from tests.virtual_time import in_virtual_time, now

LOST = TransientFailure(Reason.TIMEOUT, "no reply within 10 s", uncertain=True)
KEY = ec.derive_private_key(7, ec.SECP256R1())
DEVICE = "ab" * 32
APPLE = delivery(Channel.PUSH, f"apns:{DEVICE}", content=Content(body="B", title="T"))
ID = "0b8a9a1e-0000-4000-8000-000000000000"
TAKEN_BY_APPLE = reply(200, b"", {"apns-id": ID})


@pytest.fixture
def p8(tmp_path: Path) -> Path:
    pem = KEY.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = tmp_path / "key.p8"
    file.write_bytes(pem)
    return file


def apns(p8: Path, http: Recorder, clock: Still | None = None) -> Apns:
    chosen = settings(
        apns_key=p8,
        apns_key_id="KEYID",
        apns_team_id="TEAM",
        apns_topic="com.example.app",
        apns_url="https://api.push.apple.com/",
    )
    provider = Apns(chosen, http, clock or Still())
    provider._http = http
    return provider


async def test_apns(p8: Path) -> None:
    http = Recorder(TAKEN_BY_APPLE)
    provider = apns(p8, http)
    assert list(await provider.send([APPLE])) == [Sent(ID)]
    assert (provider.name, provider.channel, provider.scheme) == ("apns", Channel.PUSH, "apns")
    assert http.request.url == f"https://api.push.apple.com/3/device/{DEVICE}"
    headers = dict(http.request.headers)
    kind, token = headers.pop("authorization").split(" ")
    assert kind == "bearer"
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "kid": "KEYID", "typ": "JWT"}
    claims = jwt.decode(token, KEY.public_key(), ["ES256"], options={"verify_iat": False})
    assert claims == {"iss": "TEAM", "iat": NOW // 1000}
    assert headers == headers_of(APPLE, "com.example.app")
    assert http.request.json == {
        "aps": {"alert": {"title": "T", "body": "B"}, "sound": "default", "thread-id": "orders"},
        "notification_id": APPLE.notification_id,
        "delivery_id": APPLE.delivery_id,
    }


@pytest.mark.parametrize(
    ("sound", "badge", "apple", "browser"),
    [
        ("", KEEPS_BADGE, {"sound": "default"}, {}),
        ("chime.caf", 7, {"sound": "chime.caf", "badge": 7}, {"badge": 7}),
        (SILENT, 0, {"badge": 0}, {"silent": True, "badge": 0}),
    ],
)
def test_sounds_and_badges(
    sound: str, badge: int, apple: dict[str, Any], browser: dict[str, Any]
) -> None:
    content = Content(title="T", body="B", sound=sound, badge=badge)
    said = delivery(Channel.PUSH, "apns:ab", content=content)
    found = msgspec.json.decode(msgspec.json.encode(apple_of(said)))["aps"]
    assert {name: found[name] for name in ("sound", "badge") if name in found} == apple
    found = msgspec.to_builtins(browser_of(said))
    assert {name: found[name] for name in ("silent", "badge") if name in found} == browser


@pytest.mark.parametrize(
    ("priority", "urgency"),
    [
        (Priority.CRITICAL, "10"),
        (Priority.HIGH, "10"),
        (Priority.NORMAL, "5"),
        (Priority.LOW, "5"),
        (Priority.BULK, "5"),
    ],
)
def test_apples_headers(priority: Priority, urgency: str) -> None:
    assert str(IDS) == "6f0f2bd4-5b5c-4c8e-9f6e-6f6f1c2f7a31"
    said = delivery(Channel.PUSH, "apns:ab", priority=priority, expires_at=NOW + 999)
    assert headers_of(said, "com.example.app") == {
        # RFC 4122, 4.3: SHA-1 of the namespace's bytes and 32 digits, version 5.
        "apns-id": "6ed42c8c-1586-554e-aafe-90bf353fc445",
        "apns-topic": "com.example.app",
        "apns-push-type": "alert",
        "apns-collapse-id": "00000000000000000000000000000017",
        "apns-expiration": "1795000000",
        "apns-priority": urgency,
    }


OLD = reply(403, {"reason": "ExpiredProviderToken"})
FORBIDDEN = reply(403, {"reason": "InvalidProviderToken"})


@pytest.mark.parametrize(
    ("replies", "outcome", "calls", "tokens"),
    [
        ([OLD, TAKEN_BY_APPLE], Sent(ID), 2, 2),
        ([OLD], TransientFailure(Reason.UNAUTHORIZED, "ExpiredProviderToken"), 2, 2),
        ([OLD, LOST], LOST, 2, 2),
        ([FORBIDDEN], TransientFailure(Reason.UNAUTHORIZED, "InvalidProviderToken"), 1, 1),
        ([reply(400, {"reason": "ExpiredProviderToken"})],
         TransientFailure(Reason.UNAUTHORIZED, "ExpiredProviderToken"), 1, 1),
        ([LOST], LOST, 1, 1),
    ],
)  # fmt: skip
async def test_apples_token_is_made_anew_once_where_it_is_too_old(
    p8: Path, replies: list[Reply | TransientFailure], outcome: Any, calls: int, tokens: int
) -> None:
    http = Recorder(*replies)
    clock = Still()
    provider = apns(p8, http, clock)
    assert list(await provider.send([APPLE])) == [outcome]
    assert len(http.requests) == calls
    assert len({(request.url, request.body) for request in http.requests}) == 1
    # Signatures by this algorithm differ each time.
    assert len({request.headers["authorization"] for request in http.requests}) == tokens


@pytest.mark.parametrize("address", ["apns:no token", "apns:", "apns:../x"])
async def test_apple_is_asked_for_no_device_that_can_be_none(p8: Path, address: str) -> None:
    http = Recorder(TAKEN_BY_APPLE)
    refused = PermanentFailure(Reason.INVALID_ADDRESS, "the device token is not hexadecimal")
    assert list(await apns(p8, http).send([delivery(Channel.PUSH, address)])) == [refused]
    assert http.requests == []


class Tokens:
    """Google's access tokens: another each time that one is refused, until there are no more."""

    def __init__(self, *tokens: str | TransientFailure) -> None:
        self.left = list(tokens)
        self.discarded: list[str] = []

    def load(self) -> str:
        return "project"

    async def token(self) -> str | TransientFailure:
        return self.left[0]

    def discard(self, token: str) -> None:
        self.discarded.append(token)
        if len(self.left) > 1:
            self.left.pop(0)


GOOGLE = delivery(Channel.PUSH, "device-7", content=Content(body="B", title="T"))
TAKEN = reply(200, {"name": "projects/p/messages/1"})
REFUSED = reply(401, {"error": {"message": "expired", "status": "UNAUTHENTICATED"}})
STALE = TransientFailure(Reason.UNAUTHORIZED, "HTTP 401: UNAUTHENTICATED: expired")
NONE = TransientFailure(Reason.UNREACHABLE, "no access token")


def fcm(http: Recorder, tokens: Tokens) -> Fcm:
    provider = Fcm(settings(fcm_url="https://fcm.googleapis.com/"), http, Still())
    provider._tokens = tokens  # type: ignore[assignment]
    return provider


def test_a_token_of_googles_has_the_time_of_a_call(
    monkeypatch: pytest.MonkeyPatch, p8: Path
) -> None:
    made: list[tuple[object, ...]] = []
    monkeypatch.setattr("sinks.push.fcm.AccessTokens", lambda *args: made.append(args))
    clock = Still()
    Fcm(settings(fcm_credentials=p8, provider_timeout=7.5), Recorder(), clock)
    assert made == [(p8, 7.5, clock)]


async def test_fcm() -> None:
    http = Recorder(TAKEN)
    provider = fcm(http, Tokens("ya29.1"))
    assert list(await provider.send([GOOGLE])) == [Sent("projects/p/messages/1")]
    assert (provider.name, provider.channel, provider.scheme) == ("fcm", Channel.PUSH, "")
    assert http.request.url == "https://fcm.googleapis.com/v1/projects/project/messages:send"
    assert http.request.headers == {
        "Authorization": "Bearer ya29.1",
        "Content-Type": "application/json",
    }
    assert http.request.json == {
        "message": {
            "token": "device-7",
            "notification": {"title": "T", "body": "B"},
            "android": {
                "notification": {"tag": GOOGLE.notification_id, "sound": "default"},
                "priority": "high",
                "ttl": "3600s",
            },
            "apns": {
                "headers": {
                    "apns-collapse-id": GOOGLE.notification_id,
                    "apns-expiration": "1795003600",
                    "apns-priority": "10",
                },
                "payload": {"aps": {"sound": "default"}},
            },
            "webpush": {
                "headers": {"TTL": "3600", "Urgency": "high", "Topic": GOOGLE.notification_id},
                "notification": {"tag": GOOGLE.notification_id},
            },
            "data": {
                "notification_id": GOOGLE.notification_id,
                "delivery_id": GOOGLE.delivery_id,
            },
        }
    }


@pytest.mark.parametrize(
    ("replies", "tokens", "outcome", "used"),
    [
        ([TAKEN], ["a"], Sent("projects/p/messages/1"), ["a"]),
        ([REFUSED, TAKEN], ["a", "b"], Sent("projects/p/messages/1"), ["a", "b"]),
        ([REFUSED], ["a", "b", "c"], STALE, ["a", "b"]),
        ([REFUSED], ["a", NONE], NONE, ["a"]),
        ([REFUSED, LOST], ["a", "b"], LOST, ["a", "b"]),
        ([LOST], ["a"], LOST, ["a"]),
        ([TAKEN], [NONE], NONE, []),
    ],
)
async def test_a_token_that_google_refuses_is_replaced_once(
    replies: list[Reply | TransientFailure],
    tokens: list[str | TransientFailure],
    outcome: Any,
    used: list[str],
) -> None:
    http, kept = Recorder(*replies), Tokens(*tokens)
    assert list(await fcm(http, kept).send([GOOGLE])) == [outcome]
    assert [request.headers["Authorization"] for request in http.requests] == [
        f"Bearer {token}" for token in used
    ]
    assert len({(request.url, request.body) for request in http.requests}) == min(1, len(used))
    assert kept.discarded == (["a"] if replies[0] is REFUSED else [])


@pytest.mark.parametrize(
    ("said", "rate"),
    [(reply(429, b""), 5000.0), (reply(503, b""), 10_000.0), (TAKEN, 10_000.0), (LOST, 10_000.0)],
)
async def test_only_an_exceeded_quota_slows_fcm_down(
    said: Reply | TransientFailure, rate: float
) -> None:
    """600,000 a minute are 10,000 a second, of which half is left."""
    provider = fcm(Recorder(said), Tokens("a"))
    await provider.send([GOOGLE])
    assert provider._pace.rate == rate


def test_pace_is_of_the_setting() -> None:
    provider = Fcm(settings(fcm_per_minute=120), Recorder(), Still())
    assert isinstance(provider._pace, Pace)
    assert provider._pace.rate == 2.0


@in_virtual_time
async def test_each_call_to_fcm_waits_for_its_turn_and_a_critical_one_the_shortest() -> None:
    """One a second: the second of three is made a second later, the third after two."""
    http = Recorder(TAKEN)
    provider = Fcm(settings(fcm_per_minute=60), http, Still())
    provider._tokens = Tokens("a")  # type: ignore[assignment]
    provider._pace = Pace(1, now)
    went: list[tuple[str, float]] = []

    async def send(name: str, priority: Priority) -> None:
        await provider.send([replace(GOOGLE, priority=priority)])
        went.append((name, round(now(), 1)))

    low = [send(name, Priority.LOW) for name in ("first", "second", "third")]
    await asyncio.gather(*low, send("urgent", Priority.CRITICAL))
    assert went == [("first", 0.0), ("urgent", 1.0), ("second", 2.0), ("third", 3.0)]
