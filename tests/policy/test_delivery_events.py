"""What is told to analysts, field by field; ids are of what happened and never of when."""

from typing import Any

import pytest
from msgspec.structs import replace

from policy.decision.decision import Outcome
from policy.delivery_events import not_sent, reached, read_by_feeds, reported
from policy.identity import notification_id
from policy.tracking.ticket import Ticket
from schemas.delivery import Content, Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.feed import Post
from schemas.vocabulary import Channel, Priority, Reason, Stage
from tests.policy.samples import NOON, request, variant

SPEC = variant(('"normal"', '"high"'))
NAME = notification_id("default", "e1", "ann", "thing")
DAY_MS = 86_400_000
DELIVERY = Delivery(
    delivery_id="d" * 32,
    notification_id="a" * 32,
    event_id="e1",
    type="thing",
    category="things",
    user="ann",
    channel=Channel.SMS,
    priority=Priority.LOW,
    address="+49",
    content=Content(body="x"),
    occurred_at=1,
    accepted_at=2,
    expires_at=3,
    catalogue="c1",
    tenant="acme",
)
TICKET = Ticket(
    b"\xdd" * 16, b"\xaa" * 16, "e1", "acme", "ann", "thing", "things", Channel.SMS,
    Priority.LOW, 1, 2, "c1",
)  # fmt: skip
SAID: dict[str, Any] = {
    "stage": Stage.SENT,
    "at": 9,
    "occurred_at": 1,
    "accepted_at": 2,
    "tenant": "acme",
    "type": "thing",
    "category": "things",
    "priority": Priority.LOW,
    "user": "ann",
    "event_id": "e1",
    "notification_id": "a" * 32,
    "delivery_id": "d" * 32,
    "channel": Channel.SMS,
    "catalogue": "c1",
}
"""What a row says of that delivery, or of its ticket."""


@pytest.mark.parametrize(
    ("outcome", "name"),
    [
        (Outcome(Channel.PUSH, Reason.OPTED_OUT, "by user"), f"{NAME}.push.suppressed.0"),
        (Outcome(None, Reason.EXPIRED), f"{NAME}.all.suppressed.0"),
        (
            Outcome(Channel.PUSH, Reason.QUIET_HOURS, "until 7", Stage.HELD),
            f"{NAME}.push.held.0.quiet_hours",
        ),
        (Outcome(Channel.PUSH, Reason.DIGEST, "in x", Stage.DIGESTED), f"{NAME}.push.digested.0"),
        # Beside what became of it when it came first.
        (Outcome(None, Reason.DUPLICATE, "of x"), f"{NAME}.all.suppressed.0.duplicate"),
        (Outcome(None, Reason.CONFLICT, "of x"), f"{NAME}.all.suppressed.0.conflict"),
    ],
)
def test_what_was_not_sent(outcome: Outcome, name: str) -> None:
    asked = request(at=NOON, accepted_at=NOON + 5)
    assert not_sent(asked, SPEC, NAME, outcome, NOON + 9) == DeliveryEvent(
        id=name,
        stage=outcome.stage,
        at=NOON + 9,
        occurred_at=NOON,
        accepted_at=NOON + 5,
        tenant="default",
        type="thing",
        category="things",
        priority=Priority.HIGH,
        user="ann",
        event_id="e1",
        notification_id=NAME,
        channel=outcome.channel,
        reason=outcome.reason,
        detail=outcome.detail,
        catalogue=SPEC.catalogue,
    )


@pytest.mark.parametrize(
    ("of_delivery", "of_call"),
    [
        ({}, {}),
        ({}, {"reason": Reason.TIMEOUT}),
        ({}, {"provider": "twilio"}),
        ({}, {"detail": "SM1"}),
        ({}, {"segments": 2}),
        ({}, {"cost": 0.5}),
        ({"attempt": 3}, {}),
        ({"variant": "title/short"}, {}),
        ({"attribute": "plan=pro"}, {}),
        ({"attribute": "plan=", "attempt": 1}, {"provider": "twilio"}),
        ({"attempt": 3}, {"reason": Reason.TIMEOUT, "provider": "sns", "segments": 1, "cost": 2.0}),
    ],
)
def test_what_a_delivery_reached(of_delivery: dict[str, Any], of_call: dict[str, Any]) -> None:
    name = f"{'d' * 32}.sms.sent.{of_delivery.get('attempt', 0)}"
    expected = DeliveryEvent(id=name, **SAID, **of_delivery, **of_call)
    assert reached(replace(DELIVERY, **of_delivery), Stage.SENT, 9, **of_call) == expected


@pytest.mark.parametrize(("again", "end"), [("", ""), ("soft", ".soft")])
def test_what_was_reported(again: str, end: str) -> None:
    told = reported(TICKET, Stage.SENT, 9, provider="twilio", detail="said", again=again)
    name = f"{'d' * 32}.sms.sent.0{end}"
    assert told == DeliveryEvent(id=name, **SAID, provider="twilio", detail="said")


def test_what_feeds_read_for_themselves_is_one_row_for_all() -> None:
    event = request().event
    post = Post(notification_id="b" * 32, type="thing", event=event, accepted_at=NOON + 5)
    assert read_by_feeds(post, SPEC, 1200, NOON + 9) == DeliveryEvent(
        id=f"{'b' * 32}.all.suppressed.0",
        stage=Stage.SUPPRESSED,
        at=NOON + 9,
        occurred_at=NOON,
        accepted_at=NOON + 5,
        tenant="default",
        type="thing",
        category="things",
        priority=Priority.HIGH,
        user="bob",
        event_id="e1",
        notification_id="b" * 32,
        reason=Reason.FAN_OUT_ON_READ,
        detail="1200 followers",
        catalogue=SPEC.catalogue,
    )


def test_the_same_happening_has_the_same_id_on_whatever_day_it_is_told() -> None:
    outcome = Outcome(Channel.PUSH, Reason.QUIET_HOURS, "", Stage.HELD)
    for later in (0, 1, DAY_MS, 31 * DAY_MS):
        asked = request(accepted_at=NOON + later)
        told = not_sent(asked, SPEC, NAME, outcome, NOON + later)
        assert told.id == f"{NAME}.push.held.0.quiet_hours"
        assert reached(DELIVERY, Stage.SENT, later).id == f"{'d' * 32}.sms.sent.0"
        said = reported(TICKET, Stage.OPENED, later, provider="", detail="")
        assert said.id == f"{'d' * 32}.sms.opened.0"


def test_what_is_digested_names_its_digest() -> None:
    outcome = Outcome(Channel.PUSH, Reason.DIGEST, "in g", Stage.DIGESTED, "g")
    assert not_sent(request(), SPEC, NAME, outcome, NOON).digest == "g"
