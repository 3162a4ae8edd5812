"""`tocsin explain`: a support person is told why, from files and from what Kafka has."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from cli.main import tocsin
from pipeline.producing.outputs import partition_of
from pipeline.producing.producer import Producer
from policy.body import body_digest
from policy.dedupe import NO_MARKS, Mark, mark_key, remember
from policy.identity import notification_id
from policy.limits.rate_limit import Window
from policy.user.ledger import Ledger
from policy.user.profile import Profile
from schemas.errors import BadInput, BadRecord, Misconfigured, Unavailable
from schemas.event import Event
from schemas.topics import changelog
from tables.followers import FOLLOWER_COUNTS, FOLLOWERS
from tables.pending import CANCELLED
from tables.storage.table import key_of
from tables.users import LEDGERS, PROFILES, user_key
from tests.agents.line import PARTITIONS, Line
from tests.agents.names import unique

EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples"
CATALOGUE = EXAMPLES.parents[1] / "catalogue"
AT = "2026-03-14T18:00:00Z"
AT_MS = 1_773_511_200_000
NOT_THERE = "127.0.0.1:1"
CHAT: dict[str, Any] = {
    "id": "m1",
    "type": "chat.message",
    "actor": "bob",
    "occurred_at": AT,
    "data": {"recipient_id": "ann", "conversation_id": "c", "sender_name": "Bob", "text": "hi"},
}


def explain(*argv: str, said: object = None, kafka: str = NOT_THERE, width: int = 200) -> Result:
    """`tocsin explain …`, with an event on standard input if one is given."""
    event = () if said is None else ("--event", "-")
    return CliRunner().invoke(
        tocsin,
        ["explain", *event, *argv],
        input=said if isinstance(said, str) else json.dumps(said),
        env={
            "TOCSIN_KAFKA": kafka,
            "TOCSIN_PARTITIONS": str(PARTITIONS),
            "TOCSIN_CATALOGUE": str(CATALOGUE),
            "COLUMNS": str(width),
        },
    )


def told(*argv: str, said: object = None, kafka: str = NOT_THERE, width: int = 200) -> str:
    """What it prints when all is well."""
    result = explain(*argv, said=said, kafka=kafka, width=width)
    assert result.exception is None, result.output
    return result.output


def example(name: str) -> str:
    return str(EXAMPLES / f"{name}.json")


def file_of(folder: Path, name: str, value: Mapping[str, Any]) -> str:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(value))
    return str(path)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_examples_are_explained_without_kafka(width: int) -> None:
    argv = ("--event", example("events"), "--user", "ann", "--at", AT)
    text = told(
        *argv, "--contacts", example("contacts"), "--preferences", example("preferences"),
        width=width,
    )  # fmt: skip
    assert all(len(line) <= width for line in text.splitlines())
    words = " ".join(text.split())
    assert "In the audience: notify.users names ann." in words
    assert "…hone, …blet" in words
    assert "a***@example.com" in words
    assert "ann@example.com" not in text


def test_json_is_one_object_a_type() -> None:
    ride = {
        **CHAT,
        "type": "ride.matched",
        "data": {
            "rider_id": "ann",
            "driver_id": "bob",
            "driver_name": "Bob",
            "eta_minutes": 3,
            "car": "white Skoda",
            "plate": "B-X 1",
        },
    }
    lines = told("--user", "ann", "--offline", "--at", AT, "--json", said=ride).splitlines()
    rider, driver = map(json.loads, lines)
    assert (rider["type"], rider["membership"]["is_in"]) == ("ride_matched_rider", True)
    assert (driver["type"], driver["membership"]["is_in"]) == ("ride_matched_driver", False)
    assert {each["reason"] for each in rider["silent"]} == {"no_address"}
    assert rider["at"] == AT_MS


def test_a_variant_is_told_with_why_it_is_that(tmp_path: Path) -> None:
    """In words as in JSON, and without Kafka."""
    text = (
        (CATALOGUE / "chat_message.toml").read_text()
        + """
