"""`tocsin sources` and `explain --record` over a company's own topic; nothing is written."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from cli.main import tocsin
from schemas.delivery_event import DeliveryEvent
from schemas.errors import BadRecord, WrongUsage
from schemas.misplaced import Misplaced
from schemas.topics import DELIVERY_EVENTS, PLACED
from tests.agents.company import SHIPPED, Company
from tests.agents.line import Line
from tests.agents.names import unique
from tests.agents.stage import CATALOGUE, staging


class Desk:
    """The command line of an operator whose catalogue has a source."""

    def __init__(self, company: Company, folder: Path) -> None:
        self.company = company
        self.folder = folder
        for path in CATALOGUE.glob("*.toml"):
            (folder / path.name).write_text(path.read_text())
        self.source(SHIPPED)

    def source(self, text: str) -> None:
        """Have the catalogue say this of the source."""
        made = text.format(name=self.company.source, topic=self.company.topic)
        (self.folder / "source.toml").write_text(made)

    async def run(self, *argv: str) -> Result:
        """`tocsin …`, in a thread, as it brings an event loop of its own."""
        variables = {
            "TOCSIN_KAFKA": self.company.kafka,
            "TOCSIN_CATALOGUE": str(self.folder),
            "TOCSIN_PARTITIONS": "2",
            "COLUMNS": "300",
        }
        return await asyncio.to_thread(CliRunner().invoke, tocsin, argv, env=variables)

    async def said(self, *argv: str) -> str:
        """What it prints, where all is well."""
        result = await self.run(*argv)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.stdout


@pytest.fixture
async def desk(line: Line, tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk, and a topic of three partitions."""
    async with staging(line, tmp_path / "data") as stage:
        company = Company(stage)
        await company.create(3)
        folder = tmp_path / "catalogue"
        folder.mkdir()
        yield Desk(company, folder)


def order(number: int, **more: Any) -> dict[str, Any]:
    """An order that was shipped."""
    return {"order": number, "shop": 31, "customer": "ann", "status": "shipped"} | more


async def test_try_shows_what_records_become_and_writes_nothing(desk: Desk) -> None:
    name = desk.company.source
    await desk.company.write(order(1), order(2, status="paid"), b"no JSON", partition=1)
    lines = [
        json.loads(line)
        for line in (await desk.said("sources", "try", name, "--json")).splitlines()
    ]
    assert [(each["offset"], each["outcome"]) for each in lines] == [
        (0, "moved"),
        (1, "skipped"),
        (2, "dead"),
    ]
    assert lines[0]["value"]["data"] == {"customer_id": "ann", "order_id": 1, "carrier": "UPS"}
    assert lines[2]["why"].startswith("undecodable: is not JSON")
    text = await desk.said("sources", "try", name, "--last", "2")
    assert text.startswith("2 records: 1 skipped, 1 dead. Nothing was written.")
    assert f"the first is {desk.company.topic}/1/2" in text
    stage = desk.company.stage
    assert await stage.letters() == []


async def test_replay_takes_a_range_through_today_s_mapping_and_dedupe_holds(desk: Desk) -> None:
    """Of one order nothing came, as the source refused it; the other was decided already."""
    user = unique("user")
    known, mended = order(1, customer=user), order(2, customer=user, shop=None)
    await desk.company.write(order(0, customer=user), known, mended, partition=1)
    stage = desk.company.stage
    async with desk.company.reading():
        await desk.company.caught_up()
    await stage.work(stage.router, stage.decider)
    before = await stage.read(PLACED["router"], Misplaced)
    assert [each.offset for each in before] == [0, 1]
    desk.source(SHIPPED.replace("{{{{ shop }}}}", "{{{{ shop or 31 }}}}"))
    argv = "sources", "replay", desk.company.source, "--offsets", f"{desk.company.topic}/1/1-2"
    text = await desk.said(*argv, "--dry-run")
    assert text.startswith("2 records: 2 would be written, 0 skipped, 0 of no use. Nothing was")
    assert await stage.read(PLACED["router"], Misplaced) == before
    assert (await desk.said(*argv)).startswith("2 records: 2 were written")
    again = (await stage.read(PLACED["router"], Misplaced))[2:]
    assert sorted(each.offset for each in again) == [1, 2]
    assert {each.accepted_at for each in again if each.offset == 1} == {before[1].accepted_at}
    await stage.work(stage.router, stage.decider)
    rows = await stage.read(DELIVERY_EVENTS, DeliveryEvent)
    place = f"{desk.company.source}/{desk.company.topic}/1"
    reasons = Counter((each.origin, each.reason) for each in rows if each.reason == "duplicate")
    assert reasons == {(f"{place}/1", "duplicate"): 1}
    assert f"{place}/2" in {each.origin for each in rows}


