"""A town small enough to judge by hand, and evidence that all went well in it."""

from dataclasses import dataclass, field

from demo.evidence import Evidence, Silence, Stored
from demo.findings import Findings
from demo.kinds import read_kinds
from demo.people import Record
from demo.producer_log import BadClaim, Claim, Claims
from demo.reckoning import reckon
from demo.run import ROOT
from demo.world import World
from embedded.simulators.accept_log import Accepted
from policy.identity import delivery_id, notification_id
from schemas.dead_letter import DeadLetter
from schemas.vocabulary import Channel, Reason

AT = 1_772_366_400_000
"""Noon, UTC, on the first of March 2026."""
KINDS = read_kinds(ROOT / "catalogue")


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
    claims: Claims = field(default_factory=Claims)
    accepted: list[Accepted] = field(default_factory=list)
    inbox: list[Stored] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    silences: list[Silence] = field(default_factory=list)
    outbox: set[str] = field(default_factory=set)

    def happen(self, name: str, kind: str, *expected: tuple[str, str], read: bool = False) -> None:
        """The producer wrote an event."""
        claim = Claim(id=name, type=kind, actor="shop", at=AT, expected=expected, read=read)
        self.claims.events[name] = claim

    def accept(self, event: str, kind: str, user: str, channel: str, address: str) -> None:
        """A provider accepted a message, 50 ms after Kafka took its event."""
        notification = notification_id("default", event, user, kind)
        self.accepted.append(
            Accepted(
                at=AT / 1000 + 0.05,
                provider="fcm",
                channel=Channel(channel),
                notification_id=notification,
                delivery_id=delivery_id(notification, Channel(channel), address),
                address=address,
                title="",
                digest="",
                reference="",
            )
        )

    def store(self, event: str, kind: str, user: str) -> None:
        """The inbox got an item, 20 ms after Kafka took its event."""
        notification = notification_id("default", event, user, kind)
        self.inbox.append(Stored(user=user, notification_id=notification, at=AT + 20))

    def say(self, event: str, kind: str, user: str, channel: str, reason: str) -> None:
        """Tocsin says that it did not send."""
        self.silences.append(
            Silence(event_id=event, user=user, type=kind, channel=channel, reason=reason, at=AT + 5)
        )

    def bury(self, offset: int, value: bytes = b"", topic: str = "events") -> None:
        """A record became a dead letter."""
        self.letters.append(
            DeadLetter(
                id=f"{topic}{offset}",
                reason=Reason.INVALID,
                detail="",
                role="router",
                topic=topic,
                partition=0,
                offset=offset,
                at=AT,
                value=value,
            )
        )

    def judge(self) -> Findings:
        """The verdict."""
        users = tuple(self.contacts)
        world = World(users, self.contacts, self.preferences, followers={})
        evidence = Evidence(
            accepted=self.accepted,
            inbox=self.inbox,
            letters=self.letters,
            silences=self.silences,
            outbox=frozenset(self.outbox),
        )
        return reckon(world, KINDS, self.claims, evidence)


def ordinary_day() -> Town:
    """An order, a chat, two posts and a bad record, and all of it as it should be."""
    town = Town()
    town.happen("order", "order.shipped", ("order_shipped", "ann"))
    for channel, address in (
        ("push", "ann-0"),
        ("push", "ann-1"),
        ("email", "ann@mail.example"),
        ("sms", "+12025550100"),
    ):
        town.accept("order", "order_shipped", "ann", channel, address)
    town.happen("chat", "chat.message", ("chat_message", "ben"), ("chat_message", "ann"))
    town.store("chat", "chat_message", "ben")
    town.say("chat", "chat_message", "ben", "push", "no_address")
    for device in ("ann-0", "ann-1"):
        town.accept("chat", "chat_message", "ann", "push", device)
    town.say("chat", "chat_message", "ann", "inapp", "offline")
    town.happen("post", "post.published", ("post_published", "cy"))
    for channel in ("push", "inapp"):
        town.say("post", "post_published", "cy", channel, "opted_out")
    town.happen("famous", "post.published", read=True)
    town.outbox.add(notification_id("default", "famous", "", "post_published"))
    town.claims.bad.append(BadClaim(bad="no JSON", topic="events", partition=0, offset=9))
    town.bury(9, b'{"id"')
    return town


def _ben() -> Record:
    ben = person("ben", 0)
    del ben["phone"]
    return ben


def _wishes() -> Record:
    hours = {"start": "11:00", "end": "13:00"}
    social = {"push": False, "inapp": False}
    return {"user": "cy", "categories": {"social": social}, "quiet_hours": [hours]}
