"""A town small enough to judge by hand, and evidence that all went well in it."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from demo.dataset.people import Record
from demo.dataset.world import READ_FROM, World
from demo.produce.producer_log import BadClaim, Claim, Claims, PresenceClaim, record_digest
from demo.run import ROOT
from demo.verify.evidence import Evidence, Excuse, Place, Posted, Stored
from demo.verify.expected.type_spec import read_type_specs
from demo.verify.findings import Findings
from demo.verify.judge import judge
from embedded.simulators.accept_log import Accepted, data_digest_of, digest_of
from policy.identity import delivery_id, notification_id
from schemas.dead_letter import DeadLetter
from schemas.vocabulary import Channel, Reason

AT = 1_772_366_400_000
"""Noon, UTC, on the first of March 2026."""
MINUTE, HOUR = 60_000, 3_600_000
PARTITIONS = 2
POST_TYPE, BAD = "post_published", b'{"id"'
SPECS = read_type_specs(ROOT / "catalogue")

Words = tuple[str, str, dict[str, Any]]
"""Title, body and data."""
TEXTS: dict[tuple[str, str], Words] = {
    ("order_shipped", "push"): (
        "Your order is on its way",
        "DHL has picked up order 7.",
        {"order_id": "7", "tracking_number": "1Z5"},
    ),
    ("order_shipped", "email"): (
        "Order 7 is on its way",
        "Good news: order 7 has left our warehouse.\n\nCarrier: DHL\nTracking number: 1Z5",
        {},
    ),
    ("order_shipped", "sms"): ("", "Order 7 is on its way: DHL 1Z5", {}),
    ("chat_message", "push"): ("Bo", "Hi & bye", {"conversation_id": "c1"}),
    ("chat_message", "inapp"): ("Bo", "Hi & bye", {"conversation_id": "c1"}),
    ("post_published", "push"): ("Fay posted", "A short text", {"post_id": "p"}),
    ("post_published", "inapp"): ("Fay posted", "A short text", {"post_id": "p"}),
    ("comment_added", "inapp"): ("Bo on Cats", "Nice", {"post_id": "p"}),
    ("ride_matched_rider", "push"): (
        "Di arrives in 3 min",
        "Look for a white van, A1.",
        {"ride_id": "r"},
    ),
    # In German, as by the locale de-AT.
    ("invoice_due", "push"): (
        "Rechnung 42",
        "€\xa01.299,50 sind am 31.03.2026 fällig.",
        {"invoice_id": "42"},
    ),
    ("invoice_due", "sms"): ("", "Rechnung 42: € 1.299,50 sind am 31.03.2026 fällig.", {}),
    ("invoice_due", "email"): (
        "Rechnung 42 ist am 31.03.2026 fällig",
        "€\xa01.299,50 sind am Dienstag, 31. März 2026 fällig.",
        {},
    ),
    ("ride_matched_rider", "sms"): ("", "Di arrives in 3 min: white van, A1", {}),
}
"""What people should read, filled in by hand from the catalogue's templates."""
POST = {"post_id": "p", "author_name": "Fay", "text": "A short text"}
DATA: dict[str, dict[str, Any]] = {
    "order.shipped": {"order_id": "7", "carrier": "DHL", "tracking_number": "1Z5"},
    "chat.message": {"conversation_id": "c1", "sender_name": "Bo", "text": "Hi & bye"},
    "post.published": POST,
    "comment.added": {"post_id": "p", "post_title": "Cats", "commenter_name": "Bo", "text": "Nice"},
    "invoice.due": {
        "invoice_id": "42",
        "amount": "1299.50",
        "currency": "EUR",
        "due_on": "2026-03-31",
    },
    "ride.matched": {
        "ride_id": "r",
        "driver_name": "Di",
        "rider_name": "Ann",
        "car": "white van",
        "plate": "A1",
        "pickup": "Quay 1",
        "eta_minutes": 3,
    },
}


def bad_record(offset: int, partition: int = 0) -> BadClaim:
    """The producer wrote a record that is no JSON."""
    return BadClaim(
        bad="no JSON",
        reason="undecodable",
        digest=record_digest(None, BAD),
        topic="events",
        partition=partition,
        offset=offset,
    )


