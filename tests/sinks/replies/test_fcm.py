"""FCM's replies, by https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode.

The body of UNREGISTERED is that of https://github.com/firebase/firebase-admin-go/issues/179.
"""

from typing import Any

from schemas.vocabulary import Reason
from sinks.provider import Fault, Sent, TransientFailure
from sinks.push.fcm import THIRD_PARTY, outcome_of
from tests.sinks.replies.table import (
    HTML,
    PROXIES,
    Row,
    down,
    each,
    gone,
    invalid,
    maybe_invalid,
    ours,
    rejected,
    throttled,
    throttled_alone,
    unread,
)

NOT_A_TOKEN = "The registration token is not a valid FCM registration token"
TOO_BIG = "Android message is too big"


def error(code: int, status: str, message: str, *details: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": details}}


def fcm_error(code: str) -> dict[str, str]:
    return {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}


def apns_error(status: int, reason: str) -> dict[str, Any]:
    kind = "type.googleapis.com/google.firebase.fcm.v1.ApnsError"
    return {"@type": kind, "statusCode": status, "reason": reason}


def bad_request(*fields: str) -> dict[str, Any]:
    violations = [{"field": field, "description": "Invalid value"} for field in fields]
    return {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations}


def quota_failure(subject: str, description: str) -> dict[str, Any]:
    violations = [{"subject": subject, "description": description}]
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": violations}


APPLE = "Auth error from APNS or Web Push Service"
INVALID_ARGUMENT = fcm_error("INVALID_ARGUMENT")
THIRD_PARTYS = fcm_error("THIRD_PARTY_AUTH_ERROR")
DISABLED = "APNs device token is disabled."
NO_OAUTH = "Request is missing required authentication credential. Expected OAuth 2 access token"
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
    # https://firebase.google.com/docs/cloud-messaging/error-codes: "The authenticated sender ID is
    # different from the sender ID for the registration token." The words are FCM's.
    Row(
        403,
        error(403, "PERMISSION_DENIED", "SenderId mismatch", fcm_error("SENDER_ID_MISMATCH")),
        maybe_invalid("PERMISSION_DENIED: SenderId mismatch"),
    ),
    # "APNs certificate or web push auth key was invalid or missing": Firebase's settings for those
    # devices alone. The words: https://github.com/Blackjacx/Assist/issues/6.
    Row(
        401,
        error(401, "UNAUTHENTICATED", APPLE, fcm_error("THIRD_PARTY_AUTH_ERROR")),
        TransientFailure(Reason.UNAUTHORIZED, f"UNAUTHENTICATED: {APPLE}", part=THIRD_PARTY),
    ),
    # "exceeded message rate quota, exceeded device message rate quota, or …": which, is in a
    # QuotaFailure, whose form is google.rpc's.
    Row(
        429,
        error(
            429,
            "RESOURCE_EXHAUSTED",
            "Quota exceeded.",
            fcm_error("QUOTA_EXCEEDED"),
            quota_failure("device:dWx1", "Device message rate quota exceeded."),
        ),
        throttled_alone("RESOURCE_EXHAUSTED: Quota exceeded.", 30.0),
        {"retry-after": "30"},
    ),
    Row(
        429,
        error(
            429,
            "RESOURCE_EXHAUSTED",
            "Quota exceeded.",
            fcm_error("QUOTA_EXCEEDED"),
            quota_failure("project:p", "Message rate quota exceeded."),
        ),
        throttled("HTTP 429: RESOURCE_EXHAUSTED: Quota exceeded."),
    ),
    # Details of kinds and forms that nobody told us of.
    Row(
        404,
        error(
            404, "NOT_FOUND", NOT_FOUND, "?", {"fieldViolations": None}, fcm_error("UNREGISTERED")
        ),
        gone(f"NOT_FOUND: {NOT_FOUND}"),
    ),
    # What Apple says, which is in a detail of its own. The first two are played by
    # https://github.com/mbta/mobile_app_backend and by its neighbours in kind; the words of the
    # first are FCM's.
    Row(
        400,
        error(400, "INVALID_ARGUMENT", DISABLED, INVALID_ARGUMENT, apns_error(410, "Unregistered")),
        gone(f"INVALID_ARGUMENT: {DISABLED}"),
    ),
    Row(
        404,
        error(404, "NOT_FOUND", NOT_FOUND, apns_error(410, "ExpiredToken")),
        gone(f"NOT_FOUND: {NOT_FOUND}"),
    ),
    Row(
        400,
        error(400, "INVALID_ARGUMENT", "no", INVALID_ARGUMENT, apns_error(400, "BadDeviceToken")),
        maybe_invalid("INVALID_ARGUMENT: no: BadDeviceToken"),
    ),
    Row(
        401,
        error(401, "UNAUTHENTICATED", APPLE, THIRD_PARTYS, apns_error(403, "InvalidProviderToken")),
        TransientFailure(Reason.UNAUTHORIZED, f"UNAUTHENTICATED: {APPLE}", part=THIRD_PARTY),
    ),
    # https://github.com/firebase/firebase-admin-node/issues/3215: the words are the gateway's.
    Row(
        401,
        error(401, "UNAUTHENTICATED", NO_OAUTH, THIRD_PARTYS),
        TransientFailure(Reason.UNAUTHORIZED, f"UNAUTHENTICATED: {NO_OAUTH}", part=THIRD_PARTY),
    ),
    # With null where it has nothing to say.
    Row(404, {"error": {"message": None, "status": None, "details": None}}, ours("HTTP 404: : ")),
    # With no more than it must have.
    Row(400, {"error": {"message": "no", "details": [{}]}}, rejected("HTTP 400: : no")),
    *PROXIES,
]


@each(ROWS)
def test_what_each_reply_means(row: Row) -> None:
    assert outcome_of(row.reply) == row.outcome


def test_before_anything_went_out_another_projects_token_may_be_our_account() -> None:
    (row,) = (row for row in ROWS if "SenderId mismatch" in str(row.body))
    outcome = outcome_of(row.reply, is_proven=False)
    said = "PERMISSION_DENIED: SenderId mismatch"
    assert outcome == TransientFailure(Reason.UNAUTHORIZED, said, fault=Fault.ADDRESS)
