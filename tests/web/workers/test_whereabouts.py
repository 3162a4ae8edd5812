"""One row a notification: its state now, and the cause of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from analytics.timeline import Happening
from cli.commands.find import _described
from schemas.dead_letter import DeadLetter
from schemas.question import CircuitState
from schemas.vocabulary import Channel, Reason, Stage
from web.workers.whereabouts import unusable, waiting_channels, whereabouts, with_digests

AT = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
NOW = 1000 * int((AT + timedelta(minutes=2)).timestamp())
EMAIL, PUSH = Channel.EMAIL, Channel.PUSH
OPEN = CircuitState(
    provider="sendgrid", state="open", failing_since=1_773_478_800_000, last_error="503 overloaded"
)
CLOSED = CircuitState(provider="ses", state="closed")


def happened(second: int, stage: Stage, channel: Channel | None = EMAIL, **more: Any) -> Happening:
    return Happening(
        at=AT + timedelta(seconds=second),
        stage=stage,
        channel=channel,
        type="order_shipped",
        category="orders",
        priority="high",
        user="ann",
        event_id="e-1",
        notification_id=more.pop("id", "n-1"),
        **more,
    )


QUEUED = happened(1, Stage.QUEUED)
TRIED = happened(
    2, Stage.RETRYING, reason=Reason.PROVIDER_ERROR, detail="503 busy", provider="ses", attempt=1
)
SENT = happened(3, Stage.SENT, provider="ses", detail="<m-1>")
OPTED_OUT = happened(0, Stage.SUPPRESSED, PUSH, reason=Reason.OPTED_OUT, detail="categories.orders")
QUIET = happened(0, Stage.HELD, None, reason=Reason.QUIET_HOURS, detail="until 7:00")


@pytest.mark.parametrize(
    ("rows", "circuits", "state", "why"),
    [
        (
            [QUEUED],
            [OPEN],
            "waits",
            "sendgrid's circuit is open since 2026-03-14T09:00:00Z: 503 overloaded",
        ),
        (
            [QUEUED],
            [OPEN, CLOSED],
            "waits",
            "handed to the channel's workers 1m 59s ago, which told nothing of it yet",
        ),
        (
            [QUEUED],
            [],
            "waits",
            "handed to the channel's workers 1m 59s ago, which told nothing of it yet; no worker "
            "of this channel answers",
        ),
        (
            [QUEUED, TRIED],
            [CLOSED],
            "waits",
            "tried 2 times: ses said provider error: 503 busy, is tried again",
        ),
        (
            [QUEUED, TRIED],
            [],
            "waits",
            "tried 2 times: ses said provider error: 503 busy, is tried again; no worker of this "
            "channel answers",
        ),
        ([QUEUED, TRIED, SENT], [OPEN], "sent", ""),
        ([OPTED_OUT, QUEUED, SENT], [], "sent", "push: opted out: categories.orders"),
        ([OPTED_OUT], [], "not told", "opted out: categories.orders"),
        ([QUIET], [], "waits", "quiet hours: until 7:00"),
        ([QUIET, QUEUED, SENT], [], "sent", ""),
        (
            [QUIET, happened(5, Stage.SUPPRESSED, None, reason=Reason.CANCELLED)],
            [],
            "not told",
            "cancelled",
        ),
        ([QUEUED, SENT, happened(9, Stage.DELIVERED), happened(8, Stage.OPENED)], [], "opened", ""),
        (
            [QUEUED, SENT, happened(9, Stage.BOUNCED, detail="550 no such user")],
            [],
            "bounced",
            "550 no such user",
        ),
        (
            [QUEUED, happened(4, Stage.FAILED, reason=Reason.REJECTED, detail="too long")],
            [],
            "failed",
            "rejected: too long",
        ),
        ([happened(4, Stage.DIGESTED, detail="in n-9")], [], "digested", "in n-9"),
    ],
)
def test_a_notification_is_one_row_with_its_state_and_the_cause(
    rows: list[Happening], circuits: list[CircuitState], state: str, why: str
) -> None:
    (found,) = whereabouts(rows, {EMAIL: circuits}, NOW)
    assert (found.notification_id, found.user, found.event_id) == ("n-1", "ann", "e-1")
    assert (found.state, found.why) == (state, why)


def test_where_it_did_not_go_out_is_told_beside_where_it_did() -> None:
    """Who got a push and misses the mail is answered in the same row."""
    push = happened(1, Stage.SENT, PUSH, provider="fcm")
    mail = happened(1, Stage.HELD, reason=Reason.DIGEST, detail="until 18:00")
    (found,) = whereabouts([push, mail], {}, NOW)
    assert (found.state, found.why) == ("sent", "email: digest: until 18:00")
    (found,) = whereabouts([OPTED_OUT, mail], {}, NOW)
    assert found.why == "email: digest: until 18:00; push: opted out: categories.orders"


def test_what_was_combined_says_what_became_of_its_digest() -> None:
    told = happened(4, Stage.DIGESTED, reason=Reason.DIGEST, detail="in n-9", digest="n-9")
    digest = happened(5, Stage.SENT, id="n-9", digest="n-9", provider="ses")
    first, last = whereabouts([told, digest], {}, NOW)
    (row, same) = with_digests([first, last], {"n-9": last}, {"n-1": "n-9"})
    assert (row.state, row.why, same) == ("digested", "in the digest n-9: sent", last)
    waits = whereabouts([happened(5, Stage.QUEUED, id="n-9")], {EMAIL: [OPEN]}, NOW)[0]
    (row,) = with_digests([first], {"n-9": waits}, {"n-1": "n-9"})
    assert row.why.startswith("in the digest n-9: waits, sendgrid's circuit is open since ")
    assert with_digests([first], {}, {"n-1": "n-9"}) == [first]


def test_channels_stand_for_themselves_and_notifications_in_order() -> None:
    other = happened(0, Stage.SENT, PUSH, id="n-2")
    first, second = whereabouts([OPTED_OUT, QUEUED, other], {}, NOW)
    assert [(each.channel, each.state) for each in first.channels] == [
        (PUSH, "not told"),
        (EMAIL, "waits"),
    ]
    assert second.notification_id == "n-2"
    assert waiting_channels([OPTED_OUT, QUEUED, SENT, QUIET]) == {EMAIL}


def letter(value: bytes) -> DeadLetter:
    return DeadLetter(
        id="d-1",
        reason=Reason.RENDER_FAILED,
        detail="the variable 'conversation_id' is missing",
        role="decider",
        topic="requests.high",
        partition=0,
        offset=7,
        at=NOW,
        value=value,
    )


REQUEST = {"user": "ann", "event": {"id": "e-7", "type": "chat.message", "tenant": "acme"}}


@pytest.mark.parametrize(
    ("value", "tenant", "user", "event", "count"),
    [
        (REQUEST, "acme", "ann", "", 1),
        (REQUEST, "acme", "", "e-7", 1),
        (REQUEST, "acme", "bo", "e-8", 0),
        (REQUEST, "globex", "ann", "e-7", 0),
        ({"id": "e-7", "type": "order.shipped", "tenant": "acme"}, "acme", "", "e-7", 1),
        # A channel's own letter: its notification says that it failed.
        ({"user": "ann", "tenant": "acme", "notification_id": "n-1"}, "acme", "ann", "", 0),
        (7, "acme", "ann", "", 0),
    ],
)
def test_an_event_of_which_nothing_could_be_made_is_told_of(
    value: Any, tenant: str, user: str, event: str, count: int
) -> None:
    found = unusable([letter(msgspec.json.encode(value)), letter(b"{")], tenant, user, event)
    assert len(found) == count
    for each in found:
        assert (each.state, each.event_id) == ("failed", "e-7")
        expected = "render failed: the variable 'conversation_id' is missing (dead letter d-1)"
        assert each.why == expected


def test_a_row_names_the_trace_of_its_event() -> None:
    """Which what comes back has only where its message bore it."""
    traced = msgspec.structs.replace(SENT, trace="4bf92f3577b34da6a3ce929d0e0e4736")
    (row,) = whereabouts([QUEUED, traced, happened(9, Stage.DELIVERED)], {}, NOW)
    assert row.trace == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert f"in the trace {row.trace}" in "\n".join(map(str, _described([row])))
    (row,) = whereabouts([QUEUED], {}, NOW)
    assert "trace" not in msgspec.json.encode(row).decode()
    assert "trace" not in "\n".join(map(str, _described([row])))