def person(user: str, devices: int = 1, **more: object) -> Record:
    """Contacts of somebody who can be reached everywhere, unless `more` says otherwise."""
    tokens = [{"token": f"{user}-{number}", "platform": "fcm"} for number in range(devices)]
    reach = {"user": user, "devices": tokens, "zone": "UTC", "locale": "en"}
    return reach | {"email": f"{user}@mail.example", "phone": "+12025550100"} | more


@dataclass
class Town:
    """Ann has two devices, Ben none and no phone; Cy opted out of posts and is quiet at noon."""

    contacts: dict[str, Record] = field(
        default_factory=lambda: {"ann": person("ann", 2), "ben": _ben(), "cy": person("cy")}
    )
    preferences: dict[str, Record] = field(default_factory=lambda: {"cy": _wishes()})
    followers: dict[str, list[str]] = field(default_factory=dict)
    unsubscribed: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    claims: Claims = field(default_factory=Claims)
    ended_at: int = AT + MINUTE
    accepted: list[Accepted] = field(default_factory=list)
    inbox: list[Stored] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    excuses: list[Excuse] = field(default_factory=list)
    held: dict[Place, set[int]] = field(default_factory=dict)
    outbox: list[Posted] = field(default_factory=list)
    priorities: dict[Place, set[str]] = field(default_factory=dict)

    def happen(
        self, name: str, kind: str, actor: str = "shop", happened: int = AT, **more: object
    ) -> None:
        """The producer wrote an event, at noon."""
        self.claims.events[name] = Claim(
            id=name,
            type=kind,
            actor=actor,
            occurred_at=datetime.fromtimestamp(happened / 1000, UTC).isoformat(),
            at=AT,
            data=DATA[kind] | more,
        )

    def order(self, user: str) -> None:
        """Something that `user` ordered is on its way."""
        self.happen("order", "order.shipped", customer_id=user)

    def post(self, name: str, *followers: str) -> None:
        """Somebody posted whom these people follow."""
        self.followers["fay"] = list(followers)
        self.happen(name, "post.published", actor="fay")

    def accept(self, event: str, kind: str, user: str, channel: str, address: str) -> None:
        """A provider accepted the right message, 50 ms after Kafka took its event."""
        notification = notification_id("default", event, user, kind)
        title, body, data = TEXTS[kind, channel]
        self.accepted.append(
            Accepted(
                at=AT / 1000 + 0.05,
                provider="fcm",
                channel=Channel(channel),
                notification_id=notification,
                delivery_id=delivery_id(notification, Channel(channel), address),
                address=address,
                title=title,
                digest=digest_of(body),
                reference="",
                data=data_digest_of(data),
            )
        )

    def gather(self, channel: str, address: str, at: int, **content: str) -> None:
        """A provider accepted a digest, whose id is one of its own."""
        name = f"{len(self.accepted):032x}"
        self.accepted.append(
            Accepted(
                at=at / 1000,
                provider="any",
                channel=Channel(channel),
                notification_id=name,
                delivery_id=delivery_id(name, Channel(channel), address),
                address=address,
                reference="",
                **content,
            )
        )

    def reach(self, event: str, kind: str, user: str, *channels: str) -> None:
        """The right message went to every address of the user on these channels."""
        for channel in channels:
            if channel == "inapp":
                self.store(event, kind, user)
                continue
            record = self.contacts[user]
            tokens = [device["token"] for device in record["devices"]]
            places = {"push": tokens, "email": [record.get("email")], "sms": [record.get("phone")]}
            for address in places[channel]:
                self.accept(event, kind, user, channel, address)

    def store(self, event: str, kind: str, user: str) -> None:
        """The inbox got the right item, 20 ms after Kafka took its event."""
        title, body, data = TEXTS[kind, "inapp"]
        name = notification_id("default", event, user, kind)
        self.inbox.append(
            Stored(user=user, notification_id=name, at=AT + 20, title=title, body=body, data=data)
        )

    def say(
        self, event: str, kind: str, user: str, channel: str, reason: str, stage: str = "suppressed"
    ) -> None:
        """Tocsin says that it did not send."""
        spec = SPECS[kind]
        is_read = reason == "fan_out_on_read"
        self.excuses.append(
            Excuse(
                notification_id=notification_id("default", event, "" if is_read else user, kind),
                event_id=event,
                user=user,
                type=kind,
                category=spec.category,
                priority=spec.priority,
                channel=channel,
                stage=stage,
                reason=reason,
            )
        )

    def show(self, event: str) -> None:
        """A post is in every partition of the outbox."""
        claim, name = self.claims.events[event], notification_id("default", event, "", POST_TYPE)
        written = {"id": event, "type": claim.type, "actor": claim.actor, "data": claim.data}
        self.outbox += [
            Posted(notification_id=name, partition=partition, event=written)
            for partition in range(PARTITIONS)
        ]

    def wait(self, event: str, kind: str, user: str, channel: str, reason: str, due: int) -> None:
        """Tocsin says that it waits, and its state holds it until `due` (epoch ms)."""
        self.say(event, kind, user, channel, reason, "held")
        name = notification_id("default", event, user, kind)
        self.held.setdefault((name, channel), set()).add(due)

    def bury(
        self, offset: int, value: bytes = BAD, topic: str = "events", reason: str = "undecodable"
    ) -> None:
        """A record became a dead letter."""
        self.letters.append(
            DeadLetter(
                id=f"{topic}{offset}",
                reason=Reason(reason),
                detail="",
                role="router",
                topic=topic,
                partition=0,
                offset=offset,
                at=AT,
                value=value,
            )
        )

    def change(self, number: int, **fields: object) -> None:
        """Alter one line of the accept log."""
        self.accepted[number] = msgspec.structs.replace(self.accepted[number], **fields)

    def alter_item(self, number: int, **fields: Any) -> None:
        """Alter one item of the inbox."""
        self.inbox[number] = replace(self.inbox[number], **fields)

    def be_online(self, user: str, until: int, at: int = AT - HOUR) -> None:
        """The user opened the app."""
        claim = PresenceClaim(user=user, online=True, until=until, at=at)
        self.claims.presence.append(claim)

    def judge(self) -> Findings:
        """The verdict."""
        world = World(
            tuple(self.contacts),
            self.contacts,
            self.preferences,
            followers=self.followers,
            unsubscribed=self.unsubscribed,
        )
        evidence = Evidence(
            ended_at=self.ended_at,
            partitions=PARTITIONS,
            accepted=self.accepted,
            inbox=self.inbox,
            letters=self.letters,
            excuses=self.excuses,
            held=self.held,
            outbox=self.outbox,
            priorities=self.priorities,
        )
        return judge(world, SPECS, self.claims, evidence)

    def faults(self) -> dict[str, int]:
        """How many faults of each kind there are, without the kinds that have none."""
        return {name: len(cases) for name, cases in self.judge().faults().items() if cases}


