"""Vonage's SMS API: `POST /sms/json`, which says 200 to nearly everything."""

import base64
import hmac
import re
import secrets
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from embedded.simulators.accept_log import Accepted, AcceptLog, digest_of, now
from embedded.simulators.faults import Faults
from embedded.simulators.reply import json_reply
from policy.rendering.channels.sms import segments_of
from schemas.vocabulary import Channel

NUMBER = re.compile(r"[1-9]\d{6,14}")
SENDER = re.compile(r"[1-9]\d{6,14}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
MOST_CALLBACK = MOST_REFERENCE = 100  # characters

# HTTP status that a fault asks for: Vonage's own status and words, in a reply of 200.
STATUSES = {
    400: ("3", "Invalid value for a parameter"),
    401: ("4", "Invalid credentials"),
    403: ("11", "Account not enabled for HTTP"),
    429: ("1", "Throughput Rate Exceeded"),
}


class VonageSimulator:
    """Accepts messages for one API key."""

    name = "vonage"

    def __init__(self, key: str, secret: str, log: AcceptLog, faults: Faults) -> None:
        self._authorization = b"Basic " + base64.b64encode(f"{key}:{secret}".encode())
        self._log = log
        self._faults = faults

    async def send(self, request: web.Request) -> web.Response:
        """Check the key, then the fields; accept what passes."""
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, self._authorization):
            return _failed("4", "Invalid Credentials")
        fields = await _fields_of(request)
        if problem := problem_of(fields):
            return _failed(*problem)
        if self._faults.is_dead(self.name, f"+{fields['to']}"):
            return _failed("7", "Number barred")
        return self._accept(fields)

    def _accept(self, fields: dict[str, str]) -> web.Response:
        delivery_id, notification_id = (*fields.get("client-ref", "").split("."), "")[:2]
        parts = [
            {
                "to": fields["to"],
                "message-id": secrets.token_hex(8).upper(),
                "status": "0",
                "remaining-balance": "15.00",
                "message-price": "0.03",
                "network": "12345",
                "client-ref": fields.get("client-ref", ""),
            }
            for _ in range(segments_of(fields["text"]).count)
        ]
        accepted = Accepted(
            at=now(),
            provider=self.name,
            channel=Channel.SMS,
            notification_id=notification_id,
            delivery_id=delivery_id,
            address=f"+{fields['to']}",
            title="",
            digest=digest_of(fields["text"]),
            reference=parts[0]["message-id"],
        )
        self._log.append((accepted,))
        return json_reply({"message-count": str(len(parts)), "messages": parts})


def problem_of(fields: dict[str, str]) -> tuple[str, str] | None:
    """Vonage's status and words for the first thing that it refuses in the fields."""
    for name in ("to", "from", "text"):
        if not fields.get(name):
            return "2", f"Missing {name} param"
    if not NUMBER.fullmatch(fields["to"]):
        return "6", "The to address is not a valid number"
    if not SENDER.fullmatch(fields["from"]):
        return "15", "Illegal Sender Address - rejected"
    if len(fields.get("callback", "")) > MOST_CALLBACK:
        return "23", "Invalid callback url"
    if len(fields.get("client-ref", "")) > MOST_REFERENCE:
        return "3", "Invalid client-ref"
    return None


def refuse(status: int) -> web.Response:
    """What Vonage says where others answer with this HTTP status."""
    if status >= 500:
        return web.Response(status=status, text="Service unavailable")
    return _failed(*STATUSES.get(status, ("5", "Internal Error")))


async def _fields_of(request: web.Request) -> dict[str, str]:
    body = await request.read()
    if request.content_type == "application/json":
        try:
            return msgspec.json.decode(body, type=dict[str, str])
        except msgspec.MsgspecError:
            return {}
    return dict(parse_qsl(body.decode(), keep_blank_values=True))


def _failed(status: str, text: str) -> web.Response:
    return json_reply({"message-count": "1", "messages": [{"status": status, "error-text": text}]})
