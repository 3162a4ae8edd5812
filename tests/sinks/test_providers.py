"""One contract for every provider, against simulators that speak the real wire protocols."""

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from email.utils import formatdate
from pathlib import Path
from typing import Any

import firebase_admin.messaging as messaging
import msgspec
import pytest
from sendgrid.helpers import mail as sendgrid_helpers

from embedded.simulators.accept_log import Accepted, digest_of, read_accept_log
from embedded.simulators.faults import Fault
from embedded.simulators.server import Serving, serving
from pipeline.errors import Misconfigured
from pipeline.settings import Settings
from schemas.delivery import Content, Delivery
from schemas.vocabulary import Channel, Priority, Reason
from sinks.fcm import Fcm
from sinks.fcm_message import body_of
from sinks.http import HttpClient, retry_after
from sinks.provider import Outcome, Provider, Refused, Retry, Sent
from sinks.sendgrid import SendGrid
from sinks.sendgrid_mail import groups_of, mail_of
from sinks.twilio import Twilio

TIMEOUT = 0.8  # seconds
ADDRESSES = {"fcm": "device-{}", "sendgrid": "user{}@example.com", "twilio": "+1500555{:04d}"}
INVALID = {"fcm": "not a token", "sendgrid": "nobody", "twilio": "12"}
PROVIDERS = {"fcm": Fcm, "sendgrid": SendGrid, "twilio": Twilio}
CHANNELS = {"fcm": Channel.PUSH, "sendgrid": Channel.EMAIL, "twilio": Channel.SMS}
# What a provider says of an address that is gone; SendGrid finds out only when it is invalid.
DEAD = {
    "fcm": Reason.UNREGISTERED,
    "sendgrid": Reason.INVALID_ADDRESS,
    "twilio": Reason.UNREGISTERED,
}


class SetClock:
    """A clock that stands where the test puts it."""

    def __init__(self) -> None:
        self.time = time.time_ns() // 1_000_000

    def now(self) -> int:
        return self.time


def delivery(name: str, number: int = 0, **fields: Any) -> Delivery:
    now = time.time_ns() // 1_000_000
    values = {
        "delivery_id": f"{number:032x}",
        "notification_id": f"{number + 1_000_000:032x}",
        "event_id": "order-7-shipped",
        "type": "order_shipped",
        "category": "orders",
        "user": f"user-{number}",
        "channel": CHANNELS[name],
        "priority": Priority.HIGH,
        "address": ADDRESSES[name].format(number),
        "content": Content(title=f"Order {number}", body="It's on its way: grüße"),
        "occurred_at": now,
        "accepted_at": now,
        "expires_at": now + 3_600_000,
    }
    return Delivery(**{**values, **fields})


@dataclass(frozen=True)
class Rig:
    """A provider that talks to its simulator, and the witness."""

    name: str
    provider: Provider
    running: Serving
    log: Path
    settings: Settings
    http: HttpClient

    def fault(self, **fields: Any) -> None:
        self.running.simulators.faults.set(self.name, Fault(**fields))

    def witnessed(self) -> list[Accepted]:
        return read_accept_log(self.log)

    async def send(self, **fields: Any) -> Outcome:
        (outcome,) = await self.provider.send([delivery(self.name, **fields)])
        self.assert_secretless([outcome])
        return outcome

    def assert_secretless(self, outcomes: Sequence[Outcome]) -> None:
        accounts = self.running.credentials
        for outcome in outcomes:
            text = repr(outcome)
            assert accounts.sendgrid_api_key not in text
            assert accounts.twilio_auth_token not in text
            assert "ya29." not in text
            assert "Bearer" not in text
            assert "Basic" not in text
            assert "PRIVATE KEY" not in text


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Serving]:
    folder = tmp_path_factory.mktemp("providers")
    async with serving(0, folder / "accepted.jsonl", folder) as listening:
        yield listening


