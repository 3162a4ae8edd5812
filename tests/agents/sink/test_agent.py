"""The push sink against a real provider protocol: each delivery is sent once, and told."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition

from agents.sink.agent import sink
from embedded.simulators.accept_log import read_accept_log
from embedded.simulators.faults import Fault
from embedded.simulators.server import Serving, serving
from pipeline.processing.role import Role
from pipeline.secret_file import FileSecret
from schemas.delivery import Delivery
from schemas.errors import Abandoned
from schemas.topics import DEAD_LETTERS, DELIVER, RETRY, Topic
from schemas.vocabulary import Channel, Priority, Reason
from schemas.vocabulary import Stage as Step
from sinks.email.sendgrid import SendGrid
from sinks.http.client import HttpClient
from sinks.push.fcm import Fcm
from sinks.registry import Weighted
from tests.agents.line import Line
from tests.agents.names import users_of
from tests.agents.samples import delivery
from tests.agents.stage import Stage, staging
from tests.agents.transcript import by
from tests.patience import PATIENCE, ended, until
from tests.pipeline.mounted import Mounted

HIGH = DELIVER[Channel.PUSH, Priority.HIGH]
CRITICAL = DELIVER[Channel.PUSH, Priority.CRITICAL]


@dataclass
class Push:
    """The push sink on a stage, with its provider and what that accepted."""

    stage: Stage
    running: Serving
    log: Path
    http: HttpClient

    @property
    def role(self) -> Role:
        """The role, anew: nothing of it but its state outlives a restart."""
        settings = self.stage.settings
        provider = Weighted(Fcm(settings, self.http), 1)
        return sink(Channel.PUSH, [provider], self.stage.runtime)

    def fault(self, **fields: Any) -> None:
        """Have the provider misbehave from now on."""
        self.running.simulators.faults.set("fcm", Fault(**fields))

    def accepted(self, *deliveries: Delivery) -> list[str]:
        """The deliveries among these that the provider took, as often as it did."""
        wanted = {delivery.delivery_id for delivery in deliveries}
        found = [line.delivery_id for line in read_accept_log(self.log)]
        return [name for name in found if name in wanted]

    async def deliver(self, *deliveries: Delivery, topic: Topic = HIGH) -> None:
        """Put deliveries into the channel's topic and let the sink work."""
        await self.stage.say(topic, *deliveries)
        await self.stage.work(self.role)

    async def outcome(self) -> tuple[Step, Reason]:
        """What the only delivery event tells."""
        (row,) = await self.stage.told()
        return row.stage, row.reason

    async def retries(self) -> list[Delivery]:
        """All that is to be tried again."""
        return await self.stage.read(RETRY, Delivery)


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Serving]:
    folder = tmp_path_factory.mktemp("push")
    async with serving(0, folder / "accepted.jsonl", folder) as listening:
        yield listening


@pytest.fixture
async def push(line: Line, tmp_path: Path, running: Serving) -> AsyncIterator[Push]:
    credentials = Path(running.environment["TOCSIN_FCM_CREDENTIALS"])
    http = HttpClient(PATIENCE, connections=8)
    reach = {"fcm_url": running.base_url, "fcm_credentials": credentials}
    async with staging(line, tmp_path, calls_in_flight=4, **reach) as stage:
        yield Push(stage, running, credentials.parent / "accepted.jsonl", http)
    running.simulators.faults.clear_all()
    await http.close()


async def test_what_the_provider_took_is_told_as_sent(push: Push) -> None:
    said = delivery(push.stage.clock)
    await push.deliver(said)
    assert push.accepted(said) == [said.delivery_id]
    (row,) = await push.stage.told()
    assert (row.stage, row.delivery_id, row.provider) == (Step.SENT, said.delivery_id, "fcm")
    assert row.detail.startswith("projects/")
    assert await push.stage.raw(DEAD_LETTERS) == []


async def test_a_delivery_that_stands_twice_in_a_slice_is_sent_once(push: Push) -> None:
    said = delivery(push.stage.clock)
    await push.deliver(said, said)
    assert push.accepted(said) == [said.delivery_id]


async def test_a_delivery_that_comes_again_is_sent_once_and_told_the_same(push: Push) -> None:
    said = delivery(push.stage.clock)
    await push.deliver(said)
    push.stage.clock.ahead += 5000
    await push.deliver(said)
    push.stage.again(HIGH)
    await push.stage.restart(keep_disk=False)
    await push.deliver()
    assert push.accepted(said) == [said.delivery_id]
    (rows,) = by(await push.stage.told(), "id").values()
    assert len(rows) == 3
    assert all(row == rows[0] for row in rows)


