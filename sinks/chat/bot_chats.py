"""What platforms have in common where one bot of ours writes into all chats."""

from abc import abstractmethod
from collections.abc import Mapping

import msgspec

from policy.contact.address import bot_chat_of
from schemas.delivery import Content, Delivery
from schemas.profile import BotChat
from schemas.vocabulary import Channel, Reason
from sinks.chat.hooks import IDS
from sinks.http.client import HttpClient, Reply
from sinks.provider import Outcome, PermanentFailure, TransientFailure
from sinks.single_message import SingleMessageProvider


class BotChats(SingleMessageProvider):
    """Writes as one bot; a subclass says in which form, and what replies mean.

    A platform bounds what one chat gets and what a bot sends, and says no more than that it is too
    much. So that counts against the circuit only while nobody is served.
    """

    channel = Channel.CHAT

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def send_one(self, delivery: Delivery) -> Outcome:
        """The call for one delivery; see Provider.send."""
        try:
            chat = bot_chat_of(delivery.address)
        except msgspec.ValidationError:
            return PermanentFailure(Reason.INVALID_ADDRESS, "it is no chat")
        return await self.post(delivery, chat)

    async def call(self, url: str, body: bytes, delivery: Delivery) -> Reply | TransientFailure:
        """One POST of JSON."""
        headers = {
            **self.headers(),
            "Content-Type": "application/json; charset=utf-8",
            IDS: f"{delivery.notification_id}.{delivery.delivery_id}",
        }
        return await self._http.post(url, body, headers)

    def headers(self) -> Mapping[str, str]:
        """What shows who calls, where that is in headers."""
        return {}

    @abstractmethod
    async def post(self, delivery: Delivery, chat: BotChat) -> Outcome:
        """Write into a chat."""

    @abstractmethod
    def message_of(self, content: Content, chat: BotChat) -> msgspec.Struct:
        """The body, in which nothing of the content can ping or format."""
