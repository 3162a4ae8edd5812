"""Records that are valid by their form, and that crashed whoever read them: now none does."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from prometheus_client import REGISTRY

from agents.decider import decisions, fan_out
from agents.inapp import inbox_queries, inbox_updates
from agents.sink.agent import sink
from policy.body import body_digest
from policy.contact.address import BARE
from policy.decision.decide import decide
from policy.decision.resume import resume
from schemas.dead_letter import DeadLetter
from schemas.delivery import Content, Delivery
from schemas.encoding import encode
from schemas.errors import TooManyBadRecords
from schemas.event import Event
from schemas.request import Request
from schemas.topics import (
    CONTACTS,
    DELIVER,
    EVENTS,
    FEEDBACK,
    FOLLOWS,
    REQUESTS,
    Topic,
)
from schemas.vocabulary import Channel, Priority, Reason
from schemas.vocabulary import Stage as Step
from sinks.http.client import BEFORE_CALL
from sinks.provider import OneServer, Outcome, Sent
from sinks.registry import Weighted
from tests.agents.names import unique, users_of
from tests.agents.samples import delivery, event, follow, order_shipped, reachable
from tests.agents.stage import Stage

PUSH = Channel.PUSH
ORDERS = REQUESTS[Priority.HIGH]


def shipped(user: str, **fields: Any) -> bytes:
    """An order's event as JSON, with fields of its own or of its data."""
    values = msgspec.to_builtins(order_shipped(user, actor="shop"))
    values["data"] |= fields.pop("data", {})
    return encode(values | fields)


def raw(text: bytes, user: str) -> bytes:
    return shipped(user).replace(b'"DHL"', text)


def hence() -> str:
    """In an hour from when the test runs, which may be long after its file was read."""
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


