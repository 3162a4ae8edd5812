"""The simulators of Amazon SNS, Vonage and Plivo, driven by the vendors' own SDKs."""

import asyncio
from collections.abc import Callable
from typing import Any

import plivo
import pytest
from botocore.exceptions import ClientError
from plivo.exceptions import AuthenticationError, PlivoRestError, ValidationError
from requests.adapters import HTTPAdapter
from vonage_http_client.auth import Auth
from vonage_http_client.http_client import HttpClient, HttpClientOptions
from vonage_sms import Sms, SmsMessage
from vonage_sms.errors import SmsError

from tests.embedded.conftest import Bench
from tests.embedded.test_email_simulators import amazon

TO = "+4930123456"


async def publish(client: Any, to: str = TO, sender: str = "Shop", text: str = "Hi") -> Any:
    attributes = {
        name: {"DataType": "String", "StringValue": value}
        for name, value in (("AWS.SNS.SMS.SenderID", sender), ("delivery_id", "d1"))
    }
    return await asyncio.to_thread(
        client.publish, PhoneNumber=to, Message=text, MessageAttributes=attributes
    )


async def test_boto_publishes_by_sns(bench: Bench) -> None:
    reply = await publish(amazon(bench, "sns"))
    accepted = bench.last()
    assert (accepted.provider, accepted.reference) == ("sns", reply["MessageId"])
    assert (accepted.address, accepted.delivery_id) == (TO, "d1")


@pytest.mark.parametrize("fields", [{"to": "12"}, {"sender": "far too long"}, {"text": "x" * 1601}])
async def test_boto_knows_what_sns_refuses(bench: Bench, fields: dict[str, str]) -> None:
    with pytest.raises(ClientError) as raised:
        await publish(amazon(bench, "sns"), **fields)
    assert raised.value.response["Error"]["Code"] == "InvalidParameter"


async def test_sns_answers_nobody_else(bench: Bench) -> None:
    with pytest.raises(ClientError) as raised:
        await publish(amazon(bench, "sns", aws_secret_access_key="wrong"))
    assert raised.value.response["Error"]["Code"] == "SignatureDoesNotMatch"


def vonage(bench: Bench, secret: str | None = None) -> Any:
    accounts = bench.running.credentials
    auth = Auth(api_key=accounts.vonage_api_key, api_secret=secret or accounts.vonage_api_secret)
    host = bench.running.base_url.removeprefix("http://")
    client = HttpClient(auth, HttpClientOptions(rest_host=host))
    client._session.mount("https://", Plain())
    return Sms(client)


class Plain(HTTPAdapter):
    """The SDK speaks TLS alone, which our simulators don't."""

    def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Send it in the clear."""
        request.url = request.url.replace("https://", "http://", 1)
        return super().send(request, *args, **kwargs)


async def text(sms: Any, to: str = TO[1:], body: str = "Hi") -> Any:
    message = SmsMessage(to=to, from_="Shop", text=body, client_ref="d1")
    return await asyncio.to_thread(sms.send, message)


async def test_vonage_sdk_sends(bench: Bench) -> None:
    reply = await text(vonage(bench), body="x" * 200)
    accepted = bench.last()
    assert [part.status for part in reply.messages] == ["0", "0"]
    assert (accepted.provider, accepted.reference) == ("vonage", reply.messages[0].message_id)
    assert (accepted.address, accepted.delivery_id) == (TO, "d1")


async def test_vonage_sdk_knows_the_errors(bench: Bench) -> None:
    with pytest.raises(SmsError, match="error code 4"):
        await text(vonage(bench, "wrong"))
    with pytest.raises(SmsError, match="error code 6"):
        await text(vonage(bench), to="12")
    bench.fault("vonage", error_rate=1.0, status=429)
    with pytest.raises(SmsError, match="error code 1"):
        await text(vonage(bench))


Client = Callable[..., Any]


@pytest.fixture
def plivo_of(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Client:
    url = f"{bench.running.base_url}/v1/Account"
    monkeypatch.setattr("plivo.rest.client.PLIVO_API_BASE_URI", url)
    accounts = bench.running.credentials
    return lambda token=accounts.plivo_auth_token: plivo.RestClient(accounts.plivo_auth_id, token)


async def test_plivo_sdk_sends(bench: Bench, plivo_of: Client) -> None:
    reply = await asyncio.to_thread(plivo_of().messages.create, TO, "Hi", "+15005550006")
    accepted = bench.last()
    assert accepted.provider == "plivo"
    assert [accepted.reference] == reply.message_uuid
    assert accepted.address == TO


async def test_plivo_sdk_knows_the_errors(bench: Bench, plivo_of: Client) -> None:
    with pytest.raises(ValidationError):
        await asyncio.to_thread(plivo_of().messages.create, "12", "Hi", "+15005550006")
    with pytest.raises(AuthenticationError):
        await asyncio.to_thread(plivo_of("x").messages.create, TO, "Hi", "+15005550006")
    bench.fault("plivo", error_rate=1.0, status=503)
    with pytest.raises(PlivoRestError):
        await asyncio.to_thread(plivo_of().messages.create, TO, "Hi", "+15005550006")
