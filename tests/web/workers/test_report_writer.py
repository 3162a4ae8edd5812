"""What comes back, end to end: signed to us, through Kafka, to the next decision."""

import asyncio
import io
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from agents.sink.agent import sink
from pipeline.producing.outputs import Log
from pipeline.producing.write_queue import Entry
from policy.tracking.links import link_signature
from policy.tracking.ticket import Purpose, issue_ticket
from schemas.delivery import Delivery
from schemas.errors import Unavailable
from schemas.feedback import Feedback, Suppression
from schemas.profile import Contacts, Device, Preferences
from schemas.topics import CONTACTS, EVENTS, FEEDBACK, PREFERENCES, SUPPRESSIONS
from schemas.vocabulary import Channel, Priority, Reason, SuppressionReason
from schemas.vocabulary import Stage as Step
from sinks.provider import OneServer, Outcome, PermanentFailure
from sinks.registry import Weighted
from tests.agents.line import Line
from tests.agents.names import unique
from tests.agents.samples import event
from tests.agents.stage import Stage, staging
from tests.patience import in_time
from tests.web.caller import NO_TYPES, tickets
from tests.web.signing import SCHEMES, SETTINGS
from web.app import build, serving
from web.reports.incoming import Incoming

EMAIL, SMS, PUSH = Channel.EMAIL, Channel.SMS, Channel.PUSH
PURPOSES = (Purpose.REPORT, Purpose.CLICK, Purpose.UNSUBSCRIBE)
KEY = SETTINGS.signing_key.get_secret_value().encode()
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


class Broken:
    """A producer whose broker is away."""

    async def write(self, *_: object) -> int:
        raise Unavailable("Kafka does not answer")


class Silent:
    """A producer whose broker acknowledges nothing."""

    async def write(self, *_: object) -> int:
        await asyncio.Event().wait()
        return 0


@dataclass
class Recovering:
    """A producer whose broker is away, once."""

    producer: Log
    is_away: bool = True

    async def write(self, topic: str, partition: int, entries: list[Entry]) -> int:
        if self.is_away:
            self.is_away = False
            raise Unavailable("Kafka does not answer")
        return await self.producer.write(topic, partition, entries)


@dataclass
class Outside:
    """Someone who calls the web process from outside."""

    stage: Stage
    url: str
    session: aiohttp.ClientSession

    async def report(self, name: str, values: Any, ticket: str = "") -> int:
        """Report as the provider would; the status of the answer."""
        incoming: Incoming = SCHEMES[name].sign(values, self.stage.clock.now(), ticket)
        path = incoming.url.removeprefix(SETTINGS.public_url)
        async with self.session.post(
            f"{self.url}{path}", data=incoming.body, headers=incoming.headers
        ) as response:
            return response.status

    async def get(self, path: str, method: str = "GET", **options: Any) -> aiohttp.ClientResponse:
        """Follow a link, but no redirect."""
        options.setdefault("headers", BROWSER)
        asked = self.session.request(method, f"{self.url}{path}", allow_redirects=False, **options)
        async with asked as response:
            await response.read()
            return response

    async def sent(self, channel: Channel, user: str) -> Delivery:
        """The newest delivery to a user."""
        found = [d for d in await self.stage.deliveries(channel) if d.user == user]
        return found[-1]

    async def outcomes(self, channel: Channel) -> list[tuple[Step, Reason, str]]:
        """What is told of a channel."""
        told = await self.stage.told()
        return [(e.stage, e.reason, e.detail) for e in told if e.channel is channel]


def built(stage: Stage, producer: Log) -> web.Application:
    """The application over this producer."""
    return build(stage.settings, producer, tickets(stage.settings), NO_TYPES, stage.clock)


