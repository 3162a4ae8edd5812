"""SendGrid's replies: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors.

What it says of one person of many is as in
https://github.com/sendgrid/sendgrid-ruby/issues/467 and
https://github.com/sendgrid/sendgrid-csharp/issues/995.
"""

from typing import Any

import pytest

from sinks.email.sendgrid import Blame, outcome_of
from sinks.provider import Sent
from tests.sinks.replies.table import (
    HTML,
    PROXIES,
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

NO_TO = "Does not contain a valid address."
TWICE = "Each email address in the personalization block should be unique"
NO_FROM = "The from address does not match a verified Sender Identity."


def errors(*problems: tuple[str | None, str]) -> dict[str, Any]:
    return {"errors": [{"message": said, "field": field, "help": None} for field, said in problems]}


ROWS = [
    Row(202, b"", Sent("14c5d75ce93.dfd.64b469"), {"x-message-id": "14c5d75ce93.dfd.64b469"}),
    Row(202, b"", Sent("")),
    unread(200, b""),
    unread(201, HTML),
    Row(
        400,
        errors(("subject", "The subject is required.")),
        rejected("HTTP 400: subject: The subject is required."),
    ),
    Row(
        400,
        errors((None, "Bad Request"), ("content", "too long")),
        rejected("HTTP 400: Bad Request; content: too long"),
    ),
    Row(
        400,
        errors(("from.email", "The from email does not contain a valid address.")),
        ours("the sender is refused: from.email: The from email does not contain a valid address."),
    ),
    # The sender at fault, beside somebody: nobody may be refused for it.
    Row(
        400,
        errors(("personalizations.0.to", NO_TO), ("from", NO_FROM)),
        ours(f"the sender is refused: personalizations.0.to: {NO_TO}; from: {NO_FROM}"),
    ),
    # A place that the mail does not have is nobody's.
    Row(
        400,
        errors(("personalizations.3.to", NO_TO)),
        rejected(f"HTTP 400: personalizations.3.to: {NO_TO}"),
    ),
    Row(
        401,
        errors((None, "The provided authorization grant is invalid, expired, or revoked")),
        ours("HTTP 401: The provided authorization grant is invalid, expired, or revoked"),
    ),
    Row(403, errors(("from", NO_FROM)), ours(f"HTTP 403: from: {NO_FROM}")),
    Row(
        413,
        errors((None, "The payload is too large")),
        rejected("HTTP 413: The payload is too large"),
    ),
    # Only a 400 blames a person.
    Row(
        429,
        errors(("personalizations.0.to", "too many requests")),
        throttled("HTTP 429: personalizations.0.to: too many requests", 3.0),
        {"retry-after": "3"},
    ),
    Row(500, errors((None, "Internal Server Error")), down("HTTP 500: Internal Server Error")),
    unread(400, {"errors": None}),
    *PROXIES,
]
BLAMED = [
    ([("personalizations.1.to", NO_TO)], {1: invalid(f"personalizations.1.to: {NO_TO}")}),
    (
        [("personalizations.2.to.0.email", NO_TO)],
        {2: invalid(f"personalizations.2.to.0.email: {NO_TO}")},
    ),
    ([("personalizations.0", TWICE)], {0: rejected(f"personalizations.0: {TWICE}")}),
    ([("personalizations.1.headers", "bad")], {1: rejected("personalizations.1.headers: bad")}),
    ([("personalizations.1.token", "bad")], {1: rejected("personalizations.1.token: bad")}),
    (
        [
            ("personalizations.0.to", NO_TO),
            ("personalizations.2.subject", "empty"),
            (None, "x"),
            ("personalizations.3.to", NO_TO),
        ],
        {
            0: invalid(f"personalizations.0.to: {NO_TO}"),
            2: rejected("personalizations.2.subject: empty"),
        },
    ),
]


@each(ROWS)
def test_what_each_reply_to_a_mail_for_three_means(row: Row) -> None:
    assert outcome_of(row.reply, 3) == row.outcome


@pytest.mark.parametrize(("problems", "refused"), BLAMED)
def test_who_is_blamed(problems: list[tuple[str | None, str]], refused: dict[int, Any]) -> None:
    assert outcome_of(reply(400, errors(*problems)), 3) == Blame(refused)
