"""What became of notifications: a row each, with its state now and the cause of it."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from analytics.timeline import Happening
from pipeline.processing.misplaced import place_of
from policy.time.timestamps import in_utc, timestamp, timestamp_of
from schemas.dead_letter import DeadLetter
from schemas.encoding import UNDECODABLE
from schemas.event import Timestamp
from schemas.question import CircuitState
from schemas.vocabulary import Channel, Stage
from web.workers.causes import (
    AGAIN,
    because,
    why_came_again,
    why_ended,
    why_late_or_twice,
    why_waiting,
)

Circuits = Mapping[Channel, Sequence[CircuitState]]
"""Of the providers of each channel, as its processes say; none where none answers. Channels that
were not asked are not in it."""
WAITS, FAILED, NOT_TOLD = "waits", "failed", "not told"
_REACHED = (Stage.CLICKED, Stage.OPENED, Stage.SEEN, Stage.DELIVERED, Stage.SENT)
"""What a person did or a provider said, the furthest first."""
_LOST = (Stage.COMPLAINED, Stage.BOUNCED, Stage.FAILED)
_WAITING = (Stage.RETRYING, Stage.QUEUED, Stage.HELD)
_OF_USERS = (Stage.ASSIGNED, Stage.GOAL, Stage.UNSUBSCRIBED)
"""What a user is or does, which is no place that a notification is in."""


class OnChannel(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far it is on one channel, since when, and why no further; None is all channels.

    `sent_at` is when a provider took it, where one has.
    """

    channel: Channel | None = None
    state: str
    since: Timestamp
    why: str = ""
    provider: str = ""
    sent_at: Timestamp | None = None


class Whereabouts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One notification since `at`, or, without its id, an event of which none could be made.

    `state` is the furthest of its channels: `clicked`, `opened`, `seen`, `delivered`, `sent`,
    `digested`, `waits`, `complained`, `bounced`, `failed` or `not told`; `why` the cause of it,
    what took long on its way, and whether it may be there twice. What a user left is a row, too,
    of no notification: `unsubscribed`, with the category and the channel in `why`.
    `origin` is the company's record that a source made the event from, as
    SOURCE/TOPIC/PARTITION/OFFSET. `trace` is the id of its trace in OpenTelemetry, where its event
    is traced.
    """

    notification_id: str = ""
    event_id: str
    type: str
    category: str = ""
    user: str = ""
    at: Timestamp
    state: str
    why: str = ""
    channels: list[OnChannel] = []
    origin: str = ""
    trace: str = ""


class _Record(Struct):
    """What a dead letter's record is about, as far as it says so."""

    id: str = ""
    type: str = ""
    tenant: str = "default"
    user: str = ""
    event_id: str = ""
    notification_id: str = ""
    event: "_Record | None" = None


_record = msgspec.json.Decoder(_Record).decode


def whereabouts(happenings: Iterable[Happening], circuits: Circuits, now: int) -> list[Whereabouts]:
    """A row a notification, in the order of their first happenings. `now` is epoch ms."""
    by_notification: dict[str, list[Happening]] = {}
    for each in happenings:
        if each.notification_id and each.stage not in _OF_USERS:
            by_notification.setdefault(each.notification_id, []).append(each)
    return [_row(name, found, circuits, now) for name, found in by_notification.items()]


def with_digests(
    rows: Iterable[Whereabouts], digests: Mapping[str, Whereabouts], named: Mapping[str, str]
) -> list[Whereabouts]:
    """The rows; what was combined says what became of its digest. `named` has the digest's id by
    that of the notification."""
    found = []
    for row in rows:
        digest = digests.get(named.get(row.notification_id, ""))
        if row.state == Stage.DIGESTED and digest is not None:
            said = f"in the digest {digest.notification_id}: {digest.state}"
            row = replace(row, why=f"{said}, {digest.why}" if digest.why else said)
        found.append(row)
    return found