def ordinary_day() -> Town:
    """An order, a chat, two posts and a bad record, and all of it as it should be.

    The first six lines of the accept log: Ann's two devices, her e-mail and her phone for the
    order, and her two devices for the chat.
    """
    town = Town()
    town.order("ann")
    town.reach("order", "order_shipped", "ann", "push", "email", "sms")
    town.happen("chat", "chat.message", actor="bo", recipient_id=["ben", "ann"])
    town.store("chat", "chat_message", "ben")
    town.say("chat", "chat_message", "ben", "push", "no_address")
    town.reach("chat", "chat_message", "ann", "push")
    town.say("chat", "chat_message", "ann", "inapp", "offline")
    town.post("post", "cy")
    for channel in ("push", "inapp"):
        town.say("post", "post_published", "cy", channel, "opted_out")
    town.followers["star"] = [f"fan-{number}" for number in range(READ_FROM)]
    town.happen("famous", "post.published", actor="star")
    town.show("famous")
    town.say("famous", "post_published", "star", "", "fan_out_on_read")
    town.claims.bad.append(bad_record(9))
    town.bury(9)
    return town


def twice(town: Town, event: str) -> None:
    """The producer wrote the event again."""
    town.claims.repeats.update(Counter([event]))


def _ben() -> Record:
    ben = person("ben", 0)
    del ben["phone"]
    return ben


def _wishes() -> Record:
    hours = {"start": "11:00", "end": "13:00"}
    social = {"push": False, "inapp": False}
    return {"user": "cy", "categories": {"social": social}, "quiet_hours": [hours]}