@pytest.fixture
async def outside(line: Line, tmp_path: Path) -> AsyncIterator[Outside]:
    fields = SETTINGS.model_dump(exclude={"kafka", "partitions", "data_dir"}, exclude_unset=True)
    async with staging(line, tmp_path, **fields) as stage:
        app = built(stage, stage.producer)
        async with serving(app, "127.0.0.1", 0) as url, aiohttp.ClientSession() as session:
            yield Outside(stage, url, session)


async def told_of(outside: Outside, user: str) -> None:
    """An order of the user's goes out, by e-mail, SMS and push."""
    data = {
        "customer_id": user,
        "order_id": "7",
        "carrier": "DHL",
        "tracking_number": unique("track"),
    }
    stage = outside.stage
    await stage.say(CONTACTS, contacts(user))
    await stage.say(PREFERENCES, Preferences(user=user, channels=dict.fromkeys(Channel, True)))
    await stage.say(EVENTS, event("order.shipped", data))
    await stage.work(stage.router, stage.decider)


def contacts(user: str) -> Contacts:
    return Contacts(
        user=user,
        email=f"{user}@example.com",
        phone=f"+49301{abs(hash(user)) % 10**7:07}",
        devices=(Device(token=f"token-{user}"),),
    )


async def test_a_hard_bounce_keeps_the_next_mail_from_that_address(outside: Outside) -> None:
    user = unique("user")
    await told_of(outside, user)
    mail = await outside.sent(EMAIL, user)
    bounce = {
        "event": "bounce",
        "timestamp": outside.stage.clock.now() // 1000,
        "email": mail.address,
        "reason": "550 no such user",
        "ticket": issue_ticket(mail, Purpose.REPORT, KEY),
    }
    for _ in range(3):
        assert await outside.report("sendgrid", [bounce]) == 200
    bounced = [e for e in await outside.stage.told() if e.stage is Step.BOUNCED]
    assert len({e.id for e in bounced}) == 1
    assert bounced[0].delivery_id == mail.delivery_id
    assert bounced[0].detail == "hard: 550 no such user"
    await told_of(outside, user)
    assert (Step.SUPPRESSED, Reason.SUPPRESSED_ADDRESS) in [
        found[:2] for found in await outside.outcomes(EMAIL)
    ]
    assert len([d for d in await outside.stage.deliveries(EMAIL) if d.user == user]) == 1
    # Months later it is tried again.
    outside.stage.clock.ahead += 181 * 86_400_000
    (said,) = {s.until for s in await outside.stage.read(SUPPRESSIONS, Suppression)}
    assert said is not None
    assert said.timestamp() * 1000 < outside.stage.clock.now()


async def test_stop_and_start_are_of_everybody_with_that_number(outside: Outside) -> None:
    user = unique("user")
    await told_of(outside, user)
    phone = contacts(user).phone or ""
    assert await outside.report("twilio", {"From": phone, "Body": "STOP"}) == 200
    await outside.stage.work(outside.stage.decider)
    await told_of(outside, user)
    stopped = [f for f in await outside.outcomes(SMS) if f[1] is Reason.SUPPRESSED_ADDRESS]
    assert [detail for _, _, detail in stopped] == ["stop"]
    assert await outside.report("plivo", {"From": phone[1:], "Text": "start"}) == 200
    await outside.stage.work(outside.stage.decider)
    await told_of(outside, user)
    assert len([d for d in await outside.stage.deliveries(SMS) if d.user == user]) == 2


async def test_a_device_that_is_gone_is_not_called_again(outside: Outside) -> None:
    user = unique("user")
    await told_of(outside, user)

    class Gone(OneServer):
        name, channel, scheme, batch_size = "fcm", PUSH, "", 1

        def linger(self, priority: Priority) -> float:
            return 0.0

        async def check(self) -> None:
            pass

        async def send(self, deliveries: Any) -> list[Outcome]:
            return [PermanentFailure(Reason.UNREGISTERED, "gone") for _ in deliveries]

        async def close(self) -> None:
            pass

    role = sink(PUSH, [Weighted(Gone(), 1)], outside.stage.runtime)
    await outside.stage.work(role)
    (said,) = await outside.stage.read(SUPPRESSIONS, Suppression)
    assert (said.reason, said.address) == (SuppressionReason.UNREGISTERED, f"token-{user}")
    await told_of(outside, user)
    gone = [f for f in await outside.outcomes(PUSH) if f[1] is Reason.SUPPRESSED_ADDRESS]
    assert [detail for _, _, detail in gone] == ["unregistered"]


