"""Results of experiments, from rows that are told late, twice and in another order."""

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from analytics.clickhouse import ClickHouse
from analytics.erasure import erase
from analytics.experiments import Asked, experiments_of
from policy.catalogue.catalogue import parse
from policy.experiments.results import Metric, Results, results
from policy.experiments.statistics import Counts
from schemas.delivery_event import DeliveryEvent
from schemas.vocabulary import Stage
from tests.analytics.story import DAY, NOON, TENANT, happened, sent
from tests.policy.experiments.test_experiment import EXPERIMENT
from tests.policy.samples import TYPE

ASKED = Asked(tenant=TENANT, type="thing")
DID = {"plain": ((3, 1), (1, 1), (2, 0)), "warm": ((4, 4), (1, 0))}
"""What was sent to each user of a variant, and how much of it they opened."""
HOLDOUT = """
holdout = { share = "5%", name = "q2" }
goal = { event = "thing.bought", within = "2d" }
"""
EXPECTED = {name: Counts.of(*did) for name, did in DID.items()}


def rows() -> list[DeliveryEvent]:
    found = []
    for variant, did in DID.items():
        for number, (count, opened) in enumerate(did):
            known = {"type": "thing", "user": f"{variant}-{number}"}
            for message in range(count):
                name = f"{variant}-{number}-{message}"
                found += sent(name, 100, variant=f"greeting/{variant}", **known)
                if message < opened:
                    found.append(happened(Stage.OPENED, name, 500, **known))
    return found


def as_counted(order: tuple[str, ...] = ("plain", "warm")) -> Results:
    return results("greeting", Metric.OPENED, EXPECTED, order)


async def test_counts_are_those_of_each_user(database: ClickHouse) -> None:
    await database.insert([*rows(), *sent("else", 100, variant="greeting/plain")])
    await database.insert(sent("a", 1, tenant="globex", type="thing", variant="greeting/plain"))
    assert await experiments_of(database, ASKED) == [as_counted()]
    clicked = Asked(tenant=TENANT, type="thing", metric=Metric.CLICKED)
    (found,) = await experiments_of(database, clicked)
    assert [(each.sent, each.successes) for each in found.variants] == [(6, 0), (5, 0)]


async def test_a_late_or_repeated_receipt_changes_nothing_wrong(database: ClickHouse) -> None:
    told = rows()
    Random(1).shuffle(told)
    for start in range(0, len(told), 5):
        await database.insert(told[start : start + 5])
    await database.insert(told)
    assert await experiments_of(database, ASKED) == [as_counted()]
    late = {"type": "thing", "user": "warm-1"}
    receipt = happened(Stage.OPENED, "warm-1-0", 20 * 86_400_000, **late)
    again = happened(Stage.OPENED, "warm-0-0", 900, ".again", type="thing", user="warm-0")
    await database.insert([receipt, again, receipt])
    (found,) = await experiments_of(database, ASKED)
    assert [(each.users, each.sent, each.successes) for each in found.variants] == [
        (3, 6, 2),
        (2, 5, 5),
    ]


GOAL_MS = 2 * 86_400_000
"""Two days, within which the goal counts."""


def compared(
    user: str,
    group: str,
    after: int = 0,
    about: str = "",
    holdout: str = "holdout.q1",
    **fields: Any,
) -> DeliveryEvent:
    """A user comes into a group, by an event so many ms after noon."""
    name = f"{user}-{after}"
    return happened(
        Stage.ASSIGNED, name, after, f".{holdout}/{group}", type="thing", user=user, channel=None,
        detail=about, variant=f"{holdout}/{group}", within=GOAL_MS // 1000, delivery_id="",
        occurred_at=NOON + after, **fields,
    )  # fmt: skip


def reached(user: str, after: int, about: str = "", **fields: Any) -> DeliveryEvent:
    """The user does what the type is for, so many ms after noon."""
    known = {"type": "thing", "user": user, "channel": None, "detail": about, "delivery_id": ""}
    name = f"goal-{user}-{after}-{about}"
    return happened(Stage.GOAL, name, after, occurred_at=NOON + after, **{**known, **fields})


def lifted(found: Results) -> list[tuple[str, int, int]]:
    return [(each.variant, each.users, each.successes) for each in found.variants]


