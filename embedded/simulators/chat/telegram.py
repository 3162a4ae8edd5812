"""Telegram's Bot API, which reads no markup unless it is asked to, but pings whom a text names."""

import re
from itertools import count

import msgspec
from aiohttp import web
from msgspec import Struct

from embedded.simulators.accept_log import AcceptLog
from embedded.simulators.chat.posting import note
from embedded.simulators.faults import Faults
from embedded.simulators.reply import json_reply

MOST = 4096  # UTF-16 units of a text
JOINER = "\u2060"
PING = re.compile(r"(?<!\w)@\w")
WORDS = {
    400: "Bad Request: message text is empty",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict: terminated by other getUpdates request",
    429: "Too Many Requests: retry later",
    500: "Internal Server Error",
}


class Entity(Struct):
    """What of a text is shown otherwise, in units of UTF-16."""

    type: str
    offset: int
    length: int


class Message(Struct):
    """What we read of a message."""

    chat_id: str | int
    text: str = ""
    entities: list[Entity] = []
    parse_mode: str = ""
    message_thread_id: int = 0


class TelegramSimulator:
    """One bot. `pings` counts whom texts named; `moved` are groups that became supergroups."""

    name = "telegram"

    def __init__(self, token: str, log: AcceptLog, faults: Faults) -> None:
        self._token = token
        self._log = log
        self._faults = faults
        self._numbers = count(1)
        self.pings = 0
        self.moved: dict[str, int] = {}

    async def send(self, request: web.Request) -> web.Response:
        """Check the token, then the chat and the message."""
        if request.match_info["token"] != self._token:
            return refuse(401)
        message = await _message_of(request)
        if message is None:
            return _error(400, "Bad Request: can't parse the message")
        chat = str(message.chat_id)
        thread = f"/{message.message_thread_id}" if message.message_thread_id else ""
        if self._faults.is_dead(self.name, f"telegram:{chat}{thread}"):
            return _error(403, "Forbidden: bot was blocked by the user")
        if chat in self.moved:
            moved = {"migrate_to_chat_id": self.moved[chat]}
            return _error(400, "Bad Request: group chat was upgraded to a supergroup chat", moved)
        if not message.text:
            return _error(400, "Bad Request: message text is empty")
        if len(message.text.encode("utf-16-le")) // 2 > MOST:
            return _error(400, "Bad Request: message is too long")
        self.pings += len(PING.findall(message.text))
        number = next(self._numbers)
        title, body = _shown(message)
        address = f"telegram:{chat}{thread}"
        note(self._log, request, self.name, address, title, body, str(number))
        return json_reply({"ok": True, "result": {"message_id": number, "date": 0}})


def refuse(status: int) -> web.Response:
    """Telegram's error with this status."""
    return _error(status, WORDS.get(status, WORDS[500 if status >= 500 else 400]))


async def _message_of(request: web.Request) -> Message | None:
    """The message: as JSON, or as a form in which entities are JSON."""
    try:
        if request.content_type == "application/json":
            return msgspec.json.decode(await request.read(), type=Message)
        fields = {name: str(value) for name, value in (await request.post()).items()}
        entities = msgspec.json.decode(fields.pop("entities", "[]"))
        return msgspec.convert({**fields, "entities": entities}, Message, strict=False)
    except msgspec.MsgspecError:
        return None


def _shown(message: Message) -> tuple[str, str]:
    """The bold text at the beginning, and what comes a line below it."""
    bold = [each for each in message.entities if each.type == "bold" and each.offset == 0]
    units = message.text.encode("utf-16-le")
    end = 2 * bold[0].length if bold else 0
    title = units[:end].decode("utf-16-le")
    body = units[end:].decode("utf-16-le")
    body = body.removeprefix("\n") if bold else body
    return title.replace(JOINER, ""), body.replace(JOINER, "")


def _error(status: int, description: str, parameters: dict[str, int] | None = None) -> web.Response:
    said = {"ok": False, "error_code": status, "description": description}
    return json_reply({**said, "parameters": parameters} if parameters else said, status)
