"""One flow: a type, what happens to a user over days, and what they should get and not get."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from agents.replay.in_memory_pipeline import HeldClock, Rehearsal
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.producing.memory_log import MemoryLog
from pipeline.settings import Settings
from policy.catalogue.catalogue import parse
from policy.identity import notification_id
from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.encoding import encode
from schemas.topics import (
    CONTACTS,
    DELIVER,
    DELIVERY_EVENTS,
    EVENTS,
    FEEDBACK,
    PREFERENCES,
    PRESENCE,
    SUPPRESSIONS,
    Topic,
)
from schemas.vocabulary import Priority, Stage
from tables.storage.memory_store import MemoryStore

USER = "ann"
LATE_MS, AGAIN_MS = 3000, 60_000
SETTINGS = Settings(sms_prices={"DE": 0.5})
_delivery = msgspec.json.Decoder(Delivery).decode
_rows = msgspec.json.Decoder(DeliveryEvent).decode_lines


@dataclass(frozen=True)
class Act:
    """A record that is written at this time of March 2026, UTC: "2 23:00", the day first."""

    at: str
    topic: Topic
    key: str
    value: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A row of the suite.

    `catalogue` is the text of the type, `others` are those of more types. `sent` has a line for
    each message, "2 12:05 push: the text" (day, time of the decision in whole minutes, and lines
    joined by " | "), of one moment the most urgent first. `silent` has one for each channel of an
    event that ended without a message, "e1 push rate_limited". Both in order of time. `until` is
    when the flow is looked at.
    """

    name: str
    catalogue: str
    acts: tuple[Act, ...]
    sent: tuple[str, ...]
    silent: tuple[str, ...] = ()
    until: str = "12 00:00"
    others: tuple[str, ...] = ()


@dataclass
class Played:
    """What came of a flow."""

    sent: tuple[str, ...]
    silent: tuple[str, ...]


TEXTS = {
    "push": '{ title = "Hi", body = "{{ data.text }}" }',
    "email": '{ title = "Hi", body = "{{ data.text }}" }',
    "sms": '{ body = "{{ data.text }}" }',
    "inapp": '{ body = "{{ data.text }}" }',
}


def kind(
    special: str = "",
    channels: str = "push",
    *,
    name: str = "thing",
    category: str = "things",
    ttl: str = "2d",
    more: str = "",
    **texts: str,
) -> str:
    """A type with these channels and whatever else is said; `texts` replace templates."""
    templates = TEXTS | texts
    used = [each for each in templates if each in channels.split() or f'"{each}"' in special]
    listed = ", ".join(f'"{each}"' for each in channels.split())
    return f"""
event = "{name}.happened"
[types.{name}]
category = "{category}"
priority = "{"high" if name == "urgent" else "normal"}"
channels = [{listed}]
users = "who"
topic = "key"
time_to_live = "{ttl}"
{special}
[types.{name}.templates]
{chr(10).join(f"{each} = {templates[each]}" for each in used)}
{more}
"""


def event(name: str, at: str, of: str = "thing", /, actor: str = "bob", **data: Any) -> Act:
    """Something happens that concerns the user; its text is its name unless given."""
    value = {
        "id": name,
        "type": f"{of}.happened",
        "actor": actor,
        "occurred_at": moment(at).isoformat(),
        "data": {"who": USER, "key": "k", "text": name} | data,
    }
    return Act(at, EVENTS, actor, value)


def events(count: int, at: str, of: str = "thing", /, **data: Any) -> tuple[Act, ...]:
    """So many events at one moment: e01, e02 and so on."""
    return tuple(event(f"e{number:02}", at, of, **data) for number in range(1, count + 1))


def contacts(at: str, **fields: Any) -> Act:
    """The user's addresses from then on: one device, an e-mail address and a phone."""
    value = {
        "user": USER,
        "devices": [{"token": "phone"}],
        "email": "ann@example.org",
        "phone": "+491511234567",
    }
    return Act(at, CONTACTS, USER, value | fields)


def wishes(at: str, **fields: Any) -> Act:
    """The user's preferences from then on."""
    return Act(at, PREFERENCES, USER, {"user": USER} | fields)


def present(at: str, until: str, device: str = "web") -> Act:
    """A device is online until then; offline, if that is no later than now."""
    online = moment(until) > moment(at)
    value = {"user": USER, "online": online, "until": moment(until).isoformat(), "device": device}
    return Act(at, PRESENCE, USER, value)


