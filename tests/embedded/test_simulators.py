"""The simulators, driven by the providers' own SDKs: what those can talk to, Tocsin can."""

import asyncio
import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from python_http_client.exceptions import (  # type: ignore[import-untyped]
    BadRequestsError,
    ForbiddenError,
    TooManyRequestsError,
    UnauthorizedError,
)
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import (
    Cc,
    Content,
    CustomArg,
    From,
    Mail,
    Personalization,
    ReplyTo,
    Substitution,
    To,
)
from twilio.base import values
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client as TwilioClient

from embedded.simulators.accept_log import Accepted, AcceptLog, read_accept_log
from schemas.vocabulary import Channel
from tests.embedded.conftest import Bench
from tests.patience import PATIENCE


def sendgrid(bench: Bench, key: str | None = None) -> Any:
    key = key or bench.running.credentials.sendgrid_api_key
    return SendGridAPIClient(key, host=bench.running.base_url)


def mail(*addresses: str, sender: str = "shop@example.com") -> Any:
    built = Mail(from_email=From(sender))
    built.subject = "-subject-"
    built.add_content(Content("text/plain", "-text-"))
    for number, address in enumerate(addresses):
        personalization = Personalization()
        personalization.add_to(To(address))
        personalization.add_substitution(Substitution("-subject-", f"Order {number}"))
        personalization.add_substitution(Substitution("-text-", "It is on its way"))
        personalization.add_custom_arg(CustomArg("notification_id", f"n{number}"))
        personalization.add_custom_arg(CustomArg("delivery_id", f"d{number}"))
        built.add_personalization(personalization)
    return built


async def test_sendgrid_sdk_sends_to_many(bench: Bench) -> None:
    addresses = [f"user{number}@example.com" for number in range(1000)]
    response = await asyncio.to_thread(sendgrid(bench).send, mail(*addresses))
    accepted = read_accept_log(bench.log)[-1000:]
    assert response.status_code == 202
    assert {line.reference for line in accepted} == {response.headers["X-Message-Id"]}
    assert {line.delivery_id: (line.address, line.title) for line in accepted} == {
        f"d{number}": (address, f"Order {number}") for number, address in enumerate(addresses)
    }


def templated(template: str = "d-3b1a", **fields: Any) -> Any:
    built = Mail(from_email=From("shop@example.com", "Shop"))
    built.template_id = template
    built.reply_to = ReplyTo("help@example.com", "Help")
    personalization = Personalization()
    personalization.add_to(To("ada@example.com", "Ada"))
    for address in fields.get("cc", ()):
        personalization.add_cc(Cc(address))
    for tag in fields.get("tags", ()):
        personalization.add_substitution(Substitution(tag, "x"))
    personalization.dynamic_template_data = {"order": 7}
    built.add_personalization(personalization)
    return built


async def test_sendgrid_sdk_sends_a_template_and_copies(bench: Bench) -> None:
    """Content and subject are the template's: github.com/sendgrid/sendgrid-python,
    use_cases/transactional_templates.md."""
    response = await asyncio.to_thread(sendgrid(bench).send, templated(cc=["bo@example.com"]))
    assert response.status_code == 202
    accepted = read_accept_log(bench.log)[-2:]
    assert [line.address for line in accepted] == ["ada@example.com", "bo@example.com"]


@pytest.mark.parametrize(
    ("refused", "field"),
    [
        (templated(""), "content"),
        (templated(""), "subject"),
        (templated(tags=["-a-"]), "personalizations.0.substitutions"),
        (templated(cc=["nobody@home"]), "personalizations.0.cc.0.email"),
        (templated(cc=["ada@example.com"]), "personalizations.0.cc"),
        (mail("nobody@home"), "personalizations.0.to.0.email"),
        (mail("a@example.com", "a@example.com"), "personalizations.1.to"),
        (mail(*(f"user{n}@example.com" for n in range(1001))), "personalizations"),
        (mail("a@example.com", sender="me@home"), "from.email"),
        (mail(), "personalizations"),
    ],
)
async def test_sendgrid_names_the_field(bench: Bench, refused: Any, field: str) -> None:
    before = bench.count()
    with pytest.raises(BadRequestsError) as raised:
        await asyncio.to_thread(sendgrid(bench).send, refused)
    errors = json.loads(raised.value.body)["errors"]
    assert field in [error["field"] for error in errors]
    assert bench.count() == before


