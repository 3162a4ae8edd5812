"""Notifications that wait, and what must come of each: worked out from Kafka's own log of events.

Knows the catalogue below and nothing of how Tocsin keeps time; tested by planted faults.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from policy.identity import notification_id

WINDOW, LATENESS, DELAY, ESCALATION = 6_000, 10_000, 4_000, 10_000
"""Milliseconds, as in the catalogue."""
SEEN_AFTER = 60
"""How many records after a nudge it is seen: a second and a half."""
KINDS = ("bundle", "bundle", "reminder", "nudge", "seen")
PEOPLE = 40
FREE = "rate_limit = { count = 1000, seconds = 60 }"
CATALOGUE = {
    "bundle": f"""channels = ["push"]
digests = [{{ channels = ["push"], key = "box", every = "6s", lateness = "10s" }}]
{FREE}
[types.bundle.templates.push]
title = "Box"
body = "{{{{ data.n }}}}"
digest = {{ body = "{{% for event in events %}}{{{{ event.data.n }}}} {{% endfor %}}" }}
""",
    "reminder": f"""channels = ["push"]
delay = "4s"
{FREE}
[types.reminder.templates.push]
title = "Reminder"
body = "{{{{ data.n }}}}"
""",
    "nudge": f"""channels = ["inapp"]
escalation = [{{ after = "10s", channels = ["push"] }}]
{FREE}
[types.nudge.templates]
inapp = {{ body = "{{{{ data.n }}}}" }}
push = {{ title = "Nudge", body = "{{{{ data.n }}}}" }}
""",
}
HEAD = """event = "{name}.happened"

