"""The SDKs of SMS providers."""

from typing import Any

import plivo as plivo_sdk
from plivo.rest import client as rest
from requests.adapters import HTTPAdapter
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client
from vonage_http_client.auth import Auth
from vonage_http_client.http_client import HttpClient, HttpClientOptions
from vonage_sms import Sms, SmsMessage

from bench.vendors.amazon import amazon
from bench.vendors.client import Blocking, Opened, Outside


class Twilio:
    """`messages.create_async`."""

    def __init__(self, outside: Outside) -> None:
        settings = outside.settings
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


def sns(outside: Outside) -> Opened:
    """Ready to send."""
    settings = outside.settings
    client = amazon("sns", settings.sns_url, settings)

    def call(number: int) -> None:
        to = f"+1500556{number % 10_000:04d}"
        client.publish(PhoneNumber=to, Message="Your order is on its way.")

    return Blocking(call)


def plivo(outside: Outside) -> Opened:
    """Ready to send."""
    settings = outside.settings
    rest.PLIVO_API_BASE_URI = f"{settings.plivo_url}/v1/Account"
    token = settings.plivo_auth_token.get_secret_value()
    client = plivo_sdk.RestClient(settings.plivo_auth_id, token)

    def call(number: int) -> None:
        to = f"+1500556{number % 10_000:04d}"
        client.messages.create(to, "Your order is on its way.", settings.sms_from)

    return Blocking(call)


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
        to = f"1500556{number % 10_000:04d}"
        sms.send(SmsMessage(to=to, from_="Shop", text="Your order is on its way."))

    return Blocking(call)
