"""What the decider does by the clock: when it wants to be woken, and what it gives up."""

from collections.abc import Callable
from typing import Any

import pytest

from agents.decider import decisions
from pipeline.processing.lanes import ALL_READ
from policy.decision.resume import resume
from policy.digest.closing import close
from policy.time.timestamps import moment
from schemas.dead_letter import DeadLetter
from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.erasure import Erasure
from schemas.event import Event
from schemas.topics import DEAD_LETTERS, DELIVER, DELIVERY_EVENTS, ERASURES, EVENTS, REQUESTS
from schemas.vocabulary import Channel, Priority, Reason
from tables.users import PROFILES, user_key
from tests.agents.decider.test_decisions import (
    CLOSED_MS,
    MINUTE,
    happened,
    happens,
    kept_back,
    passes,
    roles_of,
    sent,
    went,
)
from tests.simulation.roles import NOW, Roles

AT_ONCE = 4
FANS = [f"u{number:02}" for number in range(11)]
POST = Event(
    id="p", type="post.published", actor="eve", occurred_at=moment(NOW), data={"text": "x"}
)


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decider's default was bound when its module was read."""
    monkeypatch.setattr("agents.decider.fan_out.AT_ONCE", AT_ONCE)
    monkeypatch.setattr("agents.decider.agent.Decider._do_by_clock.__defaults__", (AT_ONCE,))


async def followed() -> Roles:
    """Somebody whom more follow than are told in one transaction."""
    roles = Roles(fan_out_threshold=500)
    for name in FANS:
        await roles.follow(name, "eve")
    await roles.settle()
    return roles


async def on_timer(roles: Roles) -> float | None:
    return await roles.decider.on_timer(lambda _: ALL_READ)


async def test_how_far_topics_are_read_is_asked_only_when_something_is_due() -> None:
    roles, asked = Roles(), list[str]()
    await on_timer(roles)

    def read_to(topic: str) -> int:
        asked.append(topic)
        return ALL_READ

    await roles.decider.on_timer(read_to)
    assert asked == []


async def quiet(roles: Roles) -> None:
    """Wake it until it has seen that nothing is left of before."""
    while await on_timer(roles) == 0:
        pass


@pytest.mark.usefixtures("few_at_once")
async def test_it_wants_to_be_woken_at_once_while_a_broadcast_is_under_way() -> None:
    roles = await followed()
    await quiet(roles)
    await roles.say(EVENTS, POST)
    await roles.route()
    await roles.decide(*REQUESTS.values())
    # Four were told when it began; that nothing is left shows in a transaction of its own.
    assert [await on_timer(roles) for _ in range(3)] == [0, 0, None]
    assert len(pushed(roles)) == len(FANS)


async def test_it_wants_to_be_woken_at_once_while_an_erasure_is_under_way() -> None:
    roles = await followed()
    await quiet(roles)
    await roles.say(ERASURES, Erasure(user="u00"))
    await roles.decide(ERASURES)
    assert await on_timer(roles) == 0
    await quiet(roles)
    assert await on_timer(roles) is None


async def test_else_when_the_first_is_due() -> None:
    roles = await roles_of()
    await quiet(roles)
    assert await on_timer(roles) is None
    await happens(
        roles,
        happened(1, deliver_at=moment(NOW + 3 * MINUTE)),
        happened(2, deliver_at=moment(NOW + 2 * MINUTE)),
    )
    assert await on_timer(roles) == 120
    roles.clock.at += MINUTE
    assert await on_timer(roles) == 60
    roles.clock.at += MINUTE
    assert await on_timer(roles) == 60
    assert went(roles) == ["e2"]


def pushed(roles: Roles) -> list[str]:
    topic = DELIVER[Channel.INAPP, Priority.NORMAL]
    return [each.user for each in roles.read(topic, Delivery)]


@pytest.mark.usefixtures("few_at_once")
async def test_of_a_broadcast_under_way_who_can_not_be_read_is_left_out() -> None:
    roles, bad = await followed(), FANS[6]
    await quiet(roles)
    await roles.say(EVENTS, POST)
    await roles.route()
    await roles.decide(*REQUESTS.values())
    roles.decider_store.stored[PROFILES.prefix + user_key("default", bad)] = b"no profile"
    await quiet(roles)
    assert sorted(pushed(roles)) == [name for name in FANS if name != bad]
    rows = roles.read(DELIVERY_EVENTS, DeliveryEvent)
    (row,) = [row for row in rows if row.user == bad]
    assert row.reason is Reason.UNPROCESSABLE
    assert "Expected `array`, got `int`" in row.detail
    (letter,) = roles.read(DEAD_LETTERS, DeadLetter)
    assert (letter.topic, letter.offset) == (REQUESTS[Priority.NORMAL].name, 0)
    assert (letter.role, letter.reason) == ("decider", Reason.UNPROCESSABLE)


def broken(function: Callable[..., Any], is_meant: Callable[..., bool]) -> Callable[..., Any]:
    """The function, which raises what nobody foresaw where that is meant."""

    def planted(*args: Any) -> Any:
        if is_meant(*args):
            raise ZeroDivisionError("nobody foresaw this")
        return function(*args)

    return planted


@pytest.mark.parametrize("kind", ["plain", "gathered"])
async def test_of_what_is_next_of_each_kind_only_that_is_given_up_which_raises(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    roles = await roles_of()
    await happens(
        roles,
        happened(1, deliver_at=moment(NOW + CLOSED_MS)),
        happened(0, "gathered"),
        happened(2, deliver_at=moment(NOW + 2 * CLOSED_MS)),
    )
    if kind == "plain":
        planted = broken(resume, lambda _, held, *__: held.request.event.id == "e1")
        monkeypatch.setattr(decisions, "resume", planted)
    else:
        monkeypatch.setattr(decisions, "close", broken(close, lambda *_: True))
    await passes(roles, CLOSED_MS)
    bad, good = ("e1", "e0") if kind == "plain" else ("e0", "e1")
    assert kept_back(roles, Reason.UNPROCESSABLE) == [bad]
    assert went(roles) == [good]
    # It does not ring again, and what waits goes on.
    monkeypatch.undo()
    await passes(roles, CLOSED_MS)
    assert went(roles) == [good, "e2"]
    assert len(sent(roles)) == 2
