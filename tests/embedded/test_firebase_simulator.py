"""FCM's simulator, by Firebase's own SDK."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import firebase_admin
import pytest
from firebase_admin import credentials, exceptions, messaging
from google.auth.exceptions import RefreshError
from requests.adapters import HTTPAdapter

from embedded.simulators.credentials import make_credentials
from tests.embedded.conftest import Bench

# The HTTP API still takes tokens, and a token is what our devices register.
pytestmark = pytest.mark.filterwarnings("ignore:Message.token is deprecated:DeprecationWarning")


@pytest.fixture
def firebase(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    url = f"{bench.running.base_url}/v1/projects/{{0}}/messages:send"
    monkeypatch.setattr(messaging._MessagingService, "FCM_URL", url)
    file = bench.running.environment["TOCSIN_FCM_CREDENTIALS"]
    app = firebase_admin.initialize_app(credentials.Certificate(file), name="simulators")
    # The SDK repeats a 503 for seconds by itself; here the first answer counts.
    session = messaging._get_messaging_service(app)._client.session
    session.mount("http://", HTTPAdapter(max_retries=0))
    yield app
    firebase_admin.delete_app(app)


def push(address: str = "device-1", **fields: Any) -> Any:
    ids = {"notification_id": "n1", "delivery_id": "d1"}
    note = messaging.Notification(title="Shipped", body="Order 7 is on its way")
    return messaging.Message(**{"token": address, "notification": note, "data": ids, **fields})


async def test_firebase_sdk_sends(bench: Bench, firebase: Any) -> None:
    message = push(
        android=messaging.AndroidConfig(
            priority="high",
            ttl=timedelta(seconds=300),
            notification=messaging.AndroidNotification(tag="n1"),
        ),
        apns=messaging.APNSConfig(headers={"apns-collapse-id": "n1"}),
    )
    name = await asyncio.to_thread(messaging.send, message, app=firebase)
    accepted = bench.last()
    assert name.startswith("projects/tocsin-demo/messages/")
    assert accepted.reference == name
    assert (accepted.provider, accepted.channel) == ("fcm", "push")
    assert (accepted.notification_id, accepted.delivery_id) == ("n1", "d1")
    assert (accepted.address, accepted.title) == ("device-1", "Shipped")


async def test_firebase_dry_run_is_not_accepted(bench: Bench, firebase: Any) -> None:
    before = bench.count()
    name = await asyncio.to_thread(messaging.send, push(), dry_run=True, app=firebase)
    assert name.endswith("/fake_message_id")
    assert bench.count() == before


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, exceptions.InvalidArgumentError),
        (401, exceptions.UnauthenticatedError),
        (403, messaging.SenderIdMismatchError),
        (404, messaging.UnregisteredError),
        (429, messaging.QuotaExceededError),
        (500, exceptions.InternalError),
        (503, exceptions.UnavailableError),
    ],
)
async def test_firebase_sdk_knows_the_errors(
    bench: Bench, firebase: Any, status: int, error: type[Exception]
) -> None:
    bench.fault("fcm", error_rate=1.0, status=status)
    before = bench.count()
    with pytest.raises(error):
        await asyncio.to_thread(messaging.send, push(), app=firebase)
    assert bench.count() == before


async def test_firebase_dead_token(bench: Bench, firebase: Any) -> None:
    bench.fault("fcm", dead=frozenset({"gone"}))
    with pytest.raises(messaging.UnregisteredError):
        await asyncio.to_thread(messaging.send, push("gone"), app=firebase)
    await asyncio.to_thread(messaging.send, push("here"), app=firebase)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, messaging.ThirdPartyAuthError),
        (403, messaging.SenderIdMismatchError),
        (400, exceptions.InvalidArgumentError),
        (429, messaging.QuotaExceededError),
    ],
)
async def test_firebase_refuses_one_token_and_takes_the_others(
    bench: Bench, firebase: Any, status: int, error: type[Exception]
) -> None:
    bench.fault("fcm", refused={"foreign": status})
    with pytest.raises(error):
        await asyncio.to_thread(messaging.send, push("foreign"), app=firebase)
    await asyncio.to_thread(messaging.send, push("here"), app=firebase)


@pytest.mark.parametrize(
    "fields",
    [
        {"token": "two words"},
        {"data": {"from": "reserved"}},
        {"data": {"big": "x" * 4096}},
        {"android": messaging.AndroidConfig(ttl=timedelta(days=29))},
        {"apns": messaging.APNSConfig(headers={"apns-collapse-id": "x" * 65})},
    ],
)
async def test_fcm_refuses_what_the_sdk_lets_through(
    bench: Bench, firebase: Any, fields: dict[str, Any]
) -> None:
    with pytest.raises(exceptions.InvalidArgumentError):
        await asyncio.to_thread(messaging.send, push(**fields), app=firebase)


async def test_a_stranger_gets_no_token(bench: Bench) -> None:
    account = make_credentials(bench.running.base_url).service_account
    info = {name: getattr(account, name) for name in account.__struct_fields__}
    certificate = credentials.Certificate(info)
    with pytest.raises(RefreshError, match="invalid_grant"):
        await asyncio.to_thread(certificate.get_access_token)
