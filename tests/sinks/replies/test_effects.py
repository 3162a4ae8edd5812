"""What each reply of each provider does to everybody else: whose fault it is, and which circuit.

The tables beside this one say what a reply means, with their sources. Each row of them is played
here to five users, once while nobody is served and once while somebody is.
"""

import importlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pytest

from pipeline.settings import Settings
from schemas.delivery import Delivery
from schemas.vocabulary import Channel, Reason
from sinks.email.smtp_outcomes import Stage, outcome_of
from sinks.http.client import BEFORE_CALL
from sinks.provider import Fault, Outcome, PermanentFailure, Sent, TransientFailure
from sinks.single_message import SingleMessageProvider
from tests.sinks.dispatching import Dispatching
from tests.sinks.replies import test_bots, test_smtp
from tests.sinks.replies.table import HTML, Row
from tests.sinks.requests.recorder import Still, delivery

TABLES = (
    *("apns", "fcm", "webpush", "mailgun", "plivo", "sns", "twilio", "vonage", "vonage_messages"),
)
"""Of the providers whose calls carry one message, or are answered as a whole."""


BOTS = {"telegram": test_bots.TELEGRAM, "slackapp": test_bots.SLACK}


class Effect(NamedTuple):
    """Whose fault a reply is, and whether five users with it open the provider's circuit."""

    whose: Fault | None
    opens_alone: bool
    opens_beside_others: bool


NOBODYS = Effect(None, opens_alone=False, opens_beside_others=False)
MESSAGES = Effect(Fault.MESSAGE, opens_alone=False, opens_beside_others=False)
ADDRESSS = Effect(Fault.ADDRESS, opens_alone=False, opens_beside_others=False)
OURS = Effect(Fault.CREDENTIALS, opens_alone=True, opens_beside_others=False)
PROVIDERS = Effect(Fault.PROVIDER, opens_alone=True, opens_beside_others=True)
OURS_IN_PART = Effect(Fault.CREDENTIALS, opens_alone=False, opens_beside_others=False)

BY_REASON = {
    Reason.REJECTED: MESSAGES,
    Reason.INVALID_ADDRESS: ADDRESSS,
    Reason.UNREGISTERED: ADDRESSS,
    Reason.UNAUTHORIZED: OURS,
    Reason.THROTTLED: PROVIDERS,
    Reason.TIMEOUT: PROVIDERS,
    Reason.PROVIDER_ERROR: PROVIDERS,
    Reason.UNREADABLE_REPLY: PROVIDERS,
}
BY_FAULT = {
    Fault.MESSAGE: MESSAGES,
    Fault.ADDRESS: ADDRESSS,
    Fault.CREDENTIALS: OURS,
    Fault.PROVIDER: PROVIDERS,
}
ALONE = {
    "429 TooManyRequests": ADDRESSS,
    "429 TooManyProviderTokenUpdates": OURS,
    "429 device quota": ADDRESSS,
    "third party": OURS_IN_PART,
    "webpush 429": OURS,
}


def expected(table: str, row: Row) -> Effect:
    """By the reason, but for the replies that differ from others of their reason."""
    text = str(row.body)
    if table in BOTS and row.body is not HTML and (row.status == 429 or "limit" in text):
        return OURS
    if "TooManyRequests" in text:
        return ALONE["429 TooManyRequests"]
    if "TooManyProviderTokenUpdates" in text:
        return ALONE["429 TooManyProviderTokenUpdates"]
    if "Device message rate" in text:
        return ALONE["429 device quota"]
    if table == "vonage_messages" and "#1241" in text:
        return ADDRESSS
    if "THIRD_PARTY_AUTH_ERROR" in text:
        return ALONE["third party"]
    if table == "webpush" and row.status in (406, 429):
        return ALONE["webpush 429"]
    return NOBODYS if isinstance(row.outcome, Sent) else BY_REASON[row.outcome.reason]


def rows() -> Iterator[tuple[str, Row]]:
    """Every row of every table."""
    for table in TABLES:
        module = importlib.import_module(f"tests.sinks.replies.test_{table}")
        for row in module.ROWS:
            yield table, row
    for table, replies in BOTS.items():
        for row in replies:
            yield table, row


class Answering(SingleMessageProvider):
    """A provider that answers in one way, but serves whom it is told to."""

    name, channel, scheme = "answering", Channel.PUSH, ""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome

    async def check(self) -> None:
        """Nothing."""

    async def send_one(self, delivery: Delivery) -> Outcome:
        """One call."""
        if (before_call := BEFORE_CALL.get()) is not None:
            before_call()
        return Sent("s") if delivery.user == "served" else self.outcome


async def opens(outcome: Outcome, *, users: Sequence[str]) -> bool:
    clock = Still()
    line = Dispatching(Answering(outcome), Settings(), clock)
    for number, user in enumerate(users):
        said = delivery(Channel.PUSH, "a", user=user, delivery_id=f"{number:032x}")
        if line.state == "open":
            break
        await line.deliver(said)
    return line.state == "open"


FIVE = ("ann", "bob", "cem", "dan", "eve")
ROWS = list(rows())


def test_all_tables_are_read() -> None:
    assert {table for table, _ in ROWS} == {*TABLES, *BOTS}


@pytest.mark.parametrize(
    ("table", "row"), ROWS, ids=[f"{table} {row.status} {row.body!s:.50}" for table, row in ROWS]
)
async def test_what_each_reply_does_to_others(table: str, row: Row) -> None:
    outcome, effect = row.outcome, expected(table, row)
    assert isinstance(outcome, Sent) or outcome.whose is effect.whose
    assert await opens(outcome, users=FIVE) is effect.opens_alone
    assert await opens(outcome, users=("served", *FIVE)) is effect.opens_beside_others
    asks_all = (
        effect is PROVIDERS and isinstance(outcome, TransientFailure) and outcome.after is not None
    )
    # One user's replies, however many, stop nobody: but a provider may ask all to wait.
    assert await opens(outcome, users=("mallory",) * 30) is asks_all


@pytest.mark.parametrize(("stage", "code", "said"), [row[:3] for row in test_smtp.ROWS])
async def test_what_each_reply_of_a_relay_does_to_others(
    stage: Stage, code: int, said: str
) -> None:
    """Whose fault each is is in its own table."""
    outcome = outcome_of(stage, code, said)
    effect = BY_FAULT[outcome.whose]
    assert await opens(outcome, users=FIVE) is effect.opens_alone
    assert await opens(outcome, users=("served", *FIVE)) is effect.opens_beside_others


@pytest.mark.parametrize("reason", [Reason.UNREGISTERED, Reason.INVALID_ADDRESS])
async def test_what_is_refused_without_a_call_closes_no_circuit(reason: Reason) -> None:
    """A probe that asks nobody says nothing."""

    class Refusing(Answering):
        async def send_one(self, delivery: Delivery) -> Outcome:
            if delivery.user == "nobody":
                return PermanentFailure(reason, "no call was made")
            return await super().send_one(delivery)

    clock = Still()
    line = Dispatching(Refusing(TransientFailure(Reason.PROVIDER_ERROR, "503")), Settings(), clock)
    for user in FIVE:
        await line.deliver(delivery(Channel.PUSH, "a", user=user))
    assert line.state == "open"
    clock.time += 1000
    await line.deliver(delivery(Channel.PUSH, "a", user="nobody"))
    assert line.state == "half_open"