async def test_one_click_unsubscribes_from_the_category_and_another_comes_back(
    outside: Outside,
) -> None:
    user = unique("user")
    await outside.stage.say(CONTACTS, contacts(user))
    mail = await sample(outside, user)
    said = msgspec.structs.replace(mail, category="marketing")
    path = f"/unsubscribe/{issue_ticket(said, Purpose.UNSUBSCRIBE, KEY)}"
    asked = await outside.get(path)
    assert asked.status == 200
    assert "Unsubscribe?" in await asked.text()
    assert not (await outside.get(path)).headers.get("Set-Cookie")
    assert await outside.stage.read(SUPPRESSIONS, Suppression) == []
    one_click = {"List-Unsubscribe": "One-Click"}
    for _ in range(2):
        done = await outside.get(path, "POST", data=one_click)
        assert done.status == 200
        assert "You are unsubscribed" in await done.text()
    await outside.stage.work(outside.stage.decider)
    back = await outside.get(path, "POST", data={"do": "subscribe"})
    assert "You are subscribed" in await back.text()
    left = [e for e in await outside.stage.told() if e.stage is Step.UNSUBSCRIBED]
    assert {(e.category, e.channel) for e in left} == {("marketing", EMAIL)}


async def sample(outside: Outside, user: str) -> Delivery:
    await told_of(outside, user)
    return await outside.sent(EMAIL, user)


async def test_a_click_leads_on_and_stops_what_waits_for_it(outside: Outside) -> None:
    mail = await sample(outside, unique("user"))
    ticket, url = issue_ticket(mail, Purpose.CLICK, KEY), "https://shop.example.com/7?a=1&b=ü"
    signature = link_signature(ticket, url, KEY)
    on = await outside.get(f"/click/{ticket}/{signature}", params={"to": url})
    assert on.status == 302
    assert on.headers["Location"] == url
    (heard,) = await outside.stage.read(FEEDBACK, Feedback)
    assert (heard.user, heard.stage) == (mail.user, "clicked")
    assert heard.notification_id == mail.notification_id


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example",
        "//evil.example",
        "javascript:alert(1)",
        "",
        "https://shop.example.com/8",
    ],
)
async def test_a_click_leads_nowhere_else(outside: Outside, to: str) -> None:
    mail = await sample(outside, unique("user"))
    ticket = issue_ticket(mail, Purpose.CLICK, KEY)
    signature = link_signature(ticket, "https://shop.example.com/7", KEY)
    for path in (f"/click/{ticket}/{signature}", f"/click/x{ticket}/{signature}"):
        answer = await outside.get(path, params={"to": to})
        assert answer.status == 404
        assert "Location" not in answer.headers
    assert await outside.stage.read(FEEDBACK, Feedback) == []


async def test_a_pixel_tells_people_from_machines(outside: Outside) -> None:
    mail = await sample(outside, unique("user"))
    path = f"/open/{issue_ticket(mail, Purpose.OPEN, KEY)}.gif"
    machine = await outside.get(path, headers={"User-Agent": "Mozilla/5.0"})
    assert machine.headers["Content-Type"] == "image/gif"
    assert await outside.stage.read(FEEDBACK, Feedback) == []
    for _ in range(2):
        await outside.get(path)
    assert {f.stage for f in await outside.stage.read(FEEDBACK, Feedback)} == {"opened"}
    opened = [e for e in await outside.stage.told() if e.stage is Step.OPENED]
    assert {(e.id, e.detail) for e in opened} == {
        (f"{mail.delivery_id}.email.opened.0.machine", "machine"),
        (f"{mail.delivery_id}.email.opened.0", ""),
    }
    assert (await outside.get("/open/nonsense.gif")).status == 200


