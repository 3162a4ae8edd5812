"""Who says no hears no more: from the click, or the provider's report, to the next decision.

All in memory but for HTTP: the real web process' routes write what the real decider then reads.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from agents.replay.in_memory_pipeline import HeldClock, Rehearsal
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.producing.memory_log import MemoryLog
from policy.catalogue.catalogue import parse
from policy.tracking.ticket import Purpose, issue_ticket
from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.encoding import encode
from schemas.erasure import Erasure
from schemas.event import Event
from schemas.profile import BotChat, Contacts, Device, Preferences
from schemas.profile_change import ProfileChange
from schemas.topics import (
    CONTACTS,
    DELIVER,
    DELIVERY_EVENTS,
    ERASURES,
    EVENTS,
    PREFERENCES,
    PROFILE_CHANGES,
    Topic,
)
from schemas.vocabulary import Channel, Priority, Reason, Stage
from sinks.tickets import Tickets
from tables.storage.memory_store import MemoryStore
from tests.policy.samples import NOON, TYPE
from tests.web.caller import tickets
from tests.web.desk import Asked
from tests.web.dsn import complaint, dsn, failed
from tests.web.signing import SCHEMES, SETTINGS
from web.app import serving
from web.links.routes import Links
from web.webhooks import Webhooks
from web.workers.report_writer import BackChannel

KEY = SETTINGS.signing_key.get_secret_value().encode()
EMAIL, SMS, PUSH, INAPP = Channel.EMAIL, Channel.SMS, Channel.PUSH, Channel.INAPP
EVERYWHERE = {PUSH, EMAIL, SMS, INAPP}
MINUTE = 60_000
OTHER = TYPE.replace("thing", "other")
BILL = TYPE.replace("thing", "bill").replace('"bills"', '"things"\ntransactional = true')
TALK = """
event = "talk.happened"

[types.talk]
category = "talks"
priority = "normal"
channels = ["chat"]
users = "who"
time_to_live = 86400

