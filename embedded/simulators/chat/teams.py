"""A Teams workflow that posts Adaptive Cards, behind its trigger's URL."""

import secrets
from typing import Any

import msgspec
from aiohttp import web
from msgspec import Struct

from embedded.simulators.accept_log import AcceptLog
from embedded.simulators.chat.posting import address_of, post
from embedded.simulators.faults import Faults
from embedded.simulators.reply import json_reply

CARD = "application/vnd.microsoft.card.adaptive"
MOST = 28 << 10  # bytes of a message


class Attachment(Struct, rename="camel"):
    """A card and what kind it is."""

    content_type: str
    content: dict[str, Any]


class Message(Struct):
    """What the trigger takes."""

    type: str
    attachments: list[Attachment]


class TeamsSimulator:
    """Any number of workflows with one signature."""

    name = "teams"

    def __init__(self, token: str, log: AcceptLog, faults: Faults) -> None:
        self._token = token
        self._log = log
        self._faults = faults

    async def send(self, request: web.Request) -> web.Response:
        """Check the signature, then the message; the workflow runs after the reply."""
        if request.query.get("sig") != self._token:
            return refuse(401)
        if self._faults.is_dead(self.name, address_of(request, self.name)):
            return _error(404, "WorkflowNotFound")
        body = await request.read()
        try:
            message = msgspec.json.decode(body, type=Message)
        except msgspec.MsgspecError:
            return _error(400, "TriggerInputSchemaMismatch")
        if len(body) > MOST:
            return _error(413, "RequestEntityTooLarge")
        if [each.content_type for each in message.attachments] != [CARD]:
            return _error(400, "TriggerInputSchemaMismatch")
        title, text = _texts(message.attachments[0].content)
        run = secrets.token_hex(12)
        post(self._log, request, self.name, title, text, run)
        return web.Response(status=202, headers={"x-ms-workflow-run-id": run})


def refuse(status: int) -> web.Response:
    """The trigger's error with this status."""
    return _error(status, "InternalServerError" if status >= 500 else "InvalidRequest")


def _error(status: int, code: str) -> web.Response:
    return json_reply({"error": {"code": code, "message": "It is not taken."}}, status)


def _texts(card: dict[str, Any]) -> tuple[str, str]:
    """The bold text and the others, a line each."""
    runs = [run for part in card["body"] for run in part.get("inlines", [])]
    title = "".join(run["text"] for run in runs if run.get("weight") == "Bolder")
    return title, "\n".join(run["text"] for run in runs if run.get("weight") != "Bolder")
