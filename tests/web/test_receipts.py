"""A text of Vonage's, from the call to its receipt: whose it is, though neither bears a ticket.

The receipt is the one of Vonage's API reference (developer.vonage.com/api/sms, "Delivery Receipt"),
with our `client-ref` in place of the example's, and signed by the official package.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
import pytest
from aiohttp import web
from msgspec import Struct
from vonage_http_client.auth import Auth
from vonage_sms import SmsMessage

from agents.sink.agent import Sink
from agents.sink.dispatch import Dispatch
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.process.runtime import Runtime
from policy.tracking.reference import LONGEST_REFERENCE
from schemas.delivery import Delivery
from schemas.encoding import encode
from schemas.erasure import Erasure
from schemas.topics import (
    DELIVER,
    DELIVERY_EVENTS,
    ERASURES,
    FEEDBACK,
    SUPPRESSIONS,
    Topic,
)
from schemas.vocabulary import Channel, Priority
from sinks.chat.vonage_whatsapp import VonageWhatsApp
from sinks.http.client import Reply
from sinks.provider import TransientFailure
from sinks.registry import BuildProvider, Weighted
from sinks.sms.vonage import Vonage
from sinks.sms.vonage_messages import VonageMessages
from tables.storage.memory_store import MemoryStore
from tests.policy.samples import shipped_catalogue
from tests.sinks.replies.table import reply
from tests.sinks.requests.recorder import NOW, Recorder, delivery, settings
from tests.sinks.set_clock import SetClock
from tests.web.caller import Caller, Memory, calling
from tests.web.desk import Asked
from tests.web.signing import vonage_token
from web.reports.vonage import VonageReports
from web.reports.vonage_messages import VonageMessagesReports, VonageWhatsAppReports
from web.tickets import Tickets
from web.webhooks import Webhooks
from web.workers.report_writer import BackChannel

Answer = TypeVar("Answer")
TEXTS = DELIVER[Channel.SMS, Priority.HIGH]
SECRET = "a signature secret as long as theirs are"
SETTINGS = settings(
    vonage_api_key="abcd1234", vonage_api_secret="secret", vonage_signature_secret=SECRET
).model_copy(update={"partitions": 4})
TAKEN = reply(200, {"messages": [{"status": "0", "message-id": "0A0000001234567B"}]})
SIGNS = Auth(api_key="abcd1234", signature_secret=SECRET, signature_method="sha256")
RECEIPT = {
    "msisdn": "447700900000",
    "to": "AcmeInc",
    "network-code": "12345",
    "messageId": "0A0000001234567B",
    "price": "0.03330000",
    "status": "delivered",
    "scts": "2001011400",
    "err-code": "0",
    "api-key": "abcd1234",
    "message-timestamp": "2020-01-01 12:00:00 +0000",
    "nonce": "ec11dd3e-1e7f-4db5-9467-82b02cd223b9",
}


class Gate(Recorder):
    """Vonage, which answers once it may."""

    def __init__(self, *replies: Reply | TransientFailure) -> None:
        super().__init__(*replies)
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.asked = asyncio.Event()

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> Reply | TransientFailure:
        """The reply, after a while."""
        answer = await super().post(url, body, headers)
        self.asked.set()
        await self.may_answer.wait()
        return answer


class Workers(Asked):
    """The worker of a channel that holds a partition; nobody holds the others."""

    def __init__(self) -> None:
        super().__init__()
        self.role = Channel.SMS
        self.held: dict[int, Sink] = {}

    async def ask_once(
        self,
        role: str,
        partition: int,
        question: Struct,
        kind: type[Answer],
        timeout_seconds: float,
    ) -> Answer | None:
        """What the worker answers, as it travels."""
        assert role == self.role
        if partition not in self.held:
            return None
        try:
            answer = await self.held[partition].answer(msgspec.json.encode(question))
        except TimeoutError:
            return None
        return msgspec.json.decode(answer, type=kind)


@dataclass
class Shop:
    """A shop that sends texts by Vonage, which reports on them."""

    vonage: Gate
    clock: SetClock
    log: Memory
    workers: Workers
    caller: Caller
    store: MemoryStore = field(default_factory=MemoryStore)

    def worker(self, kind: BuildProvider = Vonage, *, holds: bool = False) -> Sink:
        """A worker that has just taken the partition, with what was stored before."""
        runtime = Runtime(SETTINGS, self.log, self.clock)
        provider = kind(SETTINGS, self.vonage)
        dispatch = Dispatch([Weighted(provider, 1)], runtime, holds=holds)
        return Sink(provider.channel, runtime, dispatch, self.store, asyncio.Event())

    async def handle(self, sink: Sink, topic: Topic, value: Delivery | Erasure) -> None:
        """Have the worker hear of it."""
        start = len(self.log.topics[topic.name])
        await self.log.write(topic.name, 0, [(value.user.encode(), encode(value))])
        slice_ = self.log.slice_from(topic.name, start)
        assert slice_ is not None
        await sink.handle(slice_)

    @property
    def client_ref(self) -> str:
        """What Vonage was given with the message."""
        return str(self.vonage.request.json["client-ref"])

    async def reports(self, client_ref: str, **fields: str) -> int:
        """Vonage sends its receipt; the status of our answer."""
        receipt = {**RECEIPT, "client-ref": client_ref, "timestamp": str(NOW // 1000), **fields}
        # The reference's example has it in capitals.
        receipt["sig"] = SIGNS.sign_params(dict(receipt)).upper()
        return (await self.caller.post("/webhooks/vonage", data=receipt)).status

    def told(self, topic: Topic) -> list[Any]:
        """What was written on account of receipts."""
        return [each for each in self.log.said(topic) if each.get("stage") != "sent"]


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    clock = SetClock()
    clock.time = NOW
    log, workers = Memory(clock), Workers()
    back = BackChannel(
        log, SETTINGS, Tickets(SETTINGS, workers), FixedCatalogue(shipped_catalogue())
    )
    app = web.Application()
    kinds = (VonageReports, VonageMessagesReports, VonageWhatsAppReports)
    reporters = [kind(SETTINGS) for kind in kinds]
    app.add_routes(Webhooks(reporters, back, SETTINGS.public_url, clock).routes())
    async with calling(app) as caller:
        yield Shop(Gate(TAKEN), clock, log, workers, caller)


def text(**fields: Any) -> Delivery:
    # The longest id that a user may have, in a script of three bytes a letter.
    return delivery(Channel.SMS, "+447700900000", **{"user": "あ" * 200, **fields})


def partition(shop: Shop) -> int:
    return int(shop.client_ref.split(".")[2])


async def test_a_receipt_is_of_the_user_who_got_the_text(shop: Shop) -> None:
    said = text()
    await shop.handle(shop.worker(), TEXTS, said)
    sent = shop.vonage.request.json
    # The package refuses what the API does: references and callbacks beyond a hundred characters.
    SmsMessage(
        to=sent["to"],
        from_=sent["from"],
        text=sent["text"],
        client_ref=sent["client-ref"],
        callback=sent["callback"],
    )
    assert sent["callback"] == "https://n.example.com/webhooks/vonage"
    # Whoever has taken the partition since knows it too.
    shop.workers.held = {partition(shop): shop.worker()}
    assert await shop.reports(shop.client_ref) == 200
    (event,) = shop.told(DELIVERY_EVENTS)
    assert (event["stage"], event["user"], event["event_id"]) == (
        "delivered", "あ" * 200, "order-7-shipped",
    )  # fmt: skip
    assert (event["delivery_id"], event["category"]) == (said.delivery_id, "orders")


@pytest.mark.parametrize(
    ("kind", "status", "is_written"),
    [
        ("one_time_code", "delivered", True),
        ("one_time_code", "failed", False),
        ("order_shipped", "delivered", False),
        ("not_there_any_more", "delivered", False),
    ],
)
async def test_that_a_text_arrived_is_told_where_something_waits_for_it(
    shop: Shop, kind: str, status: str, is_written: bool
) -> None:
    await shop.handle(sink := shop.worker(), TEXTS, said := text(type=kind))
    shop.workers.held = {partition(shop): sink}
    assert await shop.reports(shop.client_ref, status=status) == 200
    found = [
        (each["user"], each["notification_id"], each["channel"])
        for each in shop.log.said_as("receipt")
    ]
    assert found == ([("あ" * 200, said.notification_id, "sms")] if is_written else [])


async def test_a_number_that_is_gone_for_good_is_suppressed(shop: Shop) -> None:
    await shop.handle(sink := shop.worker(), TEXTS, text())
    shop.workers.held = {partition(shop): sink}
    assert await shop.reports(shop.client_ref, **{"status": "undelivered", "err-code": "4"}) == 200
    (said,) = shop.told(SUPPRESSIONS)
    assert (said["user"], said["channel"], said["reason"]) == ("あ" * 200, "sms", "hard_bounce")


async def test_what_may_have_gone_out_and_is_held_has_receipts(shop: Shop) -> None:
    shop.vonage = Gate(reply(200, b"garbled"))
    await shop.handle(sink := shop.worker(holds=True), TEXTS, text())
    shop.workers.held = {partition(shop): sink}
    assert await shop.reports(shop.client_ref) == 200
    assert [event["stage"] for event in shop.told(DELIVERY_EVENTS)] == ["failed", "delivered"]


async def test_a_receipt_that_comes_before_the_reply_waits_for_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.vonage.may_answer.clear()
    sink = shop.worker()
    sending = asyncio.create_task(shop.handle(sink, TEXTS, text()))
    await shop.vonage.asked.wait()
    shop.workers.held = {partition(shop): sink}
    monkeypatch.setattr("agents.sink.agent.QUESTION_SECONDS", 0.0)
    assert await shop.reports(shop.client_ref) == 503
    monkeypatch.undo()
    reporting = asyncio.create_task(shop.reports(shop.client_ref))
    shop.vonage.may_answer.set()
    assert await reporting == 200
    await sending
    assert [event["stage"] for event in shop.told(DELIVERY_EVENTS)] == ["delivered"]


async def test_while_nobody_holds_the_partition_vonage_is_to_come_again(shop: Shop) -> None:
    await shop.handle(shop.worker(), TEXTS, text())
    assert await shop.reports(shop.client_ref) == 503
    assert shop.told(DELIVERY_EVENTS) == []


async def test_of_somebody_who_was_erased_nothing_is_written(shop: Shop) -> None:
    eve = text(user="eve", accepted_at=NOW - 1)  # of partition 0
    await shop.handle(sink := shop.worker(), TEXTS, eve)
    shop.workers.held = {partition(shop): sink}
    await shop.handle(sink, ERASURES, Erasure(user="eve"))
    assert await shop.reports(shop.client_ref) == 200
    assert shop.told(DELIVERY_EVENTS) == []


@pytest.mark.parametrize(
    "client_ref",
    [
        "",
        "my-personal-reference",
        "a" * 100,
        f"{7:032x}.{23:032x}",  # as the last release wrote it
        f"{7:032x}.{23:032x}.4.20775",  # a partition that there is not
        f"{7:032x}.{23:032x}.0.99999999",
        f"{7:032x}.{23:032x}.\u0660.20775",
        f"{7:032X}".replace("0", "A") + f".{23:032x}.0.20775",
        f"{8:032x}.{23:032x}.0.20775",  # nothing was sent
    ],
)
async def test_what_names_no_text_of_ours_is_taken_and_is_nobodys(
    shop: Shop, client_ref: str
) -> None:
    sink = shop.worker()
    await shop.handle(sink, TEXTS, text())
    shop.workers.held = dict.fromkeys(range(4), sink)
    assert await shop.reports(client_ref) == 200
    assert shop.told(DELIVERY_EVENTS) == []


@pytest.mark.parametrize(
    ("kind", "address"),
    [(VonageMessages, "+447700900000"), (VonageWhatsApp, "whatsapp:+447700900000")],
)
async def test_what_vonages_messages_report_is_asked_of_the_channel_that_sent_it(
    shop: Shop, kind: type[VonageMessages | VonageWhatsApp], address: str
) -> None:
    shop.vonage = Gate(reply(202, {"message_uuid": "u-1"}))
    shop.workers.role = kind.channel
    said = delivery(kind.channel, address, user="あ" * 200)
    await shop.handle(sink := shop.worker(kind), DELIVER[kind.channel, Priority.HIGH], said)
    sent = shop.vonage.request.json
    assert len(sent["client_ref"]) <= LONGEST_REFERENCE
    path = sent["webhook_url"].removeprefix(SETTINGS.public_url.rstrip("/"))

    async def reports(status: str) -> int:
        body = msgspec.json.encode(
            {"message_uuid": "u-1", "status": status, "client_ref": sent["client_ref"]}
        )
        headers = {"Authorization": f"Bearer {vonage_token(body, NOW, SECRET)}"}
        return (await shop.caller.post(path, data=body, headers=headers)).status

    assert await reports("delivered") == 503  # nobody answers for the partition yet
    shop.workers.held = {int(sent["client_ref"].split(".")[2]): sink}
    assert await reports("submitted") == 200
    assert await reports("delivered") == 200
    assert await reports("read") == 200
    told = shop.told(DELIVERY_EVENTS)
    assert [event["stage"] for event in told] == ["delivered", "opened"]
    assert {(event["user"], event["channel"]) for event in told} == {("あ" * 200, kind.channel)}
    # What waits for it not to be read ends.
    (feedback,) = shop.told(FEEDBACK)
    assert feedback["notification_id"] == said.notification_id


async def test_a_reference_has_a_bound(shop: Shop) -> None:
    await shop.handle(shop.worker(), TEXTS, text(expires_at=253_402_300_799_000))  # the year 9999
    assert len(shop.client_ref) <= LONGEST_REFERENCE
