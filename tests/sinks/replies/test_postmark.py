"""Postmark's replies: https://postmarkapp.com/developer/api/overview#error-codes.

The batch with two inactive recipients is as in https://pastebin.com/04peBCvB.
"""

from typing import Any

import pytest

from sinks.email.postmark import outcomes_of
from sinks.provider import Outcome, Sent
from tests.sinks.replies.table import (
    HTML,
    PROXIES,
    Row,
    down,
    each,
    gone,
    invalid,
    ours,
    rejected,
    reply,
    throttled,
    unread,
)

NO_TO = "Error parsing 'To': Illegal email address 'nobody'. It must contain the '@' symbol."
NO_FROM = "Invalid 'From' address: 'me@home'."
NO_BODY = "Provide either email TextBody or HtmlBody or both."
INACTIVE = "You tried to send to a recipient that has been marked as inactive."


def taken(name: str) -> dict[str, Any]:
    return {"To": f"{name}@example.com", "MessageID": name, "ErrorCode": 0, "Message": "OK"}


def error(code: int, message: str) -> dict[str, Any]:
    return {"ErrorCode": code, "Message": message}


MAILS: dict[tuple[int, str], Outcome] = {
    (406, INACTIVE): gone(f"406: {INACTIVE}"),
    (300, NO_TO): invalid(f"300: {NO_TO}"),
    (300, NO_FROM): ours(f"300: {NO_FROM}"),
    (300, NO_BODY): rejected(f"300: {NO_BODY}"),
    (411, "Forbidden attachment type"): rejected("411: Forbidden attachment type"),
    (406, "'To' is inactive"): gone("406: 'To' is inactive"),
    (1, "'To' is odd"): rejected("1: 'To' is odd"),
    **{(code, "no"): ours(f"{code}: no") for code in (10, 400, 401, 402, 403, 405, 412, 413, 1235)},
}
ROWS = [
    Row(200, [taken("b7bc2f4a"), taken("e2ecbbfc")], Sent("b7bc2f4a")),
    Row(
        401,
        error(10, "No Account or Server API tokens were supplied"),
        ours("10: No Account or Server API tokens were supplied"),
    ),
    Row(422, error(412, "Account is pending"), ours("412: Account is pending")),
    Row(
        422,
        error(410, "Too many batch messages"),
        rejected("HTTP 422: 410: Too many batch messages"),
    ),
    Row(
        429,
        error(429, "Rate Limit Exceeded"),
        throttled("HTTP 429: 429: Rate Limit Exceeded", 2.0),
        {"retry-after": "2"},
    ),
    Row(500, error(0, "Internal"), down("HTTP 500: 0: Internal")),
    Row(503, error(100, "Maintenance"), down("HTTP 503: 100: Maintenance")),
    unread(200, HTML),
    unread(200, error(0, "OK")),
    unread(200, [taken("b7bc2f4a")]),
    unread(200, [taken("a"), taken("b"), taken("c")]),
    unread(200, []),
    *PROXIES,
]


@pytest.mark.parametrize(("code", "message"), MAILS)
def test_what_an_answer_to_one_mail_means(code: int, message: str) -> None:
    answers = [taken("first"), error(code, message), taken("last")]
    found = outcomes_of(reply(200, answers), 3)
    assert found == [Sent("first"), MAILS[code, message], Sent("last")]


@each(ROWS)
def test_what_each_reply_to_two_mails_means(row: Row) -> None:
    first, second = outcomes_of(row.reply, 2)
    assert first == row.outcome
    assert second == (Sent("e2ecbbfc") if isinstance(first, Sent) else first)


def test_each_of_a_batch_has_its_own_answer_and_none_a_neighbours() -> None:
    answers = [
        taken("bcc6e534"),
        taken("f19a9e72"),
        error(406, INACTIVE),
        error(300, NO_TO),
        taken("a5338623"),
    ]
    assert outcomes_of(reply(200, answers), 5) == [
        Sent("bcc6e534"),
        Sent("f19a9e72"),
        gone(f"406: {INACTIVE}"),
        invalid(f"300: {NO_TO}"),
        Sent("a5338623"),
    ]


@pytest.mark.parametrize("odd", [None, [], {"Message": "OK"}, {"ErrorCode": None, "Message": "?"}])
def test_an_answer_that_can_not_be_read_says_nothing_of_the_others(odd: Any) -> None:
    body = [taken("first"), odd, error(406, INACTIVE)]
    first, second, third = outcomes_of(reply(200, body), 3)
    assert (first, third) == (Sent("first"), gone(f"406: {INACTIVE}"))
    assert second == unread(200, body).outcome


def test_an_answer_may_have_null_where_it_has_nothing_to_say() -> None:
    nothing = {"To": None, "MessageID": None, "SubmittedAt": None}
    body = [nothing | error(406, INACTIVE), nothing | {"ErrorCode": "0", "Message": None}]
    assert outcomes_of(reply(200, body), 2) == [gone(f"406: {INACTIVE}"), Sent("")]
