"""`tocsin dead-letters`: what nobody could use is listed, shown and sent again."""

import asyncio
import json
from dataclasses import dataclass
from unittest.mock import AsyncMock

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaTimeoutError
from click.testing import CliRunner, Result

from cli.main import tocsin
from pipeline.kafka.topic_reading import read_record
from pipeline.producing.producer import Producer
from pipeline.records.dead_letters import KEPT_VALUE, dead_letter
from schemas.dead_letter import DeadLetter
from schemas.erasure import Erasure
from schemas.errors import BadRecord, Unavailable, WrongUsage
from schemas.topics import DEAD_LETTERS, ERASURES, EVENTS
from schemas.vocabulary import Reason
from tests.agents.line import Line
from tests.agents.names import unique

KEY = b"shop-17"


@dataclass
class Desk:
    """An operator's desk: the command line, and a broken record to look at."""

    kafka: str
    producer: AIOKafkaProducer

    async def bury(self, value: bytes, reason: Reason = Reason.UNDECODABLE) -> DeadLetter:
        """Write a record to `events`, and its dead letter as the router would."""
        sent = await self.producer.send_and_wait(
            EVENTS.name, value, KEY, 0, headers=[("trace", b"7")]
        )
        record = await read_record(self.kafka, EVENTS.name, 0, sent.offset)
        assert record is not None
        return await self.file(dead_letter(unique("role"), record, BadRecord(reason, "why"), 1))

    async def file(self, letter: DeadLetter) -> DeadLetter:
        """Write a dead letter."""
        value = msgspec.json.encode(letter)
        await self.producer.send_and_wait(DEAD_LETTERS.name, value, KEY, 0)
        return letter

    async def run(self, *argv: str, width: int = 300) -> Result:
        """`tocsin dead-letters …`, in a thread, as it brings an event loop of its own."""
        return await asyncio.to_thread(
            CliRunner().invoke,
            tocsin,
            ["dead-letters", *argv],
            env={"TOCSIN_KAFKA": self.kafka, "COLUMNS": str(width)},
        )

    async def said(self, *argv: str) -> str:
        """What it prints when all is well."""
        result = await self.run(*argv)
        assert result.exception is None
        assert result.exit_code == 0
        return result.output

    async def newest(self) -> ConsumerRecord:
        """The last record of the partition of `events`."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, enable_auto_commit=False)
        await consumer.start()
        tp = TopicPartition(EVENTS.name, 0)
        end = (await consumer.end_offsets([tp]))[tp]
        await consumer.stop()
        return await read_record(self.kafka, EVENTS.name, 0, end - 1)


@pytest.fixture
def desk(line: Line) -> Desk:
    return Desk(line.kafka, line.producer)


def ids(lines: str) -> list[str]:
    """The ids in what `--json` printed."""
    return [json.loads(line)["id"] for line in lines.splitlines()]


async def test_a_list_in_json_holds_each_letter_once(desk: Desk) -> None:
    first, second = await desk.bury(b"{1"), await desk.bury(b"{2", Reason.INVALID)
    await desk.file(first)
    found = ids(await desk.said("list", "--json"))
    assert [found.count(letter.id) for letter in (first, second)] == [1, 1]
    narrowed = ids(await desk.said("list", "--json", "--reason", "invalid", "--topic", "events"))
    assert second.id in narrowed
    assert first.id not in narrowed
    assert ids(await desk.said("list", "--json", "--topic", "nowhere")) == []


async def test_a_list_for_people_says_where_and_why(desk: Desk) -> None:
    letter = await desk.bury(b"{")
    (line,) = [line for line in (await desk.said("list")).splitlines() if letter.id in line]
    for part in (letter.role, f"events-0@{letter.offset}", "undecodable", "why"):
        assert part in line
    assert "no dead letters" in await desk.said("list", "--topic", "nowhere")


async def test_one_letter_is_shown_with_its_record(desk: Desk) -> None:
    letter = await desk.bury(b"{[bold]x")
    shown = msgspec.json.decode(await desk.said("show", letter.id, "--json"), type=DeadLetter)
    assert shown == letter
    text = await desk.said("show", letter.id)
    assert "{[bold]x" in text
    assert "shop-17" in text


async def test_at_80_columns_an_id_stands_whole_and_its_beginning_is_enough(desk: Desk) -> None:
    letter = await desk.bury(b"{")
    text = (await desk.run("list", width=80)).output
    (at,) = [n for n, line in enumerate(text.splitlines()) if line.startswith(f"{letter.id}  ")]
    # Others' letters may have a word that no line holds.
    assert max(map(len, text.splitlines()[at : at + 2])) <= 80
    assert "undecodable" in text.splitlines()[at]
    assert f"events-0@{letter.offset}: why" in text.splitlines()[at + 1]
    shown = await desk.said("show", letter.id[:12], "--json")
    assert json.loads(shown)["id"] == letter.id
    assert (await desk.said("show", letter.id[:12])).splitlines()[0] == f"id           {letter.id}"


async def test_a_beginning_that_several_share_names_them_and_replays_none(desk: Desk) -> None:
    shared = unique("shared")
    for end in ("a", "b"):
        await desk.file(msgspec.structs.replace(await desk.bury(b"{"), id=f"{shared}{end}"))
    for command in ("show", "replay"):
        result = await desk.run(command, shared)
        assert isinstance(result.exception, WrongUsage)
        assert f"{shared}a, {shared}b. Give more of it." in str(result.exception)


async def test_a_replay_writes_the_record_as_it_was_and_says_which_letter(desk: Desk) -> None:
    letter = await desk.bury(b'{"mended": false}')
    assert json.loads(await desk.said("replay", letter.id, "--json")) == {"replayed": 1, "gone": 0}
    record = await desk.newest()
    assert record.offset > letter.offset
    assert (record.key, record.value) == (KEY, b'{"mended": false}')
    assert record.headers == (("trace", b"7"), ("dead-letter", letter.id.encode()))
    assert letter.id in ids(await desk.said("list", "--json"))


@pytest.mark.parametrize("field", ["user", "actor", "follower", "followee"])
async def test_what_is_of_a_user_who_was_erased_since_is_not_replayed(
    desk: Desk, field: str
) -> None:
    user = unique("user")
    value = msgspec.json.encode({field: user, "why": "not mended"})
    elsewhere = msgspec.json.encode({field: user, "tenant": "acme"})
    before, others = await desk.bury(value), await desk.bury(elsewhere)
    erasure = msgspec.json.encode(Erasure(user=user))
    erased = await desk.producer.send_and_wait(ERASURES.name, erasure, user.encode(), 0)
    while (after := await desk.bury(value)).accepted_at <= erased.timestamp:
        pass
    for letter, result in ((before, (0, 1)), (others, (1, 0)), (after, (1, 0))):
        said = json.loads(await desk.said("replay", letter.id, "--json"))
        assert (said["replayed"], said["gone"]) == result


async def test_a_cut_letter_is_replayed_from_its_source(desk: Desk) -> None:
    value = b"x" * 5_000_000
    letter = await desk.bury(value, Reason.TOO_LARGE)
    assert letter.truncated
    assert letter.value == value[:KEPT_VALUE]
    assert "Sent 1 records again." in await desk.said("replay", letter.id)
    assert (await desk.newest()).value == value


async def test_a_cut_letter_whose_source_is_gone_is_counted(desk: Desk) -> None:
    letter = msgspec.structs.replace(
        await desk.bury(b"{"), id=unique("id"), offset=1 << 40, truncated=True
    )
    await desk.file(letter)
    assert json.loads(await desk.said("replay", letter.id, "--json")) == {"replayed": 0, "gone": 1}


async def test_a_replay_that_kafka_ends_is_one_sentence(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = await desk.bury(b"{")
    away = AsyncMock(side_effect=KafkaTimeoutError())
    monkeypatch.setattr(Producer, "send_and_wait", away)
    ended = await desk.run("replay", letter.id)
    assert isinstance(ended.exception, Unavailable)
    assert "0 of 1 records were sent again" in str(ended.exception)


async def test_a_replay_by_reason_takes_all_of_them(desk: Desk) -> None:
    for value in (b"a", b"b"):
        await desk.bury(value, Reason.RENDER_FAILED)
    chosen = ("--reason", "render_failed", "--json")
    all_of_them = ids(await desk.said("list", *chosen))
    assert len(all_of_them) >= 2
    answer = json.loads(await desk.said("replay", *chosen))
    assert answer == {"replayed": len(all_of_them), "gone": 0}


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("show", "0000"), "There is no dead letter 0000"),
        (("replay", "0000"), "There is no dead letter 0000"),
        (("replay",), "Say which"),
    ],
)
async def test_what_is_not_there_is_said_in_a_sentence(
    desk: Desk, argv: tuple[str, ...], words: str
) -> None:
    result = await desk.run(*argv)
    assert isinstance(result.exception, WrongUsage)
    assert words in str(result.exception)