async def test_sendgrid_errors(bench: Bench) -> None:
    with pytest.raises(UnauthorizedError):
        await asyncio.to_thread(sendgrid(bench, "SG.wrong.key").send, mail("a@example.com"))
    bench.fault("sendgrid", error_rate=1.0, status=403)
    with pytest.raises(ForbiddenError):
        await asyncio.to_thread(sendgrid(bench).send, mail("a@example.com"))
    bench.fault("sendgrid", error_rate=1.0, status=429, retry_after=7)
    with pytest.raises(TooManyRequestsError) as raised:
        await asyncio.to_thread(sendgrid(bench).send, mail("a@example.com"))
    assert raised.value.headers["Retry-After"] == "7"


@pytest.fixture
def twilio(bench: Bench) -> Iterator[Any]:
    accounts = bench.running.credentials
    client = TwilioClient(accounts.twilio_account_sid, accounts.twilio_auth_token)
    client.api.base_url = bench.running.base_url
    yield client
    client.http_client.session.close()


async def text(client: Any, to: str = "+15005550010", **fields: Any) -> Any:
    form = {"from_": "+15005550006", "body": "Your ride is here", **fields}
    return await asyncio.to_thread(client.messages.create, to=to, **form)


async def test_twilio_sdk_sends(bench: Bench, twilio: Any) -> None:
    callback = "https://example.com/status?notification_id=n1&delivery_id=d1"
    message = await text(twilio, status_callback=callback)
    accepted = bench.last()
    assert (message.status, message.to) == ("queued", "+15005550010")
    assert message.date_created is not None
    assert accepted.reference == message.sid
    assert (accepted.notification_id, accepted.delivery_id) == ("n1", "d1")
    assert accepted.channel == "sms"


async def test_twilio_sdk_sends_through_a_messaging_service(bench: Bench, twilio: Any) -> None:
    message = await text(twilio, from_=values.unset, messaging_service_sid=f"MG{7:032x}")
    assert (message.messaging_service_sid, message.from_) == (f"MG{7:032x}", None)
    assert bench.last().reference == message.sid


WHATSAPP = {"to": "whatsapp:+15005550010", "from_": "whatsapp:+14155238886"}
TEMPLATE = {"content_sid": f"HX{7:032x}", "content_variables": '{"1": "Ann"}', "body": values.unset}


@pytest.mark.parametrize("fields", [{}, TEMPLATE, {"content_sid": f"HX{7:032x}"}])
async def test_twilio_sdk_writes_on_whatsapp(
    bench: Bench, twilio: Any, fields: dict[str, Any]
) -> None:
    message = await text(twilio, **WHATSAPP, **fields)
    accepted = bench.last()
    assert (accepted.reference, accepted.address) == (message.sid, WHATSAPP["to"])
    assert (accepted.provider, accepted.channel) == ("twiliowhatsapp", "chat")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": "whatsapp:12"}, 21211),
        ({"from_": "+14155238886"}, 21910),
        ({"from_": WHATSAPP["to"]}, 63031),
        ({"body": "x" * 1601}, 21617),
        ({"to": "whatsapp:+15005550011"}, 63016),
        ({"to": "whatsapp:+15005550012"}, 21610),
        (TEMPLATE | {"content_sid": "order_shipped"}, 21656),
        (TEMPLATE | {"content_variables": "Ann"}, 21656),
        (TEMPLATE | {"content_variables": '{"1": ""}'}, 63013),
        (TEMPLATE | {"content_variables": '{"1": "two\\nlines"}'}, 63013),
        (TEMPLATE | {"content_variables": f'{{"1": "{"x" * 1025}"}}'}, 63021),
    ],
)
async def test_twilios_codes_on_whatsapp(
    bench: Bench, twilio: Any, fields: dict[str, Any], code: int
) -> None:
    bench.running.simulators.twilio_whatsapp.closed = {"whatsapp:+15005550011"}
    bench.fault("twiliowhatsapp", dead=frozenset({"whatsapp:+15005550012"}))
    with pytest.raises(TwilioRestException) as raised:
        await text(twilio, **{**WHATSAPP, **fields})
    bench.running.simulators.twilio_whatsapp.closed = set()
    assert (raised.value.code, raised.value.status) == (code, 400)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": "12"}, 21211),
        ({"from_": values.unset, "messaging_service_sid": "MG1"}, 21705),
        ({"from_": values.unset, "messaging_service_sid": f"MG{0:032x}"}, 21701),
        ({"from_": values.unset}, 21603),
        ({"from_": "#"}, 21212),
        ({"body": ""}, 21602),
        ({"body": "x" * 1601}, 21617),
        ({"status_callback": "nowhere"}, 21609),
        ({"to": "+15005550004"}, 21610),
    ],
)
async def test_twilio_codes(bench: Bench, twilio: Any, fields: dict[str, str], code: int) -> None:
    bench.fault("twilio", dead=frozenset({"+15005550004"}))
    with pytest.raises(TwilioRestException) as raised:
        await text(twilio, **fields)
    assert (raised.value.code, raised.value.status) == (code, 400)


