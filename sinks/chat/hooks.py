"""What chat platforms' incoming webhooks have in common: a URL that is secret, and takes JSON."""

from abc import abstractmethod

import msgspec

from pipeline.clock import Clock, SystemClock
from pipeline.settings import Settings
from policy.contact.address import split_address
from policy.contact.endpoint import is_platforms
from schemas.delivery import Content, Delivery
from schemas.vocabulary import Channel, Reason
from sinks.http.client import HttpClient, Reply
from sinks.http.endpoints import AT_ONCE, Endpoints
from sinks.provider import Outcome, PermanentFailure
from sinks.single_message import SingleMessageProvider

SYSTEM_CLOCK = SystemClock()
IDS = "X-Tocsin-Delivery"
"""A header that names what is sent; the platforms pass over it, and traces show it."""
_encode = msgspec.json.Encoder().encode


class Hooks(SingleMessageProvider):
    """Posts to one platform's hooks; a subclass says in which form, and what replies mean.

    Each hook is throttled and revoked by itself, so each has a circuit of its own.
    """

    name: str
    scheme: str
    """The platform's name, as addresses have it."""
    channel = Channel.CHAT
    is_one_server = False
    calls_per_server = AT_ONCE

    def __init__(self, settings: Settings, _: HttpClient, clock: Clock = SYSTEM_CLOCK) -> None:
        self._exceptions = settings.private_endpoints
        self._endpoints = Endpoints(settings.provider_timeout, self._exceptions, clock)

    def server_of(self, delivery: Delivery) -> str:
        """The hook: a platform throttles each by itself."""
        return delivery.address

    async def check(self) -> None:
        """Nothing to check: what it takes to write is in each address."""

    async def send_one(self, delivery: Delivery) -> Outcome:
        """The call for one delivery; see Provider.send."""
        _, url = split_address(delivery.address)
        try:
            known = is_platforms(self.name, url, self._exceptions)
        except ValueError:
            known = False
        if not known:
            return PermanentFailure(Reason.INVALID_ADDRESS, f"it is at none of {self.name}'s hosts")
        headers = {
            "Content-Type": "application/json",
            IDS: f"{delivery.notification_id}.{delivery.delivery_id}",
        }
        body = _encode(self.message_of(delivery.content))

        def meaning(reply: Reply) -> Outcome:
            return self.outcome_of(reply, delivery.delivery_id)

        return await self._endpoints.call(url, self.url_of(url), body, headers, meaning)

    async def close(self) -> None:
        """Close the connections, which are this provider's own."""
        await self._endpoints.close()

    def url_of(self, hook: str) -> str:
        """What to call for a hook: the hook."""
        return hook

    @abstractmethod
    def message_of(self, content: Content) -> msgspec.Struct:
        """The body, in which nothing of the content can ping, link or format."""

    @abstractmethod
    def outcome_of(self, reply: Reply, name: str) -> Outcome:
        """What a reply means; `name` stands in where the platform names no message."""
