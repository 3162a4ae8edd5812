"""What became of every notification in a rehearsal, read from what was written."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from msgspec import Struct

from pipeline.producing.memory_log import MemoryLog
from policy.identity import notification_id
from schemas.dead_letter import DeadLetter
from schemas.delivery import Content, Delivery, Sender
from schemas.delivery_event import DeliveryEvent
from schemas.encoding import UNDECODABLE
from schemas.event import Event
from schemas.topics import DEAD_LETTERS, DELIVER, DELIVERY_EVENTS, EVENTS
from schemas.vocabulary import Reason, Stage


class Place(NamedTuple):
    """What a fate is of: one event, user, type and channel.

    An empty `channel` speaks of all, and an empty `user` or `type` of all that the event was for.
    """

    tenant: str
    event_id: str
    user: str
    type: str
    channel: str


class Text(Struct, frozen=True):
    """What the person reads: the beginning of it, and a mark by which all of it is compared."""

    title: str
    body: str
    mark: int


class Fate(Struct, frozen=True):
    """Sent at `at` (epoch ms) with that text, or not sent: then `text` is None.

    `digest` names the digest that it was sent in. What still waited at the end is HELD.
    """

    stage: Stage
    at: int
    reason: Reason = Reason.NONE
    detail: str = ""
    text: Text | None = None
    digest: str = ""


class _Asked(Struct):
    """A request, or a broadcast, which has no user."""

    type: str
    event: Event
    user: str = ""


_COMPARED = (Stage.ASSIGNED, Stage.GOAL, Stage.UNSUBSCRIBED)
"""What is told of people for analysts, beside what became of a notification."""
SHOWN = 120
"""Characters of a text that are kept to be shown."""
_decode_delivery = msgspec.json.Decoder(Delivery).decode
_decode_told = msgspec.json.Decoder(DeliveryEvent).decode_lines
_decode_letter = msgspec.json.Decoder(DeadLetter).decode
_decode_asked = msgspec.json.Decoder(_Asked).decode
_decode_event = msgspec.json.Decoder(Event).decode
_encode = msgspec.json.Encoder(order="deterministic").encode


class Fates:
    """The fates of notifications whose events were taken from `begin` (epoch ms) on.

    That somebody was told already is no fate: what became of it the first time is.
    """

    def __init__(self, begin: int) -> None:
        self.found: dict[Place, Fate] = {}
        self.unusable = 0
        self._begin = begin

    def take(self, log: MemoryLog) -> None:
        """Take all that was written off the log; everything in it must have been read."""
        # A digest and what tells of its events are written in one go.
        texts = dict(_texts(log))
        for record in log.take(DELIVERY_EVENTS.name):
            for told in _decode_told(record.value):
                self._hear(told, texts)
        for record in log.take(DEAD_LETTERS.name):
            self._bury(_decode_letter(record.value))
        for topic in list(log.topics):
            log.take(topic)

    def _hear(self, told: DeliveryEvent, texts: dict[str, Text]) -> None:
        if told.reason is Reason.DUPLICATE or told.accepted_at < self._begin:
            return
        if told.stage in _COMPARED:
            return
        user = "" if _stands_for_all(told) else told.user
        place = Place(told.tenant, told.event_id, user, told.type, told.channel or "")
        match told.stage:
            case Stage.QUEUED:
                text = texts.get(told.delivery_id)
                if text is not None:  # else it is a digest's, of which its events tell
                    self._note(place, Fate(Stage.QUEUED, told.at, text=text))
            case Stage.DIGESTED:
                name = told.detail.removeprefix("in ")
                text = texts[f"{name}.{place.channel}"]
                self._note(place, Fate(Stage.QUEUED, told.at, text=text, digest=name))
            case _:
                self._note(place, Fate(told.stage, told.at, told.reason, told.detail))

    def _bury(self, letter: DeadLetter) -> None:
        place = _place_of(letter)
        if letter.at < self._begin:
            return
        if place is None:
            self.unusable += 1
        else:
            self._note(place, Fate(Stage.FAILED, letter.at, letter.reason, letter.detail))

    def _note(self, place: Place, fate: Fate) -> None:
        before = self.found.get(place)
        # What was sent stays so, also where a later step would use the channel again.
        if before is None or before.text is None:
            self.found[place] = fate


def _texts(log: MemoryLog) -> Iterator[tuple[str, Text]]:
    """By delivery, or, of digests, by digest and channel."""
    for topic in DELIVER.values():
        for record in log.take(topic.name):
            it = _decode_delivery(record.value)
            own = notification_id(it.tenant, it.event_id, it.user, it.type)
            is_digest = it.notification_id != own
            name = f"{it.notification_id}.{it.channel}" if is_digest else it.delivery_id
            yield name, _text(it.content, it.sender)


def _text(content: Content, sender: Sender | None) -> Text:
    # Within one process; nothing of it is stored.
    beside = _encode(content.data), content.image, content.actions, content.sound, content.badge
    mark = hash((content.title, content.body, content.html, sender, *beside))
    return Text(content.title[:SHOWN], content.body[:SHOWN], mark)


def _stands_for_all(told: DeliveryEvent) -> bool:
    """Whether it is of all whom the event was for, under the actor's name."""
    if told.reason is Reason.CONDITION:
        nobody = notification_id(told.tenant, told.event_id, "", told.type)
        return told.notification_id == nobody
    return told.reason is Reason.FAN_OUT_ON_READ


def _place_of(letter: DeadLetter) -> Place | None:
    """What a dead letter was to become; None where that is unknown."""
    value = letter.value or b""
    try:
        if letter.topic == EVENTS.name:
            event = _decode_event(value)
            return Place(event.tenant, event.id, "", "", "")
        asked = _decode_asked(value)
    except UNDECODABLE:
        return None
    return Place(asked.event.tenant, asked.event.id, asked.user, asked.type, "")
