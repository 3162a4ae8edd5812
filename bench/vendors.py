"""The vendors' own SDKs as their documentation has them, pointed at our simulators."""

import asyncio
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import boto3
import firebase_admin
import plivo
from botocore.config import Config
from firebase_admin import credentials, messaging
from mailgun.client import Client as MailgunClient
from plivo.rest import client as rest
from postmarker.core import PostmarkClient
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
        to = f"+1500556{number % 10_000:04d}"
        await self._client.messages.create_async(
            to=to, from_=self._sender, body="Your order is on its way."
        )

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()


def _postmark(settings: Settings) -> Opened:
    token = settings.postmark_server_token.get_secret_value()
    client = PostmarkClient(server_token=token, root_api_url=f"{settings.postmark_url}/")

    def call(number: int) -> None:
        client.emails.send_batch(
            {
                "From": settings.email_from,
                "To": f"user{number % 10_000}@example.com",
                "Subject": f"Order {number}",
                "TextBody": "Your order is on its way.",
            }
        )

    return Blocking(call)


def _mailgun(settings: Settings) -> Opened:
    key = settings.mailgun_api_key.get_secret_value()
    client = MailgunClient(auth=("api", key), api_url=settings.mailgun_url)

    def call(number: int) -> None:
        form = {
            "from": settings.email_from,
            "to": f"user{number % 10_000}@example.com",
            "subject": f"Order {number}",
            "text": "Your order is on its way.",
        }
        reply = client.messages.create(data=form, domain=settings.mailgun_domain)
        reply.raise_for_status()

    return Blocking(call)


def _amazon(service: str, url: str, settings: Settings) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=settings.aws_region,
        aws_access_key_id=settings.aws_access_key_id,
        aws_secret_access_key=settings.aws_secret_access_key.get_secret_value(),
        config=Config(max_pool_connections=THREADS),
    )


def _ses(settings: Settings) -> Opened:
    client = _amazon("sesv2", settings.ses_url, settings)

    def call(number: int) -> None:
        body = {"Text": {"Data": "Your order is on its way."}}
        client.send_email(
            FromEmailAddress=settings.email_from,
            Destination={"ToAddresses": [f"user{number % 10_000}@example.com"]},
            Content={"Simple": {"Subject": {"Data": f"Order {number}"}, "Body": body}},
        )

    return Blocking(call)


def _sns(settings: Settings) -> Opened:
    client = _amazon("sns", settings.sns_url, settings)

    def call(number: int) -> None:
        to = f"+1500556{number % 10_000:04d}"
        client.publish(PhoneNumber=to, Message="Your order is on its way.")

    return Blocking(call)


def _plivo(settings: Settings) -> Opened:
    rest.PLIVO_API_BASE_URI = f"{settings.plivo_url}/v1/Account"
    token = settings.plivo_auth_token.get_secret_value()
    client = plivo.RestClient(settings.plivo_auth_id, token)

    def call(number: int) -> None:
        to = f"+1500556{number % 10_000:04d}"
        client.messages.create(to, "Your order is on its way.", settings.sms_from)

    return Blocking(call)


VENDORS = {
    "fcm": Vendor("firebase_admin.messaging.send_each_async", Firebase),
    "mailgun": Vendor("mailgun.client.Client.messages.create, 16 threads", _mailgun),
    "plivo": Vendor("plivo.RestClient.messages.create, 16 threads", _plivo),
    "postmark": Vendor("postmarker.PostmarkClient.emails.send_batch, 16 threads", _postmark),
    "ses": Vendor("boto3 sesv2 send_email, 16 threads", _ses),
    "sns": Vendor("boto3 sns publish, 16 threads", _sns),
    "sendgrid": Vendor("sendgrid.SendGridAPIClient.send, 16 threads", _sendgrid),
    "twilio": Vendor("twilio.rest.Client.messages.create_async", Twilio),
}
