"""Apple's push service: `POST /3/device/{token}` over HTTP/2."""

import re
import time
import uuid
from typing import Any

import jwt
import msgspec
from aiohttp import web

from embedded.simulators.accept_log import Accepted, AcceptLog, data_digest_of, digest_of, now
from embedded.simulators.credentials import ApnsAccount
from embedded.simulators.faults import Faults
from embedded.simulators.push.http2 import Request
from embedded.simulators.reply import json_reply
from schemas.vocabulary import Channel

DEVICE = re.compile(r"/3/device/([0-9A-Za-z]+)")
MOST_BYTES, MOST_VOIP_BYTES = 4096, 5120
TOKEN_LIFE = 3600  # seconds
TOPICS = {
    "alert": "",
    "background": "",
    "complication": ".complication",
    "controls": ".push-type.controls",
    "fileprovider": ".pushkit.fileprovider",
    "liveactivity": ".push-type.liveactivity",
    "location": ".location-query",
    "pushtotalk": ".voip-ptt",
    "voip": ".voip",
    "widgets": ".push-type.widgets",
}
"""By push type, what follows the app's bundle id in the topic. (developer.apple.com, "Sending
notification requests to APNs"; `mdm` has topics of its own, and is no app's.)"""

# HTTP status: Apple's word, as it documents them.
REASONS = {
    400: "BadMessageId",
    401: "MissingProviderToken",
    403: "InvalidProviderToken",
    404: "BadPath",
    405: "MethodNotAllowed",
    410: "Unregistered",
    413: "PayloadTooLarge",
    429: "TooManyRequests",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}
DEVICE_REASONS = {400: "DeviceTokenNotForTopic"}
"""Where it is a device's own."""


class ApnsSimulator:
    """Accepts messages for one app of one team."""

    name = "apns"

    def __init__(self, account: ApnsAccount, log: AcceptLog, faults: Faults) -> None:
        self._account = account
        self._key = account.public_key()
        self._log = log
        self._faults = faults

    async def send(self, request: web.Request | Request) -> web.Response:
        """Answer under the `apns-id` of the request, which it may leave to us."""
        response = await self._answer(request)
        if "apns-id" in response.headers and (asked := request.headers.get("apns-id")):
            response.headers["apns-id"] = asked
        return response

    async def _answer(self, request: web.Request | Request) -> web.Response:
        """Check the provider token, the headers, then the payload; accept what passes."""
        match = DEVICE.fullmatch(request.path)
        if match is None:
            # Not Apple's at all: a stranger on its port.
            return web.Response(status=404, text="404: Not Found")
        if problem := self._problem_of(request):
            return _refused(*problem)
        voip = request.headers.get("apns-push-type") == "voip"
        payload, problem = _payload(await request.read(), MOST_VOIP_BYTES if voip else MOST_BYTES)
        if problem is not None:
            return _refused(*problem)
        if len(match[1]) < 4:
            return _refused(400, "BadDeviceToken")
        if self._faults.is_dead(self.name, f"apns:{match[1]}"):
            return _refused(410, "Unregistered")
        if status := self._faults.refusal(self.name, f"apns:{match[1]}"):
            return _refused(status, DEVICE_REASONS.get(status, REASONS.get(status, "")))
        return self._accept(match[1], payload, request.headers.get("apns-id", ""))

    def _accept(self, token: str, payload: dict[str, Any], reference: str) -> web.Response:
        title, body = _shown(payload["aps"].get("alert"))
        reference = reference or str(uuid.uuid4())
        accepted = Accepted(
            at=now(),
            provider=self.name,
            channel=Channel.PUSH,
            notification_id=str(payload.get("notification_id", "")),
            delivery_id=str(payload.get("delivery_id", "")),
            address=f"apns:{token}",
            title=title,
            digest=digest_of(body),
            reference=reference,
            data=data_digest_of({name: payload[name] for name in payload if name != "aps"}),
        )
        self._log.append((accepted,))
        return web.Response(headers={"apns-id": reference})

    def _problem_of(self, request: web.Request | Request) -> tuple[int, str] | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return 403, "MissingProviderToken"
        try:
            claims = jwt.decode(token, self._key, ["ES256"], options={"verify_iat": False})
            is_ours = jwt.get_unverified_header(token).get("kid") == self._account.key_id
        except jwt.InvalidTokenError:
            return 403, "InvalidProviderToken"
        if not is_ours or claims.get("iss") != self._account.team_id:
            return 403, "InvalidProviderToken"
        if abs(time.time() - claims.get("iat", 0)) > TOKEN_LIFE:
            return 403, "ExpiredProviderToken"
        return self._header_problem(request)

    def _header_problem(self, request: web.Request | Request) -> tuple[int, str] | None:
        kind, topic = (
            request.headers.get("apns-push-type", "alert"),
            request.headers.get("apns-topic"),
        )
        if not topic:
            return 400, "MissingTopic"
        if kind not in TOPICS:
            return 400, "InvalidPushType"
        if topic != self._account.topic + TOPICS[kind]:
            return 400, "TopicDisallowed"
        if kind == "background" and request.headers.get("apns-priority") == "10":
            return 400, "BadPriority"
        if request.headers.get("apns-priority", "10") not in ("1", "5", "10"):
            return 400, "BadPriority"
        if len(request.headers.get("apns-collapse-id", "").encode()) > 64:
            return 400, "BadCollapseId"
        if not request.headers.get("apns-expiration", "0").isdecimal():
            return 400, "BadExpirationDate"
        return None


def refuse(status: int) -> web.Response:
    """Apple's error with this HTTP status."""
    return _refused(status, REASONS.get(status, "InternalServerError"))


def _payload(body: bytes, most: int) -> tuple[dict[str, Any], tuple[int, str] | None]:
    if not body:
        return {}, (400, "PayloadEmpty")
    if len(body) > most:
        return {}, (413, "PayloadTooLarge")
    try:
        payload = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError:
        payload = {}
    aps = payload.get("aps")
    is_good = isinstance(aps, dict) and isinstance(aps.get("alert"), dict | str | None)
    return payload, (None if is_good else (400, "BadPayload"))


def _shown(alert: dict[str, Any] | str | None) -> tuple[str, str]:
    """Title and body; an alert that is a text is the body ("Generating a remote notification")."""
    if isinstance(alert, str):
        return "", alert
    alert = alert or {}
    return str(alert.get("title", "")), str(alert.get("body", ""))


def _refused(status: int, reason: str) -> web.Response:
    response = json_reply({"reason": reason}, status)
    response.headers["apns-id"] = str(uuid.uuid4())
    return response
