"""Why it came late, twice or not at all, as whoever is asked about it reads it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analytics.timeline import Happening
from schemas.vocabulary import Channel, Reason, Stage
from web.workers.leaving import left, with_opt_outs
from web.workers.whereabouts import whereabouts

AT = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
NOW = 1000 * int((AT + timedelta(hours=9)).timestamp())
EMAIL, PUSH, SMS = Channel.EMAIL, Channel.PUSH, Channel.SMS
MINUTE, HOUR = 60, 3600


def happened(second: int, stage: Stage, channel: Channel | None = EMAIL, **more: Any) -> Happening:
    known: dict[str, Any] = {
        "type": "order_shipped", "category": "orders", "priority": "high", "user": "ann",
        "event_id": "e-1", "notification_id": "n-1", "occurred_at": AT, "accepted_at": AT,
    }  # fmt: skip
    return Happening(at=AT + timedelta(seconds=second), stage=stage, channel=channel,
                     **{**known, **more})  # fmt: skip


def sent(second: int, **more: Any) -> list[Happening]:
    return [
        happened(1, Stage.QUEUED, **more), happened(second, Stage.SENT, provider="ses", **more),
    ]  # fmt: skip


def tried(second: int, attempt: int, reason: Reason, detail: str = "") -> Happening:
    return happened(
        second, Stage.RETRYING, reason=reason, detail=detail, provider="ses", attempt=attempt
    )


QUIET = happened(0, Stage.HELD, None, reason=Reason.QUIET_HOURS, detail="until 7:00")
BUSY = tried(20, 0, Reason.PROVIDER_ERROR, "503 busy")
LATER: dict[str, Any] = {"accepted_at": AT + timedelta(hours=2)}


@pytest.mark.parametrize(
    ("rows", "state", "why"),
    [
        # Too late, by a rule, a provider, us, the producer, or on the provider's own way.
        (sent(59), "sent", ""),
        (
            [QUIET, *sent(8 * HOUR)],
            "sent",
            "sent 8h after its event came; it waited: quiet hours: until 7:00",
        ),
        (
            [*sent(90), BUSY, tried(40, 1, Reason.THROTTLED)],
            "sent",
            "sent 1m 30s after its event came; tried 2 times: ses said throttled",
        ),
        (
            sent(HOUR),
            "sent",
            "sent 1h after its event came; no rule held it, so workers were behind",
        ),
        (
            sent(2 * HOUR + 5, **LATER),
            "sent",
            "its event came 2h after it happened",
        ),
        (
            [*sent(5), happened(HOUR + 5, Stage.DELIVERED, provider="ses")],
            "delivered",
            "ses brought it 1h after it had taken it",
        ),
        # A digest's events are older than it is, by design.
        (sent(2 * HOUR, digest="n-1"), "sent", ""),
        # Twice: a call of which nobody knows how it ended, or an event that came again.
        (
            [*sent(30), tried(20, 0, Reason.TIMEOUT)],
            "sent",
            "sent again after ses said timeout, which may have sent it, too",
        ),
        ([*sent(30), BUSY], "sent", ""),
        (
            [*sent(9), happened(50, Stage.SUPPRESSED, None, reason=Reason.DUPLICATE, detail="x")],
            "sent",
            "its event came again, first at 2026-03-14T09:00:50Z, and was not sent again",
        ),
        (
            [
                *sent(9),
                happened(50, Stage.SUPPRESSED, None, reason=Reason.DUPLICATE, detail="x"),
                happened(60, Stage.SUPPRESSED, None, reason=Reason.CONFLICT, detail="x"),
                # Of another day, as its row stands by itself.
                happened(70, Stage.SUPPRESSED, None, reason=Reason.DUPLICATE, detail="x"),
            ],
            "sent",
            "its event came again, first at 2026-03-14T09:00:50Z, and with another body, first at "
            "2026-03-14T09:01:00Z, and was not sent again",
        ),
        # What came first is no longer kept.
        (
            [happened(50, Stage.SUPPRESSED, None, reason=Reason.DUPLICATE, detail="of events/0/7")],
            "not told",
            "duplicate: of events/0/7",
        ),
        # Not at all, as it was too old.
        (
            [happened(HOUR, Stage.SUPPRESSED, None, reason=Reason.EXPIRED)],
            "not told",
            "expired 1h after the event",
        ),
        (
            [happened(3 * HOUR, Stage.SUPPRESSED, None, reason=Reason.EXPIRED, **LATER)],
            "not told",
            "expired 3h after the event",
        ),
        (
            [happened(1, Stage.QUEUED), BUSY,
             happened(HOUR, Stage.SUPPRESSED, reason=Reason.EXPIRED)],
            "not told",
            "expired 1h after the event; tried once: ses said provider error: 503 busy",
        ),
        (
            [QUIET, happened(HOUR, Stage.SUPPRESSED, reason=Reason.EXPIRED)],
            "not told",
            "expired 1h after the event; it waited: quiet hours: until 7:00",
        ),
    ],
)  # fmt: skip
def test_one_row_says_why(rows: list[Happening], state: str, why: str) -> None:
    (found,) = whereabouts(sorted(rows, key=lambda row: row.at), {}, NOW)
    assert (found.state, found.why) == (state, why)


def unsubscribed(second: int, **more: Any) -> Happening:
    said = {"notification_id": "", "event_id": "", "type": "", "detail": "page", **more}
    return happened(second, Stage.UNSUBSCRIBED, **said)


CLICKED = unsubscribed(5, notification_id="n-0", type="order_shipped", provider="links", detail="")
STOPPED = unsubscribed(6, category="", channel=SMS, detail="reply")


def test_what_was_left_is_a_row_each() -> None:
    reported = unsubscribed(7, notification_id="n-0", type="order_shipped", provider="sendgrid")
    rows = left([CLICKED, STOPPED, unsubscribed(8), reported])
    assert {row.state for row in rows} == {"unsubscribed"}
    assert [row.why for row in rows] == [
        "orders on email, by one click in n-0",
        "all categories on sms, by reply",
        "orders on email, by page",
        "orders on email, by a report of the provider in n-0",
    ]


@pytest.mark.parametrize(
    ("opt_out", "transactional", "why"),
    [
        (unsubscribed(5), {"order_shipped"},
         "its type is transactional, which goes out all the same"),
        (CLICKED, set(), "it was turned on again since, or the message was on its way"),
        (unsubscribed(5, category=""), set(),
         "it was turned on again since, or the message was on its way"),
        # After it, elsewhere, of something else, or somebody else's.
        (unsubscribed(10), set(), None),
        (unsubscribed(5, channel=SMS), set(), None),
        (unsubscribed(5, category="news"), set(), None),
        (unsubscribed(5, user="bo"), set(), None),
    ],
)  # fmt: skip
def test_what_was_sent_though_it_was_left_says_why(
    opt_out: Happening, transactional: set[str], why: str | None
) -> None:
    rows = whereabouts(sent(10), {}, NOW)
    (row,) = with_opt_outs(rows, [opt_out], transactional)
    assert row.state == "sent"
    if why is None:
        assert row.why == ""
    else:
        what = "all categories" if not opt_out.category else "orders"
        assert row.why == f"sent though {what} on email was left at 2026-03-14T09:00:05Z: {why}"


def test_what_was_not_sent_says_nothing_of_it() -> None:
    """Its own reason does."""
    row = happened(9, Stage.SUPPRESSED, reason=Reason.OPTED_OUT, detail="by user, one click")
    (found,) = with_opt_outs(whereabouts([row], {}, NOW), [CLICKED], ())
    assert found.why == "opted out: by user, one click"