async def test_what_telling_brings_is_counted_by_user(database: ClickHouse) -> None:
    """By hand: of three who were told two reached it, of three held out one."""
    rows = [
        compared("t1", "told"), reached("t1", 5000),
        # Within the time by a millisecond, and twice.
        compared("t2", "told"), reached("t2", GOAL_MS), reached("t2", 7000),
        # Too late by one, before it, at the same moment, and of another type, tenant and user.
        compared("t3", "told"), reached("t3", GOAL_MS + 1), reached("t3", -1), reached("t3", 0),
        reached("t3", 5000, type="else"), reached("t3", 5000, tenant="globex"), reached("t4", 5000),
        compared("h1", "held_out"), reached("h1", 9000),
        compared("h2", "held_out"), compared("h3", "held_out"),
    ]  # fmt: skip
    asked = Asked(tenant=TENANT, type="thing", metric=Metric.GOAL)
    await database.insert(rows)
    (found,) = await experiments_of(database, asked)
    assert (found.experiment, found.metric) == ("holdout.q1", Metric.GOAL)
    assert lifted(found) == [("held_out", 3, 1), ("told", 3, 2)]
    (told,) = found.compared
    assert (told.variant, told.against) == ("told", "held_out")
    assert told.difference == pytest.approx(1 / 3)
    # Told twice and in another order, with a second event of theirs that comes first: nothing new.
    await database.insert([compared("t3", "told", 4000), *reversed(rows)])
    assert await experiments_of(database, asked) == [found]
    # By messages nothing of it is seen: no message was sent.
    assert await experiments_of(database, ASKED) == []
    assert await database.query("SELECT count() FROM funnel") == [(0,)]


async def test_the_first_event_counts_and_both_are_about_the_same(database: ClickHouse) -> None:
    rows = [
        # What followed the second cart alone says nothing of the first.
        compared("ann", "told", 0, "c1"), compared("ann", "told", 1000, "c2"),
        reached("ann", 5000, "c2"),
        compared("bob", "held_out", 0, "c3"), reached("bob", 5000, "c3"),
        # Drawn anew by another name; and the holdout of all types.
        compared("bob", "told", 0, "c3", "holdout.q2"),
        compared("bob", "told", 0, "c3", "global.x"),
        # Whoever was moved to the other group stays in that of the first event.
        compared("cyd", "held_out", 0, "c4"), compared("cyd", "told", 1000, "c4"),
    ]  # fmt: skip
    await database.insert(rows)
    asked = Asked(tenant=TENANT, type="thing", metric=Metric.GOAL)
    found = {each.experiment: lifted(each) for each in await experiments_of(database, asked)}
    assert found == {
        "holdout.q1": [("held_out", 2, 1), ("told", 1, 0)],
        "holdout.q2": [("held_out", 0, 0), ("told", 1, 1)],
        "global.x": [("held_out", 0, 0), ("told", 1, 1)],
    }
    tomorrow = date.fromisoformat(DAY) + timedelta(1)
    assert not await experiments_of(database, replace(asked, start=tomorrow))
    text = TYPE.replace("time_to_live = 86400", f"time_to_live = 86400\n{HOLDOUT}")
    spec = parse({"thing.toml": text + '[holdout]\nshare = "5%"\nname = "x"'}).types["thing"]
    names = [each.experiment for each in await experiments_of(database, asked, spec)]
    assert names == ["holdout.q2", "global.x", "holdout.q1"]


async def test_an_erased_user_counts_in_no_group(database: ClickHouse) -> None:
    await database.insert([compared("ann", "told"), reached("ann", 5000), compared("bob", "told")])
    await erase(database, TENANT, "ann", NOON + 10)
    asked = Asked(tenant=TENANT, type="thing", metric=Metric.GOAL)
    (found,) = await experiments_of(database, asked)
    assert lifted(found) == [("held_out", 0, 0), ("told", 1, 0)]


async def test_days_are_those_of_the_events(database: ClickHouse) -> None:
    await database.insert(rows())
    today = date.fromisoformat(DAY)
    for start, end, is_in in (
        (today, today, True),
        (date.min, today - timedelta(1), False),
        (today + timedelta(1), date.max, False),
    ):
        asked = Asked(tenant=TENANT, type="thing", start=start, end=end)
        assert await experiments_of(database, asked) == [as_counted()] * is_in


async def test_what_the_type_runs_comes_first_and_in_its_order(database: ClickHouse) -> None:
    text = TYPE + EXPERIMENT
    spec = parse({"thing.toml": text}).types["thing"]
    (nothing,) = await experiments_of(database, ASKED, spec)
    assert [(each.variant, each.sent) for each in nothing.variants] == [("plain", 0), ("warm", 0)]
    await database.insert(rows())
    renamed = text.replace('"greeting"', '"words"').replace("variants.plain", "variants.zero")
    spec = parse({"thing.toml": renamed}).types["thing"]
    running, former = await experiments_of(database, ASKED, spec)
    assert [each.variant for each in running.variants] == ["zero", "warm"]
    assert former == as_counted()