@pytest.fixture
def settings(running: Serving, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    return Settings(provider_timeout=TIMEOUT)


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient(TIMEOUT, connections=16)
    yield client
    await client.close()


def rig_of(name: str, running: Serving, settings: Settings, http: HttpClient) -> Rig:
    log = Path(settings.fcm_credentials or "").with_name("accepted.jsonl")
    log.write_bytes(b"")
    return Rig(name, PROVIDERS[name](settings, http), running, log, settings, http)


@pytest.fixture(params=sorted(PROVIDERS))
def rig(
    request: pytest.FixtureRequest, running: Serving, settings: Settings, http: HttpClient
) -> Iterator[Rig]:
    yield rig_of(request.param, running, settings, http)
    running.simulators.faults.clear_all()


@pytest.fixture
def fcm(running: Serving, settings: Settings, http: HttpClient) -> Iterator[Rig]:
    yield rig_of("fcm", running, settings, http)
    running.simulators.faults.clear_all()


@pytest.fixture
def sendgrid(running: Serving, settings: Settings, http: HttpClient) -> Iterator[Rig]:
    yield rig_of("sendgrid", running, settings, http)
    running.simulators.faults.clear_all()


@pytest.fixture
def twilio(running: Serving, settings: Settings, http: HttpClient) -> Iterator[Rig]:
    yield rig_of("twilio", running, settings, http)
    running.simulators.faults.clear_all()


async def test_check_passes_and_names_itself(rig: Rig) -> None:
    await rig.provider.check()
    assert rig.provider.name == rig.name
    assert rig.provider.channel is CHANNELS[rig.name]


async def test_success_is_witnessed_with_its_ids(rig: Rig) -> None:
    outcome = await rig.send(number=7)
    (line,) = rig.witnessed()
    assert outcome == Sent(line.reference)
    assert line.reference
    sent = delivery(rig.name, 7)
    assert (line.provider, line.channel) == (rig.name, sent.channel)
    assert (line.delivery_id, line.notification_id) == (sent.delivery_id, sent.notification_id)
    assert line.address == sent.address
    assert line.digest == digest_of(sent.content.body)
    assert line.title == ("" if rig.name == "twilio" else sent.content.title)


async def test_a_batch_keeps_its_order(rig: Rig) -> None:
    batch = [delivery(rig.name, number) for number in range(60)]
    outcomes = await rig.provider.send(batch)
    by_id = {line.delivery_id: line for line in rig.witnessed()}
    assert outcomes == [Sent(by_id[sent.delivery_id].reference) for sent in batch]
    assert len(rig.witnessed()) == len(batch)


async def test_one_bad_address_costs_nobody_else(rig: Rig) -> None:
    batch = [delivery(rig.name, number) for number in range(9)]
    batch[4] = delivery(rig.name, 4, address=INVALID[rig.name])
    outcomes = await rig.provider.send(batch)
    refused = outcomes[4]
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.INVALID_ADDRESS
    assert all(isinstance(outcome, Sent) for outcome in [*outcomes[:4], *outcomes[5:]])
    assert sorted(line.delivery_id for line in rig.witnessed()) == [
        sent.delivery_id for sent in batch if sent is not batch[4]
    ]
    rig.assert_secretless(outcomes)


async def test_dead_address(rig: Rig) -> None:
    rig.fault(dead=frozenset({ADDRESSES[rig.name].format(3)}))
    outcome = await rig.send(number=3)
    assert isinstance(outcome, Refused)
    assert outcome.reason is DEAD[rig.name]


async def test_any_other_refusal(rig: Rig) -> None:
    rig.fault(error_rate=1.0, status=400)
    outcome = await rig.send()
    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.REJECTED
    assert outcome.detail
    assert rig.witnessed() == []


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_lose_nothing(rig: Rig, status: int) -> None:
    rig.fault(error_rate=1.0, status=status)
    outcome = await rig.send()
    assert isinstance(outcome, Retry)
    assert outcome.reason is Reason.UNAUTHORIZED


@pytest.mark.parametrize("wait", [None, 30, "date", "soon"])
async def test_throttled(rig: Rig, wait: int | str | None) -> None:
    header = formatdate(time.time() + 30, usegmt=True) if wait == "date" else wait
    rig.fault(error_rate=1.0, status=429, retry_after=header)
    outcome = await rig.send()
    assert isinstance(outcome, Retry)
    assert outcome.reason is Reason.THROTTLED
    if wait in (None, "soon"):
        assert outcome.after is None
    else:
        assert outcome.after == pytest.approx(30, abs=2)


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_provider_error(rig: Rig, status: int) -> None:
    rig.fault(error_rate=1.0, status=status)
    outcome = await rig.send()
    assert isinstance(outcome, Retry)
    assert outcome.reason is Reason.PROVIDER_ERROR


async def test_slow_reply_times_out_though_it_was_accepted(rig: Rig) -> None:
    rig.fault(latency=TIMEOUT * 1.5)
    outcome = await rig.send()
    assert isinstance(outcome, Retry)
    assert outcome.reason is Reason.TIMEOUT
    await asyncio.sleep(TIMEOUT)
    assert len(rig.witnessed()) == 1


async def test_hanging_provider_times_out(rig: Rig) -> None:
    rig.fault(hang_rate=1.0)
    outcome = await rig.send()
    assert isinstance(outcome, Retry)
    assert outcome.reason is Reason.TIMEOUT
    assert rig.witnessed() == []


async def test_connection_reset(rig: Rig) -> None:
    await rig.send()
    rig.fault(reset_rate=1.0)
    outcome = await rig.send(number=1)
    assert isinstance(outcome, Retry)
    assert outcome.reason is Reason.UNREACHABLE
    assert len(rig.witnessed()) == 1


async def test_lost_reply_is_a_retry_of_what_was_accepted_once(rig: Rig) -> None:
    rig.fault(drop_reply_rate=1.0)
    outcome = await rig.send(number=5)
    assert isinstance(outcome, Retry)
    assert outcome.reason is Reason.UNREACHABLE
    (line,) = rig.witnessed()
    assert line.delivery_id == delivery(rig.name, 5).delivery_id


async def test_malformed_reply(rig: Rig) -> None:
    rig.fault(malformed_rate=1.0)  # its body repeats our credentials
    outcome = await rig.send()
    assert isinstance(outcome, Retry)
    assert outcome.reason is Reason.UNREADABLE_REPLY
    assert len(rig.witnessed()) == 1


async def test_a_stranger_on_the_providers_port_refuses_nothing(rig: Rig) -> None:
    base = f"{rig.running.base_url}/elsewhere"  # answers every path there with a bare 404
    urls = {f"{rig.name}_url": base}
    provider = PROVIDERS[rig.name](rig.settings.model_copy(update=urls), rig.http)
    (outcome,) = await provider.send([delivery(rig.name)])
    assert isinstance(outcome, Retry)
    assert outcome.reason is Reason.UNREADABLE_REPLY


async def test_nobody_listens(rig: Rig) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    urls = {f"{rig.name}_url": f"http://127.0.0.1:{port}"}
    provider = PROVIDERS[rig.name](rig.settings.model_copy(update=urls), rig.http)
    (outcome,) = await provider.send([delivery(rig.name)])
    assert isinstance(outcome, Retry)
    assert outcome.reason is Reason.UNREACHABLE
    rig.assert_secretless([outcome])


@pytest.mark.parametrize(
    ("name", "update", "said"),
    [
        ("fcm", {"fcm_credentials": None}, "TOCSIN_FCM_CREDENTIALS is not set"),
        ("fcm", {"fcm_credentials": Path("nowhere.json")}, "is not a service account file"),
        ("fcm", {"fcm_credentials": Path("pyproject.toml")}, "is not a service account file"),
        ("fcm", {"fcm_url": "fcm"}, "TOCSIN_FCM_URL"),
        ("sendgrid", {"sendgrid_api_key": ""}, "TOCSIN_SENDGRID_API_KEY is not set"),
        ("sendgrid", {"email_from": "me"}, "TOCSIN_EMAIL_FROM"),
        ("twilio", {"twilio_account_sid": ""}, "TOCSIN_TWILIO_ACCOUNT_SID is not set"),
        ("twilio", {"twilio_account_sid": "SM1"}, "TOCSIN_TWILIO_ACCOUNT_SID"),
        ("twilio", {"twilio_auth_token": ""}, "TOCSIN_TWILIO_AUTH_TOKEN is not set"),
        ("twilio", {"sms_from": ""}, "TOCSIN_SMS_FROM is not set"),
    ],
)
async def test_check_names_the_setting(
    settings: Settings, http: HttpClient, name: str, update: dict[str, Any], said: str
) -> None:
    wrong = Settings(**{**settings.model_dump(), **update})
    with pytest.raises(Misconfigured, match=said):
        await PROVIDERS[name](wrong, http).check()


def test_linger_is_the_email_sinks_alone(rig: Rig) -> None:
    lingers = [rig.provider.linger(priority) for priority in Priority]
    email = [0.0, 0.2, 1.0, 5.0, 5.0]
    assert lingers == (email if rig.name == "sendgrid" else [0.0] * 5)


@pytest.mark.filterwarnings("ignore:Message.token is deprecated:DeprecationWarning")
@pytest.mark.parametrize("priority", list(Priority))
def test_fcm_json_is_that_of_firebase_admin(priority: Priority) -> None:
    content = Content(title="Hi", body="Grüße", data={"order": "7", "items": [1, 2]})
    ours = delivery("fcm", priority=priority, content=content, expires_at=1_800_000_300_900)
    urgent = priority in (Priority.CRITICAL, Priority.HIGH)
    theirs = messaging.Message(
        token=ours.address,
        notification=messaging.Notification(title="Hi", body="Grüße"),
        data={
            "order": "7",
            "items": "[1,2]",
            "notification_id": ours.notification_id,
            "delivery_id": ours.delivery_id,
        },
        android=messaging.AndroidConfig(
            priority="high" if urgent else "normal",
            ttl=300,
            notification=messaging.AndroidNotification(tag=ours.notification_id),
        ),
        apns=messaging.APNSConfig(
            headers={
                "apns-collapse-id": ours.notification_id,
                "apns-expiration": "1800000300",
                "apns-priority": "10" if urgent else "5",
            }
        ),
    )
    encoded = msgspec.to_builtins(body_of(ours, 1_800_000_000_000).message)
    assert encoded == msgspec.json.decode(str(theirs))
    assert len(ours.notification_id) <= 64


def test_fcm_time_to_live_has_its_bounds() -> None:
    past = delivery("fcm", expires_at=1)
    assert body_of(past, 1_000).message.android.ttl == "0s"
    far = delivery("fcm", expires_at=10**13)
    assert body_of(far, 1_000).message.android.ttl == "2419200s"


async def test_fcm_takes_a_new_token_when_the_old_one_is_revoked(fcm: Rig) -> None:
    tokens = fcm.running.simulators.tokens
    await fcm.send()
    before = tokens.issued
    tokens.revoke()
    outcomes = await fcm.provider.send([delivery("fcm", number) for number in range(20)])
    assert all(isinstance(outcome, Sent) for outcome in outcomes)
    assert tokens.issued == before + 1


async def test_fcm_replaces_a_token_ahead_of_its_end(fcm: Rig) -> None:
    clock = SetClock()
    provider = Fcm(fcm.settings, fcm.http, clock)
    tokens = fcm.running.simulators.tokens
    batch = [delivery("fcm", number) for number in range(20)]
    before = tokens.issued
    await provider.send(batch)
    assert tokens.issued == before + 1
    clock.time += 3_400_000  # 200 s before the end
    for _ in range(5):
        assert all(isinstance(outcome, Sent) for outcome in await provider.send(batch))
        await asyncio.sleep(0.05)
    # The fake clock is ahead of Google's, so each fetch looks due again; never two at a time.
    assert before + 2 <= tokens.issued <= before + 6


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(error_rate=1.0, status=400), Reason.UNAUTHORIZED),
        (Fault(reset_rate=1.0), Reason.UNREACHABLE),
        (Fault(malformed_rate=1.0), Reason.UNREADABLE_REPLY),
    ],
)
async def test_fcm_without_a_token_retries(fcm: Rig, fault: Fault, reason: Reason) -> None:
    fcm.running.simulators.faults.set("oauth", fault)
    outcomes = await fcm.provider.send([delivery("fcm", number) for number in range(3)])
    fcm.assert_secretless(outcomes)
    assert [outcome.reason for outcome in outcomes if isinstance(outcome, Retry)] == [reason] * 3
    assert fcm.witnessed() == []


