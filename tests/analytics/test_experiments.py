"""Results of experiments, from rows that are told late, twice and in another order."""

from datetime import date, timedelta
from random import Random

from analytics.clickhouse import ClickHouse
from analytics.experiments import Asked, experiments_of
from policy.catalogue.catalogue import parse
from policy.proportions import Counts
from policy.results import Metric, Results, results
from schemas.delivery_event import DeliveryEvent
from schemas.vocabulary import Stage
from tests.analytics.story import DAY, TENANT, happened, sent
from tests.policy.samples import TYPE
from tests.policy.test_experiment import EXPERIMENT

ASKED = Asked(tenant=TENANT, type="thing")
DID = {"plain": ((3, 1), (1, 1), (2, 0)), "warm": ((4, 4), (1, 0))}
"""What was sent to each user of a variant, and how much of it they opened."""
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
