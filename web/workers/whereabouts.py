"""What became of notifications: a row each, with its state now and the cause of it."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from analytics.timeline import Happening
from policy.time.timestamps import epoch_ms, in_utc, text, timestamp, timestamp_of
from schemas.circuit import CircuitState
from schemas.dead_letter import DeadLetter
from schemas.encoding import UNDECODABLE
from schemas.event import Timestamp
from schemas.vocabulary import Channel, Reason, Stage

Circuits = Mapping[Channel, Sequence[CircuitState]]
"""Of the providers of each channel, as its processes say; none where none answers."""
WAITS, FAILED, NOT_TOLD = "waits", "failed", "not told"
_REACHED = (Stage.CLICKED, Stage.OPENED, Stage.SEEN, Stage.DELIVERED, Stage.SENT)
"""What a person did or a provider said, the furthest first."""
_LOST = (Stage.COMPLAINED, Stage.BOUNCED, Stage.FAILED)
_WAITING = (Stage.RETRYING, Stage.QUEUED, Stage.HELD)


class OnChannel(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far it is on one channel, since when, and why no further; None is all channels."""

    channel: Channel | None = None
    state: str
    since: Timestamp
    why: str = ""
    provider: str = ""


class Whereabouts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One notification since `at`, or, without its id, an event of which none could be made.

    `state` is the furthest of its channels: `clicked`, `opened`, `seen`, `delivered`, `sent`,
    `digested`, `waits`, `complained`, `bounced`, `failed` or `not told`; `why` the cause of it.
    `origin` is the company's record that a source made the event from, as
    SOURCE/TOPIC/PARTITION/OFFSET. `trace` is the id of its trace in OpenTelemetry, where its event
    is traced.
    """

    notification_id: str = ""
    event_id: str
    type: str
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
        if each.notification_id and each.stage not in (Stage.ASSIGNED, Stage.GOAL):
            by_notification.setdefault(each.notification_id, []).append(each)
    return [_row(name, found, circuits, now) for name, found in by_notification.items()]


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
        why = _because(letter.reason, letter.detail)
        found.append(
            Whereabouts(
                event_id=name,
                type=event.type or letter.topic,
                user=said.user,
                at=timestamp(letter.accepted_at or letter.at),
                state=FAILED,
                why=f"{why} (dead letter {letter.id})",
                origin=_origin_of(letter),
            )
        )
    return found


def _origin_of(letter: DeadLetter) -> str:
    if not letter.source:
        return ""
    return f"{letter.source}/{letter.topic}/{letter.partition}/{letter.offset}"


def waiting_channels(happenings: Iterable[Happening]) -> set[Channel]:
    """Where something was handed over that may not have gone out: circuits may say why."""
    return {each.channel for each in happenings if each.channel and each.stage in _WAITING}


def _row(name: str, found: list[Happening], circuits: Circuits, now: int) -> Whereabouts:
    by_channel: dict[Channel | None, list[Happening]] = {}
    for each in found:
        by_channel.setdefault(each.channel, []).append(each)
    if len(by_channel) > 1 and all(
        each.stage in (Stage.HELD, Stage.SUPPRESSED) for each in by_channel.get(None, ())
    ):
        # Held as a whole before it went its ways: what came of that is told by channel.
        whole = by_channel.pop(None, [])
        if not by_channel:
            by_channel[None] = whole
    channels = [_on(channel, rows, circuits, now) for channel, rows in by_channel.items()]
    best = min(channels, key=lambda each: _RANK.index(each.state))
    first = found[0]
    return Whereabouts(
        notification_id=name,
        event_id=first.event_id,
        type=first.type,
        user=first.user,
        at=timestamp_of(in_utc(first.at)),
        state=best.state,
        why=best.why or _others(best, channels),
        channels=channels,
        origin=next((each.origin for each in found if each.origin), ""),
        trace=next((each.trace for each in found if each.trace), ""),
    )


_RANK = (*_REACHED, Stage.DIGESTED, WAITS, *_LOST, NOT_TOLD)


def _others(best: OnChannel, channels: list[OnChannel]) -> str:
    """Of what went out on one channel, where it did not."""
    lost = [each for each in channels if each.state in (*_LOST, NOT_TOLD) and each is not best]
    return "; ".join(f"{each.channel or 'all'}: {each.why}" for each in lost)


def _on(channel: Channel | None, rows: list[Happening], circuits: Circuits, now: int) -> OnChannel:
    by_stage = {each.stage: each for each in rows}
    last = rows[-1]
    for stage in _LOST[:2]:
        if stage in by_stage:
            return _said(stage, by_stage[stage])
    for stage in _REACHED:
        if stage in by_stage:
            return _said(stage, by_stage[stage], why="")
    if Stage.DIGESTED in by_stage:
        return _said(Stage.DIGESTED, by_stage[Stage.DIGESTED])
    if last.stage in _WAITING:
        return _said(WAITS, last, why=_cause(last, circuits.get(channel or Channel.PUSH, ()), now))
    if last.stage is Stage.FAILED:
        return _said(FAILED, last)
    return _said(NOT_TOLD if last.stage is Stage.SUPPRESSED else last.stage, last)


def _said(state: str, row: Happening, why: str | None = None) -> OnChannel:
    return OnChannel(
        channel=row.channel,
        state=str(state),
        since=timestamp_of(in_utc(row.at)),
        why=_because(row.reason, row.detail) if why is None else why,
        provider=row.provider,
    )


def _cause(last: Happening, circuits: Sequence[CircuitState], now: int) -> str:
    """Why it has not gone out yet."""
    if last.stage is Stage.HELD:
        return _because(last.reason, last.detail)
    is_open = [each for each in circuits if each.state != "closed"]
    if is_open and len(is_open) == len(circuits):
        return "; ".join(map(_in_trouble, is_open))
    if last.stage is Stage.RETRYING:
        tried = f"tried {last.attempt + 1} times, is tried again"
        return f"{tried}: {last.provider} said {_because(last.reason, last.detail)}"
    seconds = max(0, now - epoch_ms(in_utc(last.at))) // 1000
    return f"handed to the channel's workers {seconds} s ago, which told nothing of it yet"


def _in_trouble(circuit: CircuitState) -> str:
    since = f" since {text(circuit.failing_since)}" if circuit.failing_since else ""
    error = f": {circuit.last_error}" if circuit.last_error else ""
    return f"{circuit.provider}'s circuit is {circuit.state.replace('_', ' ')}{since}{error}"


def _because(reason: Reason, detail: str) -> str:
    return ": ".join(filter(None, (str(reason).replace("_", " "), detail)))
