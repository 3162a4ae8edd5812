"""What is an outcome for other services, and what is none."""

from typing import Any

import pytest
from msgspec.structs import replace

from policy.identity import notification_id
from policy.outcome_events import outcome_of
from schemas.delivery_event import DeliveryEvent
from schemas.vocabulary import Channel, Priority, Reason, Stage

NAME = "0b9c8f7a6e5f0c6a1e9b7d4c3f8a2e1d"
AT = 1_773_480_414_412


def happened(stage: Stage, **fields: Any) -> DeliveryEvent:
    """A happening of one notification."""
    values: dict[str, Any] = {
        "id": f"{NAME}.push.{stage}",
        "stage": stage,
        "at": AT,
        "occurred_at": AT - 823,
        "accepted_at": AT - 800,
        "tenant": "acme",
        "type": "order_shipped",
        "category": "orders",
        "priority": Priority.HIGH,
        "user": "ann",
        "event_id": "e-1",
        "notification_id": NAME,
        "channel": Channel.PUSH,
    }
    return DeliveryEvent(**values | fields)


@pytest.mark.parametrize(
    ("stage", "is_told"),
    [
        (Stage.SUPPRESSED, True),
        (Stage.HELD, False),
        (Stage.DIGESTED, True),
        (Stage.QUEUED, False),
        (Stage.RETRYING, False),
        (Stage.SENT, True),
        (Stage.DELIVERED, True),
        (Stage.SEEN, True),
        (Stage.OPENED, True),
        (Stage.CLICKED, True),
        (Stage.BOUNCED, True),
        (Stage.COMPLAINED, True),
        (Stage.UNSUBSCRIBED, True),
        (Stage.FAILED, True),
        (Stage.ASSIGNED, False),
        (Stage.GOAL, False),
    ],
)
def test_ends_and_what_users_do_are_outcomes(stage: Stage, is_told: bool) -> None:
    found = outcome_of(happened(stage))
    assert (found is not None) == is_told
    if found is not None:
        assert found.type == f"tocsin.notification.{stage}.v1"


def test_it_says_which_notification_and_why() -> None:
    origin = "orders/shop.public.orders/3/17"
    event = happened(
        Stage.FAILED,
        reason=Reason.UNREGISTERED,
        provider="fcm",
        detail="ann's token",
        variant="short/brief",
        origin=origin,
    )
    found = outcome_of(event)
    assert found is not None
    assert (found.id, found.subject, found.source) == (event.id, NAME, "/tocsin/acme")
    assert found.time == "2026-03-14T09:26:54.412Z"
    data = found.data
    assert (data.user, data.channel, data.reason) == ("ann", Channel.PUSH, "unregistered")
    assert (data.occurred_at, data.provider) == ("2026-03-14T09:26:53.589Z", "fcm")
    assert (data.variant, data.origin) == ("short/brief", origin)
    assert "token" not in repr(found), "what a provider said may name an address"


@pytest.mark.parametrize(("detail", "reason"), [("soft: full", "soft"), ("hard", "hard")])
def test_a_bounce_says_whether_it_is_for_good(detail: str, reason: str) -> None:
    found = outcome_of(happened(Stage.BOUNCED, detail=detail))
    assert found is not None
    assert found.data.reason == reason


def test_the_source_tells_tenants_and_environments_apart() -> None:
    found = outcome_of(happened(Stage.SENT, tenant="a/b c"), "staging.")
    assert found is not None
    assert found.source == "/staging.tocsin/a%2Fb%20c"


def test_what_no_person_did_and_what_is_of_no_user_is_none() -> None:
    everybody = notification_id("acme", "e-1", "", "order_shipped")
    condition = happened(Stage.SUPPRESSED, reason=Reason.CONDITION, channel=None)
    assert outcome_of(replace(condition, notification_id=everybody)) is None
    assert outcome_of(condition) is not None
    assert outcome_of(happened(Stage.SUPPRESSED, reason=Reason.FAN_OUT_ON_READ)) is None
    assert outcome_of(happened(Stage.OPENED, detail="machine")) is None
