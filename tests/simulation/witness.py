"""What can be seen of a play from outside, and what must hold of it."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from pipeline.producing.memory_log import MemoryLog
from policy.identity import notification_id
from policy.message import MESSAGE
from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.topics import DELIVER, DELIVERY_EVENTS
from schemas.vocabulary import Reason, Stage
from tests.simulation.script import CRITICAL, LATENESS, MINUTE, Script, user_of

Place = tuple[str, str]
"""A notification id and a channel."""
LIMIT, SPAN = 2, 30 * MINUTE
"""What the limited types of the script allow."""
DAY = 1440 * MINUTE
WINDOW = 7 * MINUTE
"""How long the script's fixed digests last."""
decode_delivery = msgspec.json.Decoder(Delivery).decode
decode_events = msgspec.json.Decoder(DeliveryEvent).decode_lines


@dataclass
class Seen:
    """Deliveries by id with when they were decided on (epoch ms), and what was told of each place.

    `ends` are final outcomes, `groups` the places in each digest, `altered` the ids of deliveries
    that were written twice with different contents, `compared` what is told of who is told or held
    out, and of who reached a goal, `decided` when each delivery was decided on.
    """

    deliveries: dict[str, tuple[int, Delivery]] = field(default_factory=dict)
    ends: dict[Place, set[str]] = field(default_factory=lambda: defaultdict(set))
    held: set[Place] = field(default_factory=set)
    groups: dict[Place, set[Place]] = field(default_factory=lambda: defaultdict(set))
    altered: set[str] = field(default_factory=set)
    compared: set[tuple[str, ...]] = field(default_factory=set)
    decided: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def result(self, script: Script) -> set[tuple[str, ...]]:
        """Everything that people get to read, and how each notification ended.

        Not of the type that folds what is over its limit: limits are first come, first served,
        so which of two events within seconds comes first makes a difference.
        """
        folded = {notification_of(e) for e in script.events.values() if kind_of(e) == "folded"}
        folded |= {d.notification_id for _, d in self.deliveries.values() if d.category == "folded"}
        texts = {
            (d.notification_id, d.channel, d.address, d.content.title, d.content.body)
            for _, d in self.deliveries.values()
        }
        ends = {(*place, *sorted(ends)) for place, ends in self.ends.items()}
        return {line for line in texts | ends | self.compared if line[0] not in folded}


def see(log: MemoryLog) -> Seen:
    """Read what was written, each repeat once."""
    seen = Seen()
    for topic in DELIVER.values():
        for record in log.topics.get(topic.name, ()):
            delivery = decode_delivery(record.value)
            _, first = seen.deliveries.setdefault(
                delivery.delivery_id, (record.timestamp, delivery)
            )
            if first.content != delivery.content:
                seen.altered.add(delivery.delivery_id)
    for record in log.topics.get(DELIVERY_EVENTS.name, ()):
        for told in decode_events(record.value):
            _hear(seen, told)
    return seen


def _hear(seen: Seen, told: DeliveryEvent) -> None:
    place = (told.notification_id, str(told.channel or "all"))
    match told.stage:
        case Stage.HELD:
            seen.held.add(place)
        case Stage.DIGESTED:
            digest = told.detail.removeprefix("in ")
            seen.groups[digest, place[1]].add(place)
            seen.ends[place].add(f"digested in {digest}")
        case Stage.QUEUED:
            seen.ends[place].add("queued")
            seen.decided[told.delivery_id].add(told.at)
            written = seen.deliveries.get(told.delivery_id)
            # A process may end after a decision was made and before all of it was written.
            if written is not None and told.at < written[0]:
                seen.deliveries[told.delivery_id] = told.at, written[1]
        case Stage.ASSIGNED | Stage.GOAL:
            seen.compared.add((told.stage, told.event_id, told.user, told.variant, told.detail))
        case Stage.SUPPRESSED if told.reason is not Reason.DUPLICATE:
            seen.ends[place].add(str(told.reason))


def broken_so_far(script: Script, seen: Seen) -> list[str]:
    """Every promise that was not kept in what was sent until now, in words."""
    return [*_against_wishes(script, seen), *_over_limits(seen), *_outdated(script, seen)]