def noticed(at: str, name: str, stage: str = "seen", of: str = "thing") -> Act:
    """The user did this with the notification of an event."""
    value = {
        "user": USER,
        "notification_id": notification_id("default", name, USER, of),
        "stage": stage,
        "at": moment(at).isoformat(),
    }
    return Act(at, FEEDBACK, USER, value)


def arrived(at: str, name: str, channel: str = "sms", of: str = "thing") -> Act:
    """A provider says that a message of the notification of an event was delivered."""
    value = {
        "user": USER,
        "notification_id": notification_id("default", name, USER, of),
        "channel": channel,
        "at": moment(at).isoformat(),
    }
    return Act(at, SUPPRESSIONS, USER, {"kind": "receipt", **value})


NIGHT = [{"start": "22:00", "end": "07:00"}]


def moment(at: str) -> datetime:
    """The moment of "DAY HH:MM[:SS]" in March 2026."""
    day, _, time = at.partition(" ")
    return datetime.fromisoformat(f"2026-03-{int(day):02}T{time}").replace(tzinfo=UTC)


def play(flow: Flow, *, is_disturbed: bool = False) -> Played:
    """Let it happen, with the workers as they are; everybody has contacts from the beginning.

    `is_disturbed` has each event come late, and once more a minute later, and the workers end
    before whatever happens, so that others go on with what they stored.
    """
    return asyncio.run(_play(flow, is_disturbed))


async def _play(flow: Flow, is_disturbed: bool) -> Played:
    clock = HeldClock(_ms("1 00:00"))
    log = MemoryLog(clock)
    texts = enumerate((flow.catalogue, *flow.others))
    catalogue = FixedCatalogue(parse({f"{number}.toml": text for number, text in texts}))
    stores = MemoryStore({}), MemoryStore({})
    workers = Rehearsal(catalogue, SETTINGS, log, clock, *stores)
    at, acts = 0, [(_ms(act.at), act) for act in (contacts("1 00:00"), *flow.acts)]
    for due, act in _disturbed(acts) if is_disturbed else acts:
        if due != at:
            await workers.advance(due)
            at = due
        if is_disturbed:
            stores = MemoryStore(dict(stores[0].stored)), MemoryStore(dict(stores[1].stored))
            workers = Rehearsal(catalogue, SETTINGS, log, clock, *stores)
        await log.write(act.topic.name, 0, [(act.key.encode(), encode(act.value))])
        if act.topic is not EVENTS:  # what is said of users is known before what happens next
            await workers.settle()
    await workers.advance(_ms(flow.until))
    return Played(tuple(_sent(log)), tuple(_silent(log)))


def _disturbed(acts: list[tuple[int, Act]]) -> list[tuple[int, Act]]:
    late = [(at + LATE_MS * (act.topic is EVENTS), act) for at, act in acts]
    again = [(at + AGAIN_MS, act) for at, act in late if act.topic is EVENTS]
    return sorted((*late, *again), key=lambda each: each[0])


def _sent(log: MemoryLog) -> list[str]:
    found, known = [], set[bytes | None]()
    for topic in dict.fromkeys(DELIVER.values()):
        for record in log.topics.get(topic.name, ()):
            if record.value in known:
                continue  # written again by who took over
            known.add(record.value)
            delivery = _delivery(record.value)
            text = delivery.content.body.replace("\n\n", " | ").replace("\n", " | ")
            line = f"{_shown(record.timestamp)} {delivery.channel}: {text}"
            urgency = list(Priority).index(delivery.priority)
            found.append((record.timestamp, urgency, record.offset, line))
    return [line for *_, line in sorted(found)]


def _silent(log: MemoryLog) -> list[str]:
    written = [
        told
        for record in log.topics.get(DELIVERY_EVENTS.name, ())
        for told in _rows(record.value)
        if told.stage is Stage.SUPPRESSED
    ]
    once = [told for place, told in enumerate(written) if told not in written[:place]]
    return [f"{told.event_id} {told.channel or 'all'} {told.reason}" for told in once]


def _ms(at: str) -> int:
    return round(moment(at).timestamp() * 1000)


def _shown(at: int) -> str:
    when = datetime.fromtimestamp(at / 1000, UTC)
    return f"{when.day} {when:%H:%M}"
