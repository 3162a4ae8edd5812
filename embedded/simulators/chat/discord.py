"""Discord's webhooks, which read markdown in what they get."""

import re
import secrets

import msgspec
from aiohttp import web
from msgspec import Struct

from embedded.simulators.accept_log import AcceptLog
from embedded.simulators.chat.posting import address_of, post
from embedded.simulators.faults import Faults
from embedded.simulators.reply import json_reply

MOST = 4096  # characters of an embed's description
_TITLE = re.compile(r"\*\*(.*?)(?<!\\)\*\*\n(.*)", re.DOTALL)
_ESCAPED = re.compile(r"\\([^\w\s])")
_MARKUP = re.compile(r"(?<!\\)[*_~`|>\[\]<@]")


class Embed(Struct):
    """A box with text."""

    description: str = ""


class Mentions(Struct, frozen=True):
    """Whom a message may ping; without, everybody whom it names."""

    parse: list[str] | None = None


class Message(Struct):
    """What we read of a message."""

    content: str = ""
    embeds: list[Embed] = []
    allowed_mentions: Mentions = Mentions()


class DiscordSimulator:
    """Any number of hooks with one token. `styled` counts messages that had markup in them."""

    name = "discord"

    def __init__(self, token: str, log: AcceptLog, faults: Faults) -> None:
        self._token = token
        self._log = log
        self._faults = faults
        self.styled = 0

    async def send(self, request: web.Request) -> web.Response:
        """Check the hook, then the message."""
        if request.match_info["token"] != self._token:
            return _error(401, 50027, "Invalid Webhook Token")
        if self._faults.is_dead(self.name, address_of(request, self.name)):
            return _error(404, 10015, "Unknown Webhook")
        try:
            message = msgspec.json.decode(await request.read(), type=Message)
        except msgspec.MsgspecError:
            return _error(400, 50109, "The request body contains invalid JSON.")
        texts = [message.content, *(embed.description for embed in message.embeds)]
        if not any(texts):
            return _error(400, 50006, "Cannot send an empty message")
        if any(len(text) > MOST for text in texts):
            return _error(400, 50035, "Invalid Form Body")
        title, body = self._shown("".join(texts))
        name = str(secrets.randbits(60))
        post(self._log, request, self.name, title, body, name)
        if request.query.get("wait") != "true":
            return web.Response(status=204)
        return json_reply({"id": name, "type": 0, "content": message.content})

    def _shown(self, text: str) -> tuple[str, str]:
        match = _TITLE.fullmatch(text)
        title, body = match.groups() if match else ("", text)
        self.styled += bool(_MARKUP.search(title + body))
        return _ESCAPED.sub(r"\1", title), _ESCAPED.sub(r"\1", body)


def refuse(status: int) -> web.Response:
    """Discord's error with this status."""
    return _error(status, 0, f"{status}")


def _error(status: int, code: int, message: str) -> web.Response:
    return json_reply({"message": message, "code": code}, status)
