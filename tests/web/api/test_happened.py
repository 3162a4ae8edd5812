"""What reads of what happened ask, of whom, and how the answer is told; without a house."""

from datetime import UTC, datetime
from typing import Any

import pytest

from policy.user.user_view import Known
from schemas.dead_letter import DeadLetter
from schemas.inbox import ReadInbox
from schemas.profile import Contacts, Preferences
from schemas.question import ReadUser
from schemas.vocabulary import Reason
from tests.web.api.client import NOW, NOW_SHOWN, Client
from tests.web.caller import KEY
from tests.web.gateway.line import item, page
from web.api.routes import history

KNOWN = Known(
    contacts=Contacts(user="ann", tenant="acme", email="ann@example.com"),
    preferences=Preferences(user="ann", tenant="acme"),
    waiting=2,
)


# ClickHouse tells moments without a zone.
AT = datetime(2025, 7, 20, 8, 26, 40, 5000, UTC).replace(tzinfo=None)
ROW = (
    *(AT, "suppressed", "push", "opted_out", "why", "fcm", 2, "comment_added", "comments"),
    *("high", "ann", "e", "n", "c1", "x/y", "orders/shop.orders/3/17", "t1", AT, AT, "d1"),
)
HAPPENED = {
    "at": "2025-07-20T08:26:40.005Z",
    "stage": "suppressed",
    "channel": "push",
    "reason": "opted_out",
    "detail": "why",
    "provider": "fcm",
    "attempt": 2,
    "type": "comment_added",
    "category": "comments",
    "priority": "high",
    "user": "ann",
    "event_id": "e",
    "notification_id": "n",
    "catalogue": "c1",
    "variant": "x/y",
    "origin": "orders/shop.orders/3/17",
    "trace": "t1",
    "occurred_at": "2025-07-20T08:26:40.005Z",
    "accepted_at": "2025-07-20T08:26:40.005Z",
    "digest": "d1",
}


async def test_a_timeline(client: Client) -> None:
    client.clickhouse.rows = [ROW]
    assert await client.get("/notifications/n1") == [HAPPENED]
    assert client.clickhouse.asked == [{"tenant": "acme", "name": "n1", "beginning": "n1"}]
    client.clickhouse.rows = []
    status, body = await client.call("GET", "/notifications/n1")
    assert (status, body["detail"]) == (404, "There is no such notification, or not yet.")


@pytest.mark.parametrize(("query", "day"), [("", "2025-07-20"), ("?date=2025-01-31", "2025-01-31")])
async def test_a_day(client: Client, query: str, day: str) -> None:
    client.clickhouse.rows = [ROW, ROW]
    assert await client.get(f"/users/ann/day{query}") == [HAPPENED, HAPPENED]
    assert client.clickhouse.asked == [{"tenant": "acme", "name": "ann", "day": day}]


def letter(number: int, **fields: Any) -> DeadLetter:
    values = {
        "id": f"id-{number}", "reason": Reason.INVALID, "detail": "why", "role": "router",
        "topic": "events", "partition": 1, "offset": number, "at": NOW,
    }  # fmt: skip
    return DeadLetter(**{**values, **fields})


class Letters:
    """Dead letters, and what was asked of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *letters: DeadLetter) -> None:
        self.letters = list(letters)
        self.asked: list[dict[str, Any]] = []
        self.again: list[DeadLetter] = []
        monkeypatch.setattr(history, "find", self.find)
        monkeypatch.setattr(history, "send_again", self.send_again)

    async def find(self, of: Any, **wanted: Any) -> list[DeadLetter]:
        """All of them."""
        assert of.signing_key.get_secret_value().encode() == KEY
        self.asked.append(wanted)
        return self.letters

    async def send_again(self, of: Any, letters: list[DeadLetter]) -> tuple[int, int]:
        """One went and two are gone."""
        assert of.signing_key.get_secret_value().encode() == KEY
        self.again += letters
        return 1, 2


async def test_dead_letters(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    times = {"at": letter(2).at, "accepted_at": letter(2).at}
    whole = letter(1, key=b"k", value=b"v", headers=(("h", b"w"),), truncated=True, **times)
    letters = Letters(monkeypatch, whole, letter(2))
    first, second = await client.get("/dead-letters?reason=invalid&topic=events")
    bare = {
        "id": "id-2", "reason": "invalid", "detail": "why", "role": "router", "topic": "events",
        "partition": 1, "offset": 2, "at": NOW_SHOWN,
    }  # fmt: skip
    assert second == bare
    more = {"key": "aw==", "value": "dg==", "headers": [["h", "dw=="]], "truncated": True}
    assert first == {**bare, "id": "id-1", "offset": 1, **more, "accepted_at": NOW_SHOWN}
    assert letters.asked == [{"reason": "invalid", "topic": "events"}]
    await client.get("/dead-letters")
    assert letters.asked[1] == {"reason": None, "topic": None}


async def test_the_newest_thousand_dead_letters_are_shown(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    Letters(monkeypatch, *map(letter, range(1001)))
    found = await client.get("/dead-letters")
    assert [each["offset"] for each in found] == list(range(1, 1001))


async def test_a_record_is_sent_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    letters = Letters(monkeypatch, letter(1))
    found = await client.call("POST", "/dead-letters/id-1/replay")
    assert found == (200, {"replayed": 1, "gone": 2})
    assert (letters.asked, letters.again) == ([{"letter_id": "id-1"}], [letter(1)])
    letters.letters = []
    status, body = await client.call("POST", "/dead-letters/id-1/replay")
    assert (status, body["detail"]) == (404, "There is no such dead letter.")
    assert len(letters.again) == 1


async def test_an_export_has_the_whole_inbox(client: Client) -> None:
    client.clickhouse.rows = [ROW]
    pages = {None: page(3, 3, 2, after=2), item(2).id: page(3, 1)}

    def answer(_: str, question: Any) -> object:
        return KNOWN if isinstance(question, ReadUser) else pages[question.before]

    client.owners.answer = answer
    found = await client.get("/users/ann/export")
    assert found["known"]["contacts"]["email"] == "ann@example.com"
    assert [each["number"] for each in found["inbox"]] == [3, 2, 1]
    assert found["happenings"] == [HAPPENED]
    assert client.clickhouse.asked == [{"tenant": "acme", "name": "ann"}]
    whose: dict[str, Any] = {"tenant": "acme", "user": "ann", "which": "all", "limit": 100}
    assert client.owners.asked == [
        ("decider", "ann", ReadUser(tenant="acme", user="ann"), {}),
        ("inapp", "ann", ReadInbox(**whose), None),
        ("inapp", "ann", ReadInbox(**whose, before=item(2).id), None),
    ]
