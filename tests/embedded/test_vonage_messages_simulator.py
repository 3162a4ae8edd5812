"""The simulator of Vonage's Messages API, driven by Vonage's own packages."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from vonage_http_client.auth import Auth
from vonage_http_client.errors import AuthenticationError, HttpRequestError, RateLimitedError
from vonage_http_client.http_client import HttpClient, HttpClientOptions
from vonage_messages import Messages
from vonage_messages.models import Sms, WhatsappTemplate, WhatsappText
from vonage_messages.models.whatsapp import WhatsappTemplateResource

from tests.embedded.conftest import Bench
from tests.embedded.test_sms_simulators import Plain

TO = "4930123456"
FROM = "14155238886"


def messages(bench: Bench, auth: Auth) -> Any:
    host = bench.running.base_url.removeprefix("http://")
    client = HttpClient(auth, HttpClientOptions(api_host=host))
    client._session.mount("https://", Plain())
    return Messages(client)


@pytest.fixture
def application(bench: Bench) -> Iterator[Any]:
    accounts = bench.running.credentials
    auth = Auth(
        application_id=accounts.vonage_application_id, private_key=accounts.vonage_private_key
    )
    client = messages(bench, auth)
    yield client
    client.http_client._session.close()


@pytest.fixture
def by_key(bench: Bench) -> Iterator[Any]:
    accounts = bench.running.credentials
    auth = Auth(api_key=accounts.vonage_api_key, api_secret=accounts.vonage_api_secret)
    client = messages(bench, auth)
    yield client
    client.http_client._session.close()


@pytest.fixture(params=["application", "by_key"])
def client(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


async def send(client: Any, message: Any) -> Any:
    return await asyncio.to_thread(client.send, message)


async def test_a_text(bench: Bench, client: Any) -> None:
    said = Sms(to=TO, from_="Shop", text="Hi", client_ref="d1.n1")
    sent = await send(client, said)
    accepted = bench.last()
    assert (accepted.provider, accepted.reference) == ("vonagemessages", sent.message_uuid)
    assert (accepted.address, accepted.delivery_id) == (f"+{TO}", "d1")


async def test_on_whatsapp(bench: Bench, client: Any) -> None:
    template = WhatsappTemplateResource(name="ns:t", parameters=["Ann"])
    for said in (
        WhatsappText(to=TO, from_=FROM, text="Hi"),
        WhatsappTemplate(to=TO, from_=FROM, template=template),
    ):
        sent = await send(client, said)
        accepted = bench.last()
        assert (accepted.provider, accepted.reference) == ("vonagewhatsapp", sent.message_uuid)
        assert accepted.address == f"whatsapp:+{TO}"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (Sms(to="1234567", from_="far too long a name", text="Hi"), "1420"),
        (Sms(to=TO, from_="Shop", text=""), "1020"),
        (WhatsappText(to=TO, from_="Shop", text="Hi"), "1420"),
        (WhatsappText(to="12", from_=FROM, text="Hi"), "1430"),
        (WhatsappText(to="4930123457", from_=FROM, text="Hi"), "1340"),
        (WhatsappText(to="4930123458", from_=FROM, text="Hi"), "1300"),
        (
            WhatsappTemplate(
                to=TO, from_=FROM, template=WhatsappTemplateResource(name="t", parameters=[""])
            ),
            "1022",
        ),
    ],
)
async def test_what_is_refused(bench: Bench, application: Any, message: Any, code: str) -> None:
    bench.running.simulators.vonage_messages.closed = {"whatsapp:+4930123457"}
    bench.fault("vonagewhatsapp", dead=frozenset({"whatsapp:+4930123458"}))
    with pytest.raises(HttpRequestError) as raised:
        await send(application, message)
    bench.running.simulators.vonage_messages.closed = set()
    assert raised.value.response.status_code == 422
    assert raised.value.response.json()["type"].endswith(f"/messages#{code}")


async def test_strangers_are_told_so(bench: Bench) -> None:
    client = messages(bench, Auth(api_key="x", api_secret="y"))
    with pytest.raises(AuthenticationError):
        await send(client, Sms(to=TO, from_="Shop", text="Hi"))
    client.http_client._session.close()


async def test_faults_are_of_one_channel(bench: Bench, application: Any) -> None:
    bench.fault("vonagemessages", error_rate=1.0, status=429)
    with pytest.raises(RateLimitedError):
        await send(application, Sms(to=TO, from_="Shop", text="Hi"))
    assert await send(application, WhatsappText(to=TO, from_=FROM, text="Hi"))
