"""`tocsin replay`: real events under another catalogue, read from a real Kafka, written nowhere."""

import asyncio
import json
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from click.testing import CliRunner, Result

from cli.main import tocsin
from pipeline.producing.outputs import partition_of
from pipeline.producing.producer import Producer
from policy.user.profile import Profile
from schemas.errors import BadCatalogue, WrongUsage
from schemas.topics import CANCELLATIONS, EVENTS, TOPICS, Topic, changelog
from tables.followers import FOLLOWER_COUNTS, FOLLOWERS
from tables.storage.table import key_of
from tables.users import PROFILES, user_key
from tests.agents.line import PARTITIONS, Line
from tests.agents.names import unique

CATALOGUE = Path(__file__).parents[3] / "catalogue"
ANN = Profile(devices=("phone", "tablet"), email="ann@example.com")


@dataclass
class Past:
    """What happened to the users of one tenant, which is a test's own."""

    kafka: str
    producer: Producer
    tenant: str = field(default_factory=lambda: unique("tenant"))
    begin: str = ""

    async def know(self, *users: str) -> None:
        """Have the decider's changelog know these users."""
        for user in users:
            entry = (PROFILES.prefix + user_key(self.tenant, user), PROFILES.encode(ANN))
            place = partition_of(user, PARTITIONS)
            await self.producer.write(changelog("decider").name, place, [entry])

    async def happened(self, kind: str, actor: str = "bob", **data: Any) -> str:
        """Write an event that happens now."""
        name = unique("event")
        moment = datetime.now(UTC).isoformat()
        value = {"id": name, "type": kind, "actor": actor, "occurred_at": moment, "data": data}
        await self.say(EVENTS, actor, {**value, "tenant": self.tenant})
        return name

    async def chat(self, user: str) -> str:
        """Somebody wrote to the user."""
        said = {"conversation_id": "c", "sender_name": "Bob", "text": "hello"}
        return await self.happened("chat.message", recipient_id=user, **said)

    async def say(self, topic: Topic, key: str, value: object) -> None:
        """Write a record, as a producer does."""
        raw = value if isinstance(value, bytes) else json.dumps(value).encode()
        place = partition_of(key, PARTITIONS)
        await self.producer.send_and_wait(topic.name, raw, key.encode(), place)
        await asyncio.sleep(0.005)  # `now` leaves out what came in the same millisecond

    async def replay(self, folder: Path, *argv: str, width: int = 120) -> Result:
        """`tocsin replay …`, in a thread, as it brings an event loop of its own."""
        begin = self.begin or "10m"
        options = ["--from", begin, "--catalogue", str(folder), "--tenant", self.tenant]
        return await asyncio.to_thread(
            CliRunner().invoke,
            tocsin,
            ["replay", *options, *argv],
            env={
                "TOCSIN_KAFKA": self.kafka,
                "TOCSIN_PARTITIONS": str(PARTITIONS),
                "TOCSIN_CATALOGUE": str(CATALOGUE),
                "COLUMNS": str(width),
            },
        )

    async def found(self, folder: Path, *argv: str) -> dict[str, Any]:
        """What `--json` says when all is well."""
        result = await self.replay(folder, *argv, "--json")
        assert result.exception is None, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    async def ends(self) -> dict[str, int]:
        """How many records every topic has."""
        names = [topic.name for topic in TOPICS]
        consumer = AIOKafkaConsumer(*names, bootstrap_servers=self.kafka)
        await consumer.start()
        found = await consumer.end_offsets(list(consumer.assignment()))
        await consumer.stop()
        return {f"{tp.topic}-{tp.partition}": end for tp, end in found.items()}