def broken(script: Script, seen: Seen, *, down_for: int = 0) -> list[str]:
    """The same at the end, when nothing waits any more.

    What was due while a process was down goes out later than it counts against limits, which are
    therefore looked at where nothing was down, and as much as `down_for` (ms) later than the hour
    that a user wants it at, so that the next message comes sooner after it.
    """
    so_far = _against_wishes(script, seen) if down_for else broken_so_far(script, seen)
    return [
        *so_far,
        *_lost_or_twice(script, seen),
        *_torn_digests(script, seen),
        *_too_often(script, seen, down_for),
        *_held_out(script, seen),
    ]


def _lost_or_twice(script: Script, seen: Seen) -> Iterator[str]:
    again = {notification_of(e) for e in script.events.values() if kind_of(e) == "repeated"}
    for place, ends in seen.ends.items():
        if len(ends) > 1 and place[0] not in again:
            yield f"{place} ended more than once: {sorted(ends)}"
    for name, channel in seen.held - seen.ends.keys():
        yield f"{name} was held on {channel} and never came to an end"
    for event in script.events.values():
        name = notification_of(event)
        channels = CHANNELS_AT_ONCE[kind_of(event)]
        if not any((name, channel) in seen.ends for channel in ("all", *channels)):
            yield f"{event['id']} was lost"
        for channel in channels:
            if (name, "all") not in seen.ends and (name, channel) not in seen.ends:
                yield f"{event['id']} was lost on {channel}"
    for digest in seen.groups:
        if digest not in seen.ends:
            yield f"digest {digest} was never sent"
    for name, moments in seen.decided.items():
        if len(moments) > 1:
            yield f"delivery {name} was decided on {len(moments)} times"
    for name in seen.altered:
        yield f"delivery {name} was written with two contents"


def _against_wishes(script: Script, seen: Seen) -> Iterator[str]:
    starts = {notification_of(event): start_of(event) for event in script.events.values()}
    for at, delivery in seen.deliveries.values():
        wishes = wishes_at(script, delivery.user, at)
        channel, category = str(delivery.channel), delivery.category
        wanted = wishes.get("channels", {}).get(channel, channel != "sms")
        if not wishes.get("categories", {}).get(category, {}).get(channel, wanted):
            yield f"{delivery.delivery_id} to {delivery.user} after an opt-out of {channel}"
        if at < starts.get(delivery.notification_id, 0):
            yield f"{delivery.delivery_id} came before its time"
        if channel != "inapp" and category not in CRITICAL and _is_quiet(script, delivery.user, at):
            yield f"{delivery.delivery_id} to {delivery.user} in quiet hours"
        if category == "windowed" and not 8 <= _clock(script, delivery.user, at).hour < 20:
            yield f"{delivery.delivery_id} to {delivery.user} outside its window"
        if category in ("ended", "repeated") and _is_over(script, delivery, at):
            yield f"{delivery.delivery_id} to {delivery.user} after it was over"


def _is_over(script: Script, delivery: Delivery, at: int) -> bool:
    """Whether an event that ends it was known by then, whenever it happened since."""
    event = next(act.value for act in script.acts if act.value.get("id") == delivery.event_id)
    who, key = event["data"]["who"], event["data"]["key"]
    return any(
        act.value.get("type") == f"{delivery.category}.over"
        and act.value["data"]["key"] == key
        and act.value["data"].get("who", who) == who
        and _ms(event["occurred_at"]) <= act.at
        and act.at + LATENESS < at
        for act in script.acts
    )


def _clock(script: Script, user: str, at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(_zone_of(script, user)))


def _is_quiet(script: Script, user: str, at: int, said_by: int = 0) -> bool:
    """By what the user had said by then, or by another moment."""
    clock = _clock(script, user, at).strftime("%H:%M")
    return any(
        hours["start"] <= clock < hours["end"]
        if hours["start"] <= hours["end"]
        else clock >= hours["start"] or clock < hours["end"]
        for hours in wishes_at(script, user, said_by or at).get("quiet_hours", ())
    )


