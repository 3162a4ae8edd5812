"""FCM's replies, by https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode.

The body of UNREGISTERED is that of https://github.com/firebase/firebase-admin-go/issues/179.
"""

from typing import Any

from sinks.provider import Sent
from sinks.push.fcm import outcome_of
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
    throttled,
    unread,
)

NOT_A_TOKEN = "The registration token is not a valid FCM registration token"
TOO_BIG = "Android message is too big"


def error(code: int, status: str, message: str, *details: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": details}}


def fcm_error(code: str) -> dict[str, str]:
    return {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}


def bad_request(*fields: str) -> dict[str, Any]:
    violations = [{"field": field, "description": "Invalid value"} for field in fields]
    return {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations}


INVALID_ARGUMENT = fcm_error("INVALID_ARGUMENT")
NOT_FOUND = "Requested entity was not found."
ROWS = [
    Row(200, {"name": "projects/p/messages/0:15%31bd"}, Sent("projects/p/messages/0:15%31bd")),
    unread(200, {}),
    unread(200, HTML),
    Row(
        404,
        error(404, "NOT_FOUND", NOT_FOUND, fcm_error("UNREGISTERED")),
        gone(f"NOT_FOUND: {NOT_FOUND}"),
    ),
    # Not the device but the project is unknown: it must cost nobody their device.
    Row(404, error(404, "NOT_FOUND", NOT_FOUND), ours(f"HTTP 404: NOT_FOUND: {NOT_FOUND}")),
    unread(404, HTML),
    Row(
        400,
        error(400, "INVALID_ARGUMENT", NOT_A_TOKEN, INVALID_ARGUMENT),
        invalid(f"INVALID_ARGUMENT: {NOT_A_TOKEN}"),
    ),
    Row(
        400,
        error(
            400,
            "INVALID_ARGUMENT",
            "Invalid value",
            INVALID_ARGUMENT,
            bad_request("x", "message.token"),
        ),
        invalid("INVALID_ARGUMENT: Invalid value"),
    ),
    Row(
        400,
        error(400, "INVALID_ARGUMENT", "Invalid value", bad_request("message.data[0].value")),
        rejected("HTTP 400: INVALID_ARGUMENT: Invalid value"),
    ),
    Row(
        400,
        error(400, "INVALID_ARGUMENT", TOO_BIG, INVALID_ARGUMENT),
        rejected(f"HTTP 400: INVALID_ARGUMENT: {TOO_BIG}"),
    ),
    Row(
        403,
        error(403, "PERMISSION_DENIED", "Permission 'cloudmessaging.messages.create' denied"),
        ours("HTTP 403: PERMISSION_DENIED: Permission 'cloudmessaging.messages.create' denied"),
    ),
    # A word about tokens is of a device only in a 400: here it is the access token.
    Row(
        401,
        error(401, "UNAUTHENTICATED", "no registration token or OAuth token"),
        ours("HTTP 401: UNAUTHENTICATED: no registration token or OAuth token"),
    ),
    Row(
        429,
        error(429, "RESOURCE_EXHAUSTED", "Quota exceeded", fcm_error("QUOTA_EXCEEDED")),
        throttled("HTTP 429: RESOURCE_EXHAUSTED: Quota exceeded", 60.0),
        {"retry-after": "60"},
    ),
    Row(
        500,
        error(500, "INTERNAL", "Internal error encountered.", fcm_error("INTERNAL")),
        down("HTTP 500: INTERNAL: Internal error encountered."),
    ),
    Row(
        503,
        error(503, "UNAVAILABLE", "The service is unavailable.", fcm_error("UNAVAILABLE")),
        down("HTTP 503: UNAVAILABLE: The service is unavailable.", 12.0),
        {"retry-after": "12"},
    ),
    # With no more than it must have.
    Row(400, {"error": {"message": "no", "details": [{}]}}, rejected("HTTP 400: : no")),
    *PROXIES,
]


@each(ROWS)
def test_what_each_reply_means(row: Row) -> None:
    assert outcome_of(row.reply) == row.outcome
