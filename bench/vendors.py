"""The vendors' own SDKs as their documentation has them, pointed at our simulators."""

import asyncio
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import firebase_admin
from firebase_admin import credentials, messaging
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import Content, CustomArg, From, Mail, Personalization, To
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from pipeline.settings import Settings

THREADS = 16
"""For an SDK that only blocks."""


class Opened(Protocol):
    """A client that is ready."""

    async def send(self, number: int) -> None:
        """Send the message of this number; raises where it was not accepted."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


class Vendor(NamedTuple):
    """An SDK: what is called of it, and how to open it; a call sends one message."""

    client: str
    open: Callable[[Settings], Opened]


class Firebase:
    """`send_each_async`, one message a call."""

    def __init__(self, settings: Settings) -> None:
        warnings.filterwarnings("ignore", "Message.token is deprecated", DeprecationWarning)
        messaging._MessagingService.FCM_URL = (  # noqa: SLF001 - there is no public way
            f"{settings.fcm_url}/v1/projects/{{0}}/messages:send"
        )
        account = credentials.Certificate(str(settings.fcm_credentials))
        self._app = firebase_admin.initialize_app(account, name="bench")

    async def send(self, number: int) -> None:
        """Send one; more in a call are slower, as all their requests are made at once."""
        message = messaging.Message(
            token=f"device-{number % 10_000}",
            notification=messaging.Notification(f"Order {number}", "Your order is on its way."),
            data={"notification_id": f"{number:032x}", "delivery_id": f"{number:032x}"},
        )
        batch = await messaging.send_each_async([message], app=self._app)
        if batch.failure_count:
            raise RuntimeError(f"firebase-admin failed: {batch.responses[0].exception}")

    async def close(self) -> None:
        """Forget the app."""
        await messaging._get_messaging_service(self._app)._async_client.aclose()  # noqa: SLF001


class Blocking:
    """A blocking client's calls on threads."""

    def __init__(self, call: Callable[[int], Any]) -> None:
        self._call = call
        self._threads = ThreadPoolExecutor(THREADS)

    async def send(self, number: int) -> None:
        """Send one on a thread."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._call, number)

    async def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()


def _sendgrid(settings: Settings) -> Opened:
    client = SendGridAPIClient(
        settings.sendgrid_api_key.get_secret_value(), host=settings.sendgrid_url
    )

    def call(number: int) -> None:
        mail = Mail(from_email=From(settings.email_from), subject=f"Order {number}")
        mail.add_content(Content("text/plain", "Your order is on its way."))
        person = Personalization()
        person.add_to(To(f"user{number % 10_000}@example.com"))
        for name in ("notification_id", "delivery_id"):
            person.add_custom_arg(CustomArg(name, f"{number:032x}"))
        mail.add_personalization(person)
        client.send(mail)

    return Blocking(call)


class Twilio:
    """`messages.create_async`."""

    def __init__(self, settings: Settings) -> None:
        self._http = AsyncTwilioHttpClient(pool_connections=True)
        token = settings.twilio_auth_token.get_secret_value()
        self._client = Client(settings.twilio_account_sid, token, http_client=self._http)
        self._client.api.base_url = settings.twilio_url
        self._sender = settings.sms_from

    async def send(self, number: int) -> None:
        """Send one."""
        to = f"+1500555{number % 10_000:04d}"
        await self._client.messages.create_async(
            to=to, from_=self._sender, body="Your order is on its way."
        )

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()


VENDORS = {
    "fcm": Vendor("firebase_admin.messaging.send_each_async", Firebase),
    "sendgrid": Vendor("sendgrid.SendGridAPIClient.send, 16 threads", _sendgrid),
    "twilio": Vendor("twilio.rest.Client.messages.create_async", Twilio),
}
