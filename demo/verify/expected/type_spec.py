"""Notification types as the catalogue's files document them, read without Tocsin's own code."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

UNITS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
"""Milliseconds."""


@dataclass(frozen=True)
class Limit:
    """At most `count` notifications in any span of `span_ms`."""

    count: int
    span_ms: int


DEFAULT_LIMIT = Limit(10, 3_600_000)
"""Per user and channel, over all types without a limit of their own."""
MOST_PAUSES = 24
"""How long a digest lasts at most whose type doesn't say."""


@dataclass(frozen=True)
class DigestRule:
    """Events are gathered until none came for `pause_ms`, and for `longest_ms` at most.

    Or, where it has `times`, until the user's clock shows one of these (HH:MM), on `days` of the
    week alone if it has some. Those with the
    same value at `key` of their data belong together. A window closes `lateness_ms` after its end.
    One of a fixed length has that twice.
    """

    key: str
    pause_ms: int
    longest_ms: int
    lateness_ms: int
    times: tuple[str, ...] = ()
    days: tuple[str, ...] = ()

    @property
    def most_ms(self) -> int:
        """How long it gathers at most."""
        if not self.times:
            return self.longest_ms
        if self.days:
            return 7 * UNITS["d"]
        ends = sorted(int(time[:2]) * 60 + int(time[3:]) for time in self.times)
        gaps = [
            after - end for end, after in zip(ends, [*ends[1:], ends[0] + 24 * 60], strict=True)
        ]
        return max(gaps) * UNITS["m"]


@dataclass(frozen=True)
class Step:
    """Channels that are used `after_ms` the step before, unless the user reacted to that."""

    after_ms: int
    channels: tuple[str, ...]


@dataclass(frozen=True)
class Ending:
    """The event that ends what waits, if it has the same value at `match` of its data."""

    event: str
    match: str


@dataclass(frozen=True)
class Repeat:
    """All is sent again so often, with `every_ms` between; then to those named at `then`.

    They are told as the first were, after each other.
    """

    every_ms: int
    times: int
    then: tuple[str, ...]


@dataclass(frozen=True)
class HeldBack:
    """So many of 10,000 users are told nothing, drawn by `name`."""

    name: str
    share: int


@dataclass(frozen=True, kw_only=True)
class TypeSpec:
    """What one notification type promises.

    `limit` counts by channel; without one of its own, a type shares the default one with all
    others. `category_limit` and `actor_limit` count a notification once, however many channels
    it goes out on. `templates` are the catalogue's tables by channel. With `own_events` whoever
    did it is told, too. An SMS does not stand in for a channel that is only over a limit, but with
    `fallback_over_limit`.
    """

    name: str
    event: str
    category: str
    priority: str
    channels: tuple[str, ...]
    transactional: bool
    users: str
    followers: bool
    lives_ms: int
    quiet_hours: str
    prefers_inapp: bool
    has_own_limit: bool
    limit: Limit
    category_limit: Limit | None
    actor_limit: Limit | None
    templates: Mapping[str, Mapping[str, Any]]
    fallback: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    digests: Mapping[str, DigestRule] = field(default_factory=dict)
    escalation: tuple[Step, ...] = ()
    own_events: bool = False
    fallback_over_limit: bool = False
    delay_ms: int = 0
    until: Ending | None = None
    holdout: HeldBack | None = None
    repeat: Repeat | None = None

    @property
    def is_critical(self) -> bool:
        """Whether quiet hours, digests and limits are passed over."""
        return self.priority == "critical"

    def begins_after(self, channel: str) -> int:
        """How long after the event a channel is used at the earliest (ms)."""
        after = 0
        for step in self.escalation:
            after += step.after_ms
            if channel in step.channels and channel not in self.channels:
                return after
        return 0


def read_type_specs(folder: Path) -> dict[str, TypeSpec]:
    """Every type by name, from the TOML files of a catalogue."""
    files = [tomllib.loads(path.read_text()) for path in sorted(folder.glob("*.toml"))]
    categories = {
        name: table for file in files for name, table in file.get("categories", {}).items()
    }
    return {
        name: _spec(name, file["event"], table, categories)
        for file in files
        for name, table in file.get("types", {}).items()
    }


def milliseconds(duration: int | str) -> int:
    """A span of time as the catalogue writes it: seconds, or "15m"."""
    if isinstance(duration, int):
        return duration * 1000
    return int(duration[:-1]) * UNITS[duration[-1]]


def _spec(
    name: str, event: str, table: Mapping[str, Any], categories: Mapping[str, Any]
) -> TypeSpec:
    own = table.get("rate_limit")
    shared = categories.get(table["category"], {}).get("rate_limit")
    by_actor = table.get("actor_limit")
    until, holdout = table.get("until"), table.get("holdout")
    return TypeSpec(
        name=name,
        event=event,
        category=table["category"],
        priority=table["priority"],
        channels=tuple(table["channels"]),
        transactional=table.get("transactional", False),
        users=table.get("users", ""),
        followers=table.get("followers", False),
        lives_ms=milliseconds(table["time_to_live"]),
        quiet_hours=table.get("quiet_hours", "defer"),
        prefers_inapp="online" in table,
        has_own_limit=own is not None,
        limit=_limit(own) if own else DEFAULT_LIMIT,
        category_limit=_limit(shared) if shared else None,
        actor_limit=_limit(by_actor) if by_actor else None,
        templates=table["templates"],
        fallback_over_limit=table.get("fallback_over_limit", False),
        own_events=table.get("own_events", table.get("transactional", False)),
        fallback={channel: tuple(them) for channel, them in table.get("fallback", {}).items()},
        digests={
            channel: _digest(digest)
            for digest in table.get("digests", ())
            for channel in digest["channels"]
        },
        delay_ms=milliseconds(table.get("delay", 0)),
        until=Ending(until["event"], until["match"]) if until else None,
        holdout=HeldBack(holdout["name"], round(float(holdout["share"][:-1]) * 100))
        if holdout
        else None,
        repeat=_repeat(table["repeat"]) if "repeat" in table else None,
        escalation=tuple(
            Step(milliseconds(step["after"]), tuple(step["channels"]))
            for step in table.get("escalation", ())
        ),
    )


def _repeat(table: Mapping[str, Any]) -> Repeat:
    return Repeat(milliseconds(table["every"]), table["times"], tuple(table.get("then", ())))


def _limit(table: Mapping[str, Any]) -> Limit:
    return Limit(table["count"], table["seconds"] * 1000)


def _digest(table: Mapping[str, Any]) -> DigestRule:
    pause = milliseconds(table.get("every") or table.get("pause", 0))
    longest = milliseconds(table["longest"]) if "longest" in table else MOST_PAUSES * pause
    return DigestRule(
        key=table.get("key", ""),
        pause_ms=pause,
        longest_ms=pause if "every" in table else longest,
        lateness_ms=milliseconds(table.get("lateness", "5s")),
        times=tuple(table.get("at", ())),
        days=tuple(table.get("days", ())),
    )
