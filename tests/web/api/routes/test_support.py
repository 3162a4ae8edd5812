"""What support asks: what became of it, and the records of a kind sent again."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from pipeline.settings import Settings
from policy.time.timestamps import moment
from schemas.errors import Unavailable
from schemas.question import CircuitState, ReadCircuits
from tests.patience import in_time
from tests.web.api.client import NOW, Client
from tests.web.api.test_happened import ROW, Letters, letter
from web.api.clickhouse import SoonOrNever
from web.workers import finding

QUEUED = (moment(NOW - 5000).replace(tzinfo=None), "queued", "email", "", "", "", 0, *ROW[7:])
CLICKED = (QUEUED[0], "unsubscribed", *QUEUED[2:])
OPEN = CircuitState(provider="sendgrid", state="open")


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> Letters:
    made = Letters(monkeypatch)
    monkeypatch.setattr(finding, "find", made.find)
    return made


@pytest.mark.parametrize(
    ("query", "names", "days", "asks_letters"),
    [
        ("by=user&what=ann", ["ann"], 7, True),
        ("by=event&what=e-1&days=3", ["e-1"], 3, True),
        ("by=notification&what=n-1", ["n-1"], 7, False),
        ("by=provider_id&what=%3Cm-1%3E", ["<m-1>"], 7, False),
    ],
)
async def test_what_became_of_it_is_told_by_whatever_is_known(
    client: Client,
    letters: Letters,
    monkeypatch: pytest.MonkeyPatch,
    query: str,
    names: list[str],
    days: int,
    asks_letters: bool,
) -> None:
    client.clickhouse.rows = [QUEUED]

    async def circuits(role: str, question: ReadCircuits, kind: Any) -> dict[str, Any]:
        assert role == "email"
        return {"http://one": [OPEN], "http://two": None}

    monkeypatch.setattr(client.owners, "ask_each", circuits)
    (found, *left) = await client.get(f"/notifications?{query}")
    assert (found["state"], found["why"]) == ("waits", "sendgrid's circuit is open")
    # What a user left is told where they are asked about, however long ago.
    assert bool(left) is query.startswith("by=user")
    asked, opt_outs = client.clickhouse.asked
    assert (opt_outs["names"], opt_outs["since"]) == (["ann"], moment(NOW) - timedelta(days=396))
    assert (asked["tenant"], asked["names"]) == ("acme", names)
    # What happened of late may be of an event that is older.
    assert asked["since"] == moment(NOW) - timedelta(days=days + 31)
    assert bool(letters.asked) is asks_letters


async def test_what_happened_long_ago_is_not_told_and_what_happens_late_is(
    client: Client, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = 86_400_000
    rows = []
    for name, days in (("old", 9), ("late", 9), ("late", 2)):
        at = moment(NOW - days * day).replace(tzinfo=None)
        stage = "queued" if days == 9 else "sent"
        rows.append((at, stage, *QUEUED[2:12], name, *QUEUED[13:]))
    client.clickhouse.rows = rows

    async def circuits(*_: Any) -> dict[str, Any]:
        return {}

    monkeypatch.setattr(client.owners, "ask_each", circuits)
    found = await client.get("/notifications?by=notification&what=any")
    assert [(each["notification_id"], each["state"]) for each in found] == [("late", "sent")]


async def test_whom_an_address_is_of_is_found_first(
    client: Client, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def users(_: Settings, tenant: str, address: str) -> list[str]:
        assert (tenant, address) == ("acme", "ann@example.com")
        return ["ann", "bo"]

    monkeypatch.setattr(finding, "_users_at", users)
    assert await client.get("/notifications?by=address&what=ann@example.com") == []
    assert client.clickhouse.asked[0]["names"] == ["ann", "bo"]


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ({"reason": "invalid"}, {"reason": "invalid", "topic": None}),
        ({"topic": "events"}, {"reason": None, "topic": "events"}),
        ({}, None),
    ],
)
async def test_the_records_of_a_kind_are_sent_again(
    client: Client, letters: Letters, body: dict[str, Any], asked: dict[str, Any] | None
) -> None:
    letters.letters = [letter(1), letter(2)]
    status, said = await client.call("POST", "/dead-letters/replay", body)
    if asked is None:
        assert (status, letters.asked) == (400, [])
    else:
        assert (status, said, letters.asked) == (200, {"replayed": 1, "gone": 2}, [asked])
        assert letters.again == letters.letters


async def test_a_clickhouse_that_says_nothing_is_given_up(tmp_path: Any) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    clickhouse = SoonOrNever(Settings(clickhouse_host="127.0.0.1", clickhouse_port=port), 0.05)
    async with server, in_time():
        for _ in range(2):
            with pytest.raises(Unavailable, match="did not answer within"):
                await clickhouse.query("SELECT 1")
        await clickhouse.close()