REFUSED: dict[str, tuple[Topic, Callable[[str], bytes], str]] = {
    "a phone of 70,000 digits": (
        CONTACTS,
        lambda user: encode({"user": user, "phone": "+" + "1" * 70_000}),
        "$.phone",
    ),
    "an address of 70,000 characters": (
        CONTACTS,
        lambda user: encode({"user": user, "email": "a" * 70_000}),
        "$.email",
    ),
    "feedback on a UUID with dashes": (
        FEEDBACK,
        lambda user: encode(
            {
                "user": user,
                "notification_id": "550e8400-e29b-41d4-a716-446655440000",
                "stage": "seen",
                "at": hence(),
            }
        ),
        "$.notification_id",
    ),
    "a time beyond the calendar": (
        EVENTS,
        lambda user: shipped(user, occurred_at="9999-12-31T23:59:59-01:00", deliver_at=hence()),
        "$.occurred_at",
    ),
    "data that is nested 900 deep": (
        EVENTS,
        lambda user: raw(b"[" * 900 + b"]" * 900, user),
        "$.data",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_out_of_bounds_is_a_dead_letter_that_names_the_field(
    stage: Stage, name: str
) -> None:
    topic, make, field = REFUSED[name]
    user, neighbour = users_of(0, 2)
    await stage.say(CONTACTS, reachable(neighbour))
    await stage.say(topic, make(user), key="shop" if topic is EVENTS else user)
    await stage.say(EVENTS, order_shipped(neighbour))
    await stage.work(stage.router, stage.decider)
    (letter,) = await stage.letters()
    assert (letter.topic, letter.reason) == (topic.name, Reason.INVALID)
    assert f"`{field}`" in letter.detail
    assert {told.user for told in await stage.told()} == {neighbour}


@pytest.mark.parametrize("held", [False, True])
async def test_an_amount_in_wei_is_told_and_held_digit_by_digit(stage: Stage, held: bool) -> None:
    user = unique("user")
    fields = {"deliver_at": hence()} if held else {}
    await stage.say(CONTACTS, reachable(user))
    await stage.say(EVENTS, raw(b"18446744073709551616", user), key="shop")
    later = shipped(user, data={"carrier": 10**30}, id=unique("event"), **fields)
    await stage.say(EVENTS, later, key="shop")
    await stage.work(stage.router, stage.decider)
    await stage.restart(keep_disk=False)
    stage.clock.ahead += 3_601_000
    await stage.work(stage.decider, stage.inapp)
    assert await stage.letters() == []
    bodies = {said.content.body for said in await stage.deliveries(PUSH)}
    assert any("18446744073709551616" in body for body in bodies)
    assert any(str(10**30) in body for body in bodies)


class Planted:
    """Raises for one user what nobody foresaw, wherever it is put before a function."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.calls = 0

    def before(self, function: Callable[..., Any], user_of: Callable[..., str]) -> Any:
        """The function, which raises for that user."""

        def planted(*args: Any, **named: Any) -> Any:
            if user_of(*args) == self.user:
                self.calls += 1
                raise ZeroDivisionError("nobody foresaw this")
            return function(*args, **named)

        return planted


@pytest.fixture
def fault() -> Planted:
    """A fault for a user of partition 0."""
    return Planted(users_of(0, 1)[0])


def counted(source: str) -> float:
    """How many faults of a source operators have been told of."""
    return REGISTRY.get_sample_value("tocsin_unprocessable_total", {"source": source}) or 0.0


def expect(letter: DeadLetter, topic: Topic, role: str) -> None:
    assert (letter.topic, letter.role, letter.reason) == (topic.name, role, Reason.UNPROCESSABLE)
    assert "ZeroDivisionError: nobody foresaw this" in letter.detail
    assert "tests/agents/test_poison.py:" in letter.detail
    assert letter.detail.endswith(", planted)")


async def test_the_router_sets_aside_what_nobody_foresaw(
    stage: Stage, fault: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [unique("user") for _ in range(20)]
    digest = fault.before(body_digest, lambda event: event.data["customer_id"])
    monkeypatch.setattr("agents.router.agent.body_digest", digest)
    (actor,) = users_of(0, 1)
    users = (*others[:13], fault.user, *others[13:])
    await stage.say(EVENTS, *(order_shipped(user, actor=actor) for user in users))
    await stage.work(stage.router)
    (letter,) = await stage.letters()
    expect(letter, EVENTS, "router")
    assert letter.offset == (await stage.raw(EVENTS))[13].offset
    requests = await stage.read(ORDERS, Request)
    assert sorted(request.user for request in requests) == sorted(others)


@pytest.mark.parametrize(("share", "stops"), [(1.0, True), (0.6, True), (0.3, False)])
async def test_so_many_that_the_fault_is_everywhere_stop_the_worker(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, share: float, stops: bool
) -> None:
    users = [unique("user") for _ in range(400)]
    bad = {user for number, user in enumerate(users) if number % 10 < share * 10}

    def digest(said: Event) -> str:
        if said.data["customer_id"] in bad:
            raise ZeroDivisionError("nobody foresaw this")
        return body_digest(said)

    monkeypatch.setattr("agents.router.agent.body_digest", digest)
    (actor,) = users_of(0, 1)
    await stage.say(EVENTS, *(order_shipped(user, actor=actor) for user in users))
    if stops:
        with pytest.raises(TooManyBadRecords, match="of the last 200"):
            await stage.work(stage.router)
        assert len(await stage.letters()) < 200
        return
    await stage.work(stage.router)
    assert len(await stage.letters()) == len(bad)


async def test_the_decider_sets_aside_what_nobody_foresaw_and_keeps_its_neighbours_once(
    stage: Stage, fault: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = users_of(0, 9)
    planted = fault.before(decide, lambda request, *_: request.user)
    monkeypatch.setattr(decisions, "decide", planted)
    everybody = [*others[:4], fault.user, *others[4:]]
    await stage.say(CONTACTS, *map(reachable, everybody))
    (actor,) = users_of(0, 1)
    await stage.say(EVENTS, *(order_shipped(user, actor=actor) for user in everybody))
    await stage.work(stage.router, stage.decider)
    (letter,) = await stage.letters()
    expect(letter, ORDERS, "decider")
    assert [said.user for said in await stage.deliveries(PUSH)] == others
    monkeypatch.undo()
    await stage.restart(keep_disk=False)
    stage.again(ORDERS)
    await stage.work(stage.decider)
    told = [said.user for said in await stage.deliveries(PUSH)]
    assert told == [*others, fault.user], "mended, the record is decided when it is read again"


async def test_of_a_fan_out_all_are_told_but_whom_the_fault_concerns(
    stage: Stage, fault: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor, others = unique("actor"), users_of(0, 5)
    monkeypatch.setattr(fan_out, "AT_ONCE", 2)
    monkeypatch.setattr("agents.decider.agent.AT_ONCE", 2)
    planted = fault.before(decide, lambda request, *_: request.user)
    monkeypatch.setattr(decisions, "decide", planted)
    for user in (*others, fault.user):
        await stage.say(CONTACTS, reachable(user))
        await stage.say(FOLLOWS, follow(user, actor))
    post, before = {"post_id": "1", "author_name": "Eve", "text": "Nice"}, counted("broadcasts")
    await stage.say(EVENTS, event("post.published", post, actor=actor))
    await stage.work(stage.router, stage.decider)
    told = await stage.told()
    assert {row.user for row in told if row.stage is Step.QUEUED} == set(others)
    assert counted("broadcasts") == before + 1
    (refused,) = [row for row in told if row.user == fault.user]
    assert (refused.stage, refused.reason) == (Step.SUPPRESSED, Reason.UNPROCESSABLE)


async def test_a_timer_that_raises_is_given_up_with_its_reason_and_others_ring(
    stage: Stage, fault: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = users_of(0, 3)
    for user in (fault.user, *others):
        await stage.say(CONTACTS, reachable(user))
        await stage.say(EVENTS, order_shipped(user, deliver_at=datetime.fromisoformat(hence())))
    await stage.work(stage.router, stage.decider)
    planted = fault.before(resume, lambda _, held, *__: held.request.user)
    monkeypatch.setattr(decisions, "resume", planted)
    stage.clock.ahead += 3_601_000
    await stage.work(stage.decider)
    told = await stage.told()
    assert {row.user for row in told if row.stage is Step.QUEUED} == set(others)
    given_up = [row for row in told if row.reason is Reason.UNPROCESSABLE]
    assert {row.user for row in given_up} == {fault.user}
    assert "nobody foresaw this" in given_up[0].detail
    calls = fault.calls
    await stage.restart(keep_disk=False)
    await stage.work(stage.decider)
    assert fault.calls == calls, "it does not ring again"


async def test_the_inbox_sets_aside_what_nobody_foresaw(
    stage: Stage, fault: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = DELIVER[Channel.INAPP, Priority.NORMAL]
    others = users_of(0, 4)
    shown = fault.before(inbox_queries.shown_item, lambda _, item: item.content.body)
    monkeypatch.setattr(inbox_updates, "shown_item", shown)
    said = [
        delivery(
            stage.clock,
            user=user,
            channel=Channel.INAPP,
            priority=Priority.NORMAL,
            address="",
            content=Content(body=user),
        )
        for user in (*others[:2], fault.user, *others[2:])
    ]
    await stage.say(topic, *said)
    await stage.work(stage.inapp)
    (letter,) = await stage.letters()
    expect(letter, topic, "inapp")
    assert {row.user for row in await stage.told() if row.stage is Step.SENT} == set(others)


class Batched(OneServer):
    """A provider that takes many at once, and builds or reads one of them with a fault."""

    name = "batched"
    channel = PUSH
    scheme = BARE
    batch_size = 10

    def __init__(self, *, builds: str = "", reads: str = "") -> None:
        self.calls: list[list[str]] = []
        self._builds = builds
        self._reads = reads

    def linger(self, priority: Priority) -> float:
        """Long enough for all of a slice to meet."""
        return 0.05

    async def check(self) -> None:
        """Nothing can be wrong."""

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """One call; what it would do by HTTP is noted as HttpClient does."""
        names = [delivery.delivery_id for delivery in deliveries]
        if self._builds in names:
            raise ZeroDivisionError("nobody foresaw this text")
        before_call = BEFORE_CALL.get()
        assert before_call is not None
        before_call()
        self.calls.append(names)
        if self._reads in names:
            raise ZeroDivisionError("nobody foresaw this reply")
        return [Sent(name) for name in names]

    async def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize("batch_size", [1, 10])
@pytest.mark.parametrize("fault_is_in", ["builds", "reads"])
async def test_a_sink_sets_aside_one_delivery_and_repeats_no_call(
    stage: Stage, fault_is_in: str, batch_size: int
) -> None:
    said = [delivery(stage.clock) for _ in range(4)]
    bad = said[1].delivery_id
    provider = Batched(**{fault_is_in: bad})
    provider.batch_size = batch_size
    await stage.say(DELIVER[PUSH, Priority.HIGH], *said, partition=0)
    await stage.work(sink(PUSH, [Weighted(provider, 1)], stage.runtime))
    calls = Counter(name for call in provider.calls for name in call)
    letters = await stage.letters()
    sent = {row.delivery_id for row in await stage.told() if row.stage is Step.SENT}
    failed = {row.delivery_id for row in await stage.told() if row.stage is Step.FAILED}
    assert {letter.reason for letter in letters} == {Reason.UNPROCESSABLE}
    assert len(letters) == len(failed)
    assert bad in failed
    assert sent | failed == {each.delivery_id for each in said}
    assert not sent & failed
    assert max(calls.values()) == 1
    if fault_is_in == "builds" or batch_size == 1:
        assert failed == {bad}
    assert all(
        ("may have been sent" in letter.detail) == (fault_is_in == "reads") for letter in letters
    )