[types.talk.templates.chat]
body = "{{ data.text }}"
"""
PHONES = {"ann": "+4915112345", "bob": "+4915154321"}


@dataclass
class Town:
    """Two people who hear of everything everywhere, and whoever reports what they answer."""

    clock: HeldClock
    log: MemoryLog
    workers: Rehearsal
    session: aiohttp.ClientSession
    url: str
    count: int = 0

    async def write(self, topic: Topic, key: str, value: msgspec.Struct) -> None:
        await self.log.write(topic.name, 0, [(key.encode(), encode(value))])

    async def happens(
        self, user: str, what: str = "thing", tenant: str = "default"
    ) -> dict[Channel, Delivery]:
        """Something happens that concerns the user; what they get of it, by channel."""
        self.count += 1
        self.clock.at += MINUTE
        before = len(self.deliveries())
        at = datetime.fromtimestamp(self.clock.at / 1000, UTC)
        data = {"who": user, "text": f"number {self.count}"}
        said = Event(
            id=f"e{self.count}",
            type=f"{what}.happened",
            actor="x",
            occurred_at=at,
            data=data,
            tenant=tenant,
        )
        await self.write(EVENTS, "x", said)
        await self.workers.settle()
        return {d.channel: d for d in self.deliveries()[before:]}

    def deliveries(self) -> list[Delivery]:
        channels = (*EVERYWHERE, Channel.CHAT)
        topics = [DELIVER[channel, Priority.NORMAL].name for channel in channels]
        found = [
            msgspec.json.decode(record.value, type=Delivery)
            for topic in topics
            for record in self.log.topics[topic]
        ]
        return sorted(found, key=lambda each: each.accepted_at)

    def why(self) -> list[tuple[Channel, Reason, str]]:
        """What of the last happening was not sent, and why."""
        decode = msgspec.json.Decoder(DeliveryEvent).decode_lines
        records = self.log.topics[DELIVERY_EVENTS.name]
        told = [event for record in records for event in decode(record.value)]
        return [
            (each.channel, each.reason, each.detail)
            for each in told
            if each.event_id == f"e{self.count}" and each.stage is Stage.SUPPRESSED
            if isinstance(each.channel, Channel)
        ]

    def left(self) -> list[tuple[str, str, str, str]]:
        """Of what is reported of no message, by whom, which category, where and by what."""
        decode = msgspec.json.Decoder(DeliveryEvent).decode_lines
        records = self.log.topics[DELIVERY_EVENTS.name]
        told = {event.id: event for record in records for event in decode(record.value)}
        return [
            (each.user, each.category, str(each.channel), each.detail)
            for each in told.values()
            if each.stage is Stage.UNSUBSCRIBED and not each.notification_id
        ]

    async def clicks(self, mail: Delivery, **form: str) -> None:
        """Somebody posts to the unsubscribe link of a mail."""
        self.clock.at += MINUTE
        path = f"/unsubscribe/{issue_ticket(mail, Purpose.UNSUBSCRIBE, KEY)}"
        async with self.session.post(f"{self.url}{path}", data=form) as answer:
            assert answer.status == 200

    async def reports(self, provider: str, values: Any, ticket: str = "") -> None:
        """A provider reports."""
        self.clock.at += MINUTE
        incoming = SCHEMES[provider].sign(values, self.clock.at, ticket)
        path = incoming.url.removeprefix(SETTINGS.public_url)
        async with self.session.post(
            f"{self.url}{path}", data=incoming.body, headers=incoming.headers
        ) as answer:
            assert answer.status == 200


class Nearby(Asked):
    """Asks the decider in memory."""

    def __init__(self, workers: Rehearsal) -> None:
        super().__init__()
        self._workers = workers

    async def ask_in(
        self,
        role: str,
        partition: int,
        question: msgspec.Struct,
        kind: Any,
        after: Mapping[str, int] | None = None,
    ) -> Any:
        """What it answers."""
        assert (role, partition, after) == ("decider", 0, None)
        answer = await self._workers.answer(msgspec.json.encode(question))
        return msgspec.json.decode(answer, type=kind)


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    clock = HeldClock(NOON)
    log = MemoryLog(clock)
    catalogue = parse(
        {"thing.toml": TYPE, "other.toml": OTHER, "bill.toml": BILL, "talk.toml": TALK}
    )
    catalogues = FixedCatalogue(catalogue)
    workers = Rehearsal(catalogues, SETTINGS, log, clock, MemoryStore({}), MemoryStore({}))
    settings = SETTINGS.model_copy(update={"partitions": 1})
    found = tickets(settings, Nearby(workers))
    back = BackChannel(log, settings, found, catalogues)
    reporters = [scheme.reporter(SETTINGS) for scheme in SCHEMES.values()]
    app = web.Application()
    app.add_routes(Webhooks(reporters, back, SETTINGS.public_url, clock).routes())
    app.add_routes(Links(back, found, catalogues, KEY, clock).routes())
    async with serving(app, "127.0.0.1", 0) as url, aiohttp.ClientSession() as session:
        town = Town(clock, log, workers, session, url)
        for user, phone in PHONES.items():
            email, device = f"{user}@example.com", Device(token=f"phone-of-{user}")
            contacts = Contacts(user=user, email=email, phone=phone, devices=(device,))
            await town.write(CONTACTS, user, contacts)
            wants = Preferences(user=user, channels=dict.fromkeys(Channel, True))
            await town.write(PREFERENCES, user, wants)
        yield town


def sendgrid(event: str, ticket: str, **fields: Any) -> list[dict[str, Any]]:
    at = NOON // 1000 + 120
    return [
        {"event": event, "email": "ann@example.com", "timestamp": at, "ticket": ticket, **fields}
    ]


def mailgun(event: str, ticket: str, **fields: Any) -> dict[str, Any]:
    variables = {"user-variables": {"ticket": ticket}}
    at = NOON / 1000 + 120
    return {"event": event, "recipient": "ann@example.com", "timestamp": at, **variables, **fields}


def ses(kind: str, ticket: str, **fields: Any) -> dict[str, Any]:
    mail = {"destination": ["ann@example.com"], "tags": {"ticket": [ticket]}}
    return {"eventType": kind, "mail": mail, kind.lower(): fields}


def postmark(kind: str, ticket: str, **fields: Any) -> dict[str, Any]:
    pieces = {f"ticket{n}": ticket[80 * n : 80 * n + 80] for n in range(-(-len(ticket) // 80))}
    who = {"Recipient": "ann@example.com"}
    return {"RecordType": kind, "Metadata": pieces, **who, **fields}


def resend(kind: str, ticket: str, **fields: Any) -> dict[str, Any]:
    data = {"to": ["ann@example.com"], "tags": {"ticket": ticket}, **fields}
    return {"type": f"email.{kind}", "created_at": "2026-03-01T12:02:00Z", "data": data}


def smtp(said: str, ticket: str, action: str = "failed") -> str:
    back = f"From: shop@example.com\nX-Tocsin-Ticket: {ticket}"
    return dsn(failed(f"smtp; {said}", said[4:9], action), returned=back)


async def test_without_a_no_everything_comes(town: Town) -> None:
    for what in ("thing", "other", "bill"):
        assert (await town.happens("ann", what)).keys() == EVERYWHERE
    assert town.why() == []


@pytest.mark.parametrize(
    "form",
    [
        {"List-Unsubscribe": "One-Click"},  # RFC 8058, section 3.1
        {"do": "unsubscribe"},  # the button of our own page
        {},
    ],
)
async def test_one_click_is_honoured(town: Town, form: dict[str, str]) -> None:
    mail = (await town.happens("ann"))[EMAIL]
    await town.clicks(mail, **form)
    assert (await town.happens("ann")).keys() == EVERYWHERE - {EMAIL}
    assert town.why() == [(EMAIL, Reason.OPTED_OUT, "by user, one click")]
    # Nobody else, nothing else, and what is transactional goes out all the same.
    assert (await town.happens("bob")).keys() == EVERYWHERE
    assert (await town.happens("ann", "other")).keys() == EVERYWHERE
    assert (await town.happens("ann", "bill")).keys() == EVERYWHERE
    # An app that knows nothing of the click says that all is wanted.
    wants = Preferences(user="ann", channels=dict.fromkeys(Channel, True))
    await town.write(PREFERENCES, "ann", wants)
    assert (await town.happens("ann")).keys() == EVERYWHERE - {EMAIL}
    await town.clicks(mail, do="subscribe")
    assert (await town.happens("ann")).keys() == EVERYWHERE
    await town.clicks(mail, **form)
    assert EMAIL not in await town.happens("ann")


async def test_to_look_at_the_link_unsubscribes_nobody(town: Town) -> None:
    mail = (await town.happens("ann"))[EMAIL]
    for method in ("GET", "HEAD"):
        url = f"{town.url}/unsubscribe/{issue_ticket(mail, Purpose.UNSUBSCRIBE, KEY)}"
        async with town.session.request(method, url) as answer:
            assert answer.status == 200
    assert (await town.happens("ann")).keys() == EVERYWHERE


LEFT = [
    ("sendgrid", lambda t: sendgrid("unsubscribe", t)),
    ("sendgrid", lambda t: sendgrid("group_unsubscribe", t)),
    ("mailgun", lambda t: mailgun("unsubscribed", t)),
    ("ses", lambda t: ses("Subscription", t, contactList="x")),
    ("postmark", lambda t: postmark("SubscriptionChange", t, SuppressSending=True,
                                    SuppressionReason="ManualSuppression", Origin="Recipient")),
    ("smtp", lambda t: complaint("opt-out", f"X-Tocsin-Ticket: {t}")),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "values"), LEFT)
async def test_who_unsubscribes_at_the_provider_gets_no_more_of_it(
    town: Town, provider: str, values: Any
) -> None:
    mail = (await town.happens("ann"))[EMAIL]
    await town.reports(provider, values(issue_ticket(mail, Purpose.REPORT, KEY)))
    assert (await town.happens("ann")).keys() == EVERYWHERE - {EMAIL}
    assert town.why() == [(EMAIL, Reason.OPTED_OUT, "by user, one click")]
    assert (await town.happens("ann", "other")).keys() == EVERYWHERE
    assert (await town.happens("bob")).keys() == EVERYWHERE


async def test_what_changes_in_postmarks_list_is_not_what_the_user_wants(town: Town) -> None:
    mail = (await town.happens("ann"))[EMAIL]
    ticket = issue_ticket(mail, Purpose.REPORT, KEY)
    gone = {"SuppressSending": True, "SuppressionReason": "HardBounce", "Origin": "Recipient"}
    await town.reports("postmark", postmark("SubscriptionChange", ticket, **gone))
    assert (await town.happens("ann")).keys() == EVERYWHERE
    await town.clicks(mail)
    back = {"SuppressSending": False, "SuppressionReason": None, "Origin": "Customer"}
    await town.reports("postmark", postmark("SubscriptionChange", ticket, **back))
    assert (await town.happens("ann")).keys() == EVERYWHERE - {EMAIL}


LONG = "жар-птица " * 20
"""200 characters, as many as an id may have, and 340 bytes."""


@pytest.mark.parametrize(("provider", "values"), LEFT)
async def test_however_long_ids_are_who_unsubscribes_is_known(
    town: Town, provider: str, values: Any
) -> None:
    contacts = Contacts(user=LONG, tenant=LONG, email="ann@example.com")
    await town.write(CONTACTS, LONG, contacts)
    mail = (await town.happens(LONG, tenant=LONG))[EMAIL]
    tickets = Tickets(SETTINGS.model_copy(update={"partitions": 1}))
    ticket, link = (tickets.of(mail, each) for each in (Purpose.REPORT, Purpose.UNSUBSCRIBE))
    assert max(len(ticket), len(link)) < 100
    async with town.session.get(f"{town.url}/unsubscribe/{link}") as page:
        assert "about <strong>things</strong>" in await page.text()
    await town.reports(provider, values(ticket))
    assert EMAIL not in await town.happens(LONG, tenant=LONG)
    assert (EMAIL, Reason.OPTED_OUT, "by user, one click") in town.why()
    # Once they are erased, nobody is left whom the ticket could name.
    erased = Erasure(user=LONG, tenant=LONG)
    await town.write(ERASURES, LONG, erased)
    await town.workers.settle()
    async with town.session.post(f"{town.url}/unsubscribe/{link}") as page:
        assert page.status == 404


@pytest.mark.parametrize("user", ["ann", LONG])
@pytest.mark.parametrize("code", ["63003", "63016"])
async def test_a_number_without_whatsapp_is_not_written_to_again(
    town: Town, user: str, code: str
) -> None:
    """And one that only had no template is, however long ids are."""
    chat = BotChat(platform="whatsapp", chat=PHONES["ann"])
    said = Contacts(user=user, tenant=user, phone=PHONES["bob"], bot_chats=(chat,))
    await town.write(CONTACTS, user, said)
    sent = (await town.happens(user, "talk", user))[Channel.CHAT]
    assert sent.address == f"whatsapp:{PHONES['ann']}"
    ticket = Tickets(SETTINGS.model_copy(update={"partitions": 1})).of(sent, Purpose.REPORT)
    status = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": code}
    await town.reports("twiliowhatsapp", status, ticket)
    again = await town.happens(user, "talk", user)
    assert (Channel.CHAT in again) is (code == "63016")


async def test_stop_on_whatsapp_ends_what_goes_there_and_no_text(town: Town) -> None:
    chat = BotChat(platform="whatsapp", chat=PHONES["ann"])
    said = Contacts(user="ann", phone=PHONES["ann"], bot_chats=(chat,))
    await town.write(CONTACTS, "ann", said)
    there = {"From": f"whatsapp:{PHONES['ann']}", "To": "whatsapp:+14155238886"}
    assert Channel.CHAT in await town.happens("ann", "talk")
    await town.reports("twiliowhatsapp", {**there, "Body": "Stop"})
    assert Channel.CHAT not in await town.happens("ann", "talk")
    assert town.why() == [(Channel.CHAT, Reason.SUPPRESSED_ADDRESS, "stop")]
    assert SMS in await town.happens("ann")
    # Whoever gives the number later is asked no more than she is.
    await town.write(CONTACTS, "eve", Contacts(user="eve", bot_chats=(chat,)))
    assert Channel.CHAT not in await town.happens("eve", "talk")
    await town.reports("twiliowhatsapp", {**there, "Body": "Start"})
    for user in ("ann", "eve"):
        assert Channel.CHAT in await town.happens(user, "talk")
    # And STOP by text is about texts.
    await town.reports("twilio", {"From": PHONES["ann"], "Body": "STOP"})
    assert SMS not in await town.happens("ann")
    assert Channel.CHAT in await town.happens("ann", "talk")


async def test_who_comes_back_at_the_provider_is_told_again(town: Town) -> None:
    mail = (await town.happens("ann"))[EMAIL]
    await town.clicks(mail)
    back = sendgrid("group_resubscribe", issue_ticket(mail, Purpose.REPORT, KEY))
    back[0]["timestamp"] = town.clock.at // 1000 + 1
    await town.reports("sendgrid", back)
    assert (await town.happens("ann")).keys() == EVERYWHERE


GONE = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "ann@example.com"}]}
ANGRY = {"complainedRecipients": [{"emailAddress": "ann@example.com"}]}
AUGUST = "hard_bounce until 2026-08-28T12:02:00Z"
"""180 days after the first of March."""
BARRED: list[tuple[str, Any, str]] = [
    ("sendgrid", lambda t: sendgrid("bounce", t, type="bounce", reason="550"), AUGUST),
    ("sendgrid", lambda t: sendgrid("spamreport", t), "complaint"),
    ("mailgun", lambda t: mailgun("failed", t, severity="permanent"), AUGUST),
    ("mailgun", lambda t: mailgun("complained", t), "complaint"),
    ("ses", lambda t: ses("Bounce", t, **GONE), AUGUST),
    ("ses", lambda t: ses("Complaint", t, **ANGRY), "complaint"),
    ("postmark", lambda t: postmark("Bounce", t, Type="HardBounce"), AUGUST),
    ("postmark", lambda t: postmark("SpamComplaint", t), "complaint"),
    ("resend", lambda t: resend("bounced", t, bounce={"type": "Permanent"}), AUGUST),
    ("resend", lambda t: resend("complained", t), "complaint"),
    ("smtp", lambda t: smtp("550 5.1.1 User unknown", t), AUGUST),
    ("smtp", lambda t: complaint("abuse", f"X-Tocsin-Ticket: {t}"), "complaint"),
]


@pytest.mark.parametrize(("provider", "values", "bar"), BARRED)
async def test_an_address_that_is_gone_or_complains_gets_no_more_mail(
    town: Town, provider: str, values: Any, bar: str
) -> None:
    mail = (await town.happens("ann"))[EMAIL]
    await town.reports(provider, values(issue_ticket(mail, Purpose.REPORT, KEY)))
    assert (await town.happens("ann")).keys() == EVERYWHERE - {EMAIL}
    assert town.why() == [(EMAIL, Reason.SUPPRESSED_ADDRESS, bar)]
    # The address itself is barred, whatever it is about; nobody else's is.
    assert EMAIL not in await town.happens("ann", "bill")
    assert (await town.happens("bob")).keys() == EVERYWHERE


SOFT: list[tuple[str, Any]] = [
    ("sendgrid", lambda t: sendgrid("bounce", t, type="blocked", reason="421")),
    ("sendgrid", lambda t: sendgrid("dropped", t, reason="Bounced Address")),
    ("mailgun", lambda t: mailgun("failed", t, severity="temporary")),
    ("mailgun", lambda t: mailgun("rejected", t)),
    ("ses", lambda t: ses("Bounce", t, **GONE | {"bounceType": "Transient"})),
    ("ses", lambda t: ses("Reject", t, reason="Bad content")),
    ("postmark", lambda t: postmark("Bounce", t, Type="Transient")),
    ("postmark", lambda t: postmark("Bounce", t, Type="SoftBounce")),
    ("resend", lambda t: resend("bounced", t, bounce={"type": "Transient"})),
    ("resend", lambda t: resend("suppressed", t, suppressed={"message": "listed"})),
    ("smtp", lambda t: smtp("552 5.2.2 over quota", t)),
    ("smtp", lambda t: smtp("554 5.7.1 Relay access denied", t)),
    ("smtp", lambda t: smtp("450 4.2.0 Greylisted", t, "delayed")),
]


@pytest.mark.parametrize(("provider", "values"), SOFT)
async def test_a_mail_that_failed_this_once_bars_nothing(
    town: Town, provider: str, values: Any
) -> None:
    mail = (await town.happens("ann"))[EMAIL]
    await town.reports(provider, values(issue_ticket(mail, Purpose.REPORT, KEY)))
    assert (await town.happens("ann")).keys() == EVERYWHERE


ANN = PHONES["ann"]
STOPPED: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ("twilio", {"From": ANN, "Body": "STOP"}, {"From": ANN, "Body": "START"}),
    # Without Advanced Opt-Out the parameter may be there, and empty.
    ("twilio", {"From": ANN, "Body": "Stop", "OptOutType": ""},
     {"From": ANN, "Body": "unstop", "OptOutType": ""}),
    # With it, the word may be one that the operator chose.
    ("twilio", {"From": ANN, "Body": "ARRET", "OptOutType": "STOP"},
     {"From": ANN, "Body": "OUI", "OptOutType": "START"}),
    ("plivo", {"From": ANN[1:], "To": "1", "Text": "STOPALL"},
     {"From": ANN[1:], "To": "1", "Text": "yes"}),
    ("vonage", {"msisdn": ANN[1:], "to": "1", "text": "Quit"},
     {"msisdn": ANN[1:], "to": "1", "text": "Start"}),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "stop", "start"), STOPPED)
async def test_stop_is_honoured_whoever_carries_it(
    town: Town, provider: str, stop: dict[str, str], start: dict[str, str]
) -> None:
    await town.reports(provider, stop)
    assert (await town.happens("ann")).keys() == EVERYWHERE - {SMS}
    assert town.why() == [(SMS, Reason.SUPPRESSED_ADDRESS, "stop")]
    assert SMS not in await town.happens("ann", "bill")
    assert (await town.happens("bob")).keys() == EVERYWHERE
    assert town.left() == [("ann", "", "sms", "reply")]
    # Said again, nothing more is left by it.
    await town.reports(provider, stop)
    await town.workers.settle()
    assert town.left() == [("ann", "", "sms", "reply")]
    await town.reports(provider, start)
    assert (await town.happens("ann")).keys() == EVERYWHERE
    await town.reports(provider, stop)
    await town.workers.settle()
    assert town.left() == [("ann", "", "sms", "reply")] * 2
    addresses = {PHONES["ann"], PHONES["ann"][1:]}
    told = [r.value for r in town.log.topics[DELIVERY_EVENTS.name] if b"unsubscribed" in r.value]
    assert not any(address.encode() in value for value in told for address in addresses)


@pytest.mark.parametrize(("by", "shown"), [("", "producer"), ("api", "api"), ("page", "page")])
async def test_who_turns_a_category_off_is_counted_once(town: Town, by: Any, shown: str) -> None:
    no = ProfileChange(user="ann", categories={"things": {EMAIL: False, PUSH: True}}, by=by)
    for _ in range(2):
        await town.write(PROFILE_CHANGES, "ann", no)
        await town.workers.settle()
    assert town.left() == [("ann", "things", "email", shown)]
    # A channel as a whole stands for its categories, and what is off already is not left.
    wants = Preferences(
        user="bob", channels={EMAIL: True, SMS: False}, categories={"things": {SMS: False}}, by=by
    )
    await town.write(PREFERENCES, "bob", wants)
    # Of whom nothing was known, wishes are brought in, and nothing is left.
    await town.write(PREFERENCES, "eve", Preferences(user="eve", channels={PUSH: False}, by=by))
    await town.workers.settle()
    assert town.left()[1:] == [("bob", "", "sms", shown)]


async def test_one_click_is_reported_with_its_message_alone(town: Town) -> None:
    await town.clicks((await town.happens("ann"))[EMAIL])
    await town.workers.settle()
    assert town.left() == []


@pytest.mark.parametrize(
    ("provider", "fields"),
    [
        ("twilio", {"From": ANN, "Body": "stop it, please"}),
        ("twilio", {"From": ANN, "Body": "HELP", "OptOutType": "HELP"}),
        ("twilio", {"From": "", "Body": "STOP"}),
        ("plivo", {"From": ANN[1:], "Text": "stopping by"}),
        ("vonage", {"msisdn": ANN[1:], "text": ""}),
    ],
)
async def test_other_answers_stop_nothing(
    town: Town, provider: str, fields: dict[str, str]
) -> None:
    await town.reports(provider, fields)
    assert (await town.happens("ann")).keys() == EVERYWHERE


DEAD_NUMBERS = [
    ("twilio", {"MessageStatus": "undelivered", "ErrorCode": "30005"}),
    ("twilio", {"MessageStatus": "undelivered", "ErrorCode": "30006"}),
    ("plivo", {"Status": "undelivered", "ErrorCode": "50"}),
    ("plivo", {"Status": "undelivered", "ErrorCode": "70"}),
]


@pytest.mark.parametrize(("provider", "fields"), DEAD_NUMBERS)
async def test_a_number_that_is_none_gets_no_more_texts(
    town: Town, provider: str, fields: dict[str, str]
) -> None:
    text = (await town.happens("ann"))[SMS]
    await town.reports(provider, fields, issue_ticket(text, Purpose.REPORT, KEY))
    assert (await town.happens("ann")).keys() == EVERYWHERE - {SMS}
    assert [reason for _, reason, _ in town.why()] == [Reason.SUPPRESSED_ADDRESS]
    assert (await town.happens("bob")).keys() == EVERYWHERE
