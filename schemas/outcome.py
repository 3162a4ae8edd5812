"""`outcomes`: what became of a notification, as a CloudEvent for a company's other services."""

from typing import Literal

from msgspec import Struct

from schemas.vocabulary import Channel, Priority

TYPE = "tocsin.notification."
"""With which the types of all outcomes begin."""


class OutcomeData(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which notification it is, and on which channel; without one it holds for all of them.

    `type` is its type in the catalogue. `reason` is a word of docs/reference/reasons.md that says
    why it was suppressed or failed; of a bounce it is `hard` or `soft`. `digest` names the digest
    that it was told in. Of an event that a source has read, `origin` is its record, as
    SOURCE/TOPIC/PARTITION/OFFSET.
    """

    tenant: str
    user: str
    notification_id: str
    event_id: str
    type: str
    category: str
    priority: Priority
    occurred_at: str
    channel: Channel | None = None
    delivery_id: str = ""
    reason: str = ""
    provider: str = ""
    digest: str = ""
    variant: str = ""
    origin: str = ""


class Outcome(Struct, frozen=True, kw_only=True):
    """A CloudEvent 1.0 in structured JSON.

    `id` is the same whenever the same outcome is written, also after a crash, so that with `source`
    it tells a repeat; there is one for each notification, channel and type. `type` is
    `tocsin.notification.sent.v1`, or `delivered`, `seen`, `opened`, `clicked`, `bounced`,
    `complained`, `unsubscribed`, `failed`, `suppressed` or `digested` in place of `sent`. `subject`
    is the notification's id, `time` when it happened, in RFC 3339.
    """

    id: str
    source: str
    type: str
    subject: str
    time: str
    data: OutcomeData
    datacontenttype: Literal["application/json"] = "application/json"
    specversion: Literal["1.0"] = "1.0"
