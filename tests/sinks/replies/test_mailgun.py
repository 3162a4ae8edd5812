"""Mailgun's replies: https://documentation.mailgun.com/docs/mailgun/api-reference (Messages).

Its words for an address are as in https://github.com/mailgun/mailgun-js-boland/issues/199.
"""

from sinks.email.mailgun import outcome_of
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
    throttled,
    unread,
)

ID = "<20261128110000.1.0123456789ABCDEF@mg.example.com>"
NO_TO = "to parameter is not a valid address. please check documentation"
NO_FROM = "from parameter is not a valid address. please check documentation"
LIMIT = "Domain mg.example.com is not allowed to send: recipient limit exceeded"
UNTIL = "Thu, 01 Jan 1970 00:00:31 UTC"
SANDBOX = "Domain sandbox1.mailgun.org is not allowed to send: Sandbox subdomains are for tests"
PROBATION = "Rejected: Only 10 recipients per request is allowed on probation."
ROWS = [
    Row(200, {"id": ID, "message": "Queued. Thank you."}, Sent(ID)),
    unread(200, {"message": "Queued. Thank you."}),
    unread(200, HTML),
    unread(202, {"id": ID, "message": "Queued. Thank you."}),
    Row(400, {"message": NO_TO}, invalid(NO_TO)),
    Row(400, {"message": NO_FROM}, ours(NO_FROM)),
    # In quotation marks as the API had it for years, and may have it again.
    Row(400, {"message": f"'to' {NO_TO[3:]}"}, invalid(f"'to' {NO_TO[3:]}")),
    Row(400, {"message": f"'from' {NO_FROM[5:]}"}, ours(f"'from' {NO_FROM[5:]}")),
    Row(
        400,
        {"message": "Need at least one of 'text' or 'html' parameters specified"},
        rejected("HTTP 400: Need at least one of 'text' or 'html' parameters specified"),
    ),
    Row(400, {"message": "too many recipients"}, rejected("HTTP 400: too many recipients")),
    Row(401, {"message": "Invalid private key"}, ours("HTTP 401: Invalid private key")),
    Row(401, b"Forbidden", ours("HTTP 401")),
    Row(402, {"message": "Payment required"}, ours("Payment required")),
    Row(
        404, {"message": "Domain not found: other.example"}, ours("Domain not found: other.example")
    ),
    Row(404, {"message": NO_TO}, ours(NO_TO)),
    Row(413, {"message": "from Mailgun: too large"}, rejected("HTTP 413: from Mailgun: too large")),
    Row(413, {"message": "to large a mail"}, rejected("HTTP 413: to large a mail")),
    Row(
        429,
        {"message": "Too many requests"},
        throttled("HTTP 429: Too many requests", 6.0),
        {"retry-after": "6"},
    ),
    # https://github.com/mailgun/mailgun-java/issues/50: of the domain, and until then.
    Row(
        420,
        {"message": f"{LIMIT}, try again after {UNTIL}"},
        throttled(f"HTTP 420: {LIMIT}, try again after {UNTIL}", 31.0),
    ),
    Row(420, {"message": LIMIT}, throttled(f"HTTP 420: {LIMIT}")),
    Row(
        420,
        {"message": f"{LIMIT}, try again after lunch"},
        throttled(f"HTTP 420: {LIMIT}, try again after lunch"),
    ),
    Row(403, {"message": SANDBOX}, ours(f"HTTP 403: {SANDBOX}")),
    # https://github.com/mailgun/mailgun-php/issues/787; fewer in a call are taken.
    Row(400, {"message": PROBATION}, rejected(f"HTTP 400: {PROBATION}")),
    unread(400, {"message": None}),
    Row(200, {"id": ID, "message": 200}, Sent(ID)),
    Row(500, {"message": "Internal Server Error"}, down("HTTP 500: Internal Server Error")),
    *PROXIES,
]


@each(ROWS)
def test_what_each_reply_means(row: Row) -> None:
    assert outcome_of(row.reply) == row.outcome
