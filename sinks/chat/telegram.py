"""Telegram, through a bot of ours (core.telegram.org/bots/api#sendmessage)."""

import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct, structs

from pipeline.settings import Settings
from schemas.delivery import Action, Content, Delivery
from schemas.encoding import UNDECODABLE
from schemas.errors import Misconfigured
from schemas.foreign import read_foreign
from schemas.profile import BotChat
from schemas.vocabulary import Priority, Reason
from sinks.chat.bot_chats import BotChats
from sinks.http.adaptive_rate import Pace
from sinks.http.client import HttpClient, Reply, failure_of, require_url, unreadable
from sinks.provider import Fault, Outcome, PermanentFailure, Sent, TransientFailure

MOST_MOVED = 1024
"""Groups of which it is kept where they went; of others it is asked again."""
# https://github.com/TelegramBotAPI/errors and https://github.com/vrumger/telegram-errors, as
# they end: what comes before is the status in words.
GONE = (
    "bot was blocked by the user",
    "user is deactivated",
    "bot was kicked from the group chat",
    "bot was kicked from the supergroup chat",
    "bot was kicked from the channel chat",
    "bot can't send messages to bots",
    "group is deactivated",
    "the group chat was deleted",
)
"""Nobody reads there any more, or ever did."""
CLOSED = (
    "chat not found",
    "user not found",
    "PEER_ID_INVALID",
    "bot can't initiate conversation with a user",
    "bot is not a member of the group chat",
    "bot is not a member of the supergroup chat",
    "bot is not a member of the channel chat",
    "have no rights to send a message",
    "not enough rights to send text messages to the chat",
    "need administrator rights in the channel chat",
    "CHAT_WRITE_FORBIDDEN",
    "CHAT_RESTRICTED",
    "message thread not found",
    "TOPIC_CLOSED",
    "TOPIC_DELETED",
)
"""This bot does not get through, which whoever owns the chat may change; or it is another bot's."""
_TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")
# Telegram pings whoever is named so, whatever else we say of the text.
_PING = re.compile(r"(?<!\w)@(?=\w)")
WORD_JOINER = "\u2060"
"""Between the sign and the name it is not seen, and keeps them apart."""


class Bold(Struct, frozen=True):
    """What of the text is bold, counted in units of UTF-16."""

    length: int
    offset: int = 0
    type: Literal["bold"] = "bold"


class Preview(Struct, frozen=True, omit_defaults=True):
    """Links in the text show no preview of where they lead; an image is shown as one."""

    is_disabled: bool = False
    url: str = ""
    prefer_large_media: bool = False


class Button(Struct, frozen=True):
    """Leads to a page."""

    text: str
    url: str


class Keyboard(Struct, frozen=True):
    """Rows of buttons below the message."""

    inline_keyboard: tuple[tuple[Button, ...], ...]


class Message(Struct, frozen=True, omit_defaults=True):
    """What sendMessage takes; without a parse mode no character of the text is markup."""

    chat_id: str
    text: str
    link_preview_options: Preview | None = None
    entities: tuple[Bold, ...] = ()
    message_thread_id: int = 0
    reply_markup: Keyboard | None = None


class Posted(Struct, frozen=True):
    """The message as it was posted."""

    message_id: int


class Answer(Struct, frozen=True):
    """Its reply to a message that it took."""

    result: Posted


class Parameters(Struct, frozen=True):
    """What would help."""

    retry_after: float | None = None
    migrate_to_chat_id: int | None = None


class Failure(Struct, frozen=True):
    """Why it did not take one."""

    error_code: int
    description: str = ""
    parameters: Parameters = Parameters()