[types.chat_message.experiment]
name = "greeting"
variants.plain = {}
variants.warm.templates.push = { body = "Hi!", data = ["conversation_id"] }
"""
    )
    (tmp_path / "chat_message.toml").write_text(text)
    argv = ("--user", "ann", "--offline", "--at", AT, "--catalogue", str(tmp_path))
    shown = " ".join(told(*argv, said=CHAT).split())
    (line,) = told(*argv, "--json", said=CHAT).splitlines()
    experiment, variant = json.loads(line)["variant"].split("/")
    why = f"{variant} of {experiment}: the hash of tenant, user, type and experiment is at "
    assert f"experiment {why}" in shown


def test_bad_cases_are_explained(tmp_path: Path) -> None:
    devices = [{"token": f"token-{number:04}"} for number in range(100)]
    contacts = {"user": "ann", "devices": devices, "zone": "Mars/Olympus"}
    wishes = {"user": "ann", "quiet_hours": [{"start": "03:00", "end": "04:00"}]}
    text = told(
        "--user", "ann", "--at", AT,
        "--contacts", file_of(tmp_path, "contacts", contacts),
        "--preferences", file_of(tmp_path, "preferences", wishes),
        said={**CHAT, "occurred_at": "2036-01-01T00:00:00Z"},
    )  # fmt: skip
    assert "'Mars/Olympus' is no known zone; quiet 03:00 to 04:00" in text
    assert "ahead of when it was taken: counts as 2026-03-14T18:00:00Z" in text
    assert "to 100 devices: …0000, …0001, …0002 and 97 more" in text


def test_what_is_too_old_or_scheduled_says_how_to_look_further() -> None:
    argv = ("--event", example("events"), "--user", "ann", "--offline")
    assert "add --at 2026-03-14T09:26:53Z" in told(*argv)
    assert f"add --at {AT}" in told(*argv, "--at", "2026-03-14T09:26:53Z")


def test_another_catalogue_decides(tmp_path: Path) -> None:
    text = (CATALOGUE / "chat_message.toml").read_text()
    (tmp_path / "chat.toml").write_text(text.replace('online = "inapp"', ""))
    argv = ("--user", "ann", "--offline", "--at", AT)
    assert "presence" in told(*argv, said=CHAT)
    assert "presence" not in told(*argv, "--catalogue", str(tmp_path), said=CHAT)


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ("{", BadInput, "can't be used as an event"),
        ({**CHAT, "actor": ""}, BadInput, "$.actor"),
        (
            {**CHAT, "type": "chat.massage"},
            BadInput,
            "The catalogue knows activity.recorded, ",
        ),
        ({**CHAT, "data": {}}, BadRecord, "data.recipient_id is missing"),
    ],
)
def test_an_event_that_becomes_a_dead_letter_is_said_to_be_one(
    said: object, kind: type[Exception], words: str
) -> None:
    result = explain("--user", "ann", "--offline", said=said)
    assert isinstance(result.exception, kind)
    assert words in str(result.exception)
    assert "dead letter" in str(result.exception)


def test_of_an_event_that_only_ends_others_it_is_said_which() -> None:
    result = explain("--user", "ann", "--offline", said={**CHAT, "type": "order.placed"})
    assert isinstance(result.exception, BadInput)
    assert "it ends what is pending of cart_reminder" in str(result.exception)


def test_an_event_that_no_template_can_use_is_a_dead_letter_with_its_path() -> None:
    said = {**CHAT, "data": {"recipient_id": "ann"}}
    text = told("--user", "ann", "--offline", "--at", AT, said=said)
    assert "A dead letter, nothing is sent: render_failed" in text
    assert "no devices" in text


def test_files_of_somebody_else_are_refused() -> None:
    result = explain(
        "--event", example("events"), "--user", "bob", "--contacts", example("contacts")
    )
    assert isinstance(result.exception, BadInput)
    assert "is of ann of tenant acme" in str(result.exception)


@pytest.mark.parametrize(
    "occurred_at", ["0001-01-01T00:00:00+14:00", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
)
@pytest.mark.parametrize("at", ["1970-01-01T00:00:00Z", AT, "9998-12-31T23:59:59Z"])
def test_no_moment_is_too_far_away_to_be_explained(at: str, occurred_at: str) -> None:
    contacts, wishes = example("contacts"), example("preferences")
    said = {**CHAT, "tenant": "acme", "occurred_at": occurred_at}
    argv = ("--user", "ann", "--contacts", contacts, "--preferences", wishes, "--at", at)
    assert "In the audience" in told(*argv, said=said)


@pytest.mark.parametrize(
    "at", ["9999-12-31T23:59:59Z", "yesterday", "2026-03-14T18:00:00", "2026-99-14T18:00:00Z"]
)
def test_a_moment_that_is_none_is_said_to_be_none(at: str) -> None:
    result = explain("--user", "ann", "--at", at, "--offline", said=CHAT)
    assert result.exit_code == 2
    assert "is neither a moment" in result.output


async def write(producer: Producer, role: str, key: str, *entries: tuple[bytes, bytes]) -> None:
    """Have a role's changelog say this in the partition of a key, as its store would."""
    place = partition_of(key, PARTITIONS)
    await producer.write(changelog(role).name, place, list(entries))