[types.{name}]
category = "{name}"
priority = "normal"
users = "who"
time_to_live = "1h"
"""
DECIDED = ("queued", "suppressed")
"""Stages that end what was held."""
Record = tuple[str, str, bytes]
"""Topic, key, value."""


def catalogue_files() -> dict[str, str]:
    """The catalogue, by file name."""
    return {f"{name}.toml": HEAD.format(name=name) + text for name, text in CATALOGUE.items()}


@dataclass(frozen=True)
class Waiting:
    """`most` records at most, under ids that begin with `name`."""

    name: str
    most: int

    def people(self) -> Iterator[Record]:
        """Contacts, to be known before the first event."""
        for number in range(PEOPLE):
            user = f"{self.name}-{number}"
            contacts = {"user": user, "devices": [{"token": f"{user}:phone"}]}
            yield "contacts", user, json.dumps(contacts).encode()

    def event(self, number: int, at: str) -> Record:
        """The record with this number, of what happened at `at`."""
        kind, nudge = KINDS[number % len(KINDS)], number - 1 - SEEN_AFTER
        if kind == "seen" and nudge >= 0 and number % 2:
            who = self._who(nudge)
            name = notification_id("default", self.event_id(nudge), who, "nudge")
            seen = {"user": who, "notification_id": name, "stage": "seen", "at": at}
            return "feedback", who, json.dumps(seen).encode()
        kind = "bundle" if kind == "seen" else kind
        data = {"who": self._who(number), "box": f"b{number // 7 % 2}", "n": number}
        event = {
            "id": self.event_id(number),
            "type": f"{kind}.happened",
            "actor": "depot",
            "occurred_at": at,
            "data": data,
        }
        return "events", "depot", json.dumps(event).encode()

    def event_id(self, number: int) -> str:
        """The id of the event with this number."""
        return f"{self.name}-{number:06d}"

    def _who(self, number: int) -> str:
        return f"{self.name}-{number // len(KINDS) % PEOPLE}"


class Happening(NamedTuple):
    """An event as Kafka has it; `at` is when it happened (epoch ms)."""

    id: str
    kind: str
    user: str
    box: str
    n: int
    at: int


class Told(NamedTuple):
    """A delivery event."""

    event_id: str
    channel: str
    stage: str
    reason: str
    detail: str
    at: int
    delivery_id: str
    notification_id: str


class Sent(NamedTuple):
    """A push as it stands in its topic, and whether a provider took it."""

    notification_id: str
    body: str
    accepted: bool


@dataclass(frozen=True)
class Outcome:
    """What there is to judge: `seen` are the ids of events that somebody saw."""

    events: Collection[Happening]
    seen: Collection[str]
    told: Collection[Told]
    sent: Collection[Sent]


def broken(outcome: Outcome) -> list[str]:
    """Every promise that was not kept, in words."""
    by_event: dict[str, list[Told]] = defaultdict(list)
    for told in outcome.told:
        by_event[told.event_id].append(told)
    of = {
        event.kind: [e for e in outcome.events if e.kind == event.kind] for event in outcome.events
    }
    sent: dict[str, set[Sent]] = defaultdict(set)
    for push in outcome.sent:
        sent[push.notification_id].add(push)
    return [
        *_digests(of.get("bundle", []), by_event, sent),
        *_reminders(of.get("reminder", []), by_event, sent),
        *_nudges(of.get("nudge", []), outcome.seen, by_event, sent),
    ]


def _digests(
    events: list[Happening], told: dict[str, list[Told]], sent: dict[str, set[Sent]]
) -> Iterator[str]:
    members: dict[str, set[Happening]] = defaultdict(set)
    for event in events:
        digests = {
            each.detail.removeprefix("in ") for each in told[event.id] if each.stage == "digested"
        }
        if len(digests) != 1:
            yield f"{event.id} is in {len(digests)} digests"
        for digest in digests:
            members[digest].add(event)
    for digest, inside in members.items():
        expected = " ".join(str(event.n) for event in sorted(inside, key=lambda e: (e.at, e.id)))
        yield from _one_push(digest, expected, sent[digest])
    found = {frozenset(event.n for event in inside) for inside in members.values()}
    yield from (f"no digest of {sorted(group)}" for group in _windows(events) - found)


def _one_push(name: str, body: str, pushes: set[Sent]) -> Iterator[str]:
    if len(pushes) != 1:
        yield f"{name} ({body}) was written with {len(pushes)} contents"
        return
    (push,) = pushes
    if sorted(push.body.split()) != sorted(body.split()):
        yield f"{name} says {push.body!r} and not {body!r}"
    if not push.accepted:
        yield f"{name} ({body}) was lost"


def _windows(events: Iterable[Happening]) -> set[frozenset[int]]:
    boxes: dict[tuple[str, str], list[Happening]] = defaultdict(list)
    for event in events:
        boxes[event.user, event.box].append(event)
    windows = set()
    for inside in boxes.values():
        left = sorted(inside, key=lambda event: event.at)
        while left:
            end = left[0].at + WINDOW
            windows.add(frozenset(event.n for event in left if event.at < end))
            left = [event for event in left if event.at >= end]
    return windows


def _reminders(
    events: list[Happening], told: dict[str, list[Told]], sent: dict[str, set[Sent]]
) -> Iterator[str]:
    for event in events:
        queued = [each for each in told[event.id] if each.stage == "queued"]
        if not queued:
            yield f"{event.id} was lost"
            continue
        if min(each.at for each in queued) < event.at + DELAY:
            yield f"{event.id} came early"
        name = queued[0].notification_id
        yield from _one_push(name, str(event.n), sent[name])


def _nudges(
    events: list[Happening],
    seen: Collection[str],
    told: dict[str, list[Told]],
    sent: dict[str, set[Sent]],
) -> Iterator[str]:
    for event in events:
        on_push = [each for each in told[event.id] if each.channel == "push"]
        ends = {each.reason or each.stage for each in on_push if each.stage in DECIDED}
        wanted = "engaged" if event.id in seen else "queued"
        if ends != {wanted}:
            yield f"{event.id} ended as {sorted(ends)} and not as {wanted}"
        elif wanted == "queued":
            name = on_push[0].notification_id
            yield from _one_push(name, str(event.n), sent[name])


def happening(value: dict[str, Any], at: int) -> Happening:
    """An event from its record."""
    data = value["data"]
    kind = value["type"].partition(".")[0]
    return Happening(value["id"], kind, data["who"], data["box"], data["n"], at)