class Telegram(BotChats):
    """Posts to Telegram as one bot."""

    name = "telegram"
    scheme = "telegram"

    def __init__(self, settings: Settings, http: HttpClient) -> None:
        super().__init__(http)
        self._base = settings.telegram_url.rstrip("/")
        self._token = settings.telegram_bot_token
        self._pace = Pace(settings.telegram_per_second)
        self._moved: OrderedDict[str, str] = OrderedDict()
        self._encode = msgspec.json.Encoder().encode

    async def check(self) -> None:
        """Raise Misconfigured for a URL or a token that can be none; makes no call."""
        require_url("TOCSIN_TELEGRAM_URL", self._base)
        if not _TOKEN.fullmatch(self._token.get_secret_value()):
            raise Misconfigured("TOCSIN_TELEGRAM_BOT_TOKEN is not set, or is no bot's token.")

    async def post(self, delivery: Delivery, chat: BotChat) -> Outcome:
        """Write into a chat; where a group has become a supergroup, into that one."""
        await self._pace.wait(urgent=delivery.priority is Priority.CRITICAL)
        moved = self._moved.get(chat.chat)
        reply = await self._post(delivery, chat, moved)
        if isinstance(reply, Reply) and moved is None and (new := moved_to(reply)) is not None:
            self._moved[chat.chat] = new
            while len(self._moved) > MOST_MOVED:
                self._moved.popitem(last=False)
            reply = await self._post(delivery, chat, new)
        return reply if isinstance(reply, TransientFailure) else outcome_of(reply)

    async def _post(
        self, delivery: Delivery, chat: BotChat, moved: str | None
    ) -> Reply | TransientFailure:
        there = chat if moved is None else structs.replace(chat, chat=moved)
        body = self._encode(self.message_of(delivery.content, there))
        url = f"{self._base}/bot{self._token.get_secret_value()}/sendMessage"
        return await self.call(url, body, delivery)

    def message_of(self, content: Content, chat: BotChat) -> Message:
        """A bold title, if there is one, and the body."""
        title, body = (_PING.sub(f"@{WORD_JOINER}", text) for text in (content.title, content.body))
        length = len(title.encode("utf-16-le", errors="replace")) // 2
        return Message(
            chat_id=chat.chat,
            text=f"{title}\n{body}" if title else body,
            link_preview_options=Preview(url=content.image, prefer_large_media=True)
            if content.image
            else Preview(is_disabled=True),
            entities=(Bold(length),) if title else (),
            message_thread_id=int(chat.thread or 0),
            reply_markup=_keyboard(content.actions),
        )


def _keyboard(actions: Sequence[Action]) -> Keyboard | None:
    """A row for each, as labels are long."""
    rows = tuple((Button(action.label, action.url),) for action in actions)
    return Keyboard(rows) if rows else None


def moved_to(reply: Reply) -> str | None:
    """The chat that a group has become, if that is why it did not take the message."""
    if reply.status != 400:
        return None
    try:
        new = read_foreign(reply.body, Failure).parameters.migrate_to_chat_id
    except UNDECODABLE:
        return None
    return None if new is None else str(new)


def outcome_of(reply: Reply) -> Outcome:
    """What Telegram's reply means."""
    try:
        if reply.status == 200:
            return Sent(str(read_foreign(reply.body, Answer).result.message_id))
        if reply.status < 400:
            return unreadable(reply)
        said = read_foreign(reply.body, Failure)
    except UNDECODABLE:
        return failure_of(reply, None)
    if reply.status in (400, 403):
        if said.description.endswith(GONE):
            return PermanentFailure(Reason.UNREGISTERED, said.description)
        if said.description.endswith(CLOSED) or said.parameters.migrate_to_chat_id is not None:
            return PermanentFailure(Reason.UNREGISTERED, said.description, lasting=False)
    elif reply.status == 404:
        # It has no such method for this token, as it has none for what is no token.
        return TransientFailure(Reason.UNAUTHORIZED, said.description)
    failed = failure_of(reply, said.description)
    if isinstance(failed, TransientFailure) and failed.reason is Reason.THROTTLED:
        after = said.parameters.retry_after
        # Of one chat or of the bot: which it is shows when others are served.
        return structs.replace(
            failed, after=failed.after if after is None else after, fault=Fault.CREDENTIALS
        )
    return failed