async def test_fcm_check_tells_a_refused_account(fcm: Rig) -> None:
    other = msgspec.json.decode((fcm.settings.fcm_credentials or Path()).read_bytes())
    file = fcm.log.with_name("other.json")
    file.write_bytes(msgspec.json.encode({**other, "client_email": "other@example.com"}))
    provider = Fcm(fcm.settings.model_copy(update={"fcm_credentials": file}), fcm.http)
    with pytest.raises(Misconfigured, match=r"TOCSIN_FCM_CREDENTIALS is refused: .*invalid_grant"):
        await provider.check()


def test_sendgrid_json_is_that_of_its_helpers() -> None:
    batch = [
        delivery("sendgrid", number, content=Content(title="Hi", body="text", html="<p>text</p>"))
        for number in range(3)
    ]
    theirs = sendgrid_helpers.Mail(from_email=sendgrid_helpers.From("shop@example.com"))
    theirs.subject = "-tocsin:subject-"
    theirs.add_content(sendgrid_helpers.Content("text/plain", "-tocsin:text-"))
    theirs.add_content(sendgrid_helpers.Content("text/html", "-tocsin:html-"))
    for sent in batch:
        copy = sendgrid_helpers.Personalization()
        copy.add_to(sendgrid_helpers.To(sent.address))
        for tag, value in (("subject", "Hi"), ("text", "text"), ("html", "<p>text</p>")):
            copy.add_substitution(sendgrid_helpers.Substitution(f"-tocsin:{tag}-", value))
        for name in ("notification_id", "delivery_id"):
            copy.add_custom_arg(sendgrid_helpers.CustomArg(name, getattr(sent, name)))
        theirs.add_personalization(copy)
    expected = theirs.get()
    expected["personalizations"].reverse()  # the helper puts each new one first
    ours = msgspec.json.encode(mail_of(batch, "shop@example.com"))
    assert msgspec.json.decode(ours) == expected


