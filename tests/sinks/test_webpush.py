"""Web Push: RFC 8291's own vector, VAPID, and endpoints that come from outside."""

import http_ece
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from embedded.simulators.credentials import Credentials
from schemas.delivery import Content
from schemas.errors import Misconfigured
from schemas.vocabulary import Channel, Reason
from sinks.provider import PermanentFailure, Sent, TransientFailure
from sinks.push.vapid import LIFE, Vapid, decoded, encoded
from sinks.push.webpush import Keys, WebPush, encrypted
from tests.sinks.rig import Case, Rig
from tests.sinks.set_clock import SetClock


def subscribe(accounts: Credentials, url: str, number: int) -> str:
    return accounts.browser.subscription(url, number)


WEBPUSH = Case(
    kind=WebPush,
    channel=Channel.PUSH,
    address="",
    invalid='web:{"endpoint": "https://fcm.googleapis.com/x"}',
    dead=Reason.UNREGISTERED,
    is_known=False,
    subscribe=subscribe,
    misconfigured=[
        ({"vapid_private_key": SecretStr("")}, "TOCSIN_VAPID_PRIVATE_KEY is not set"),
        ({"vapid_private_key": SecretStr("BEGIN rubbish")}, "is no P-256 key"),
        ({"vapid_private_key": SecretStr("AA")}, "is no P-256 key"),
        ({"vapid_subject": "me"}, "TOCSIN_VAPID_SUBJECT"),
    ],
)
alone = pytest.mark.parametrize("rig", ["webpush"], indirect=True)

# RFC 8291, appendix A.
PLAIN = b"When I grow up, I want to be a watermelon"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
RECEIVER = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
RECEIVER_POINT = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
)
MESSAGE = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
    "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


@pytest.mark.parametrize("length", range(13))
def test_keys_are_base64url_without_padding(length: int) -> None:
    # 62, 63, 62, 62; of one byte 62 and 48 are left, of two 62, 63 and 60.
    value = bytes([251, 255, 190] * 5)[:length]
    text = "-_--" * (length // 3) + ("", "-w", "-_8")[length % 3]
    assert encoded(value) == text
    assert decoded(text) == value


def key_of(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(decoded(text)), ec.SECP256R1())


def read(body: bytes) -> bytes:
    text: bytes = http_ece.decrypt(
        body, private_key=key_of(RECEIVER), auth_secret=decoded(AUTH), version="aes128gcm"
    )
    return text


def test_the_message_of_the_rfc_is_read() -> None:
    assert read(decoded(MESSAGE)) == PLAIN


def test_what_we_write_is_read_as_the_rfc_has_it() -> None:
    one, two = (encrypted(PLAIN, Keys(RECEIVER_POINT, AUTH)) for _ in range(2))
    assert read(one) == read(two) == PLAIN
    assert one != two  # a key and a salt of its own for each
    assert len(one) == len(decoded(MESSAGE))


@alone
@pytest.mark.parametrize(
    "address",
    [
        "web:not json",
        'web:{"endpoint": "https://fcm.googleapis.com/x", "keys": {"p256dh": "AA", "auth": "AA"}}',
        'web:{"endpoint": "https://fcm.googleapis.com/x", "keys": {"p256dh": "é", "auth": "!"}}',
        "web:",
        f'web:{{"other": {"[" * 4000}',
    ],
)
async def test_a_subscription_that_can_not_be_used(rig: Rig, address: str) -> None:
    outcome = await rig.send(address=address)
    assert isinstance(outcome, PermanentFailure)
    assert outcome.reason is Reason.INVALID_ADDRESS


@alone
@pytest.mark.parametrize(
    "url",
    [
        "https://internal.example.com",
        "http://fcm.googleapis.com",
        "http://169.254.169.254",
        "https://fcm.googleapis.com.evil.example",
        "https://fcm.googleapis.com@127.0.0.2",
        "ftp://127.0.0.1",
        "https://[::1]",
        "https://",
        "https://[",
        "https://[fcm.googleapis.com",
    ],
)
async def test_only_known_push_services_are_called(rig: Rig, url: str) -> None:
    hosts = ("fcm.googleapis.com", "*.notify.windows.com", "127.0.0.1")
    provider = WebPush(rig.settings.model_copy(update={"webpush_hosts": hosts}), rig.http)
    address = subscribe(rig.running.credentials, url, 1)
    (outcome,) = await provider.send([rig.delivery(address=address)])
    if url.startswith("ftp"):
        assert not isinstance(outcome, Sent)
    else:
        assert isinstance(outcome, PermanentFailure)
        assert outcome.reason is Reason.INVALID_ADDRESS
    assert rig.witnessed() == []


@alone
async def test_another_key_than_was_subscribed_with_loses_nobody(rig: Rig) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    other = SecretStr(encoded(key.to_bytes(32)))
    settings = rig.settings.model_copy(update={"vapid_private_key": other})
    (outcome,) = await WebPush(settings, rig.http).send([rig.delivery()])
    assert isinstance(outcome, TransientFailure)
    assert outcome.reason is Reason.UNAUTHORIZED


@alone
async def test_too_large_a_payload_is_not_sent(rig: Rig) -> None:
    outcome = await rig.send(content=Content(body="x" * 4000))
    assert isinstance(outcome, PermanentFailure)
    assert outcome.reason is Reason.REJECTED


@alone
async def test_an_authorization_is_kept_until_shortly_before_its_end(rig: Rig) -> None:
    clock = SetClock()
    key = rig.settings.vapid_private_key.get_secret_value()
    vapid = Vapid(key.replace("\n", "\\n"), "mailto:a@example.com", clock)
    first = vapid.authorization("https://push.example.com/1")
    assert vapid.authorization("https://push.example.com/2") == first
    assert vapid.authorization("https://other.example.com/2") != first
    token = first.removeprefix("vapid t=").partition(",")[0]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims == {
        "aud": "https://push.example.com",
        "exp": clock.time // 1000 + LIFE,
        "sub": "mailto:a@example.com",
    }
    clock.time += (LIFE - 3600) * 1000 + 1
    assert vapid.authorization("https://push.example.com/1") != first


def test_a_key_in_the_form_of_browsers_is_taken() -> None:
    Vapid(RECEIVER, "mailto:a@example.com", SetClock()).check()
    with pytest.raises(Misconfigured):
        Vapid(RECEIVER, "a@example.com", SetClock()).check()
