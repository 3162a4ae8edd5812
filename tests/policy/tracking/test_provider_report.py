"""What comes back about a message: what is told of it, and what follows for its user."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from policy.tracking.provider_report import (
    MOST_DETAIL,
    Kind,
    Report,
    feedback_of,
    receipt_of,
    shown,
    subscription_of,
    suppression_of,
    told,
)
from schemas.feedback import Feedback, Receipt, Suppression
from schemas.profile import Subscription
from schemas.vocabulary import Channel, SuppressionReason
from tests.policy.test_delivery_events import TICKET

AT = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=9)
WHOSE: dict[str, Any] = {"user": "ann", "tenant": "acme"}
OF_BEFORE = {**WHOSE, "accepted_at": TICKET.accepted_at}
"""What goes by when Kafka took what the message was sent for, if its user is erased."""


def report(kind: Kind, **fields: Any) -> Report:
    return Report(kind=kind, at=9, **fields)


@pytest.mark.parametrize(
    ("said", "name", "detail"),
    [
        (report(Kind.DELIVERED), "sms.delivered.0", ""),
        (report(Kind.FAILED, detail="no route"), "sms.failed.0", "no route"),
        (report(Kind.COMPLAINED), "sms.complained.0", ""),
        (report(Kind.OPENED), "sms.opened.0", ""),
        (report(Kind.CLICKED, detail="a link"), "sms.clicked.0", "a link"),
        (report(Kind.UNSUBSCRIBED), "sms.unsubscribed.0", ""),
        # A soft bounce may be followed by a hard one, and a machine's open by a person's.
        (report(Kind.BOUNCED, detail="full"), "sms.bounced.0.soft", "soft: full"),
        (report(Kind.BOUNCED), "sms.bounced.0.soft", "soft"),
        (report(Kind.BOUNCED, hard=True, detail="gone"), "sms.bounced.0", "hard: gone"),
        (report(Kind.BOUNCED, hard=True), "sms.bounced.0", "hard"),
        (report(Kind.OPENED, machine=True, detail="x"), "sms.opened.0.machine", "machine"),
        (report(Kind.CLICKED, machine=True), "sms.clicked.0.machine", "machine"),
    ],
)
def test_what_is_told_of_it(said: Report, name: str, detail: str) -> None:
    row = told(TICKET, said, "twilio")
    assert row is not None
    stage = name.split(".")[1]
    assert (row.id, row.stage, row.detail) == (f"{'d' * 32}.{name}", stage, detail)
    assert (row.at, row.provider, row.user, row.tenant) == (9, "twilio", "ann", "acme")


@pytest.mark.parametrize("kind", [Kind.DELIVERED, Kind.BOUNCED, Kind.FAILED])
def test_the_carrier_goes_into_the_row(kind: Kind) -> None:
    row = told(TICKET, report(kind, carrier="262-01"), "vonage")
    assert row is not None
    assert row.carrier == "262-01"


@pytest.mark.parametrize("kind", [Kind.STOP, Kind.START, Kind.RESUBSCRIBED])
def test_what_is_of_no_message_is_told_of_none(kind: Kind) -> None:
    assert told(TICKET, report(kind), "twilio") is None


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("machine", [False, True])
def test_only_what_a_person_opened_or_clicked_is_feedback(kind: Kind, machine: bool) -> None:
    found = feedback_of(TICKET, report(kind, machine=machine))
    if machine or kind not in {Kind.OPENED, Kind.CLICKED}:
        assert found is None
    else:
        stage: Any = kind.value
        assert found == Feedback(**OF_BEFORE, notification_id="a" * 32, stage=stage, at=AT)


@pytest.mark.parametrize("kind", Kind)
def test_only_what_was_delivered_has_a_receipt(kind: Kind) -> None:
    found = receipt_of(TICKET, report(kind))
    if kind is Kind.DELIVERED:
        channel = TICKET.channel
        assert found == Receipt(**OF_BEFORE, notification_id="a" * 32, channel=channel, at=AT)
    else:
        assert found is None


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("kind", Kind)
def test_only_a_hard_bounce_and_a_complaint_bar_an_address(kind: Kind, hard: bool) -> None:
    found = suppression_of(TICKET, report(kind, hard=hard, address="+49"), 30)
    known: dict[str, Any] = {
        **OF_BEFORE,
        "channel": Channel.SMS,
        "at": AT,
        "address": "+49",
        "notification_id": "a" * 32,
        "delivery_id": "d" * 32,
    }
    if kind is Kind.BOUNCED and hard:
        until = AT + timedelta(days=30)
        assert found == Suppression(**known, reason=SuppressionReason.HARD_BOUNCE, until=until)
    elif kind is Kind.COMPLAINED:
        assert found == Suppression(**known, reason=SuppressionReason.COMPLAINT)
    else:
        assert found is None


@pytest.mark.parametrize("kind", Kind)
def test_one_click_leaves_a_category_or_takes_it_up_again(kind: Kind) -> None:
    found = subscription_of(TICKET, report(kind))
    if kind not in {Kind.UNSUBSCRIBED, Kind.RESUBSCRIBED}:
        assert found is None
        return
    assert found == Subscription(
        **WHOSE,
        category="things",
        channel=Channel.SMS,
        at=AT,
        subscribed=kind is Kind.RESUBSCRIBED,
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("550 no such user", "550 no such user"),
        ("550\r\nX-Injected: 1\t", "550  X-Injected: 1"),
        (" \x00", ""),
        ("x" * 301, "x" * 300),
        ("é" * 2, "éé"),
    ],
)
def test_what_a_provider_says_is_one_line(text: str, expected: str) -> None:
    assert MOST_DETAIL == 300
    assert shown(text) == expected