@pytest.mark.parametrize(("status", "code"), [(401, 20003), (429, 20429), (503, 20503)])
async def test_twilio_statuses(bench: Bench, twilio: Any, status: int, code: int) -> None:
    bench.fault("twilio", error_rate=1.0, status=status)
    with pytest.raises(TwilioRestException) as raised:
        await text(twilio)
    assert (raised.value.code, raised.value.status) == (code, status)


async def test_twilio_stranger(bench: Bench, twilio: Any) -> None:
    twilio.auth = (twilio.username, "wrong")
    with pytest.raises(TwilioRestException) as raised:
        await text(twilio)
    assert raised.value.code == 20003


async def test_faults_repeat_with_their_seed(bench: Bench, twilio: Any) -> None:
    async def refusals() -> list[bool]:
        bench.fault("twilio", error_rate=0.5, seed=4)
        return [await _is_refused(twilio) for _ in range(12)]

    first = await refusals()
    assert await refusals() == first
    assert 0 < sum(first) < 12


async def _is_refused(client: Any) -> bool:
    try:
        await text(client)
    except TwilioRestException:
        return True
    return False


def admin(url: str, method: str, body: bytes | None = None) -> int:
    request = urllib.request.Request(url, data=body, method=method)  # noqa: S310 - our own loopback
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310 - same
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


async def test_admin_endpoint(bench: Bench) -> None:
    url = f"{bench.running.base_url}/_faults/fcm"
    faults = bench.running.simulators.faults
    assert await asyncio.to_thread(admin, url, "PUT", b'{"dead":["gone"]}') == 204
    assert faults.is_dead("fcm", "gone")
    assert await asyncio.to_thread(admin, url, "PUT", b'{"refused":{"a":403}}') == 204
    assert (faults.refusal("fcm", "a"), faults.refusal("fcm", "gone")) == (403, None)
    assert await asyncio.to_thread(admin, url, "PUT", b'{"dead":["gone"]}') == 204
    assert await asyncio.to_thread(admin, url, "PUT", b'{"error_rate":2}') == 400
    assert await asyncio.to_thread(admin, url, "PUT", b'{"typo":1}') == 400
    assert await asyncio.to_thread(admin, url, "DELETE") == 204
    assert not faults.is_dead("fcm", "gone")
    assert await asyncio.to_thread(admin, f"{url}x", "DELETE") == 404


def test_accept_log_goes_on_after_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "accepted.jsonl"
    fields = {"notification_id": "n", "delivery_id": "d", "address": "a", "title": "t"}
    line = Accepted(
        at=1.5, provider="fcm", channel=Channel.PUSH, digest="", reference="r", **fields
    )
    for tail in (b"", b'{"at":1'):
        log = AcceptLog(path)
        log.append((line,))
        log.close()
        with path.open("ab") as file:
            file.write(tail)
    assert read_accept_log(path) == [line, line]
    AcceptLog(path).close()
    assert path.read_bytes().endswith(b"}\n")


def start(folder: Path, port: int = 0) -> tuple[subprocess.Popen[str], str]:
    log = folder / "accepted.jsonl"
    command = [sys.executable, "-m", "embedded.simulators", "--port", str(port)]
    command += ["--log", str(log), "--folder", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().split()[-1]


def test_process_starts_stops_and_keeps_its_accounts(tmp_path: Path) -> None:
    accounts = []
    for _ in range(2):
        process, url = start(tmp_path)
        with process:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=PATIENCE) == 0
        environment = json.loads((tmp_path / "environment.json").read_text())
        firebase = json.loads((tmp_path / "firebase.json").read_text())
        assert environment["TOCSIN_FCM_URL"] == url
        assert firebase["token_uri"] == f"{url}/token"
        accounts.append((environment["TOCSIN_SENDGRID_API_KEY"], firebase["private_key"]))
    assert accounts[0] == accounts[1]


async def test_process_says_which_port_is_taken(bench: Bench, tmp_path: Path) -> None:
    port = bench.running.base_url.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "embedded.simulators", "--port", port]
    command += ["--log", str(tmp_path / "log"), "--folder", str(tmp_path)]
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"The simulators can't listen on 127.0.0.1:{port}")