async def test_what_kafka_has_of_the_user_decides(line: Line) -> None:
    user, actor, key = unique("ann"), unique("bob"), unique("key")
    said = {
        **CHAT,
        "actor": actor,
        "cancel_key": key,
        "data": {**CHAT["data"], "recipient_id": user},
    }
    person, profile = user_key("default", user), Profile(devices=("token-of-a-phone",))
    windows = {"push.chat_message": Window(3600, (AT_MS - 1,))}
    await write(
        line.producer, "decider", user,
        (PROFILES.prefix + person, PROFILES.encode(Profile(devices=("old",)))),
        (PROFILES.prefix + person, PROFILES.encode(profile)),
        (LEDGERS.prefix + person, LEDGERS.encode(Ledger(NO_MARKS, windows))),
        (PROFILES.prefix + user_key("acme", user), PROFILES.encode(Profile())),
    )  # fmt: skip

    async def seen() -> str:
        return await asyncio.to_thread(
            told, "--user", user, "--at", AT, said=said, kafka=line.kafka
        )

    text = await seen()
    assert "to 1 device: …hone" in text
    assert "chat_message by push: 1 of 60 in 1h" in text
    assert f"key {key}, never cancelled" in text

    name = mark_key(notification_id("default", "m1", user, "chat_message"))
    body = body_digest(msgspec.convert(said, Event))
    marked = Ledger(remember(NO_MARKS, name, Mark(1, 77, AT_MS, 24, body)), windows)
    await write(line.producer, "decider", user, (LEDGERS.prefix + person, LEDGERS.encode(marked)))
    text = await seen()
    assert "Decided before, so nothing comes of it now: duplicate of events/1/77" in text
    assert "to 1 device: …hone" in text

    place = CANCELLED.prefix + key_of("default", key)
    await write(line.producer, "decider", user, (place, CANCELLED.encode(AT_MS)))
    assert f"not sent, cancelled: {key}" in await seen()


async def test_followers_are_known_to_kafka(line: Line) -> None:
    user, actor = unique("ann"), unique("eve")
    said = {**CHAT, "type": "post.published", "actor": actor}
    said["data"] = {"post_id": "1", "author_name": "Eve", "text": "hi"}

    async def seen() -> str:
        return await asyncio.to_thread(
            told, "--user", user, "--at", AT, said=said, kafka=line.kafka
        )

    text = await seen()
    assert f"Not in the audience: {user} does not follow {actor}." in text
    assert f"Nothing is stored of {user}" in text
    edge = FOLLOWERS.prefix + key_of("default", actor, user)
    await write(line.producer, "decider", user, (edge, FOLLOWERS.encode(True)))
    assert f"In the audience: {user} follows {actor}." in await seen()
    counts = FOLLOWER_COUNTS.prefix + key_of("default", actor)
    await write(line.producer, "router", actor, (counts, FOLLOWER_COUNTS.encode({0: 600, 1: 500})))
    assert f"Not in the audience: feeds read it: {actor} has 1100 followers" in await seen()


async def test_a_wrong_number_of_partitions_is_said_and_no_stranger_is_explained(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.cli.commands.test_explain.PARTITIONS", PARTITIONS + 1)
    result = await asyncio.to_thread(explain, "--user", "ann", said=CHAT, kafka=line.kafka)
    assert isinstance(result.exception, Misconfigured)
    assert f"set TOCSIN_PARTITIONS={PARTITIONS - 1}" in str(result.exception)


def test_without_kafka_it_says_where_it_looked() -> None:
    result = explain("--user", "ann", said=CHAT)
    assert isinstance(result.exception, Unavailable)
    assert NOT_THERE in str(result.exception)