async def test_strangers_and_rubbish(outside: Outside) -> None:
    forged = {"X-Twilio-Signature": "AAAA"}
    for path, headers, status in (
        ("/webhooks/pigeon", {}, 404),
        ("/webhooks/twilio", forged, 403),
        ("/webhooks/sendgrid", {}, 403),
        ("/webhooks/mailgun", {}, 400),
    ):
        answer = await outside.get(path, "POST", data=b"{}", headers=headers)
        assert answer.status == status, path
    big = await outside.get("/webhooks/mailgun", "POST", data=io.BytesIO(b"x" * (2 << 20)))
    assert big.status == 413


async def test_no_2xx_while_kafka_is_away(outside: Outside) -> None:
    mail = await sample(outside, unique("user"))
    reported, clicked, left = (issue_ticket(mail, purpose, KEY) for purpose in PURPOSES)
    app: web.Application = built(outside.stage, Broken())
    async with serving(app, "127.0.0.1", 0) as url:
        away = Outside(outside.stage, url, outside.session)
        delivered = {"event": "delivered", "timestamp": int(time.time()), "ticket": reported}
        assert await away.report("sendgrid", [delivered]) == 503
        assert (
            await away.get(f"/unsubscribe/{left}", "POST", data={"do": "unsubscribe"})
        ).status == 503
        # A person who follows a link gets there all the same.
        target = "https://shop.example.com/7"
        path = f"/click/{clicked}/{link_signature(clicked, target, KEY)}"
        assert (await away.get(path, params={"to": target})).status == 302


async def test_nobody_waits_for_long_while_kafka_is_silent(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.workers.ack_timeout.ACK_TIMEOUT_SECONDS", 0.2)
    mail = await sample(outside, unique("user"))
    reported, clicked, left = (issue_ticket(mail, purpose, KEY) for purpose in PURPOSES)
    opened = issue_ticket(mail, Purpose.OPEN, KEY)
    app: web.Application = built(outside.stage, Silent())
    async with serving(app, "127.0.0.1", 0) as url, in_time():
        away = Outside(outside.stage, url, outside.session)
        target = "https://shop.example.com/7"
        path = f"/click/{clicked}/{link_signature(clicked, target, KEY)}"
        assert (await away.get(path, params={"to": target})).status == 302
        assert (await away.get(f"/open/{opened}.gif")).status == 200
        assert (await away.get(f"/unsubscribe/{left}", "POST")).status == 503
        delivered = {"event": "delivered", "timestamp": int(time.time()), "ticket": reported}
        assert await away.report("sendgrid", [delivered]) == 503


async def test_a_report_that_kafka_did_not_take_is_taken_when_it_comes_again(
    outside: Outside,
) -> None:
    """Mailgun's too, whose token counts once: it may send the very same request again."""
    mail = await sample(outside, unique("user"))
    producer = Recovering(outside.stage.producer)
    app: web.Application = built(outside.stage, producer)
    values = {
        "event": "delivered",
        "timestamp": outside.stage.clock.now() / 1000,
        "user-variables": {"ticket": issue_ticket(mail, Purpose.REPORT, KEY)},
    }
    incoming = SCHEMES["mailgun"].sign(values, outside.stage.clock.now(), "")
    async with serving(app, "127.0.0.1", 0) as url:
        statuses = []
        for _ in range(3):
            async with outside.session.post(f"{url}/webhooks/mailgun", data=incoming.body) as said:
                statuses.append(said.status)
    assert statuses == [503, 200, 403]
    delivered = [e for e in await outside.stage.told() if e.stage is Step.DELIVERED]
    assert len(delivered) == 1
