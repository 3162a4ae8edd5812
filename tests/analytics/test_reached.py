"""Panels of notifications against what a walk over the rows counts, whatever became of parts."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from analytics.clickhouse import ClickHouse
from analytics.migration import migrate, migrations
from analytics.panels import PANELS, Span, figures
from schemas.delivery_event import DeliveryEvent
from schemas.vocabulary import Channel, Priority, Reason, Stage
from tests.analytics.story import NOON, TENANT, happened

ASKED = {panel.name: panel for panel in PANELS if panel.name in ("funnel", "told", "types")}
FROM = datetime.fromtimestamp(NOON / 1000, UTC)
SPAN = Span(TENANT, FROM, FROM + timedelta(hours=2))
STAGES = (
    Stage.SUPPRESSED, Stage.HELD, Stage.DIGESTED, Stage.QUEUED, Stage.SENT, Stage.DELIVERED,
    Stage.SEEN, Stage.OPENED, Stage.CLICKED, Stage.BOUNCED, Stage.FAILED, Stage.UNSUBSCRIBED,
)  # fmt: skip
WAYS = (*Channel, None)
QUEUED = {*STAGES[3:11]}
TELLS = {Channel.PUSH, Channel.EMAIL, Channel.INAPP}


def told(random: Random, notifications: int) -> list[DeliveryEvent]:
    """Of each any stages, on up to three channels; some occurred before or after what is asked
    about, some are digests, some are told again by a producer that gives an earlier time."""
    rows: list[DeliveryEvent] = []
    for number in range(notifications):
        name, type_ = f"{number:032x}", f"type_{number % 7}"
        occurred = NOON + random.choice((-1, 0, 1, 3_600_000, 7_199_999, 7_200_000))
        for channel in random.sample(WAYS, random.randint(1, 3)):
            digest = random.choice(("", "", name, "another"))
            for stage in random.sample(STAGES, random.randint(1, 5)):
                rows += (
                    happened(
                        stage, name, random.randint(1, 9000), channel=channel, type=type_,
                        occurred_at=random.choice((occurred, occurred, occurred, NOON - 5)),
                        again=f".{again}", digest=digest, priority=Priority.NORMAL,
                        reason=_reason(random, stage),
                        detail="machine" if random.random() < 0.1 else "",
                    )
                    for again in range(random.randint(1, 2))
                )  # fmt: skip
    return rows


def _reason(random: Random, stage: Stage) -> Reason:
    if stage is not Stage.SUPPRESSED:
        return Reason.NONE
    return random.choice((Reason.OPTED_OUT, Reason.CONFLICT, Reason.DUPLICATE))


def counted(rows: Iterable[DeliveryEvent]) -> dict[str, list[list[Any]]]:
    """What panels should say of them, by the words of their titles and not by their SQL."""
    stages: dict[tuple[str, Channel | None], set[Stage]] = {}
    occurred: dict[tuple[str, Channel | None], int] = {}
    types: dict[str, str] = {}
    digests = set()
    for row in rows:
        if row.reason is Reason.DUPLICATE:
            continue
        key = row.notification_id, row.channel
        types[row.notification_id] = row.type
        occurred[key] = min(row.occurred_at, occurred.get(key, row.occurred_at))
        known = stages.setdefault(key, set())
        if row.detail != "machine" or row.stage not in (Stage.OPENED, Stage.CLICKED):
            known.add(row.stage)
        if row.digest == row.notification_id:
            digests.add(key)
    there = {key: stages[key] for key, at in occurred.items() if NOON <= at < NOON + 7_200_000}
    return {
        "funnel": _funnel(there.values()),
        "told": _outcomes({key: known for key, known in there.items() if key not in digests}),
        "types": _types(there, types),
    }


def _funnel(there: Iterable[set[Stage]]) -> list[list[Any]]:
    got: Counter[Stage] = Counter()
    for known in there:
        reached = {stage for stage in known if stage in QUEUED}
        got[Stage.QUEUED] += bool(reached)
        got[Stage.OPENED] += bool(reached & {Stage.OPENED, Stage.CLICKED})
        for stage in (Stage.SENT, Stage.DELIVERED, Stage.SEEN, Stage.CLICKED):
            got[stage] += stage in reached
    shown = (Stage.QUEUED, Stage.SENT, Stage.DELIVERED, Stage.SEEN, Stage.OPENED, Stage.CLICKED)
    return [[str(stage), got[stage]] for stage in shown if got[stage]]


def _outcomes(there: dict[tuple[str, Channel | None], set[Stage]]) -> list[list[Any]]:
    found: dict[str, set[str]] = {}
    for (name, _), known in there.items():
        ended = known & {Stage.FAILED, Stage.SUPPRESSED}
        found.setdefault(name, set()).update(
            (["told"] if known & {Stage.SENT, Stage.DIGESTED} else [])
            + (["on its way"] if Stage.QUEUED in known and not ended else [])
            + (["waits"] if Stage.HELD in known and not ended | (known & {Stage.QUEUED}) else [])
            + (["given up"] if Stage.FAILED in known else [])
        )
    order = ("told", "on its way", "waits", "given up")
    outcomes = Counter(
        next((each for each in order if each in ways), "decided against") for ways in found.values()
    )
    return sorted(([said, n] for said, n in outcomes.items()), key=lambda row: (-row[1], row[0]))


def _types(
    there: dict[tuple[str, Channel | None], set[Stage]], types: dict[str, str]
) -> list[list[Any]]:
    rows = []
    for type_ in sorted({types[name] for name, _ in there}):
        each = [(way, known) for (name, way), known in there.items() if types[name] == type_]
        sent = [(way in TELLS, known) for way, known in each if Stage.SENT in known]
        opened = {Stage.OPENED, Stage.CLICKED}
        can = [known for tells, known in sent if tells]
        did = sum(bool(known & opened) for known in can)
        rows.append(
            [
                type_,
                len(sent),
                sum(Stage.SUPPRESSED in k and not k & {Stage.QUEUED, Stage.SENT} for _, k in each),
                sum(Stage.FAILED in k and Stage.SENT not in k for _, k in each),
                sum(bool(k & opened) for _, k in each),
                sum(Stage.UNSUBSCRIBED in k for _, k in each),
                len(can),
                did,
                round(did / len(can), 4) if can else None,
            ]
        )
    return sorted(rows, key=lambda row: (-row[1], row[0]))


async def said(database: ClickHouse) -> dict[str, list[list[Any]]]:
    return {name: (await figures(database, panel, SPAN)).rows for name, panel in ASKED.items()}


@pytest.mark.parametrize("seed", [1, 2])
async def test_panels_say_what_the_rows_say(database: ClickHouse, seed: int) -> None:
    """In inserts of any order, told twice, before parts are merged and after."""
    random = Random(seed)
    rows = told(random, 300)
    expected = counted(rows)
    assert len(expected["told"]) == 5
    again = [*rows, *random.sample(rows, len(rows) // 3)]
    random.shuffle(again)
    await database.command("SYSTEM STOP MERGES notification_state")
    for start in range(0, len(again), len(again) // 5):
        await database.insert(again[start : start + len(again) // 5])
    assert await said(database) == expected
    await database.command("SYSTEM START MERGES notification_state")
    await database.command("OPTIMIZE TABLE notification_state FINAL")
    assert await said(database) == expected


async def test_what_was_there_before_counts_with_what_comes(empty: ClickHouse) -> None:
    """Of a table that the last release filled, of which some rows come again, and others later.

    But for repeats: those that are stored as suppressed stay so."""
    rows = [row for row in told(Random(3), 100) if row.reason is not Reason.DUPLICATE]
    Random(4).shuffle(rows)
    half = len(rows) // 2
    await migrate(empty, files=[file for file in migrations() if file.number < 32])
    await empty.insert(rows[:half])
    await migrate(empty)
    assert await said(empty) == counted(rows[:half])
    await empty.insert(rows[half - 20 :])
    assert await said(empty) == counted(rows)
    await empty.command("OPTIMIZE TABLE notification_state FINAL")
    assert await said(empty) == counted(rows)