async def test_sendgrid_content_of_every_shape_in_one_batch(sendgrid: Rig) -> None:
    batch = [
        delivery("sendgrid", 0),
        delivery("sendgrid", 1, content=Content(title="1", body="one", html="<b>one</b>")),
        delivery("sendgrid", 2, content=Content(title="2", body="x" * 20_000, html="<i>2</i>")),
        delivery("sendgrid", 3, address="user0@example.com"),
        delivery("sendgrid", 4),
    ]
    assert groups_of(batch) == [[0, 4], [1], [2], [3]]
    outcomes = await sendgrid.provider.send(batch)
    lines = {line.delivery_id: line for line in sendgrid.witnessed()}
    assert outcomes == [Sent(lines[sent.delivery_id].reference) for sent in batch]
    for sent in batch:
        line = lines[sent.delivery_id]
        assert (line.title, line.digest) == (sent.content.title, digest_of(sent.content.body))


async def test_sendgrid_a_thousand_go_in_one_call(sendgrid: Rig) -> None:
    outcomes = await sendgrid.provider.send([delivery("sendgrid", n) for n in range(1000)])
    assert len(set(outcomes)) == 1
    assert len(sendgrid.witnessed()) == 1000


async def test_sendgrid_refused_sender_loses_nobody(sendgrid: Rig) -> None:
    settings = sendgrid.settings.model_copy(update={"email_from": "me@home"})
    wrong = replace(sendgrid, provider=SendGrid(settings, sendgrid.http))
    outcome = await wrong.send()
    assert isinstance(outcome, Retry)
    assert outcome.reason is Reason.UNAUTHORIZED
    assert "TOCSIN_EMAIL_FROM" in outcome.detail


