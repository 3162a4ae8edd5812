"""The difference that another catalogue makes, as a terminal shows it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from rich.text import Text as Words

from agents.replay.comparison import Change, Comparison, Kind
from agents.replay.notification_outcomes import Fate
from cli.lines import Row, aligned, wrapped
from policy.decision.rule_explanations import counted
from policy.time.timestamps import text
from schemas.vocabulary import Stage

STYLES = {Kind.NEWLY: "green", Kind.NO_LONGER: "red", Kind.TIME: "cyan", Kind.TEXT: "yellow"}
_encode = msgspec.json.Encoder().encode


class Played(Struct, frozen=True, kw_only=True):
    """What was played, and the difference. Epoch milliseconds; catalogues by their versions."""

    begin: int
    end: int
    before: str
    after: str
    events: int
    warm_up: int
    unusable: int
    comparison: Comparison


def as_json(played: Played) -> str:
    """All of it, for a program to read."""
    counts = played.comparison.counts()
    facts: dict[str, Any] = {
        "from": played.begin,
        "to": played.end,
        "catalogue": {"before": played.before, "after": played.after},
        "events": played.events,
        "warm_up_events": played.warm_up,
        "unusable": played.unusable,
        "summary": [
            {"type": name, "channel": channel, "sent_before": was, "sent_after": now}
            | {kind.replace(" ", "_"): n for kind, n in counts.get((name, channel), {}).items()}
            for (name, channel), (was, now) in played.comparison.sent.items()
        ],
        "changes": [_facts(change) for change in played.comparison.changes],
    }
    return _encode(facts).decode()


def _facts(change: Change) -> dict[str, Any]:
    sides = {"before": _side(change.before), "after": _side(change.after)}
    return {"kinds": change.kinds, **change.place._asdict(), **sides}


def _side(fate: Fate) -> dict[str, Any]:
    if fate.text is None:
        return {"sent": False, "stage": fate.stage, "reason": fate.reason, "detail": fate.detail}
    content = {"title": fate.text.title, "body": fate.text.body}
    return {"sent": True, "at": fate.at, "digest": fate.digest, **content}


def described(played: Played, limit: int) -> Iterator[Words]:
    """Everything, in lines, with as many examples."""
    warm = f", after {counted(played.warm_up, 'event')} to warm up" if played.warm_up else ""
    yield from wrapped(
        f"{counted(played.events, 'event')} from {text(played.begin)} to {text(played.end)}{warm}, "
        f"with catalogue {played.before} and with {played.after}. Nothing was sent."
    )
    if played.unusable:
        bad = counted(played.unusable, "record")
        yield Words(f"Left out, as they can't be used: {bad}.", style="yellow")
    changes = played.comparison.changes
    if not changes:
        sent = sum(now for _, now in played.comparison.sent.values())
        same = counted(sent, "notification")
        yield Words(f"No difference: {same} either way.", style="green")
        return
    yield Words()
    yield from _summary(played.comparison)
    yield from _reasons(changes)
    if limit:
        yield Words(f"\nExamples, {min(limit, len(changes))} of {len(changes)}", style="bold")
        for change in _spread(changes, limit):
            yield from _example(change)


def _summary(comparison: Comparison) -> Iterator[Words]:
    head = tuple(
        Words(name, style="dim") for name in ("type", "channel", "sent before", "sent now")
    )
    counts = comparison.counts()
    rows = [
        Row((*place, str(was), str(now)), _kinds(counts.get(place, {})))
        for place, (was, now) in comparison.sent.items()
    ]
    yield from aligned([Row(head), *rows], right=frozenset({2, 3}))


def _kinds(counts: Mapping[Kind, int]) -> Words:
    found = [
        Words(f"{counts[kind]} {kind}", style=STYLES[kind]) for kind in Kind if counts.get(kind)
    ]
    return Words(", ").join(found)


def _reasons(changes: tuple[Change, ...]) -> Iterator[Words]:
    """Why what was sent is not any more, the most frequent first."""
    gone = (change for change in changes if Kind.NO_LONGER in change.kinds)
    found = Counter((each.place.type, each.place.channel, _why(each.after)) for each in gone)
    if not found:
        return
    yield Words("\nNo longer sent, because", style="bold")
    yield from aligned(
        [
            Row((str(number), name, channel), why)
            for (name, channel, why), number in found.most_common(12)
        ]
    )


def _spread(changes: tuple[Change, ...], limit: int) -> list[Change]:
    """So many, some of each type, channel and kind."""
    groups: dict[tuple[object, ...], list[Change]] = {}
    for change in changes:
        key = change.place.type, change.place.channel, change.kinds
        groups.setdefault(key, []).append(change)
    found: list[Change] = []
    for rank in range(limit):
        found += [group[rank] for group in groups.values() if rank < len(group)]
        if len(found) >= limit:
            break
    return sorted(found[:limit], key=lambda each: (each.place.type, each.place.channel))


def _example(change: Change) -> Iterator[Words]:
    place = change.place
    kinds = Words(", ").join(Words(kind, style=STYLES[kind]) for kind in change.kinds)
    yield Words.assemble((place.type, "bold"), f" {place.channel}: ", kinds)
    yield from wrapped(f"{place.user} of {place.tenant}, event {place.event_id}", 2)
    yield from wrapped(_described(change.before), 10, "  before  ")
    yield from wrapped(_described(change.after), 10, "  now     ")


def _described(fate: Fate) -> str:
    if fate.text is None:
        return _why(fate)
    how = "in a digest at" if fate.digest else "sent at"
    title = f"{fate.text.title}: " if fate.text.title else ""
    return f"{how} {text(fate.at)}: {title}{' '.join(fate.text.body.split())}"


def _why(fate: Fate) -> str:
    told = ": ".join(part for part in (fate.reason, fate.detail) if part)
    if fate.stage is Stage.HELD:
        return f"still pending after 32 days, {told}"
    return f"dead letter, {told}" if fate.stage is Stage.FAILED else told
