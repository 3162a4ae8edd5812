"""Replies of push services: RFC 8030 (5, 7.2, 7.3, 8.4) and Mozilla's table
(https://mozilla-services.github.io/autopush-rs/errors.html). Their words count for nothing.
"""

from sinks.provider import Sent
from sinks.push.webpush import outcome_of
from tests.sinks.replies.table import (
    HTML,
    Row,
    down,
    each,
    gone,
    rejected,
    throttled,
    unread,
)

PLACE = "https://push.example.net/message/qDIYHNcfAIPP_5ITvURr-d6BGtYnTRnk"
NO_SUCH = {"code": 404, "errno": 102, "error": "Not Found", "message": "Invalid URL endpoint."}
EXPIRED = {"code": 410, "errno": 106, "error": "Gone", "message": "Push subscription has expired"}
REFUSES = "the push service refuses it"
ROWS = [
    Row(201, b"", Sent(PLACE), {"location": PLACE}),
    Row(202, b"", Sent(PLACE), {"location": PLACE}),
    Row(201, b"", Sent("")),
    unread(200, b""),
    unread(204, b""),
    unread(307, b"", {"location": PLACE}),
    Row(404, NO_SUCH, gone("HTTP 404: the subscription is gone")),
    Row(404, b"", gone("HTTP 404: the subscription is gone")),
    Row(410, EXPIRED, gone("HTTP 410: the subscription is gone")),
    Row(410, HTML, gone("HTTP 410: the subscription is gone")),
    Row(400, {"code": 400, "errno": 110}, rejected(f"HTTP 400: {REFUSES}")),
    Row(413, {"code": 413, "errno": 104}, rejected(f"HTTP 413: {REFUSES}")),
    Row(429, b"", throttled(f"HTTP 429: {REFUSES}", 120.0), {"retry-after": "120"}),
    Row(500, b"", down(f"HTTP 500: {REFUSES}")),
    Row(503, b"", down(f"HTTP 503: {REFUSES}", 40.0), {"retry-after": "40"}),
]


@each(ROWS)
def test_what_each_reply_means(row: Row) -> None:
    assert outcome_of(row.reply) == row.outcome