def _zone_of(script: Script, user: str) -> str:
    zones = (act.value.get("zone") for act in script.acts if act.key == user)
    return next(str(zone) for zone in zones if zone)


def _over_limits(seen: Seen) -> Iterator[str]:
    times: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for at, delivery in seen.deliveries.values():
        if delivery.category in ("loud", "folded"):
            place = (delivery.notification_id, str(delivery.channel))
            is_at_once = place not in seen.held and place not in seen.groups
            times[delivery.user, delivery.category][place[0]] = (
                delivery.occurred_at if is_at_once else at
            )
    for who, sent in times.items():
        for first in sent.values():
            if sum(first <= other < first + SPAN for other in sent.values()) > LIMIT:
                yield f"more than {LIMIT} within {SPAN} ms for {who} from {first}"


def _torn_digests(script: Script, seen: Seen) -> Iterator[str]:
    """Windows worked out anew, for those users and keys of whom every event was digested."""
    of: dict[tuple[str, str], list[tuple[int, Place]]] = defaultdict(list)
    for event in script.events.values():
        if kind_of(event) == "fixed":
            place = (notification_of(event), "inapp")
            of[event["data"]["who"], event["data"]["key"]].append((start_of(event), place))
    for (user, key), events in of.items():
        if all("digested" in next(iter(seen.ends.get(place, "_"))) for _, place in events):
            expected = {frozenset(group) for group in _windows(sorted(events))}
            places = {place for _, place in events}
            found = {frozenset(group) for group in seen.groups.values() if group & places}
            if expected != found:
                yield f"digests of {user} and {key} are torn: {found ^ expected}"


def _too_often(script: Script, seen: Seen, down_for: int) -> Iterator[str]:
    """More than one message of a category at a time to those who wanted it so all the while."""
    wanted: dict[str, set[str | None]] = defaultdict(set)
    for act in script.acts:
        if act.topic.name == "preferences":
            wanted[act.key].add(act.value.get("frequency", {}).get("plain"))
    came: dict[tuple[str, str, str], list[tuple[int, Place]]] = defaultdict(list)
    for at, delivery in seen.deliveries.values():
        if delivery.category == "plain":
            place = delivery.notification_id, str(delivery.channel)
            came[delivery.user, place[1], delivery.address].append((at, place))
    for (user, channel, address), messages in came.items():
        for (before, _), (after, place) in pairwise(sorted(messages)):
            if wanted[user] == {"hourly"} and after < before + 60 * MINUTE - down_for:
                span = "within an hour"
            elif wanted[user] == {"daily"} and after < _next_morning(script, user, before):
                span = "in one day"
            else:
                continue
            if not _would_be_too_old(script, user, seen.groups.get(place, {place}), after):
                yield f"two messages by {channel} to {address} {span} from {before}"


def _would_be_too_old(script: Script, user: str, places: set[Place], sent: int) -> bool:
    """Whether it is quiet from right after that moment until one of the events may not be told."""
    names = {name for name, _ in places}
    lives = {
        start_of(event) + (DAY if kind_of(event) == MESSAGE else 2 * DAY)
        for event in script.events.values()
        if notification_of(event) in names
    }
    return any(
        all(
            _is_quiet(script, user, at, said_by=sent)
            for at in range(sent + 2 * MINUTE, too_old - MINUTE, 10 * MINUTE)
        )
        for too_old in lives
    )


def _outdated(script: Script, seen: Seen) -> Iterator[str]:
    """What was sent though a later event about the same thing had been read."""
    happened = [act.value for act in script.acts if act.value.get("type") == "latest.happened"]
    events = {event["id"]: event for event in happened}
    for at, delivery in seen.deliveries.values():
        if delivery.category != "latest":
            continue
        event = events[delivery.event_id]
        for other in happened:
            if any(other["data"][name] != event["data"][name] for name in ("key", "who")):
                continue
            if _ms(event["occurred_at"]) < _ms(other["occurred_at"]) < at - LATENESS:
                yield f"{event['id']} was sent at {at}, after {other['id']} had taken its place"


