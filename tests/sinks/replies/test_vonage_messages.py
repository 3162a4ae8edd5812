"""Replies of Vonage's Messages API, by https://developer.vonage.com/en/api-errors/messages and
https://developer.vonage.com/en/api-errors; each row says which number or word it is.

What is not there is in the form that Vonage's package for Python is tested with:
https://github.com/Vonage/vonage-python-sdk/tree/main/messages/tests/data.
"""

from typing import Any

import pytest

from schemas.vocabulary import Reason
from sinks.provider import Fault, PermanentFailure, Sent, TransientFailure
from sinks.vonage import outcome_of
from tests.sinks.replies.table import (
    HTML,
    PROXIES,
    TEXT,
    Row,
    down,
    each,
    gone,
    invalid,
    ours,
    rejected,
    reply,
    throttled,
    throttled_alone,
    unread,
)

UUID = "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab"
DOCS = "https://developer.vonage.com/api-errors"


def problem(kind: str, title: str) -> dict[str, Any]:
    return {
        "type": f"{DOCS}{kind}",
        "title": title,
        "detail": "The value of one or more parameters is invalid.",
        "instance": "bf0ca0bf927b3b52e3cb03217e1a1ddf",
    }


def said(code: int, title: str, outcome: Any, status: int = 422) -> Row:
    return Row(status, problem(f"/messages#{code}", title), outcome(f"{code}: {title}"))


def refused(detail: str) -> PermanentFailure:
    return rejected(f"HTTP 422: {detail}")


def closed(detail: str) -> PermanentFailure:
    """It does not get through as it is, which whoever has the number may change."""
    return PermanentFailure(Reason.UNREGISTERED, detail, lasting=False)


def named(status: int, word: str, title: str, outcome: Any) -> Row:
    return Row(status, problem(f"#{word}", title), outcome(f"{word}: {title}"))


LOW = {
    "type": "https://developer.nexmo.com/api-errors/#low-balance",
    "title": "Low balance",
    "detail": "This request could not be performed due to your account balance being low.",
    "instance": "bf0ca0bf927b3b52e3cb03217e1a1ddf",
}
ROWS = [
    Row(202, {"message_uuid": UUID}, Sent(UUID, 2, 0.15)),
    Row(202, {"message_uuid": UUID, "workflow_id": "3Tc"}, Sent(UUID, 2, 0.15)),
    unread(202, {"workflow_id": "3Tc"}),
    unread(202, HTML),
    said(1000, "Throttled", throttled),
    said(1010, "Missing params", refused),
    said(1020, "Invalid params", refused),
    said(1022, "Invalid template", refused),
    said(1030, "Internal error", down),
    said(1040, "Invalid message", invalid),
    said(1050, "Number barred", invalid),
    said(1060, "Partner account barred", ours),
    said(1070, "Partner quota exceeded", ours),
    said(1080, "Account not enabled for REST", ours),
    said(1090, "Message too long", refused),
    said(1100, "Communication Failed", down),
    said(1110, "Invalid Signature", ours),
    said(1120, "Illegal Sender Address", ours),
    said(1140, "Facility not allowed", ours),
    said(1150, "Invalid Message class", refused),
    said(1160, "Non White-listed Destination", ours),
    said(1170, "Invalid or Missing Msisdn Param", invalid),
    said(1190, "Absent Subscriber Permanent", gone),
    said(1230, "Network Error", down),
    said(1240, "Illegal Number", gone),  # said STOP
    said(1241, "Too many send requests", throttled_alone),
    said(1300, "Not part of the provider network", invalid),
    said(1310, "Not suitable device", closed),
    said(1331, "Provider error", down),
    said(1340, "Outside of the allowed window", refused),
    said(1400, "Unsupported channel", ours),
    said(1420, "Invalid sender", ours),
    said(1430, "Invalid recipient", invalid),
    said(1440, "Invalid message type", refused),
    said(1450, "Invalid client reference", refused),
    said(1460, "Daily message limit exceeded", ours),
    said(1480, "Entity Filter", refused),
    named(401, "unauthorized", "You did not provide correct credentials.", ours),
    named(401, "jwt-expired", "The JWT provided has expired", ours),
    named(403, "forbidden", "No permission", ours),
    named(404, "not-found", "The requested resource does not exist", ours),
    named(429, "throttled", "Rate Limit Hit", throttled),
    Row(402, LOW, ours("low-balance: Low balance")),
    Row(402, problem("", "Pay"), ours(f"{DOCS}: Pay")),
    Row(
        429,
        problem("#throttled", "Rate Limit Hit"),
        throttled("throttled: Rate Limit Hit", 3.0),
        {"retry-after": "3"},
    ),
    Row(500, problem("/messages#1030", "x"), down("HTTP 500: 1030: x")),
    Row(
        502,
        problem("/messages#1030", "x"),
        TransientFailure(Reason.PROVIDER_ERROR, "HTTP 502: 1030: x", uncertain=True),
    ),
    unread(422, {"title": "no type"}),
    *PROXIES,
]


@each(ROWS)
def test_what_each_reply_means(row: Row) -> None:
    assert outcome_of(row.reply, TEXT.sent) == row.outcome


@pytest.mark.parametrize("code", [1000, 1241])
def test_too_much_may_be_one_numbers(code: int) -> None:
    outcome = outcome_of(reply(422, problem(f"/messages#{code}", "x")), TEXT.sent)
    assert isinstance(outcome, TransientFailure)
    assert outcome.whose is (Fault.ADDRESS if code == 1241 else Fault.PROVIDER)
