"""`tocsin timeline` and `tocsin day`: whole ids at any width, and their beginnings will do."""

import asyncio
import re
from dataclasses import dataclass

import msgspec
import pytest
from click.testing import CliRunner, Result

from analytics.clickhouse import ClickHouse
from cli.main import tocsin
from embedded.kafka import Kafka
from schemas.delivery_event import DeliveryEvent
from schemas.errors import WrongUsage
from schemas.vocabulary import Channel, Reason, Stage
from tests.analytics.story import DAY, TENANT, happened

ONE, OTHER = "90b7c12854cbd5478e08a06ddc4438ba", "90b7c1ff00000000000000000000ffff"
REFERENCE = "projects/tocsin-demo/messages/0:0000000000000001"


def of_ada(event: DeliveryEvent) -> DeliveryEvent:
    return msgspec.structs.replace(event, user="ada")


HAPPENINGS = [
    happened(Stage.QUEUED, ONE),
    happened(Stage.SENT, ONE, 10, provider="fcm", detail=REFERENCE),
    happened(Stage.SUPPRESSED, ONE, 20, channel=Channel.SMS, reason=Reason.NO_ADDRESS),
    happened(Stage.QUEUED, OTHER, 30),
]


@pytest.fixture
async def story(database: ClickHouse) -> ClickHouse:
    await database.insert([of_ada(each) for each in HAPPENINGS])
    return database


@dataclass
class Place:
    """A Kafka, which keeps who asked, and a ClickHouse with the story."""

    kafka: str
    clickhouse: ClickHouse


@pytest.fixture
def place(kafka_with_topics: Kafka, story: ClickHouse) -> Place:
    return Place(kafka_with_topics.address, story)


async def ask(place: Place, *argv: str, width: int = 80) -> Result:
    settings = place.clickhouse._settings
    variables = {
        "TOCSIN_KAFKA": place.kafka,
        "TOCSIN_CLICKHOUSE_PORT": str(settings.clickhouse_port),
        "TOCSIN_CLICKHOUSE_DATABASE": settings.clickhouse_database,
        "COLUMNS": str(width),
    }
    runner = CliRunner(env=variables)
    return await asyncio.to_thread(runner.invoke, tocsin, [*argv, "--tenant", TENANT])


async def test_a_day_has_each_notification_with_its_id_and_a_line_a_happening(
    place: Place,
) -> None:
    result = await ask(place, "day", "--user", "ada", "--date", DAY)
    assert result.exit_code == 0
    at = f"{DAY[5:]} 12:00:00"
    assert result.stdout.splitlines() == [
        f"{ONE}  order_shipped to ada",
        f"  {at}  push  queued",
        f"  {at}  push  sent        fcm",
        f"      {REFERENCE}",
        f"  {at}  sms   suppressed       no_address",
        f"{OTHER}  order_shipped to ada",
        f"  {at}  push  queued",
    ]


async def test_where_there_is_room_a_happening_is_one_line(place: Place) -> None:
    lines = (await ask(place, "day", "--user", "ada", "--date", DAY, width=200)).stdout.splitlines()
    assert len(lines) == len(HAPPENINGS) + 2
    assert re.fullmatch(rf"  \S+ 12:00:00  push  sent        fcm  {REFERENCE}", lines[2])


@pytest.mark.parametrize("given", [ONE, ONE[:8], ONE[:31]])
async def test_a_timeline_takes_an_id_or_its_beginning(place: Place, given: str) -> None:
    result = await ask(place, "timeline", given)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == f"{ONE}  order_shipped to ada"
    assert OTHER not in result.stdout
    lines = (await ask(place, "timeline", given, "--json")).stdout.splitlines()
    assert {msgspec.json.decode(line)["notification_id"] for line in lines} == {ONE}
    assert len(lines) == 3


async def test_a_beginning_that_two_share_names_both(place: Place) -> None:
    error = (await ask(place, "timeline", "90b7c1")).exception
    assert isinstance(error, WrongUsage)
    assert f"{ONE}, {OTHER}. Give more of it." in str(error)


async def test_an_unknown_id_is_one_sentence_and_no_success(place: Place) -> None:
    error = (await ask(place, "timeline", "90b7c2", "--json")).exception
    assert isinstance(error, WrongUsage)
    assert str(error) == (
        "There is no notification 90b7c2. `tocsin day --user USER` lists them with their ids."
    )


async def test_a_user_whom_nothing_concerned_is_answered_in_words(place: Place) -> None:
    result = await ask(place, "day", "--user", "nobody", "--date", DAY)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"There is nothing about nobody of tenant {TENANT} on {DAY}")
    assert (await ask(place, "day", "--user", "nobody", "--date", DAY, "--json")).stdout == ""
