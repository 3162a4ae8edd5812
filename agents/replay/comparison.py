"""The difference between two rehearsals: who would now get what, and who no longer."""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from agents.replay.notification_outcomes import Fate, Place
from policy.catalogue.catalogue import Catalogue
from policy.message import MESSAGE
from schemas.vocabulary import Channel, Stage

SAME_TIME_MS = 1000
"""Two moments that are less than this apart are one."""


class Kind(StrEnum):
    """How a notification differs on a channel."""

    NEWLY = "newly sent"
    NO_LONGER = "no longer sent"
    TIME = "other time"
    TEXT = "other text"


class Outcome(Struct, frozen=True):
    """A catalogue and the fates under it."""

    catalogue: Catalogue
    fates: Mapping[Place, Fate]

    def of(self, place: Place) -> Fate:
        """The fate there; where nothing was told of just that, what was told of more, or why."""
        tenant, event, user, type_, _ = place
        wider = (
            place,
            Place(tenant, event, user, type_, ""),
            Place(tenant, event, "", type_, ""),
            Place(tenant, event, "", "", ""),
        )
        for each in wider:
            if each in self.fates:
                return self.fates[each]
        return Fate(Stage.SUPPRESSED, 0, detail=self._absence(place))

    def _absence(self, place: Place) -> str:
        if place.type == MESSAGE:
            return "the event was for nobody, or for another channel"
        spec = self.catalogue.types.get(place.type)
        if spec is None:
            return f"the catalogue has no type {place.type}"
        if spec.plan_of(Channel(place.channel)) is None:
            return f"{place.type} does not use {place.channel}"
        return "not in the audience, or the step was not reached"


class Change(Struct, frozen=True):
    """What is different at one place; time and text may both be."""

    place: Place
    kinds: tuple[Kind, ...]
    before: Fate
    after: Fate


class Comparison(Struct, frozen=True):
    """Every change, by type and channel and then by time; and how many were sent of each.

    `sent` has by type and channel how many notifications went out before and after.
    """

    changes: tuple[Change, ...]
    sent: dict[tuple[str, str], tuple[int, int]]

    def counts(self) -> dict[tuple[str, str], dict[Kind, int]]:
        """By type and channel, how many changed in which way."""
        found: dict[tuple[str, str], dict[Kind, int]] = {}
        for change in self.changes:
            row = found.setdefault(
                (change.place.type, change.place.channel), dict.fromkeys(Kind, 0)
            )
            for kind in change.kinds:
                row[kind] += 1
        return found


def compare(before: Outcome, after: Outcome) -> Comparison:
    """Compare all that goes out in either."""
    sent: dict[tuple[str, str], tuple[int, int]] = {}
    changes = []
    for place in _sent_in_either(before, after):
        old, new = before.of(place), after.of(place)
        was, now = sent.get((place.type, place.channel), (0, 0))
        sent[place.type, place.channel] = was + (old.text is not None), now + (new.text is not None)
        kinds = tuple(_kinds(old, new))
        if kinds:
            changes.append(Change(place, kinds, old, new))
    changes.sort(key=_order)
    return Comparison(tuple(changes), dict(sorted(sent.items())))


def _sent_in_either(before: Outcome, after: Outcome) -> Iterator[Place]:
    for place, fate in before.fates.items():
        if fate.text is not None:
            yield place
    for place, fate in after.fates.items():
        if fate.text is not None:
            known = before.fates.get(place)
            if known is None or known.text is None:
                yield place


def _kinds(old: Fate, new: Fate) -> Iterator[Kind]:
    if old.text is None or new.text is None:
        yield Kind.NEWLY if old.text is None else Kind.NO_LONGER
        return
    if abs(old.at - new.at) >= SAME_TIME_MS:
        yield Kind.TIME
    if old.text.mark != new.text.mark:
        yield Kind.TEXT


def _order(change: Change) -> tuple[object, ...]:
    place = change.place
    sent = change.before if change.before.text is not None else change.after
    return place.type, place.channel, sent.at, place