@pytest.fixture
def past(line: Line) -> Past:
    return Past(line.kafka, line.producer)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the catalogue, to be changed."""
    return Path(shutil.copytree(CATALOGUE, tmp_path / "new"))


def change(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


async def test_another_text_is_told_and_nothing_is_written_but_who_asked(
    past: Past, folder: Path
) -> None:
    await past.know("ann", "zoe")
    first, second = await past.chat("ann"), await past.chat("zoe")
    change(folder, "chat_message.toml", "{{ data.sender_name }}", "From {{ data.sender_name }}")
    before = await past.ends()
    found = await past.found(folder)
    assert await past.ends() == {**before, "audit-0": before["audit-0"] + 1}
    assert [each["event_id"] for each in found["changes"]] == [first, second]
    (one, two) = found["changes"]
    assert one["kinds"] == ["other text"]
    assert (one["user"], two["user"]) == ("ann", "zoe")
    assert (one["before"]["title"], one["after"]["title"]) == ("Bob", "From Bob")
    (row,) = found["summary"]
    assert (row["type"], row["channel"]) == ("chat_message", "push")
    assert (row["sent_before"], row["sent_after"]) == (2, 2)
    assert (found["events"], found["warm_up_events"], found["unusable"]) == (2, 0, 0)


@pytest.mark.parametrize("width", [80, 120])
async def test_what_is_gone_is_shown_with_its_reason(past: Past, folder: Path, width: int) -> None:
    await past.know("ann")
    name = await past.chat("ann")
    change(folder, "chat_message.toml", '["inapp", "push"]', '["inapp"]')
    change(folder, "chat_message.toml", 'online = "inapp"', "")
    text = (folder / "chat_message.toml").read_text()
    start = text.index("[types.chat_message.templates.push]")
    (folder / "chat_message.toml").write_text(text[:start])
    result = await past.replay(folder, width=width)
    assert result.exception is None, result.output
    lines = result.stdout.splitlines()
    assert all(len(line) <= width for line in lines)
    words = " ".join(result.stdout.split())
    assert "No longer sent, because 1 chat_message push chat_message does not use push" in words
    assert f"chat_message inapp: newly sent ann of {past.tenant}, event {name}" in words
    result = await past.replay(folder, "--limit", "0")
    assert "Examples" not in result.stdout


async def test_the_same_catalogue_is_no_difference(past: Past, folder: Path) -> None:
    await past.know("ann")
    await past.chat("ann")
    result = await past.replay(folder)
    assert "1 event from" in result.stdout
    assert "No difference: 1 notification either way." in result.stdout


async def test_followers_of_all_partitions_are_told(past: Past, folder: Path) -> None:
    followers = [unique("user") for _ in range(6)]
    await past.know(*followers)
    for user in followers:
        edge = (FOLLOWERS.prefix + key_of(past.tenant, "eve", user), FOLLOWERS.encode(True))
        place = partition_of(user, PARTITIONS)
        await past.producer.write(changelog("decider").name, place, [edge])
    counts = FOLLOWER_COUNTS.prefix + key_of(past.tenant, "eve")
    entry = (counts, FOLLOWER_COUNTS.encode({0: 2, 1: 4}))
    place = partition_of("eve", PARTITIONS)
    await past.producer.write(changelog("router").name, place, [entry])
    await past.happened("post.published", "eve", post_id="1", author_name="Eve", text="hi")
    old, new = "followers = true", "followers = true\nfan_out_threshold = 6"
    change(folder, "post_published.toml", old, new)
    found = await past.found(folder)
    assert {each["user"] for each in found["changes"]} == set(followers)
    assert {each["after"]["reason"] for each in found["changes"]} == {"fan_out_on_read"}


async def test_what_came_before_warms_up_and_cancellations_are_played(
    past: Past, folder: Path
) -> None:
    await past.know("ann")
    for _ in range(2):
        await past.chat("ann")
    await asyncio.sleep(0.05)
    past.begin = datetime.now(UTC).isoformat()
    await asyncio.sleep(0.05)
    await past.chat("ann")
    key = unique("key")
    cancel = {"cancel_key": key, "actor": "bob", "at": past.begin, "tenant": past.tenant}
    await past.say(CANCELLATIONS, "bob", cancel)
    change(folder, "chat_message.toml", "count = 60", "count = 2")
    found = await past.found(folder, "--warm-up", "5m")
    assert (found["events"], found["warm_up_events"]) == (1, 2)
    (push,) = [each for each in found["changes"] if each["channel"] == "push"]
    assert (push["kinds"], push["after"]["reason"]) == (["no longer sent"], "rate_limited")
    found = await past.found(folder, "--warm-up", "0s")
    assert found["changes"] == []


async def test_what_nobody_can_use_is_counted(past: Past, folder: Path) -> None:
    past.begin = datetime.now(UTC).isoformat()
    await past.say(EVENTS, "bob", b"{")
    await past.know("ann")
    await past.chat("ann")
    past.tenant = "%"  # without --tenant everything is played
    result = await asyncio.to_thread(
        CliRunner().invoke,
        tocsin,
        ["replay", "--from", past.begin, "--warm-up", "0s", "--catalogue", str(folder)],
        env={"TOCSIN_KAFKA": past.kafka, "TOCSIN_PARTITIONS": str(PARTITIONS), "COLUMNS": "200"},
    )
    assert result.exception is None, result.output
    assert "Left out, as they can't be used: 1 record." in result.stdout


@pytest.mark.parametrize(
    ("argv", "kind", "words"),
    [
        (("--to", "20m"), WrongUsage, "--from is not before --to"),
        (("--warm-up", "a while"), WrongUsage, "--warm-up can't be"),
    ],
)
async def test_what_makes_no_sense_is_said_in_a_sentence(
    past: Past, folder: Path, argv: tuple[str, ...], kind: type[Exception], words: str
) -> None:
    result = await past.replay(folder, *argv)
    assert isinstance(result.exception, kind)
    assert words in str(result.exception)


async def test_a_catalogue_that_can_not_be_used_is_said_before_anything_is_read(
    past: Past, folder: Path
) -> None:
    change(folder, "chat_message.toml", '"chat"', "17")
    result = await past.replay(folder)
    assert isinstance(result.exception, BadCatalogue)


async def test_all_that_there_is_can_be_replayed(past: Past, folder: Path) -> None:
    """What would warm it up came before the first of all moments."""
    past.begin = "1970-01-01T00:00:00Z"
    user = unique("user")
    await past.know(user)
    await past.chat(user)
    assert (await past.found(folder))["events"] == 1
