"""Slack's `chat.postMessage`, which says 200 also where it does not take a message."""

import hmac
from itertools import count
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web
from msgspec import Struct

from embedded.simulators.accept_log import AcceptLog
from embedded.simulators.chat.posting import note
from embedded.simulators.chat.slack import MOST, Block, are_buttons
from embedded.simulators.faults import Faults
from embedded.simulators.reply import json_reply

MOST_TEXT = 40_000
WORDS = {400: "invalid_blocks", 401: "invalid_auth", 403: "missing_scope", 404: "unknown_method"}


class Message(Struct):
    """What we read of a message."""

    channel: str = ""
    text: str = ""
    blocks: list[Block] = []
    thread_ts: str = ""


class SlackAppSimulator:
    """One app in one workspace."""

    name = "slackapp"

    def __init__(self, token: str, log: AcceptLog, faults: Faults) -> None:
        self._authorization = f"Bearer {token}".encode()
        self._log = log
        self._faults = faults
        self._numbers = count(1)

    async def send(self, request: web.Request) -> web.Response:
        """Check the token, then the channel and the message."""
        given = request.headers.get("Authorization", "")
        if not given:
            return _error("not_authed")
        if not hmac.compare_digest(given.encode(), self._authorization):
            return _error("invalid_auth")
        try:
            message = await _message_of(request)
        except msgspec.MsgspecError:
            return _error("invalid_arguments")
        if not message.channel:
            return _error("channel_not_found")
        thread = f"/{message.thread_ts}" if message.thread_ts else ""
        address = f"slackapp:{message.channel}{thread}"
        if self._faults.is_dead(self.name, address):
            return _error("is_archived")
        texts = [block.text.text for block in message.blocks if block.text]
        if not message.text and not texts:
            return _error("no_text")
        if len(message.text) > MOST_TEXT:
            return _error("msg_too_long")
        if any(len(text) > MOST for text in texts) or not are_buttons(message.blocks):
            return _error("invalid_blocks")
        title, body = texts if len(texts) == 2 else ("", texts[0] if texts else message.text)
        name = f"1700000000.{next(self._numbers):06}"
        note(self._log, request, self.name, address, title, body, name)
        return json_reply({"ok": True, "channel": message.channel, "ts": name})


async def _message_of(request: web.Request) -> Message:
    """From JSON or a form, in which blocks are JSON (docs.slack.dev, "Using the Web API")."""
    body = await request.read()
    if request.content_type != "application/x-www-form-urlencoded":
        return msgspec.json.decode(body, type=Message)
    form: dict[str, object] = dict(parse_qsl(body.decode()))
    if isinstance(blocks := form.get("blocks"), str):
        form["blocks"] = msgspec.json.decode(blocks)
    return msgspec.convert(form, Message)


def refuse(status: int) -> web.Response:
    """Slack's answer in this case: by its word, but for too many calls and its own troubles."""
    if status == 429:
        return json_reply({"ok": False, "error": "ratelimited"}, 429)
    if status >= 500:
        return web.Response(status=status, text="upstream request failed")
    return _error(WORDS.get(status, "invalid_arguments"))


def _error(word: str) -> web.Response:
    return json_reply({"ok": False, "error": word})
