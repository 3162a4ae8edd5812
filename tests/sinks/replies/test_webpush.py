"""Replies of push services: RFC 8030 (5, 7.2, 7.3, 8.4) and Mozilla's table
(https://mozilla-services.github.io/autopush-rs/errors.html). Of their words few count.
"""

import pytest

from schemas.vocabulary import Reason
from sinks.provider import Fault, Sent, TransientFailure
from sinks.push.webpush import outcome_of
from tests.sinks.replies.table import (
    HTML,
    Row,
    down,
    each,
    gone,
    maybe_invalid,
    ours,
    rejected,
    throttled_or_alone,
    unread,
)

PLACE = "https://push.example.net/message/qDIYHNcfAIPP_5ITvURr-d6BGtYnTRnk"
NO_SUCH = {"code": 404, "errno": 102, "error": "Not Found", "message": "Invalid URL endpoint."}
EXPIRED = {"code": 410, "errno": 106, "error": "Gone", "message": "Push subscription has expired"}
MOZILLA = {
    "code": 401,
    "errno": 109,
    "error": "Unauthorized",
    "message": "VAPID public key mismatch",
    "more_info": "http://autopush.readthedocs.io/en/latest/http.html#error-codes",
}
GOOGLE = (
    "the VAPID credentials in the authorization header do not correspond to the credentials used "
    "to create the subscriptions.\n"
)
SENDER = (
    "the key in the authorization header does not correspond to the sender ID used to subscribe"
)
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
    Row(429, b"", throttled_or_alone(f"HTTP 429: {REFUSES}", 120.0), {"retry-after": "120"}),
    # Windows' word for too many: learn.microsoft.com, "Push notification service request and
    # response headers", 406 Not Acceptable.
    Row(406, b"", throttled_or_alone(f"HTTP 406: {REFUSES}")),
    # A subscription is bound to the key that it was made with. Mozilla's words:
    # https://github.com/web-push-libs/web-push-php/issues/429, Google's are its HTTP body.
    Row(401, MOZILLA, maybe_invalid("HTTP 401: it was subscribed with another key")),
    Row(403, GOOGLE, maybe_invalid("HTTP 403: it was subscribed with another key")),
    # Other words of Google's for it, see https://github.com/web-push-libs/web-push/issues/328.
    Row(403, SENDER, maybe_invalid("HTTP 403: it was subscribed with another key")),
    Row(
        400,
        b"UnauthorizedRegistration",
        maybe_invalid("HTTP 400: it was subscribed with another key"),
    ),
    # Apple says neither 404 nor 410 of a subscription that it does not know: by its own table,
    # https://developer.apple.com/documentation/usernotifications/sending-web-push-notifications-in-web-apps-and-browsers
    Row(400, {"reason": "BadWebPushToken"}, gone("HTTP 400: it knows no such subscription")),
    Row(400, {"reason": "BadDeviceToken"}, gone("HTTP 400: it knows no such subscription")),
    Row(400, {"reason": "BadWebPushRequest"}, rejected(f"HTTP 400: {REFUSES}")),
    Row(403, {"reason": "BadJwtToken"}, ours(f"HTTP 403: {REFUSES}")),
    # https://github.com/web-push-libs/web-push-csharp/issues/93
    Row(
        406,
        b"",
        throttled_or_alone(f"HTTP 406: {REFUSES}", 900.0),
        {"retry-after": "900", "x-wns-status": "appthrottled"},
    ),
    Row(
        400,
        {"reason": "VapidPkHashMismatch"},
        maybe_invalid("HTTP 400: it was subscribed with another key"),
    ),
    # Our token is at fault, for Apple alone: https://github.com/web-push-libs/web-push/issues/947.
    Row(403, {"reason": "BadJwtToken"}, ours(f"HTTP 403: {REFUSES}")),
    Row(401, b"", ours(f"HTTP 401: {REFUSES}")),
    Row(500, b"", down(f"HTTP 500: {REFUSES}")),
    Row(503, b"", down(f"HTTP 503: {REFUSES}", 40.0), {"retry-after": "40"}),
]


@each(ROWS)
def test_what_each_reply_means(row: Row) -> None:
    assert outcome_of(row.reply) == row.outcome


@pytest.mark.parametrize("row", [row for row in ROWS if "another key" in str(row.outcome)])
def test_before_anything_went_out_another_key_may_be_ours(row: Row) -> None:
    said = f"HTTP {row.status}: it was subscribed with another key"
    outcome = TransientFailure(Reason.UNAUTHORIZED, said, fault=Fault.ADDRESS)
    assert outcome_of(row.reply, is_proven=False) == outcome
