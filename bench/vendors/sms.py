"""The SDKs of SMS providers."""

from typing import Any
from urllib.parse import urlencode

import plivo as plivo_sdk
from plivo.rest import client as rest
from requests.adapters import HTTPAdapter
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client
from vonage_http_client.auth import Auth
from vonage_http_client.http_client import HttpClient, HttpClientOptions
from vonage_messages import Messages
from vonage_messages.models import Sms as Text
from vonage_sms import Sms, SmsMessage

from bench.vendors.amazon import amazon
from bench.vendors.client import Opened, Outside, one_by_one
from bench.vendors.message import ids_of, phone, text_of


def callback_of(number: int) -> str:
    """Where a provider that takes no ids with a message is to report to."""
    return f"https://example.com/webhook?{urlencode(ids_of(number))}"


class Twilio:
    """`messages.create_async`."""

    def __init__(self, outside: Outside) -> None:
        settings = outside.settings
        self._http = AsyncTwilioHttpClient(pool_connections=True)
        token = settings.twilio_auth_token.get_secret_value()
        self._client = Client(settings.twilio_account_sid, token, http_client=self._http)
        self._client.api.base_url = settings.twilio_url
        self._sender = settings.sms_from

    async def send(self, numbers: range) -> None:
        """Send one."""
        for number in numbers:
            await self._client.messages.create_async(
                to=phone(number),
                from_=self._sender,
                body=text_of(number),
                status_callback=callback_of(number),
            )

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()


def sns(outside: Outside) -> Opened:
    """Ready to send."""
    settings = outside.settings
    client = amazon("sns", settings.sns_url, settings)

    def call(number: int) -> None:
        ids = {
            name: {"DataType": "String", "StringValue": value}
            for name, value in ids_of(number).items()
        }
        client.publish(PhoneNumber=phone(number), Message=text_of(number), MessageAttributes=ids)

    return one_by_one(call)


def plivo(outside: Outside) -> Opened:
    """Ready to send."""
    settings = outside.settings
    rest.PLIVO_API_BASE_URI = f"{settings.plivo_url}/v1/Account"
    token = settings.plivo_auth_token.get_secret_value()
    client = plivo_sdk.RestClient(settings.plivo_auth_id, token)

    def call(number: int) -> None:
        client.messages.create(
            dst=phone(number),
            text=text_of(number),
            src=settings.sms_from,
            url=callback_of(number),
        )

    return one_by_one(call)


class Plain(HTTPAdapter):
    """The SDK speaks TLS alone, which our simulators don't."""

    def send(self, request: Any, *args: Any, **options: Any) -> Any:
        """Send it in the clear."""
        request.url = request.url.replace("https://", "http://", 1)
        return super().send(request, *args, **options)


def vonage(outside: Outside) -> Opened:
    """Ready to send."""
    settings = outside.settings
    secret = settings.vonage_api_secret.get_secret_value()
    options = HttpClientOptions(rest_host=outside.url.removeprefix("http://"))
    client = HttpClient(Auth(api_key=settings.vonage_api_key, api_secret=secret), options)
    client._session.mount("https://", Plain())  # noqa: SLF001 - there is no public way
    sms = Sms(client)

    def call(number: int) -> None:
        to = phone(number).removeprefix("+")
        ids = ids_of(number)
        reference = f"{ids['delivery_id']}.{ids['notification_id']}"
        sms.send(SmsMessage(to=to, from_="Shop", text=text_of(number), client_ref=reference))

    return one_by_one(call)


def vonage_messages(outside: Outside) -> Opened:
    """The same by the Messages API; it signs a token for each call."""
    auth = Auth(
        application_id=outside.accounts.vonage_application_id,
        private_key=outside.accounts.vonage_private_key,
    )
    options = HttpClientOptions(api_host=outside.url.removeprefix("http://"))
    client = HttpClient(auth, options)
    client._session.mount("https://", Plain())  # noqa: SLF001 - there is no public way
    messages = Messages(client)

    def call(number: int) -> None:
        ids = ids_of(number)
        reference = f"{ids['delivery_id']}.{ids['notification_id']}"
        to = phone(number).removeprefix("+")
        messages.send(Text(to=to, from_="Shop", text=text_of(number), client_ref=reference))

    return one_by_one(call)
