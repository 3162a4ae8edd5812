"""Plivo's messages: `POST /v1/Account/{auth_id}/Message/`."""

import base64
import hmac
import re
import uuid
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from embedded.simulators.accept_log import Accepted, AcceptLog, digest_of, now
from embedded.simulators.faults import Faults
from embedded.simulators.reply import json_reply
from schemas.vocabulary import Channel

NUMBER = re.compile(r"\+?[1-9]\d{6,14}")
SENDER = re.compile(r"\+?[1-9]\d{4,14}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
MOST_TEXT = 1600  # characters

ERRORS = {
    400: "bad request",
    401: "authentication failed",
    403: "permission denied",
    404: "not found",
    429: "too many requests",
    500: "internal server error",
    503: "service unavailable",
}


class PlivoSimulator:
    """Accepts messages for one account."""

    name = "plivo"

    def __init__(self, auth_id: str, token: str, log: AcceptLog, faults: Faults) -> None:
        self._id = auth_id
        self._authorization = b"Basic " + base64.b64encode(f"{auth_id}:{token}".encode())
        self._log = log
        self._faults = faults

    async def send(self, request: web.Request) -> web.Response:
        """Check the account, then the fields; accept what passes."""
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, self._authorization):
            # In plain text, unlike all its other answers.
            text = "Could not verify your access level for that URL."
            return web.Response(status=401, text=text)
        if request.match_info["id"] != self._id:
            return refuse(404)
        try:
            values = msgspec.json.decode(await request.read(), type=dict[str, Any])
        except msgspec.MsgspecError as error:
            return _error(400, str(error))
        fields = {name: str(value) for name, value in values.items() if value is not None}
        if problem := problem_of(fields):
            return _error(400, problem)
        if self._faults.is_dead(self.name, f"+{fields['dst'].removeprefix('+')}"):
            return _error(400, "dst is not a number that can be reached")
        return self._accept(fields)

    def _accept(self, fields: dict[str, str]) -> web.Response:
        ids = dict(parse_qsl(fields.get("url", "").partition("?")[2]))
        reference = str(uuid.uuid4())
        accepted = Accepted(
            at=now(),
            provider=self.name,
            channel=Channel.SMS,
            notification_id=ids.get("notification_id", ""),
            delivery_id=ids.get("delivery_id", ""),
            address=f"+{fields['dst'].removeprefix('+')}",
            title="",
            digest=digest_of(fields["text"]),
            reference=reference,
        )
        self._log.append((accepted,))
        reply = {
            "api_id": str(uuid.uuid4()),
            "message": "message(s) queued",
            "message_uuid": [reference],
        }
        return json_reply(reply, 202)


def problem_of(fields: dict[str, str]) -> str | None:
    """Plivo's words for the first thing that it refuses in the fields."""
    for name in ("src", "dst", "text"):
        if not fields.get(name):
            return f"{name} parameter not present"
    if not NUMBER.fullmatch(fields["dst"]):
        return f"{fields['dst']} is not a valid phone number for dst"
    if not SENDER.fullmatch(fields["src"]):
        return "src parameter is not a valid sender"
    if len(fields["text"]) > MOST_TEXT:
        return "text exceeds 1600 characters"
    return None


def refuse(status: int) -> web.Response:
    """Plivo's error with this HTTP status."""
    return _error(status, ERRORS.get(status, ERRORS[500]))


def _error(status: int, text: str) -> web.Response:
    return json_reply({"api_id": str(uuid.uuid4()), "error": text}, status)