def _held_out(script: Script, seen: Seen) -> Iterator[str]:
    """Who is in the holdout gets nothing of its type, who is not gets all; both are compared."""
    stages = {(line[0], line[1], line[2]): line[3:] for line in seen.compared}
    for event in script.events.values():
        if kind_of(event) != "spared":
            continue
        name, user = notification_of(event), event["data"]["who"]
        ends = {end for place, found in seen.ends.items() if place[0] == name for end in found}
        group = stages.get((str(Stage.ASSIGNED), event["id"], user))
        if not _is_spared(user):
            if str(Reason.HOLDOUT) in ends:
                yield f"{event['id']} was held out, and {user} is not"
            if group is not None and group != ("holdout.town/told", event["data"]["key"]):
                yield f"{event['id']} counts {user} in {group}"
        elif str(Reason.HOLDOUT) in ends:
            if len(ends) > 1 or group != ("holdout.town/held_out", event["data"]["key"]):
                yield f"{event['id']} was held out and ended {ends}, counted in {group}"
        elif ends & {"queued"} or any("digested" in end for end in ends):
            yield f"{event['id']} told {user}, who is held out"
    for act in script.acts:
        goal = act.value
        if goal.get("type") == "ended.over" and "who" in goal["data"]:
            known = stages.get((str(Stage.GOAL), goal["id"], goal["data"]["who"]))
            if known != ("", goal["data"]["key"]):
                yield f"nobody knows that {goal['data']['who']} reached a goal by {goal['id']}"


def _is_spared(user: str) -> bool:
    """Whether the first half of all points has the user, by the hash as documented."""
    text = f"h7:default{len(user)}:{user}6:sparedtown".encode()
    return blake2b(text, digest_size=8).digest()[0] < 128


def _next_morning(script: Script, user: str, after: int) -> int:
    """When the user's clock shows nine the next time, which is when daily messages come (ms)."""
    zone = ZoneInfo(_zone_of(script, user))
    local = datetime.fromtimestamp(after / 1000, UTC).astimezone(zone)
    morning = local.replace(hour=9, minute=0, second=0, microsecond=0)
    if morning <= local:
        morning += timedelta(days=1)
    return round(morning.timestamp() * 1000)


def _windows(events: list[tuple[int, Place]]) -> Iterator[list[Place]]:
    while events:
        end = events[0][0] + WINDOW
        yield [place for at, place in events if at < end]
        events = [each for each in events if each[0] >= end]


CHANNELS_AT_ONCE = {
    "plain": ("push", "email"),
    "loud": ("push",),
    "folded": ("push",),
    "fixed": ("inapp",),
    "session": ("inapp", "email"),
    "clock": ("push",),
    "delayed": ("push", "sms"),
    "escalating": ("inapp",),
    "urgent": ("push", "sms"),
    "note": ("push",),
    "ended": ("push",),
    "texted": ("sms",),
    "windowed": ("push",),
    "repeated": ("push",),
    MESSAGE: ("push", "email"),
    "spared": ("push", "inapp"),
    "latest": ("push", "inapp"),
}
"""Channels of each type that must come to an end, whatever people do."""


def wishes_at(script: Script, user: str, at: int) -> dict[str, Any]:
    """The preferences of a user that were in force."""
    said = [
        act.value
        for act in script.acts
        if act.topic.name == "preferences" and act.key == user and act.at <= at
    ]
    return said[-1] if said else {}


def kind_of(event: dict[str, Any]) -> str:
    """The type of notification that an event sets off."""
    kind = str(event["type"])
    return kind if kind == MESSAGE else kind.partition(".")[0]


def notification_of(event: dict[str, Any]) -> str:
    """The id of that notification."""
    return notification_id("default", event["id"], user_of(event), kind_of(event))


def start_of(event: dict[str, Any]) -> int:
    """When it may go out at the earliest."""
    at = _ms(event["occurred_at"])
    if kind_of(event) in ("delayed", "ended"):
        at += 20 * MINUTE
    return max(at, _ms(event["deliver_at"])) if "deliver_at" in event else at


def _ms(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)