async def test_sendgrid_halves_find_the_one_that_nobody_names(sendgrid: Rig) -> None:
    # 400 for the first call alone: nobody is named, so both halves are sent again.
    sendgrid.fault(error_rate=0.2, status=400, seed=_seed_of_a_single_error(0.2))
    outcomes = await sendgrid.provider.send([delivery("sendgrid", n) for n in range(4)])
    assert all(isinstance(outcome, Sent) for outcome in outcomes)
    assert len(sendgrid.witnessed()) == 4


def _seed_of_a_single_error(rate: float) -> int:
    for seed in range(1000):
        source = random.Random(seed)
        errors = [[source.random() for _ in range(5)][2] < rate for _ in range(3)]
        if errors == [True, False, False]:
            return seed
    raise AssertionError("no such seed")


async def test_twilio_refused_sender_loses_nobody(twilio: Rig) -> None:
    settings = twilio.settings.model_copy(update={"sms_from": "#"})
    outcome = await replace(twilio, provider=Twilio(settings, twilio.http)).send()
    assert isinstance(outcome, Retry)
    assert outcome.reason is Reason.UNAUTHORIZED


async def test_twilio_too_long_a_text(twilio: Rig) -> None:
    outcome = await twilio.send(content=Content(body="x" * 1601))
    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.REJECTED


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("0", 0.0),
        (" 12 ", 12.0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 40.0),
        ("Thu, 01 Jan 1970 00:00:10 GMT", 0.0),
        ("-3", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after(value: str | None, expected: float | None) -> None:
    assert retry_after(value, 60.0) == expected
