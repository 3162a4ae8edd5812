"""Webhooks as Standard Webhooks has them (standardwebhooks.com): signed, and named by an id that
stays the same however often one is sent.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from pipeline.clock import Clock, SystemClock
from pipeline.secret_file import Derived
from pipeline.settings import Settings
from policy.contact.address import BARE
from policy.time.timestamps import moment
from schemas.delivery import Delivery
from schemas.errors import Misconfigured
from schemas.vocabulary import Channel, Priority, Reason
from sinks.http.client import HttpClient, Reply, failure_of
from sinks.http.endpoints import AT_ONCE, Endpoints, server_of
from sinks.provider import Outcome, PermanentFailure, Sent, TransientFailure
from sinks.single_message import SingleMessageProvider
from sinks.webhook.secret import keys_in, keys_of, signer

SYSTEM_CLOCK = SystemClock()
_encode = msgspec.json.Encoder().encode


class Data(Struct, frozen=True, omit_defaults=True):
    """What happened to whom, and what the templates say of it."""

    notification_id: str
    event_id: str
    tenant: str
    user: str
    category: str
    priority: Priority
    body: str
    title: str = ""
    data: dict[str, object] = {}


class Payload(Struct, frozen=True):
    """The body: `type` is the notification's, `timestamp` when it happened."""

    type: str
    timestamp: datetime
    data: Data


class StandardWebhooks(SingleMessageProvider):
    """Calls the URLs that users' contacts name.

    The receiver takes it by any 2xx. 410 says that it is gone; everything else is tried again
    until the notification's time is up, as a receiver that is being deployed may say anything.
    """

    name = "standard"
    channel = Channel.WEBHOOK
    scheme = BARE
    is_one_server = False
    calls_per_server = AT_ONCE

    def __init__(self, settings: Settings, _: HttpClient, clock: Clock = SYSTEM_CLOCK) -> None:
        self._settings = settings
        self._clock = clock
        self._keys: Derived[list[bytes]] | None
        try:
            self._keys = Derived(settings, "webhook_keys", keys_in)
        except Misconfigured:
            self._keys = None
        timeout, exceptions = settings.provider_timeout, settings.private_endpoints
        self._endpoints = Endpoints(timeout, exceptions, clock)

    def server_of(self, delivery: Delivery) -> str:
        """The host and port of its URL."""
        return server_of(delivery.address)

    async def check(self) -> None:
        """Raise Misconfigured without keys; makes no call."""
        keys_of(self._settings)

    async def send_one(self, delivery: Delivery) -> Outcome:
        """The call for one delivery; see Provider.send."""
        if self._keys is None:
            return TransientFailure(Reason.UNAUTHORIZED, "TOCSIN_WEBHOOK_KEYS is not set")
        address, body = delivery.address, _encode(payload_of(delivery))
        headers = self._headers(delivery, body, self._keys.get())

        def meaning(reply: Reply) -> Outcome:
            return outcome_of(reply, delivery.delivery_id)

        return await self._endpoints.call(address, address, body, headers, meaning)

    async def close(self) -> None:
        """Close the connections, which are this provider's own."""
        await self._endpoints.close()

    def _headers(self, delivery: Delivery, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
        now, name, text = moment(self._clock.now()), delivery.delivery_id, body.decode()
        signers = (signer(key, delivery.tenant, delivery.address) for key in keys)
        return {
            "Content-Type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(int(now.timestamp())),
            # While keys change, one for each: the receiver has either.
            "webhook-signature": " ".join(each.sign(name, now, text) for each in signers),
        }


def payload_of(delivery: Delivery) -> Payload:
    """The body of a delivery."""
    content = delivery.content
    return Payload(
        delivery.type,
        moment(delivery.occurred_at),
        Data(
            delivery.notification_id,
            delivery.event_id,
            delivery.tenant,
            delivery.user,
            delivery.category,
            delivery.priority,
            content.body,
            content.title,
            content.data,
        ),
    )


def outcome_of(reply: Reply, name: str) -> Outcome:
    """What a receiver's reply means; its words are kept out, whoever it is.

    `name` is the id that the webhook had, by which the receiver knows it.
    """
    if reply.status < 300:
        return Sent(name)
    if reply.status == 410:
        return PermanentFailure(Reason.UNREGISTERED, "HTTP 410: it wants no more")
    # Without its words, so that it never refuses: whoever answers may be a stranger.
    return failure_of(reply, None)
