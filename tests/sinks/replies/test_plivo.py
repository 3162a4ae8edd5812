"""Plivo's replies, by https://www.plivo.com/docs/messaging/api/message/send-a-message and
https://www.plivo.com/docs/messaging/api/overview (errors).
"""

from sinks.provider import Sent
from sinks.sms.plivo import outcome_of, request_of
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
    throttled,
    unread,
)

TAKEN = {
    "message": "message(s) queued",
    "message_uuid": ["db3ce55a-7f1d-11e1-8ea7-1231380bc196"],
    "api_id": "db342550-7f1d-11e1-8ea7-1231380bc196",
}


def error(said: str) -> dict[str, str]:
    return {"api_id": "a5169572-325d-11ec-8852-0242ac110005", "error": said}


NO_PHONE = "is not a valid phone number"
SENT = Sent("db3ce55a-7f1d-11e1-8ea7-1231380bc196", 2, 0.15)
ROWS = [
    Row(202, TAKEN, SENT),
    Row(200, TAKEN, SENT),
    unread(201, TAKEN),
    unread(202, {"message": "queued", "message_uuid": []}),
    unread(202, HTML),
    Row(400, error("invalid dst number"), invalid("invalid dst number")),
    Row(
        400,
        error("'1111111' is not a valid phone number."),
        rejected("HTTP 400: '1111111' is not a valid phone number."),
    ),
    Row(400, error("src number not owned"), ours("src number not owned")),
    Row(400, error("src and dst cannot be same"), invalid("src and dst cannot be same")),
    # https://github.com/plivo/plivo-examples-node/blob/master/sms/bulk_sms.js
    Row(400, error(f"4930123456 {NO_PHONE}"), invalid(f"4930123456 {NO_PHONE}")),
    Row(400, error(f"33333 {NO_PHONE}"), rejected(f"HTTP 400: 33333 {NO_PHONE}")),
    Row(404, error(f"4930123456 {NO_PHONE}"), ours(f"4930123456 {NO_PHONE}")),
    Row(202, {**TAKEN, "message": None, "api_id": 7}, SENT),
    unread(400, {"error": None}),
    unread(202, {"message_uuid": None}),
    Row(
        401,
        error("could not verify your access level for that URL"),
        ours("HTTP 401: could not verify your access level for that URL"),
    ),
    Row(404, error("not found"), ours("not found")),
    Row(405, error("dst: method not allowed"), rejected("HTTP 405: dst: method not allowed")),
    Row(
        429,
        error("too many requests"),
        throttled("HTTP 429: too many requests", 1.0),
        {"retry-after": "1"},
    ),
    Row(500, error("server error"), down("HTTP 500: server error")),
    *PROXIES,
]


@each(ROWS)
def test_what_each_reply_means(row: Row) -> None:
    assert outcome_of(row.reply, TEXT) == row.outcome


def test_a_request_names_a_method_only_with_its_callback() -> None:
    assert (request_of(TEXT).url, request_of(TEXT).method) == ("", "")
    back = TEXT.__class__("+1", "+2", "b", False, 1, 0.0, "https://n.example.com/x")
    assert (request_of(back).url, request_of(back).method) == ("https://n.example.com/x", "POST")
