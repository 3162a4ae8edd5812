"""What reads of inboxes and feeds ask, of whom, and how the answer is told; without a house."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import SecretStr

from policy.audience.membership import Membership
from policy.decision.decision import Outcome
from policy.decision.explanation import Asked as AskedRule
from policy.decision.explanation import Explanation, Sent, Waits
from policy.user.user_view import Known
from schemas.errors import BadRecord, Unavailable
from schemas.event import Event
from schemas.feed import Posts, Written
from schemas.inbox import InboxCounts, ReadCounts, ReadInbox, ReadWritten
from schemas.profile import Contacts, Preferences
from schemas.question import Explain, ReadPosts, ReadUser
from schemas.topics import INBOX_CHANGES
from schemas.vocabulary import Channel, Reason
from tests.web.api.client import NOW, NOW_SHOWN, SECONDS, Client, client_of
from tests.web.caller import KEY, settings
from tests.web.gateway.line import ANN, item, page
from web.gateway.token import read_token

AT = datetime(2025, 7, 20, 8, 26, 40, tzinfo=UTC)
KNOWN = Known(
    contacts=Contacts(user="ann", tenant="acme", email="ann@example.com"),
    preferences=Preferences(user="ann", tenant="acme"),
    waiting=2,
)


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("", {}),
        ("?which=archived&limit=100", {"which": "archived", "limit": 100}),
        (f"?before={item(3).id}&limit=1", {"before": item(3).id, "limit": 1}),
    ],
)
async def test_an_inbox(client: Client, query: str, asked: dict[str, Any]) -> None:
    client.owners.answer = page(7, 7, 6, after=6)
    assert await client.get(f"/users/ann/inbox{query}") == msgspec.to_builtins(
        page(7, 7, 6, after=6)
    )
    question = ReadInbox(tenant="acme", user="ann", **asked)
    assert client.owners.asked == [("inapp", "ann", question, {})]


async def test_counts(client: Client) -> None:
    client.owners.answer = InboxCounts(unread=1, unseen=2, last=3)
    found = await client.get("/users/ann/inbox/counts?position=inbox-changes:4")
    assert found == {"unread": 1, "unseen": 2, "last": 3}
    question = ReadCounts(tenant="acme", user="ann")
    assert client.owners.asked == [("inapp", "ann", question, {"inbox-changes": 4})]


@pytest.mark.parametrize(
    "path", ["", "/inbox", "/inbox/counts", "/feed"], ids=["user", "inbox", "counts", "feed"]
)
async def test_a_read_waits_for_its_position(client: Client, path: str) -> None:
    client.owners.answer = Unavailable("not yet")
    status, body = await client.call("GET", f"/users/ann{path}?position=contacts:3,contacts:9")
    assert (status, body["detail"]) == (503, "not yet")
    assert client.owners.asked[0][3] == {"contacts": 9}
    assert (await client.call("GET", f"/users/ann{path}?position=x"))[0] == 400
    assert len(client.owners.asked) == 1


@pytest.mark.parametrize(
    ("path", "role"),
    [("", "decider"), ("/inbox", "inapp"), ("/inbox/counts", "inapp"), ("/feed", "inapp")],
)
async def test_for_which_role_a_position_is_waited_for(
    client: Client, monkeypatch: pytest.MonkeyPatch, path: str, role: str
) -> None:
    waited: list[tuple[str, str, str]] = []

    async def before(_: object, role: str, user: str, position: str) -> dict[str, int]:
        waited.append((role, user, position))
        raise Unavailable("not yet")

    monkeypatch.setattr("web.workers.handled.Handled.before", before)
    assert (await client.call("GET", f"/users/ann{path}?position=events/0:3"))[0] == 503
    assert waited == [(role, "ann", "events/0:3")]


async def test_what_is_known_of_a_user(client: Client) -> None:
    client.owners.answer = KNOWN
    found = await client.get("/users/ann?position=contacts:3&after=preferences:4")
    assert (found["contacts"]["email"], found["waiting"]) == ("ann@example.com", 2)
    question = ReadUser(tenant="acme", user="ann")
    after = {"contacts": 3, "preferences": 4}
    assert client.owners.asked == [("decider", "ann", question, after)]


async def test_a_token_opens_the_users_own_inbox_for_an_hour(client: Client) -> None:
    status, body = await client.call("POST", "/users/ann/token")
    assert (status, body["expires_at"]) == (200, "2025-07-20T09:26:40.000Z")
    assert read_token(body["token"], KEY, SECONDS + 3599) == ANN
    assert read_token(body["token"], KEY, SECONDS + 3600) is None


async def test_without_a_key_to_sign_with_there_are_no_tokens(tmp_path: Path) -> None:
    bare = settings().model_copy(update={"signing_key": SecretStr("")})
    async with client_of(tmp_path, bare) as client:
        status, body = await client.call("POST", "/users/ann/token")
    assert (status, body["detail"][:25]) == (503, "TOCSIN_SIGNING_KEY is not")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"kind": "read"}, {"kind": "read", "at": NOW}),
        ({"kind": "seen", "item": item(3).id}, {"kind": "seen", "at": NOW, "item": item(3).id}),
        # An earlier moment counts, and a later one is now.
        (
            {"kind": "read", "at": "2025-07-20T08:26:39Z"},
            {"kind": "read", "at": NOW - 1000},
        ),
        ({"kind": "read", "at": "2025-07-20T08:26:41Z"}, {"kind": "read", "at": NOW}),
        (
            {"kind": "snoozed", "until": "2025-07-21T00:00:00Z"},
            {"kind": "snoozed", "at": NOW, "until": "2025-07-21T00:00:00Z"},
        ),
    ],
)
async def test_a_change_of_an_inbox(client: Client, body: Any, said: dict[str, Any]) -> None:
    found = await client.call("POST", "/users/ann/inbox/changes", body)
    assert found == (202, {"position": "inbox-changes:1"})
    (written,) = client.topics.said(INBOX_CHANGES)
    at = datetime.fromisoformat(written.pop("at"))
    assert at.timestamp() * 1000 == said.pop("at")
    assert written == {"user": "ann", "tenant": "acme", **said}


@pytest.mark.parametrize("body", [{"kind": "snoozed"}, {"kind": "read", "until": NOW_SHOWN}])
async def test_until_is_for_what_is_snoozed(client: Client, body: Any) -> None:
    status, problem = await client.call("POST", "/users/ann/inbox/changes", body)
    assert (status, problem["errors"][0]["pointer"]) == (400, "/until")
    assert client.topics.topics == {}


async def test_a_feed_is_of_posts_and_of_the_inbox(client: Client) -> None:
    post = {"source": "outbox", "id": item(8).id, "notification_id": item(8).notification_id}
    posts = msgspec.convert(
        {"items": [{**msgspec.to_builtins(item(8)), **post}], "end": None}, Posts
    )

    def answer(_: str, question: object) -> object:
        if isinstance(question, ReadPosts):
            return posts
        return Written(items=[item(9), item(7)], found=[], end=item(7).id)

    client.owners.answer = answer
    found = await client.get(f"/users/ann/feed?limit=3&before={item(20).id}&position=contacts:2")
    assert [(each["source"], each["id"]) for each in found["items"]] == [
        ("inbox", item(9).id),
        ("outbox", item(8).id),
        ("inbox", item(7).id),
    ]
    assert found["next"] == item(7).id
    whose: dict[str, Any] = {"tenant": "acme", "user": "ann"}
    place: dict[str, Any] = {"before": item(20).id, "limit": 3}
    names = [item(8).notification_id]
    assert client.owners.asked == [
        ("decider", "ann", ReadPosts(**whose, **place), {"contacts": 2}),
        ("inapp", "ann", ReadWritten(**whose, **place, notifications=names), {"contacts": 2}),
    ]


EVENT = {"id": "e", "type": "comment.added", "actor": "bo", "data": {"a": 1}}


async def test_an_explanation(client: Client) -> None:
    rule = AskedRule(0, Channel.PUSH, "preferences", "push is on", "")
    silent = Outcome(Channel.SMS, Reason.OPTED_OUT, "no")
    client.owners.answer = [
        Explanation(
            type="comment_added",
            catalogue="c1",
            membership=Membership(True, "named"),
            asked=(rule,),
            sent=(Sent(Channel.PUSH, ("to…",)),),
            waits=(Waits(Channel.EMAIL, NOW + 1000, Reason.DIGEST, "until noon", 2),),
            silent=(silent,),
            told_before=silent,
            refused="",
            variant="x/y",
        )
    ]
    status, found = await client.call("POST", "/explain", {"event": EVENT, "user": "ann"})
    said = {"channel": "sms", "reason": "opted_out", "detail": "no", "stage": "suppressed"}
    said["digest"] = ""
    assert (status, found) == (
        200,
        [
            {
                "type": "comment_added",
                "catalogue": "c1",
                "membership": msgspec.to_builtins(Membership(True, "named")),
                "asked": [msgspec.to_builtins(rule)],
                "sent": [{"channel": "push", "addresses": ["to…"]}],
                "waits": [
                    {
                        "channel": "email",
                        "until": "2025-07-20T08:26:41.000Z",
                        "reason": "digest",
                        "detail": "until noon",
                        "gathered": 2,
                    }
                ],
                "silent": [said],
                "told_before": said,
                "refused": "",
                "variant": "x/y",
            }
        ],
    )
    ((role, user, question, after),) = client.owners.asked
    assert (role, user, after) == ("decider", "ann", None)
    event = Event(
        id="e", type="comment.added", actor="bo", data={"a": 1}, occurred_at=AT, tenant="acme"
    )
    assert question == Explain(event=event, user="ann")


async def test_data_that_can_not_be_used_is_named(client: Client) -> None:
    client.owners.answer = BadRecord(Reason.INVALID, "it has no post_id")
    status, found = await client.call("POST", "/explain", {"event": EVENT, "user": "ann"})
    assert (status, found["errors"]) == (
        400,
        [{"pointer": "/event/data", "detail": "it has no post_id"}],
    )
