"""`delivery-events`: everything that happens to a notification, one line a happening."""

from msgspec import Struct

from schemas.vocabulary import Channel, Priority, Reason, Stage


class DeliveryEvent(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One row of `delivery_events` in ClickHouse.

    `id` is made from what happened to what (delivery or notification, stage, attempt), so that
    the same event inserted twice is one row. `occurred_at` is the domain event's time and places
    the row, `accepted_at` is when Kafka took it, `at` when this stage was reached: epoch ms. A
    sent SMS has `segments`, and their `cost` by the prices in the settings. `variant` is of an
    experiment, as EXPERIMENT/VARIANT; what providers and people report lacks it, and is found by
    its notification. Of what is ASSIGNED it is HOLDOUT/GROUP, and the user's goal counts `within`
    so many seconds of the domain event; its detail, as that of a GOAL, is what both are about.
    `digest` names the digest that a notification is, or was told in. A digest's clock starts when
    it is `due_at`, epoch ms. What is queued has the `zone` that its user lives in, as far as known.
    What a sink tells has the class of its `destination`, such as a mailbox provider or a country.
    Of an event that a source has read in a company's own topic, `origin` is the record there, as
    SOURCE/TOPIC/PARTITION/OFFSET; what providers and people report lacks it, as a variant.
    `trace` is the id of the trace that it is part of, where its event is traced. `attribute` is
    the class of the user by an attribute that the type names, as ATTRIBUTE=VALUE; what providers
    and people report lacks it, as a variant. `carrier` is the network that a text went to, by its
    codes (ITU-T E.212) as MCC-MNC, in what a provider reports that tells it.
    """

    id: str
    stage: Stage
    at: int
    occurred_at: int
    accepted_at: int
    tenant: str
    type: str
    category: str
    priority: Priority
    user: str
    event_id: str
    notification_id: str
    delivery_id: str = ""
    channel: Channel | None = None
    reason: Reason = Reason.NONE
    provider: str = ""
    attempt: int = 0
    detail: str = ""
    catalogue: str = ""
    segments: int = 0
    cost: float = 0.0
    variant: str = ""
    within: int = 0
    due_at: int = 0
    digest: str = ""
    zone: str = ""
    destination: str = ""
    origin: str = ""
    trace: str = ""
    attribute: str = ""
    carrier: str = ""
