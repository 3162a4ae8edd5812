"""Messages whose texts the caller gives: what is written of them, and what is refused."""

from typing import Any

import pytest

from policy.decision.context import Standing, explanations
from policy.user.profile import Profile
from schemas.profile import Contacts, Preferences
from schemas.question import Explain
from schemas.topics import EVENTS
from tests.policy.samples import shipped_catalogue
from tests.web.api.client import NOW, Client
from tests.web.api.client import client as client

MESSAGE = {"title": "Hi", "body": "Hello {{ data.x }}", "channels": ["email", "push"]}
CATALOGUE = shipped_catalogue()


def answering(**preferences: Any) -> Any:
    """As the decider does: of users with an address and a phone who want this."""

    def answer(user: str, asked: Any) -> Any:
        assert isinstance(asked, Explain)
        profile = Profile().with_contacts(
            Contacts(user=user, email=f"{user}@example.com", devices=())
        )
        if user in preferences:
            profile = profile.with_preferences(Preferences(user=user, **preferences[user]))
        standing = Standing(profile=profile)
        return explanations(asked.event, user, NOW, CATALOGUE, standing, 1000)

    return answer


def written(client: Client) -> list[Any]:
    return client.topics.said(EVENTS) if EVENTS.name in client.topics.topics else []


async def test_a_message_is_an_event_with_the_texts_as_its_data(client: Client) -> None:
    client.owners.answer = answering()
    body = {"users": ["ann"], "id": "m1", **MESSAGE, "category": "orders", "priority": "high"}
    status, said = await client.call("POST", "/notifications", body)
    assert (status, list(said["notifications"])) == (202, ["ann"])
    (event,) = written(client)
    assert event["notify"] == {"type": "tocsin.message", "users": ["ann"]}
    assert event["data"] == {**MESSAGE, "category": "orders", "priority": "high"}
    # The same by the type's name.
    named = {"users": ["ann"], "type": "tocsin.message", "data": MESSAGE}
    assert (await client.call("POST", "/notifications", named))[0] == 202
    assert written(client)[1]["data"] == MESSAGE


async def test_a_message_may_have_an_image_and_buttons(client: Client) -> None:
    client.owners.answer = answering()
    shown = {
        "image": "https://x.example/p.png",
        "actions": [{"label": "Open", "url": "https://x.example/7"}],
    }
    body = {"users": ["ann"], **MESSAGE, **shown}
    assert (await client.call("POST", "/notifications", body))[0] == 202
    (event,) = written(client)
    assert event["data"] == {**MESSAGE, **shown}


async def test_a_message_for_nobody_who_wants_it_is_refused(client: Client) -> None:
    gone = {"categories": {"messages": {"push": False, "email": False}}}
    client.owners.answer = answering(ann=gone)
    status, said = await client.call("POST", "/notifications", {"users": ["ann"], **MESSAGE})
    assert (status, said["detail"]) == (
        422,
        "Opted out of all of its channels: ann. Nothing was sent.",
    )
    assert written(client) == []
    body = {"users": ["ann", "bob"], **MESSAGE}
    status, said = await client.call("POST", "/notifications", body)
    assert (status, said["opted_out"]) == (202, ["ann"])
    # Another category is another choice.
    body = {"users": ["ann"], **MESSAGE, "category": "orders"}
    assert (await client.call("POST", "/notifications", body))[0] == 202


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/body", "/channels"]),
        ({"body": "x"}, ["/channels"]),
        ({"data": {"x": 1}}, ["/type"]),
        ({"type": "comment_added", "title": "x", "channels": ["push"]}, ["/title", "/channels"]),
        ({**MESSAGE, "body": ""}, ["/body"]),
        ({**MESSAGE, "body": 7}, ["/body"]),
        ({**MESSAGE, "channels": ["fax"]}, ["/channels/0"]),
        ({**MESSAGE, "channels": ["push", "push"]}, ["/channels"]),
        ({**MESSAGE, "priority": "bulk"}, ["/priority"]),
        ({**MESSAGE, "category": "none"}, ["/category"]),
        ({**MESSAGE, "title": ""}, ["/title"]),
        ({**MESSAGE, "image": "http://x.example/p.png"}, ["/image"]),
        ({**MESSAGE, "actions": [{"label": "x", "url": "javascript:x"}]}, ["/actions/0/url"]),
        ({**MESSAGE, "actions": [{"label": "x", "url": "https://x.example/"}] * 4}, ["/actions"]),
        ({**MESSAGE, "title": "x" * 251}, ["/title"]),
        ({"type": "tocsin.message", "data": {"body": "x"}}, ["/data"]),
        (
            {"type": "tocsin.message", "data": {**MESSAGE, "channels": ["fax"]}},
            ["/data/channels/0"],
        ),
    ],
)
async def test_what_is_no_message_is_told_by_its_fields(
    client: Client, body: dict[str, Any], pointers: list[str]
) -> None:
    client.owners.answer = answering()
    status, said = await client.call("POST", "/notifications", {"users": ["ann"], **body})
    assert (status, [error["pointer"] for error in said["errors"]]) == (400, pointers)
    assert written(client) == []
    bulk = {"notifications": [{"users": ["ann"], **MESSAGE}, {"users": ["ann"], **body}]}
    status, said = await client.call("POST", "/notifications/bulk", bulk)
    told = [error["pointer"] for error in said["errors"]]
    assert (status, told) == (400, [f"/notifications/1{each}" for each in pointers])


async def test_an_event_may_be_a_message_too(client: Client) -> None:
    data = {**MESSAGE, "users": ["ann", "bob"]}
    body = {"id": "m1", "type": "tocsin.message", "actor": "shop", "data": data}
    assert (await client.call("POST", "/events", body))[0] == 202
    assert written(client)[0]["data"] == data
    body["data"] = {**data, "title": 7}
    status, said = await client.call("POST", "/events", body)
    assert (status, said["errors"]) == (
        400,
        [{"pointer": "/data/title", "detail": "Expected `str`, got `int`"}],
    )
