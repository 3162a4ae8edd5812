"""Who did what with whose data is on record, before it is done."""

from collections.abc import Sequence

import msgspec
import pytest

from analytics.erasure import hash_of
from schemas.audit import Audit
from schemas.errors import Unavailable
from schemas.topics import AUDIT
from tests.web.api.client import NOW, Client, client
from tests.web.caller import memory, settings
from tests.web.desk import Asked, desk_of
from web.api.app import routes_of
from web.api.keys import Scope
from web.api.routes.sending import EVENT

__all__ = ["client"]

NAMED = {
    "export_user": "exported",
    "erase_user": "erased",
    "replay_dead_letter": "replayed",
    "replay_dead_letters": "replayed",
    "find_notifications": "looked up",
    "get_day": "looked up",
    "get_timeline": "looked up",
    "get_user": "looked up",
    "list_dead_letters": "looked up",
    "explain": "looked up",
}


def values_of(client: Client) -> list[bytes]:
    return [record.value or b"" for record in client.topics.topics[AUDIT.name]]


def put_on_record(client: Client) -> list[Audit]:
    return [msgspec.json.decode(value, type=Audit) for value in values_of(client)]


async def test_who_looks_a_user_up_is_on_record_and_the_user_is_not_named(client: Client) -> None:
    await client.call("GET", "/users/ada/day")
    (done,) = put_on_record(client)
    assert done == Audit(
        at=NOW,
        who="all",
        deed="looked up",
        route="GET /v1/users/{user}/day",
        tenant="acme",
        user_hash=hash_of("acme", "ada"),
    )
    assert b"ada" not in values_of(client)[0]


@pytest.mark.parametrize(
    ("by", "user_hash"), [("user", hash_of("acme", "ada")), ("event", ""), ("address", "")]
)
async def test_who_asks_what_became_of_it_is_on_record(
    client: Client, by: str, user_hash: str
) -> None:
    await client.call("GET", f"/notifications?by={by}&what=ada&days=0")  # which is refused
    await client.call("GET", f"/notifications?by={by}&what=ada")
    (done,) = put_on_record(client)
    assert (done.deed, done.user_hash, done.thing) == ("looked up", user_hash, "")
    assert b"ada" not in values_of(client)[0]


async def test_what_is_not_about_a_user_has_its_id_and_whom_a_body_names_counts_too(
    client: Client,
) -> None:
    await client.call("GET", "/notifications/n1")
    await client.call("DELETE", "/users/ada")
    await client.call("POST", "/explain", {"event": EVENT, "user": "bob"})
    looked, erased, explained = put_on_record(client)
    assert (looked.deed, looked.thing, looked.user_hash) == ("looked up", "n1", "")
    assert (erased.deed, erased.user_hash) == ("erased", hash_of("acme", "ada"))
    assert (explained.route, explained.user_hash) == (
        "POST /v1/explain",
        hash_of("acme", "bob"),
    )


async def test_what_can_not_be_put_on_record_is_not_done(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    write = client.topics.write

    async def refuse(topic: str, partition: int, entries: Sequence[object]) -> int:
        if topic == AUDIT.name:
            raise Unavailable("Kafka does not answer.")
        written.append(topic)
        return await write(topic, partition, entries)  # type: ignore[arg-type]

    monkeypatch.setattr(client.topics, "write", refuse)
    status, _ = await client.call("DELETE", "/users/ada")
    assert (status, written) == (503, [])


async def test_ordinary_requests_leave_no_trace(client: Client) -> None:
    await client.call("PUT", "/users/ada/follows/eve")
    await client.call("GET", "/operations")
    assert put_on_record(client) == []


def test_of_each_route_it_is_decided_whether_it_is_on_record() -> None:
    """Whatever reads about one user by an operator's right, erases or sends again is."""
    routes = {each.name: each for each in routes_of(desk_of(memory(), settings(), NOW, Asked()))}
    assert {name: each.deed for name, each in routes.items() if each.deed} == NAMED
    for name, each in routes.items():
        if each.scope in (Scope.ERASE,) or (each.scope is Scope.READ and "{user}" in each.path):
            assert each.deed, name
