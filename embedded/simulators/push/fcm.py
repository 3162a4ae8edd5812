"""Firebase Cloud Messaging, HTTP v1: `POST /v1/projects/{project}/messages:send`."""

import itertools
import re

import msgspec
from aiohttp import web

from embedded.simulators.accept_log import Accepted, AcceptLog, data_digest_of, digest_of, now
from embedded.simulators.faults import Faults
from embedded.simulators.push.fcm_message import Body, InvalidFieldError, Message, check_message
from embedded.simulators.push.oauth import TokenIssuer
from embedded.simulators.reply import json_reply
from schemas.vocabulary import Channel

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
APNS_ERROR = "type.googleapis.com/google.firebase.fcm.v1.ApnsError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"

# HTTP status: (canonical status, FCM's errorCode, message), as Google documents them.
ERRORS = {
    400: ("INVALID_ARGUMENT", "INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: (
        "UNAUTHENTICATED",
        "",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login "
        "cookie or other valid authentication credential.",
    ),
    403: ("PERMISSION_DENIED", "SENDER_ID_MISMATCH", "SenderId mismatch"),
    404: ("NOT_FOUND", "UNREGISTERED", "Requested entity was not found."),
    429: ("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", "Quota exceeded for quota metric."),
    500: ("INTERNAL", "INTERNAL", "Internal error encountered."),
    503: ("UNAVAILABLE", "UNAVAILABLE", "The service is currently unavailable."),
}


class FcmSimulator:
    """Accepts messages for one project."""

    name = "fcm"

    def __init__(self, project: str, tokens: TokenIssuer, log: AcceptLog, faults: Faults) -> None:
        self._project = project
        self._tokens = tokens
        self._log = log
        self._faults = faults
        self._decoder = msgspec.json.Decoder(Body)
        self._serial = itertools.count(1)

    async def send(self, request: web.Request) -> web.Response:
        """Check credentials, then the body, then the token; accept what passes."""
        if not self._tokens.accepts(request.headers.get("Authorization", "")):
            return refuse(401)
        if request.match_info["project"] != self._project:
            return refuse(403)
        try:
            body = self._decoder.decode(await request.read())
            check_message(body.message)
        except InvalidFieldError as error:
            return _invalid(error.field, error.description)
        except msgspec.MsgspecError as error:
            field = re.search(r"\$\.([^`]*)", str(error))
            return _invalid(field[1] if field else "", str(error))
        if self._faults.is_dead(self.name, body.message.address()):
            return refuse(404)
        if status := self._faults.refusal(self.name, body.message.address()):
            return _refuse_token(status)
        if body.validate_only:
            return json_reply({"name": f"projects/{self._project}/messages/fake_message_id"})
        return self._accept(body.message)

    def _accept(self, message: Message) -> web.Response:
        name = f"projects/{self._project}/messages/0:{next(self._serial):016d}"
        data = message.data or {}
        notification = message.notification
        accepted = Accepted(
            at=now(),
            provider=self.name,
            channel=Channel.PUSH,
            notification_id=data.get("notification_id", ""),
            delivery_id=data.get("delivery_id", ""),
            address=message.address(),
            title=notification.title or "" if notification else "",
            digest=digest_of(notification.body or "" if notification else ""),
            reference=name,
            data=data_digest_of(data),
        )
        self._log.append((accepted,))
        return json_reply({"name": name})


def refuse(status: int) -> web.Response:
    """FCM's documented error with this HTTP status."""
    fallback = ("UNKNOWN", "UNSPECIFIED_ERROR", "Unknown error.")
    canonical, code, message = ERRORS.get(status, fallback)
    details: list[dict[str, object]] = []
    if code:
        details.append({"@type": FCM_ERROR, "errorCode": code})
    return _error(status, canonical, message, details)


def _refuse_token(status: int) -> web.Response:
    """FCM's error with this HTTP status where it is of a token's app, and not of our account."""
    if status != 401:
        return refuse(status)
    details: list[dict[str, object]] = [
        {"@type": FCM_ERROR, "errorCode": "THIRD_PARTY_AUTH_ERROR"},
        {"@type": APNS_ERROR, "statusCode": 403, "reason": "InvalidProviderToken"},
    ]
    message = "Auth error from APNS or Web Push Service"
    return _error(401, "UNAUTHENTICATED", message, details)


def _invalid(field: str, description: str) -> web.Response:
    violation = {"field": field, "description": description}
    details: list[dict[str, object]] = [
        {"@type": FCM_ERROR, "errorCode": "INVALID_ARGUMENT"},
        {"@type": BAD_REQUEST, "fieldViolations": [violation]},
    ]
    return _error(400, "INVALID_ARGUMENT", description, details)


def _error(
    status: int, canonical: str, message: str, details: list[dict[str, object]]
) -> web.Response:
    error = {"code": status, "message": message, "status": canonical, "details": details}
    return json_reply({"error": error}, status)
