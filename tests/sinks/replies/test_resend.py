"""Resend's replies: https://resend.com/docs/api-reference/errors.

A batch in permissive mode: https://resend.com/changelog/batch-validation-modes. Its
words for an address are as in https://github.com/resend/resend-python/issues/65.
"""

from typing import Any

import pytest

from schemas.vocabulary import Reason
from sinks.email.resend import outcomes_of
from sinks.provider import Fault, Outcome, Sent, TransientFailure
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

FORMAT = "The email address needs to follow the `email@example.com` or `Name <email@example.com>`"
NO_TO, NO_FROM = f"Invalid `to` field. {FORMAT}", f"Invalid `from` field. {FORMAT}"
TESTING = (
    "You can only send testing emails to your own email address (`youremail@domain.com`). To send "
    "emails to other recipients, please verify a domain at resend.com/domains, and change the "
    "`from` address to an email using this domain."
)
UNVERIFIED = "The domain.com domain is not verified. Please, add and verify your domain."


def said(status: int, name: str, message: str) -> dict[str, Any]:
    return {"statusCode": status, "name": name, "message": message}


def answer(*taken: str, **errors: str) -> dict[str, Any]:
    refused = [{"index": int(place[1:]), "message": text} for place, text in errors.items()]
    return {"data": [{"id": name} for name in taken], "errors": refused}


def refusal(status: int, name: str, message: str, outcome: Any) -> Row:
    return Row(status, said(status, name, message), outcome(f"{name}: {message}"))


def told(status: int) -> Any:
    return lambda detail: rejected(f"HTTP {status}: {detail}")


def in_an_hour(detail: str) -> TransientFailure:
    return TransientFailure(Reason.UNAUTHORIZED, detail, 3600.0)


ROWS = [
    Row(200, answer("a", "b"), Sent("a")),
    Row(200, {"data": [{"id": "a"}, {"id": "b"}]}, Sent("a")),
    refusal(400, "invalid_idempotency_key", "The key must be between 1-256 chars.", told(400)),
    refusal(400, "validation_error", "We found an error with one or more fields.", told(400)),
    refusal(400, "validation_error", "API key is invalid", ours),
    refusal(401, "missing_api_key", "Missing API key in the authorization header.", ours),
    refusal(401, "restricted_api_key", "This API key is restricted to only send emails.", ours),
    refusal(422, "restricted_api_key", "x", ours),
    refusal(422, "invalid_region", "x", ours),
    refusal(422, "missing_api_key", "x", ours),
    refusal(422, "invalid_api_key", "x", ours),
    refusal(401, "validation_error", "API key is invalid", ours),
    refusal(403, "invalid_api_key", "API key is invalid.", ours),
    refusal(403, "validation_error", TESTING, ours),
    refusal(403, "validation_error", UNVERIFIED, ours),
    refusal(404, "not_found", "The requested endpoint does not exist.", ours),
    refusal(405, "method_not_allowed", "Method is not allowed.", told(405)),
    refusal(409, "invalid_idempotent_request", "Same idempotency key.", told(409)),
    Row(
        409,
        said(409, "concurrent_idempotent_requests", "still in progress"),
        TransientFailure(
            Reason.PROVIDER_ERROR,
            "concurrent_idempotent_requests: still in progress",
            uncertain=True,
        ),
    ),
    refusal(422, "invalid_from_address", NO_FROM, ours),
    refusal(422, "validation_error", NO_FROM, ours),
    refusal(422, "invalid_access", "Access must be full_access or sending_access.", ours),
    refusal(422, "missing_required_field", "The request body is missing a field.", told(422)),
    refusal(429, "daily_quota_exceeded", "You have reached your daily quota.", in_an_hour),
    refusal(429, "monthly_quota_exceeded", "You have reached your monthly quota.", in_an_hour),
    Row(
        429,
        said(429, "rate_limit_exceeded", "Too many requests."),
        throttled("HTTP 429: rate_limit_exceeded: Too many requests.", 1.0),
        {"retry-after": "1"},
    ),
    refusal(451, "security_error", "We may have found a security issue.", ours),
    Row(
        500,
        said(500, "application_error", "An unexpected error occurred."),
        down("HTTP 500: application_error: An unexpected error occurred."),
    ),
    # An id or words that are missing cost no mail: it is known which of them were taken.
    Row(200, {"data": [{"id": None}, {"id": "b"}], "errors": None}, Sent("")),
    Row(
        422, {"name": "validation_error", "message": None}, rejected("HTTP 422: validation_error: ")
    ),
    unread(200, {"data": [{"id": "a"}], "errors": [{"index": None, "message": "x"}]}),
    unread(200, {"data": None}),
    unread(422, {"name": None, "message": "x"}),
    unread(200, HTML),
    unread(200, answer("a")),
    unread(200, answer("a", "b", "c")),
    unread(200, answer("a", "b", e0="x")),
    unread(200, answer("a", e7="x")),
    unread(200, said(500, "application_error", "x")),
    unread(201, answer("a", "b")),
    *PROXIES,
]
MAILS: dict[str, Outcome] = {
    NO_TO: invalid(NO_TO),
    NO_FROM: ours(NO_FROM),
    UNVERIFIED: ours(UNVERIFIED),
    "Missing `html` or `text` field.": rejected("Missing `html` or `text` field."),
}


@each(ROWS)
def test_what_each_reply_to_two_mails_means(row: Row) -> None:
    first, second = outcomes_of(row.reply, 2)
    assert first == row.outcome
    assert second == (Sent("b") if isinstance(first, Sent) else first)


@pytest.mark.parametrize("message", MAILS)
def test_what_an_answer_to_one_mail_means(message: str) -> None:
    found = outcomes_of(reply(200, answer("first", "last", e1=message)), 3)
    assert found == [Sent("first"), MAILS[message], Sent("last")]


def test_all_of_a_batch_may_be_refused() -> None:
    found = outcomes_of(reply(200, answer(e0=NO_TO, e1=NO_TO)), 2)
    assert found == [invalid(NO_TO)] * 2


def test_a_quota_is_our_accounts() -> None:
    found = in_an_hour("daily_quota_exceeded")
    assert found.whose is Fault.CREDENTIALS