async def test_a_provider_in_trouble_means_a_retry_with_a_due_time(push: Push) -> None:
    push.fault(error_rate=1.0, status=500)
    said = delivery(push.stage.clock)
    await push.deliver(said)
    assert await push.outcome() == (Step.RETRYING, Reason.PROVIDER_ERROR)
    (row,), (again,) = await push.stage.told(), await push.retries()
    assert (again.delivery_id, again.attempt) == (said.delivery_id, 1)
    assert row.at <= again.due_at <= row.at + 5_000
    assert push.accepted(said) == []


async def test_a_retry_that_succeeds_is_told_with_its_attempt(push: Push) -> None:
    said = delivery(push.stage.clock, attempt=2)
    await push.deliver(said)
    (row,) = await push.stage.told()
    assert (row.stage, row.attempt) == (Step.SENT, 2)


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_obeyed(push: Push, status: int) -> None:
    push.fault(error_rate=1.0, status=status, retry_after=90)
    await push.deliver(delivery(push.stage.clock))
    (row,), (again,) = await push.stage.told(), await push.retries()
    assert again.due_at - row.at >= 90_000


async def test_a_retry_after_past_the_time_to_live_gives_up(push: Push) -> None:
    push.fault(error_rate=1.0, status=429, retry_after=90)
    await push.deliver(delivery(push.stage.clock, expires_at=push.stage.clock.now() + 60_000))
    assert await push.outcome() == (Step.FAILED, Reason.EXPIRED)
    assert await push.retries() == []


async def test_a_dead_device_is_a_dead_letter_and_told_as_failed(push: Push) -> None:
    said, other = delivery(push.stage.clock), delivery(push.stage.clock)
    push.fault(dead=[said.address])
    await push.deliver(said, other)
    rows = {row.delivery_id: (row.stage, row.reason) for row in await push.stage.told()}
    assert rows == {
        said.delivery_id: (Step.FAILED, Reason.UNREGISTERED),
        other.delivery_id: (Step.SENT, Reason.NONE),
    }
    (letter,) = await push.stage.letters()
    assert (letter.role, letter.topic, letter.reason) == ("push", HIGH.name, Reason.UNREGISTERED)
    assert push.accepted(said, other) == [other.delivery_id]


async def test_a_delivery_that_is_too_late_is_not_sent(push: Push) -> None:
    said = delivery(push.stage.clock, expires_at=push.stage.clock.now())
    await push.deliver(said)
    assert await push.outcome() == (Step.SUPPRESSED, Reason.EXPIRED)
    assert push.accepted(said) == []


async def test_a_delivery_that_was_sent_in_time_is_told_as_sent_ever_after(push: Push) -> None:
    said = delivery(push.stage.clock)
    await push.deliver(said)
    push.stage.clock.ahead += 7_200_000
    await push.deliver(said)
    assert {row.stage for row in await push.stage.told()} == {Step.SENT}


async def test_a_close_abandons_what_waits_and_loses_no_call(push: Push) -> None:
    """A few calls are in flight, the rest wait for a slot when the worker is told to close."""
    (user,) = users_of(0, 1)
    said = [delivery(push.stage.clock, user=user) for _ in range(20)]
    push.fault(latency=0.2)
    working = asyncio.create_task(push.deliver(*said))
    await until(lambda: bool(push.accepted(*said)))
    push.stage.closing.set()
    with pytest.raises(Abandoned):
        await ended(working)
    assert len(push.accepted(*said)) < len(said)
    assert await push.stage.raw(RETRY) == []
    assert not [tp for _, tp in push.stage.done if tp.topic == HIGH.name]
    push.running.simulators.faults.clear_all()
    push.stage.closing.clear()
    await push.stage.restart()
    await push.deliver()
    assert sorted(push.accepted(*said)) == sorted(item.delivery_id for item in said)
    assert by(await push.stage.told(), "stage").keys() == {Step.SENT}


async def test_critical_is_not_held_up_by_a_full_house_of_others(push: Push) -> None:
    (user,) = users_of(0, 1)
    crowd = [delivery(push.stage.clock, user=user) for _ in range(24)]
    urgent = delivery(push.stage.clock, user=user, priority=Priority.CRITICAL)
    push.fault(latency=0.15)
    role = push.role
    await push.stage.say(HIGH, *crowd)
    await push.stage.say(CRITICAL, urgent)
    handler = await push.stage.handler(role, 0)
    slices = [await push.stage.slices(role, TopicPartition(t.name, 0)) for t in (HIGH, CRITICAL)]
    # Both are there before either is worked on: how long Kafka takes is no matter.
    others, first = (asyncio.create_task(handler.handle(slice_)) for (slice_,) in slices)
    await first
    assert not others.done()
    await others
    assert push.accepted(urgent, *crowd).index(urgent.delivery_id) < 12


