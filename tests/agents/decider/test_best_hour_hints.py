"""Hints: from opens in ClickHouse to a decider that waits for a user's best hour, and forgotten."""

import asyncio
from typing import Any

import pytest
from click.testing import CliRunner

from agents.best_hours import publish_hints
from analytics.clickhouse import ClickHouse
from cli.main import tocsin
from embedded.clickhouse import ClickHouse as Server
from pipeline.producing.outputs import Outputs, partition_of
from policy.catalogue.catalogue import parse
from policy.time.best_hour import HOUR_MS, next_begin
from schemas.erasure import Erasure
from schemas.profile import Hint
from schemas.topics import CONTACTS, ERASURES, EVENTS, HINTS, Topic
from schemas.vocabulary import Channel, Reason
from schemas.vocabulary import Stage as Step
from tables.users import user_key
from tests.agents.line import PARTITIONS
from tests.agents.names import unique
from tests.agents.samples import event, reachable
from tests.agents.stage import Stage
from tests.agents.test_waiting import file_of
from tests.analytics.story import happened

PUSH = Channel.PUSH
LEFT_MS = 15 * 60_000
"""Until the hour begins, for which a busy machine must not need so long to look once more."""
PATIENT = 'channels = ["push"]\nsend_at = "best_hour"'


@pytest.fixture
async def user(stage: Stage) -> str:
    """Somebody who can be reached, and a catalogue with a type that waits for their hour."""
    stage.catalogue = parse({"patient.toml": file_of("patient", PATIENT)})
    name = unique("user")
    await stage.say(CONTACTS, reachable(name))
    return name


async def hint(stage: Stage, user: str, hour: int, tenant: str = "default") -> None:
    said = Hint(user=user, best_hour=hour, tenant=tenant)
    await said_of(stage, HINTS, said)


async def said_of(stage: Stage, topic: Topic, said: Hint) -> None:
    key = user_key(said.tenant, said.user).decode()
    await stage.say(topic, said, key=key, partition=partition_of(said.user, PARTITIONS))


async def happens(stage: Stage, user: str) -> None:
    await stage.say(EVENTS, event("patient.happened", {"who": user, "key": "k", "text": "hello"}))
    await stage.work(stage.router, stage.decider)


def in_hours(stage: Stage, hours: int) -> int:
    return (stage.clock.now() // HOUR_MS + hours) % 24


async def test_it_waits_for_the_hour_across_a_lost_disk_and_comes_once(
    stage: Stage, user: str
) -> None:
    hour = in_hours(stage, 5)
    await hint(stage, user, hour)
    await stage.work(stage.decider)
    await happens(stage, user)
    (told,) = [each for each in await stage.told() if each.user == user]
    assert (told.stage, told.reason) == (Step.HELD, Reason.SCHEDULED)
    assert told.detail == f"best hour from {hour:02}:00 UTC"
    await stage.restart(keep_disk=False)
    wait = next_begin(hour, stage.clock.now()) - stage.clock.now()
    stage.clock.ahead += wait - LEFT_MS
    await stage.work(stage.decider)
    assert await stage.deliveries(PUSH) == []
    stage.clock.ahead += LEFT_MS
    await stage.work(stage.decider)
    await stage.restart(keep_disk=False)
    await stage.work(stage.decider)
    assert [each.user for each in await stage.deliveries(PUSH)] == [user]


async def test_without_a_hint_it_goes_at_once_and_a_later_one_counts(
    stage: Stage, user: str
) -> None:
    await happens(stage, user)
    assert len(await stage.deliveries(PUSH)) == 1
    await hint(stage, user, in_hours(stage, 3))
    await stage.work(stage.decider)
    # What is said of contacts later leaves it as it is.
    await stage.say(CONTACTS, reachable(user, phone=None))
    await happens(stage, user)
    assert len(await stage.deliveries(PUSH)) == 1


async def test_another_tenants_user_of_that_name_has_an_hour_of_their_own(
    stage: Stage, user: str
) -> None:
    await hint(stage, user, in_hours(stage, 3), "acme")
    await stage.work(stage.decider)
    await happens(stage, user)
    assert len(await stage.deliveries(PUSH)) == 1


async def test_an_erased_users_hint_is_gone_from_state_and_topic(stage: Stage, user: str) -> None:
    await hint(stage, user, in_hours(stage, 3))
    await stage.work(stage.decider)
    await stage.say(ERASURES, Erasure(user=user))
    await stage.work(stage.decider)
    # Found out before, and written after: it brings nobody back.
    await hint(stage, user, in_hours(stage, 3))
    await stage.work(stage.decider)
    records = [each for each in await stage.raw(HINTS) if user.encode() in each.key]
    assert [each.value is None for each in records] == [False, True, False, True]
    await stage.work(stage.decider)
    assert await stage.letters() == []
    await stage.say(CONTACTS, reachable(user))
    await happens(stage, user)
    assert len(await stage.deliveries(PUSH)) == 1


async def test_hints_are_made_from_what_was_opened(
    stage: Stage, user: str, database: ClickHouse, clickhouse: Server, migrated: str
) -> None:
    now, hour = stage.clock.now(), in_hours(stage, 4)
    other = unique("user")
    opened = next_begin(hour, now) - 24 * HOUR_MS
    for who, times in ((user, 5), (other, 4)):
        known: dict[str, Any] = {
            "user": who,
            "tenant": "default",
            "occurred_at": opened,
            "at": opened,
        }
        names = [unique("n") for _ in range(times)]
        stages = (Step.SENT, Step.OPENED)
        await database.insert([happened(step, name, **known) for name in names for step in stages])
    outputs = Outputs(stage.producer)
    assert await publish_hints(database, outputs, PARTITIONS, least=5) == 1
    environment = {
        "TOCSIN_KAFKA": stage.settings.kafka,
        "TOCSIN_PARTITIONS": str(PARTITIONS),
        "TOCSIN_CLICKHOUSE_HOST": clickhouse.host,
        "TOCSIN_CLICKHOUSE_PORT": str(clickhouse.port),
        "TOCSIN_CLICKHOUSE_DATABASE": migrated,
    }
    run = await asyncio.to_thread(CliRunner(env=environment).invoke, tocsin, ["hints", "--json"])
    assert run.output == '{"hints":1}\n'
    found = await stage.read(HINTS, Hint)
    assert found == [Hint(user=user, best_hour=hour)] * 2
    await stage.work(stage.decider)
    await happens(stage, user)
    assert [each.detail for each in await stage.told()] == [f"best hour from {hour:02}:00 UTC"]


async def test_each_is_written_once_however_many_there_are(
    stage: Stage, database: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.best_hours.AT_ONCE", 2)
    hour = in_hours(stage, 4)
    opened = next_begin(hour, stage.clock.now()) - 24 * HOUR_MS
    users = sorted(unique("user") for _ in range(5))
    for who in users:
        known: dict[str, Any] = {"user": who, "tenant": "default", "occurred_at": opened}
        name = unique("n")
        steps = (Step.SENT, Step.OPENED)
        await database.insert([happened(step, name, **known, at=opened) for step in steps])
    assert await publish_hints(database, Outputs(stage.producer), PARTITIONS, least=1) == 5
    found = await stage.read(HINTS, Hint)
    assert sorted(each.user for each in found) == users
