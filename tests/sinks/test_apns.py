"""APNs: provider tokens, payloads and headers, what Apple's words mean."""

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pipeline.settings import Settings
from schemas.delivery import Content
from schemas.errors import Misconfigured
from schemas.vocabulary import Channel, Priority, Reason
from sinks.provider import PermanentFailure, Sent, TransientFailure
from sinks.push.apns import Apns
from sinks.push.apns_payload import headers_of, payload_of
from sinks.push.apns_token import RENEW_MS, ProviderTokens
from tests.sinks.rig import Case, Rig, delivery
from tests.sinks.set_clock import SetClock

APNS = Case(
    kind=Apns,
    channel=Channel.PUSH,
    address="apns:{:064x}",
    invalid="apns:not a token",
    dead=Reason.UNREGISTERED,
    misconfigured=[
        ({"apns_key": None}, "TOCSIN_APNS_KEY is not set"),
        ({"apns_key": Path("nowhere.p8")}, "TOCSIN_APNS_KEY: nowhere.p8 is not a .p8 key file"),
        ({"apns_key": Path("pyproject.toml")}, "is not a .p8 key file"),
        ({"apns_key_id": ""}, "TOCSIN_APNS_KEY_ID is not set"),
        ({"apns_team_id": ""}, "TOCSIN_APNS_TEAM_ID is not set"),
        ({"apns_topic": ""}, "TOCSIN_APNS_TOPIC is not set"),
        ({"apns_url": "apns"}, "TOCSIN_APNS_URL"),
    ],
)
alone = pytest.mark.parametrize("rig", ["apns"], indirect=True)


@pytest.mark.parametrize("priority", list(Priority))
def test_headers_and_payload_are_as_apple_wants_them(priority: Priority) -> None:
    data = {"order": 7, "delivery_id": "ours wins", "aps": "ours wins"}
    said = delivery(
        APNS, 3, priority=priority, content=Content(title="Hi", body="Grüße", data=data)
    )
    urgent = priority in (Priority.CRITICAL, Priority.HIGH)
    headers = headers_of(said, "com.example.app")
    assert headers == headers_of(said, "com.example.app")
    assert headers["apns-priority"] == ("10" if urgent else "5")
    assert headers["apns-expiration"] == str(said.expires_at // 1000)
    assert headers["apns-collapse-id"] == said.notification_id
    assert str(uuid.UUID(headers["apns-id"])) == headers["apns-id"]
    assert msgspec.json.decode(msgspec.json.encode(payload_of(said))) == {
        "order": 7,
        "aps": {
            "alert": {"title": "Hi", "body": "Grüße"},
            "sound": "default",
            "thread-id": "orders",
        },
        "notification_id": said.notification_id,
        "delivery_id": said.delivery_id,
    }


@alone
async def test_too_large_a_payload(rig: Rig) -> None:
    outcome = await rig.send(content=Content(title="Hi", body="x" * 5000))
    assert isinstance(outcome, PermanentFailure)
    assert outcome.reason is Reason.REJECTED


@alone
async def test_a_repeat_has_the_same_reference(rig: Rig) -> None:
    first, again = await rig.send(5), await rig.send(5)
    assert isinstance(first, Sent)
    assert first == again


@alone
@pytest.mark.parametrize(
    "update", [{"apns_team_id": "OTHER"}, {"apns_key_id": "OTHER"}, {"apns_topic": "com.other"}]
)
async def test_a_refused_setting_loses_nobody(rig: Rig, update: dict[str, Any]) -> None:
    wrong = Apns(rig.settings.model_copy(update=update), rig.http)
    outcome = await replace(rig, provider=wrong).send()
    await wrong.close()
    assert isinstance(outcome, TransientFailure)
    assert outcome.reason is Reason.UNAUTHORIZED


@alone
async def test_a_token_is_renewed_between_20_and_60_minutes(rig: Rig) -> None:
    clock = SetClock()
    tokens = ProviderTokens(rig.settings, clock)
    first = tokens.authorization()
    begin = clock.time
    clock.time = begin + 20 * 60_000
    assert tokens.authorization() == first
    clock.time = begin + RENEW_MS
    second = tokens.authorization()
    claims = jwt.decode(second.partition(" ")[2], options={"verify_signature": False})
    assert claims == {"iss": rig.settings.apns_team_id, "iat": clock.time // 1000}
    tokens.discard(first)
    assert tokens.authorization() == second
    tokens.discard(second)
    clock.time += 1000
    assert tokens.authorization() != second


def _pem(key: Any) -> bytes:
    return bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@pytest.mark.parametrize(
    "key",
    [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)],
    ids=["P-384", "RSA"],
)
def test_another_kind_of_key_is_told(key: Any, tmp_path: Path) -> None:
    file = tmp_path / "key.p8"
    file.write_bytes(_pem(key))
    tokens = ProviderTokens(
        Settings(apns_key=file, apns_key_id="KEYID", apns_team_id="TEAM"), SetClock()
    )
    with pytest.raises(Misconfigured, match=r"^TOCSIN_APNS_KEY: .*key\.p8 holds no P-256 key\.$"):
        tokens.check()


@alone
async def test_a_clock_that_is_far_off_is_told_and_loses_nobody(rig: Rig) -> None:
    clock = SetClock()
    clock.time -= 7_200_000
    late = Apns(rig.settings, rig.http, clock)
    outcome = await replace(rig, provider=late).send()
    await late.close()
    assert isinstance(outcome, TransientFailure)
    assert (outcome.reason, outcome.detail) == (Reason.UNAUTHORIZED, "ExpiredProviderToken")
    assert rig.witnessed() == []
