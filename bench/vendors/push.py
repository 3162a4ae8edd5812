"""The SDKs of push services, and the libraries that are used where there are none."""

import asyncio
import json
import warnings
from typing import Any

import firebase_admin
from aioapns import APNs, NotificationRequest, PushType
from aioapns.connection import APNsProductionClientProtocol
from firebase_admin import credentials, messaging
from pywebpush import webpush

from bench.vendors.client import Opened, Outside, one_by_one
from bench.vendors.message import device, ids_of, text_of, title_of
from policy.contact.address import split_address


class Firebase:
    """`send_each_async`, one message a call."""

    def __init__(self, outside: Outside) -> None:
        settings = outside.settings
        warnings.filterwarnings("ignore", "Message.token is deprecated", DeprecationWarning)
        messaging._MessagingService.FCM_URL = (  # noqa: SLF001 - there is no public way
            f"{settings.fcm_url}/v1/projects/{{0}}/messages:send"
        )
        account = credentials.Certificate(str(settings.fcm_credentials))
        self._app = firebase_admin.initialize_app(account, name="bench")

    async def send(self, numbers: range) -> None:
        """Send one; more in a call are slower, as all their requests are made at once."""
        messages = [
            messaging.Message(
                token=device(number),
                notification=messaging.Notification(title_of(number), text_of(number)),
                data=ids_of(number),
            )
            for number in numbers
        ]
        batch = await messaging.send_each_async(messages, app=self._app)
        if batch.failure_count:
            raise RuntimeError(f"firebase-admin failed: {batch.responses[0].exception}")

    async def close(self) -> None:
        """Forget the app."""
        await messaging._get_messaging_service(self._app)._async_client.aclose()  # noqa: SLF001


class Aioapns:
    """`APNs.send_notification`."""

    def __init__(self, outside: Outside) -> None:
        account = outside.accounts.apns
        host, _, port = outside.settings.apns_url.removeprefix("http://").partition(":")
        self._client = APNs(
            key=account.private_key,
            key_id=account.key_id,
            team_id=account.team_id,
            topic=account.topic,
        )
        # It speaks TLS alone, which our simulators don't.
        here = {"APNS_SERVER": host, "APNS_PORT": int(port)}
        self._client.pool.protocol_class = type("Here", (APNsProductionClientProtocol,), here)
        self._client.pool.ssl_context = None

    async def send(self, numbers: range) -> None:
        """Send one."""
        for number in numbers:
            await self._send(number)

    async def _send(self, number: int) -> None:
        alert = {"title": title_of(number), "body": text_of(number)}
        message = {"aps": {"alert": alert}, **ids_of(number)}
        request = NotificationRequest(
            device_token=f"{number % 10_000:064x}", message=message, push_type=PushType.ALERT
        )
        reply = await self._client.send_notification(request)
        if not reply.is_successful:
            raise RuntimeError(f"aioapns failed: {reply.description}")

    async def close(self) -> None:
        """Close connections."""
        for connection in self._client.pool.connections:
            connection.close()
        await asyncio.sleep(0)


def pywebpush(outside: Outside) -> Opened:
    """`webpush`, which blocks."""
    browser = outside.accounts.browser
    key = "".join(line for line in browser.vapid_key.splitlines() if "KEY" not in line)

    def call(number: int) -> None:
        address = browser.subscription(outside.url, number % 10_000)
        info: Any = json.loads(split_address(address)[1])
        payload = {"title": title_of(number), "body": text_of(number), **ids_of(number)}
        webpush(
            subscription_info=info,
            data=json.dumps(payload),
            vapid_private_key=key,
            vapid_claims={"sub": "mailto:a@example.com"},
            ttl=60,
        )

    return one_by_one(call)
