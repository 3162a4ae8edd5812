"""Vonage's replies, by https://developer.vonage.com/messaging/sms/guides/troubleshooting-sms:
its errors come in replies that say 200, a status for each part of a message.
"""

from typing import Any

import pytest

from schemas.vocabulary import Reason
from sinks.provider import Outcome, PermanentFailure, Sent, TransientFailure
from sinks.sms.vonage import outcome_of
from tests.sinks.replies.table import (
    HTML,
    PROXIES,
    TEXT,
    Row,
    down,
    each,
    invalid,
    ours,
    rejected,
    reply,
    throttled,
    unread,
)

TAKEN = {
    "to": "447700900000",
    "message-id": "0C000000217B7F02",
    "status": "0",
    "remaining-balance": "15.53590000",
    "message-price": "0.03330000",
    "network": "23410",
}
STATUSES: dict[str, tuple[str, Outcome]] = {
    "1": ("Throughput Rate Exceeded", throttled("1: Throughput Rate Exceeded", 2.0)),
    "2": ("Missing to param", rejected("2: Missing to param")),
    "3": ("Invalid Parameters", rejected("3: Invalid Parameters")),
    "4": ("Bad Credentials", ours("4: Bad Credentials")),
    "5": ("Internal Error", down("5: Internal Error")),
    "6": ("Unroutable message", invalid("6: Unroutable message")),
    "7": ("Number barred", invalid("7: Number barred")),
    "8": ("Partner account barred", ours("8: Partner account barred")),
    "9": ("Partner quota violation", ours("9: Partner quota violation")),
    "10": ("Too many existing binds", throttled("10: Too many existing binds", 2.0)),
    "11": ("Account not HTTP enabled", ours("11: Account not HTTP enabled")),
    "12": ("Message too long", rejected("12: Message too long")),
    "14": ("Invalid signature", ours("14: Invalid signature")),
    "15": ("Illegal sender address", ours("15: Illegal sender address")),
    "22": ("Invalid network code", rejected("22: Invalid network code")),
    "23": ("Invalid callback URL", ours("23: Invalid callback URL")),
    # While an account is on trial: the numbers that were entered are served.
    "29": (
        "Non White-listed Destination - rejected",
        PermanentFailure(
            Reason.UNREGISTERED, "29: Non White-listed Destination - rejected", lasting=False
        ),
    ),
    "32": ("Signature and API secret disallowed", ours("32: Signature and API secret disallowed")),
    "33": ("Number de-activated", invalid("33: Number de-activated")),
}


def parts(*messages: dict[str, str]) -> dict[str, Any]:
    return {"message-count": str(len(messages)), "messages": messages}


def failed(status: str, said: str) -> dict[str, str]:
    return {"status": status, "error-text": said}


SOME = TransientFailure(Reason.PROVIDER_ERROR, "only some parts were taken", uncertain=True)
ROWS = [
    Row(200, parts(TAKEN), Sent("0C000000217B7F02", 1, 0.075)),
    Row(
        200,
        parts(TAKEN, {**TAKEN, "message-id": "2"}, {**TAKEN, "message-id": "3"}),
        Sent("0C000000217B7F02", 3, 0.225),
    ),
    Row(200, parts(TAKEN, failed("9", "Partner quota violation")), SOME),
    Row(200, parts(failed("1", "Throttled"), TAKEN), SOME),
    Row(200, parts(failed("6", "a"), failed("1", "b")), invalid("6: a")),
    unread(200, parts()),
    # With numbers for text, and without what it has nothing to say of.
    Row(200, {"messages": [{"status": 0, "message-id": 12}]}, Sent("12", 1, 0.075)),
    Row(200, {"messages": [{"status": 4, "error-text": None}]}, ours("4: ")),
    unread(200, {"messages": [{"status": None}]}),
    unread(200, {"messages": None}),
    Row(200, parts({"status": "0"}), Sent("", 1, 0.075)),
    Row(200, parts({"status": "3"}), rejected("3: ")),
    unread(200, HTML),
    Row(401, {"error": "unauthorized"}, ours("HTTP 401")),
    unread(202, parts(TAKEN)),
    *PROXIES,
]


@pytest.mark.parametrize("status", STATUSES)
def test_what_each_status_means(status: str) -> None:
    said, outcome = STATUSES[status]
    assert (
        outcome_of(reply(200, parts(failed(status, said)), {"retry-after": "2"}), TEXT) == outcome
    )


@each(ROWS)
def test_what_each_reply_means(row: Row) -> None:
    assert outcome_of(row.reply, TEXT) == row.outcome
