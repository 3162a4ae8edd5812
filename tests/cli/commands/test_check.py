"""`tocsin check`: what it says of a Kafka and a ClickHouse, and how it ends."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from agents.check.findings import State
from agents.check.kafka import check_kafka, clock_finding, former_finding
from agents.setup import set_up
from embedded.clickhouse import ClickHouse
from embedded.kafka import Kafka
from embedded.process import free_port
from pipeline.kafka.clients import administrator
from pipeline.variables import settings_of
from schemas.topics import needed_topics
from tables.former_topics import FormerTopic
from tests.cli.test_main import Ended, run
from tests.patience import until_told
from tests.tables.test_former_topics import commit, create_former, write


@pytest.fixture
async def variables(kafka: Kafka, clickhouse: ClickHouse) -> AsyncIterator[dict[str, str]]:
    """Of an environment that is set up."""
    found = {
        "TOCSIN_KAFKA": kafka.address,
        "TOCSIN_PREFIX": "checked.",
        "TOCSIN_PARTITIONS": "1",
        "TOCSIN_CLICKHOUSE_HOST": clickhouse.host,
        "TOCSIN_CLICKHOUSE_PORT": str(clickhouse.port),
        "COLUMNS": "80",
    }
    settings = settings_of(found)
    await set_up(settings)
    needed = needed_topics(outcomes=False)
    await create_former(settings, "stops")
    async with administrator(settings.brokers) as admin:
        await until_told(admin.list_topics, lambda names: len(names) == len(needed) + 1)
    yield found
    async with administrator(settings.brokers) as admin:
        await admin.delete_topics(await admin.list_topics())


async def check(variables: dict[str, str], *options: str, **more: str) -> Ended:
    given: dict[str, Any] = {**variables, **more}
    return await run("check", *options, **given)


async def test_all_is_well_and_then_it_is_not(variables: dict[str, str]) -> None:
    done = await check(variables, "--json", "--no-providers")
    found = [json.loads(line) for line in done.output.splitlines()]
    assert {each["subject"]: each["state"] for each in found} == dict.fromkeys(
        (
            *("Kafka", "Kafka's grants", "Topics", "Settings of topics", "Kafka's clock"),
            *("ClickHouse", "ClickHouse's tables", "ClickHouse's grants", "ClickHouse's clock"),
            "Topics of before",
        ),
        "ok",
    )
    assert done.code == 0

    wrong = await check(
        variables, "--no-providers", TOCSIN_PARTITIONS="2", TOCSIN_PREFIX="checked."
    )
    assert wrong.code == 1
    assert max(map(len, wrong.output.splitlines())) <= 80
    assert "failed   Topics" in wrong.output
    assert "skipped  Kafka's clock" in wrong.output
    assert wrong.output.splitlines()[-1] == "1 of 8 failed."

    none = await check(variables, "--json", "--no-providers", TOCSIN_PREFIX="elsewhere.")
    count = len(needed_topics(outcomes=False))
    topics = next(json.loads(each) for each in none.output.splitlines() if '"Topics"' in each)
    assert topics["found"].startswith(f"{count} of {count} are missing: ")
    assert topics["todo"] == "run `tocsin setup`"


async def test_what_nobody_has_read_in_a_topic_of_before_fails(
    variables: dict[str, str],
) -> None:
    settings = settings_of(variables)

    async def told() -> tuple[State, str]:
        found = [each async for each in check_kafka(settings)]
        (told,) = [each for each in found if each.subject == "Topics of before"]
        return told.state, told.found

    assert await told() == (State.OK, "all that was in them is read")
    await write(settings, "stops", 0)
    await commit(settings, "stops", 0, 0)
    assert await told() == (State.FAILED, "Nobody has read some records: 1 in stops")
    unknown = former_finding([FormerTopic(topic="stops", unknown=3)])
    assert unknown.state is State.WARNING
    assert "3 in stops" in unknown.found
    assert unknown.todo.endswith(": stops")


async def test_what_is_away_is_a_line_and_the_rest_is_looked_at() -> None:
    away = f"127.0.0.1:{free_port()}"
    port = str(free_port())
    done = await check({"TOCSIN_KAFKA": away, "TOCSIN_CLICKHOUSE_PORT": port, "COLUMNS": "80"})
    assert done.code == 1
    assert done.output.startswith("failed")
    for said in ("Kafka  ", "ClickHouse  ", "push: fcm", "email: sendgrid", "to do:"):
        assert said in done.output
    assert max(map(len, done.output.splitlines())) <= 80
    assert "Traceback" not in done.errors


@pytest.mark.parametrize(
    ("theirs", "state", "found"),
    [
        (100_020, State.OK, "within 1 ms of ours"),
        (99_500, State.OK, "within 500 ms of ours"),
        (98_000, State.FAILED, "2.0 s behind ours"),
        (160_050, State.FAILED, "60.0 s ahead of ours"),
    ],
)
def test_how_far_clocks_are_apart_is_at_least_what_is_said(
    theirs: int, state: State, found: str
) -> None:
    told = clock_finding("Kafka's clock", theirs, 100.0, 100.05)
    assert (told.state, told.found) == (state, found)
    assert bool(told.todo) is (state is State.FAILED)
    assert clock_finding("x", int(time.time() * 1000), 0.0, time.time() + 1).state is State.OK