async def test_replay_takes_what_kafka_took_between_two_times(desk: Desk) -> None:
    await desk.company.write(order(1), order(2, status="paid"), b"no JSON", partition=2)
    argv = "sources", "replay", desk.company.source, "--dry-run", "--json"
    found = json.loads(await desk.said(*argv, "--from", "1h"))
    assert [found[name] for name in ("read", "moved", "skipped", "dead")] == [3, 1, 1, 1]
    assert any(why.startswith("undecodable") for why in found["causes"])
    found = json.loads(await desk.said(*argv, "--from", "2h", "--to", "1h"))
    assert found["read"] == 0


async def test_try_tells_of_ids_that_several_records_have(desk: Desk) -> None:
    desk.source(SHIPPED + 'id = "{{{{ order }}}}"\n')
    await desk.company.write(order(1), order(1), order(2), partition=0)
    text = await desk.said("sources", "try", desk.company.source)
    assert "1 have the id of another record" in text


async def test_check_tells_which_topics_a_source_reads(desk: Desk) -> None:
    name = desk.company.source
    (found,) = json.loads(await desk.said("sources", "check", "--json"))["sources"]
    assert found["reads"] == {desk.company.topic: 3}
    assert (found["source"], found["into"], found["start"]) == (name, "events", "beginning")
    assert f"reads {desk.company.topic} (3 partitions)" in await desk.said("sources", "check")
    desk.source(SHIPPED.replace("{topic}", "nowhere-*"))
    assert "no topic is there yet: nowhere-*" in await desk.said("sources", "check")
    desk.source(SHIPPED.replace("actor =", "acter ="))
    result = await desk.run("sources", "check", "--offline")
    assert result.exit_code == 1
    assert "is no field of events" in result.stderr


async def test_infer_drafts_what_then_can_be_tried(desk: Desk) -> None:
    await desk.company.write(order(1), order(2))
    draft = await desk.said("sources", "infer", desk.company.topic)
    (desk.folder / "source.toml").write_text(draft)
    (found,) = json.loads(await desk.said("sources", "check", "--json"))["sources"]
    text = await desk.said("sources", "try", found["source"])
    assert text.startswith("2 records: 2 moved.")


async def test_explain_begins_with_a_record_and_tells_the_origin(desk: Desk) -> None:
    user = unique("user")
    await desk.company.write(order(1, customer=user), order(2, status="paid"), partition=2)
    place = f"{desk.company.topic}/2/0"
    argv = "explain", "--record", place, "--user", user, "--offline"
    text = await desk.said(*argv)
    assert f"It is what {place} by the source {desk.company.source} says." in text
    line = json.loads((await desk.said(*argv, "--json")).splitlines()[0])
    assert line["origin"].startswith(place)
    assert line["event"] == f"{desk.company.source}/{place}"


@pytest.mark.parametrize(
    ("argv", "error", "why"),
    [
        (("sources", "try", "nothing"), WrongUsage, "is no source of the catalogue"),
        (("sources", "infer", "shop.order"), WrongUsage, "there are shop.orders"),
        (("sources", "replay", "{source}", "--offsets", "{topic}/9/0-1"), WrongUsage, "has 3 part"),
        (("sources", "replay", "{source}"), WrongUsage, "either --from or --offsets"),
        (("sources", "replay", "{source}", "--offsets", "{topic}/0"), WrongUsage, "FIRST-LAST"),
        (("sources", "replay", "{source}", "--offsets", "events/0/1-2"), WrongUsage, "not read"),
        (("sources", "replay", "{source}", "--offsets", "{topic}/0/2-1"), WrongUsage, "after"),
        (("explain", "--user", "ann"), WrongUsage, "either --event or --record"),
        (("explain", "--user", "a", "--record", "x"), WrongUsage, "TOPIC/PARTITION/OFFSET"),
        (("explain", "--user", "a", "--record", "x/0/0"), WrongUsage, "one of none"),
        (("explain", "--user", "a", "--record", "{topic}/0/9"), WrongUsage, "no record at"),
        (("explain", "--user", "a", "--record", "{topic}/9/0"), WrongUsage, "no record at"),
        (("explain", "--user", "a", "--record", "{topic}/0/0"), WrongUsage, "skipped, when"),
        (("explain", "--user", "a", "--record", "{topic}/0/1"), BadRecord, "undecodable"),
    ],
)
async def test_what_can_not_be_told_says_why(
    desk: Desk, argv: tuple[str, ...], error: type[Exception], why: str
) -> None:
    await desk.company.write(orjson.dumps(order(1, status="paid")), b"{", partition=0)
    result = await desk.run(
        *(each.format(topic=desk.company.topic, source=desk.company.source) for each in argv)
    )
    assert isinstance(result.exception, error)
    assert why in str(result.exception)