async def test_a_lost_reply_is_a_retry_and_may_repeat_a_call(push: Push) -> None:
    said = delivery(push.stage.clock)
    push.fault(drop_reply_rate=1.0)
    await push.deliver(said)
    (again,) = await push.retries()
    push.running.simulators.faults.clear_all()
    await push.deliver(again)
    assert push.accepted(said) == [said.delivery_id] * 2
    assert [row.stage for row in await push.stage.told()].count(Step.SENT) == 1


async def test_a_record_that_is_no_delivery_is_a_dead_letter(push: Push) -> None:
    said = delivery(push.stage.clock)
    await push.stage.say(HIGH, b'{"delivery_id": "1"}', key="someone", partition=0)
    await push.deliver(said)
    (letter,) = await push.stage.letters()
    assert (letter.role, letter.reason) == ("push", Reason.INVALID)
    assert push.accepted(said) == [said.delivery_id]


@pytest.mark.parametrize("field", ["delivery_id", "notification_id"])
async def test_an_id_that_is_none_is_a_dead_letter_and_its_neighbours_go_on(
    push: Push, field: str
) -> None:
    good = delivery(push.stage.clock)
    await push.deliver(delivery(push.stage.clock, **{field: "nope"}), good)
    (letter,) = await push.stage.letters()
    assert letter.reason is Reason.INVALID
    assert push.accepted(good) == [good.delivery_id]


async def test_what_is_tried_again_takes_no_place_of_what_came_meanwhile(push: Push) -> None:
    ride, other = "1a2b3c4d5e6f708192a3b4c5d6e7f801", "0" * 32
    first = delivery(push.stage.clock, replaces=ride, attempt=1)
    last = delivery(
        push.stage.clock, replaces=ride, user=first.user, accepted_at=first.accepted_at + 1
    )
    same = delivery(push.stage.clock, replaces=other, user=first.user)
    await push.deliver(last, same)
    await push.deliver(first)
    assert push.accepted(first, last, same) == [last.delivery_id, same.delivery_id]
    rows = {row.delivery_id: row for row in await push.stage.told()}
    row = rows[first.delivery_id]
    assert (row.stage, row.reason) == (Step.SUPPRESSED, Reason.CANCELLED)
    assert not await push.stage.read(RETRY, Delivery)


async def test_of_one_thing_each_goes_that_is_newer_than_what_went(push: Push) -> None:
    ride = "1a2b3c4d5e6f708192a3b4c5d6e7f801"
    first = delivery(push.stage.clock, replaces=ride)
    later = [
        delivery(
            push.stage.clock, replaces=ride, user=first.user, accepted_at=first.accepted_at + ms
        )
        for ms in (0, 5)
    ]
    for each in (first, *later):
        await push.deliver(each)
    assert push.accepted(first, *later) == [each.delivery_id for each in (first, *later)]


async def test_a_sink_that_runs_takes_a_new_key(
    line: Line, tmp_path: Path, running: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the old one is refused for is sent later, by the same process."""
    monkeypatch.setattr("pipeline.replaced_files.LOOK_SECONDS", 0)
    mounted = Mounted(tmp_path / "secrets", key="old")
    reach = {"sendgrid_url": running.base_url, "email_from": "shop@example.com"}
    secret = FileSecret("sendgrid_api_key", mounted["key"])
    http = HttpClient(PATIENCE, connections=8)
    topic = DELIVER[Channel.EMAIL, Priority.HIGH]
    async with staging(line, tmp_path, sendgrid_api_key=secret, **reach) as stage:
        provider = Weighted(SendGrid(stage.settings, http), 1)
        role = sink(Channel.EMAIL, [provider], stage.runtime)
        mail = delivery(stage.clock, channel=Channel.EMAIL, address="ada@example.com")
        await stage.say(topic, mail)
        await stage.work(role)
        (later,) = await stage.read(RETRY, Delivery)
        assert later.delivery_id == mail.delivery_id
        mounted.swap(key=running.credentials.sendgrid_api_key)
        await stage.say(topic, later)
        await stage.work(role)
        told = [(row.stage, row.reason) for row in await stage.told()]
        assert (Step.SENT, Reason.NONE) in told
    await http.close()