def unusable(
    letters: Iterable[DeadLetter], tenant: str, user: str, event_id: str
) -> list[Whereabouts]:
    """Events of which nothing could be made for a user, or that have this id, as letters say."""
    found = []
    for letter in letters:
        try:
            said = _record(letter.value or b"")
        except UNDECODABLE:
            continue
        event = said.event or said
        name = event.id or said.event_id
        is_meant = (user and user == said.user) or (event_id and event_id == name)
        # What a channel gave up has a notification of its own, which says so.
        if not is_meant or event.tenant != tenant or said.notification_id:
            continue
        why = because(letter.reason, letter.detail)
        found.append(
            Whereabouts(
                event_id=name,
                type=event.type or letter.topic,
                user=said.user,
                at=timestamp(letter.accepted_at or letter.at),
                state=FAILED,
                why=f"{why} (dead letter {letter.id})",
                origin=place_of(letter) if letter.source else "",
            )
        )
    return found


def waiting_channels(happenings: Iterable[Happening]) -> set[Channel]:
    """Where something was handed over that may not have gone out: circuits may say why."""
    return {each.channel for each in happenings if each.channel and each.stage in _WAITING}


def _row(name: str, found: list[Happening], circuits: Circuits, now: int) -> Whereabouts:
    # That its event came again changes nothing of what became of it when it came first.
    kept = [each for each in found if each.reason not in AGAIN] or found
    by_channel: dict[Channel | None, list[Happening]] = {}
    for each in kept:
        by_channel.setdefault(each.channel, []).append(each)
    whole: list[Happening] = []
    if len(by_channel) > 1 and all(
        each.stage in (Stage.HELD, Stage.SUPPRESSED) for each in by_channel.get(None, ())
    ):
        # Held as a whole before it went its ways: what came of that is told by channel.
        whole = by_channel.pop(None, [])
    channels = [_on(channel, rows, whole, circuits, now) for channel, rows in by_channel.items()]
    best = min(channels, key=lambda each: _RANK.index(each.state))
    first = found[0]
    again = why_came_again(found) if kept is not found else ""
    return Whereabouts(
        notification_id=name,
        event_id=first.event_id,
        type=first.type,
        category=first.category,
        user=first.user,
        at=timestamp_of(in_utc(first.at)),
        state=best.state,
        why="; ".join(filter(None, (_whys(best, channels), again))),
        channels=channels,
        origin=next((each.origin for each in found if each.origin), ""),
        trace=next((each.trace for each in found if each.trace), ""),
    )


_RANK = (*_REACHED, Stage.DIGESTED, WAITS, *_LOST, NOT_TOLD)


def _whys(best: OnChannel, channels: Sequence[OnChannel]) -> str:
    """Of the channel that got furthest, and of others where it did not go out."""
    others = [
        each for each in channels if each is not best and each.state in (*_LOST, NOT_TOLD, WAITS)
    ]
    said = [each for each in (best, *others) if each.why]
    if said == [best]:
        return best.why
    return "; ".join(f"{each.channel or 'all'}: {each.why}" for each in said)


def _on(
    channel: Channel | None,
    rows: list[Happening],
    whole: Sequence[Happening],
    circuits: Circuits,
    now: int,
) -> OnChannel:
    by_stage = {each.stage: each for each in rows}
    every = sorted((*whole, *rows), key=lambda each: each.at)
    last = rows[-1]
    sent = by_stage.get(Stage.SENT)
    sent_at = None if sent is None else timestamp_of(in_utc(sent.at))
    for stage in _LOST[:2]:
        if stage in by_stage:
            return replace(_said(stage, by_stage[stage]), sent_at=sent_at)
    for stage in _REACHED:
        if stage in by_stage:
            found = _said(stage, by_stage[stage], why=why_late_or_twice(every))
            return replace(found, sent_at=sent_at)
    if Stage.DIGESTED in by_stage:
        return _said(Stage.DIGESTED, by_stage[Stage.DIGESTED])
    if last.stage in _WAITING:
        said = circuits.get(channel) if channel else None
        return _said(WAITS, last, why=why_waiting(last, said, now))
    if last.stage is Stage.FAILED:
        return _said(FAILED, last, why=why_ended(every))
    state = NOT_TOLD if last.stage is Stage.SUPPRESSED else last.stage
    return _said(state, last, why=why_ended(every))


def _said(state: str, row: Happening, why: str | None = None) -> OnChannel:
    return OnChannel(
        channel=row.channel,
        state=str(state),
        since=timestamp_of(in_utc(row.at)),
        why=because(row.reason, row.detail) if why is None else why,
        provider=row.provider,
    )
