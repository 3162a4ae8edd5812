"""A user whose decisions are carried out, and types for them to be told of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from policy.catalogue.catalogue import parse
from policy.decision.decide import decide
from policy.decision.decision import Decision, Row
from policy.decision.deferral import hear
from policy.decision.resume import resume
from policy.digest.closing import close
from policy.notification_type import NotificationType
from policy.user.ledger import Held, Ledger
from policy.user.profile import Profile
from policy.user.state import UserState
from policy.user.tenant import DEFAULT_TENANT, Tenant
from schemas.request import Origin, Request
from schemas.vocabulary import Stage
from tests.policy.samples import EVERYWHERE, NOON, request

MINUTE = 60_000
NIGHT = ((127, 11 * 60, 13 * 60),)
ONE = 13 * 60 * MINUTE - 12 * 60 * MINUTE + NOON
TEXTS = {
    "push": '{ title = "Hi", body = "{{ data.text }}" }',
    "email": '{ title = "Hi", body = "{{ data.text }}" }',
    "sms": '{ body = "{{ data.text }}" }',
    "inapp": '{ body = "{{ data.text }}" }',
}


def kind(
    special: str,
    channels: str = "push",
    priority: str = "normal",
    texts: Mapping[str, str] = TEXTS,
    ttl: str = "1d",
) -> NotificationType:
    """A type with these channels, and whatever else is said."""
    used = [name for name in texts if name in channels or f'"{name}"' in special]
    listed = ", ".join(f'"{name}"' for name in channels.split())
    templates = "\n".join(f"{name} = {texts[name]}" for name in used)
    text = f"""
event = "thing.happened"
[types.thing]
category = "things"
priority = "{priority}"
channels = [{listed}]
users = "who"
topic = "key"
time_to_live = "{ttl}"
{special}
[types.thing.templates]
{templates}
"""
    return parse({"thing.toml": text}).types["thing"]


@dataclass
class Person:
    """A user whose decisions are carried out: the ledger kept, what is held stored."""

    spec: NotificationType
    profile: Profile = EVERYWHERE
    tenant: Tenant = DEFAULT_TENANT
    ledger: Ledger = field(default_factory=Ledger)
    held: dict[Row, Held] = field(default_factory=dict)

    def state(self) -> UserState:
        return UserState(self.profile, self.ledger, self.tenant)

    def type_of(self, _: Request) -> NotificationType:
        return self.spec

    def take(self, decision: Decision) -> Decision:
        for row in decision.release:
            del self.held[row]
        self.held |= dict(decision.keep)
        self.ledger = decision.ledger
        return decision

    def meet(self, asked: Request, now: int) -> Decision:
        return self.take(decide(asked, self.spec, self.state(), now))

    def notice(self, notification: str, stage: Stage) -> Decision:
        """The user does something with a notification."""
        own = f"{notification}."
        held = {name: self.held[(name,)] for name in self.ledger.waiting if name.startswith(own)}
        return self.take(hear(notification, stage, self.ledger, held, self.type_of))

    def on_timer(self, now: int) -> list[Decision]:
        """Whatever is due."""
        decisions = []
        due = sorted((at, name) for name, at in self.ledger.timers() if at <= now)
        for _, name in due:
            if name in self.ledger.waiting:
                decision = resume(name, self.held[(name,)], self.spec, self.state(), now)
            else:
                items = sorted(item for item in self.held.items() if item[0][0] == name)
                decision = close(name, items, self.type_of, self.state(), now)
            decisions.append(self.take(decision))
        return decisions


def told(*decisions: Decision) -> dict[str, str]:
    """Stage and reason by channel; a channel that goes out is `sent`."""
    found = {}
    for decision in decisions:
        for outcome in decision.outcomes:
            found[outcome.channel or "all"] = f"{outcome.stage} {outcome.reason}"
        for notice in decision.notices:
            outcome = notice.outcome
            found[outcome.channel or "all"] = f"{outcome.stage} {outcome.reason}"
        found |= {delivery.channel: "sent" for delivery in decision.deliveries}
    return {str(channel): what for channel, what in found.items()}


def at(minutes: float, name: str = "e1", **data: str) -> Request:
    """An event so many minutes after noon."""
    moment = NOON + round(minutes * MINUTE)
    number = int(name[1:])
    said = {"text": f"text of {name}", "key": "k", **data}
    return request(at=moment, event_id=name, origin=Origin("events", 0, number), data=said)
