"""Fail-over: a delivery goes where it can be taken, and is never risked twice against the rule."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from agents.calls import Call
from agents.dispatch import Answer, Dispatch
from embedded.simulators.accept_log import read_accept_log
from embedded.simulators.faults import Fault
from embedded.simulators.server import Serving, serving
from pipeline.lanes import Abandoned
from schemas.delivery import Delivery
from schemas.vocabulary import Channel, Priority, Reason
from sinks.breaker import IN_A_ROW
from sinks.http import HttpClient
from sinks.provider import Refused, Retry
from sinks.registry import Weighted
from sinks.sms.twilio import Twilio
from tables.memory import MemoryStore
from tables.sent import SentLedger, SentMark
from tests.agents.line import Line
from tests.agents.samples import delivery
from tests.agents.stage import Stage, staging

TIMEOUT = 0.6  # seconds


class Spare(Twilio):
    """A second provider of the same kind."""

    name = "spare"


@dataclass
class Texts:
    """Two providers, each with simulators of its own."""

    stage: Stage
    first: Serving
    second: Serving
    logs: dict[str, Path]
    http: HttpClient

    def dispatch(self, weights: tuple[int, int] = (1, 0), *, holds: bool = False) -> Dispatch:
        """The two, weighed so."""
        providers = [
            Weighted(kind(self.stage.settings.model_copy(update=self.reach(running)), self.http), w)
            for kind, running, w in zip(
                (Twilio, Spare), (self.first, self.second), weights, strict=True
            )
        ]
        return Dispatch(providers, self.stage.runtime, holds=holds)

    def alone(self) -> Dispatch:
        """The first without the second."""
        settings = self.stage.settings.model_copy(update=self.reach(self.first))
        return Dispatch([Weighted(Twilio(settings, self.http), 1)], self.stage.runtime, holds=False)

    @staticmethod
    def reach(running: Serving) -> dict[str, object]:
        return {
            "twilio_url": running.base_url,
            "twilio_account_sid": running.credentials.twilio_account_sid,
            "twilio_auth_token": SecretStr(running.credentials.twilio_auth_token),
            "public_url": running.base_url,
        }

    def fault(self, **fields: Any) -> None:
        """Have the first provider misbehave."""
        self.first.simulators.faults.set("twilio", Fault(**fields))

    def call(self, number: int = 0, **fields: object) -> Call:
        said = delivery(
            self.stage.clock,
            channel=Channel.SMS,
            address=f"+1500555{number:04d}",
            priority=Priority.CRITICAL,
            **fields,
        )
        return Call(said, SentLedger(MemoryStore()), self.stage.closing)

    def accepted(self, *calls: Call) -> Counter[str]:
        """How many of these each provider took."""
        wanted = {call.delivery.delivery_id for call in calls}
        return Counter(
            name
            for name, log in self.logs.items()
            for line in read_accept_log(log)
            if line.delivery_id in wanted
        )


@pytest.fixture
async def texts(line: Line, tmp_path: Path) -> AsyncIterator[Texts]:
    http = HttpClient(TIMEOUT, connections=8)
    one, two = tmp_path / "one", tmp_path / "two"
    logs = {"twilio": one / "accepted.jsonl", "spare": two / "accepted.jsonl"}
    async with (
        serving(0, logs["twilio"], one) as first,
        serving(0, logs["spare"], two) as second,
        staging(line, tmp_path / "state", calls_in_flight=8, provider_timeout=TIMEOUT) as stage,
    ):
        yield Texts(stage, first, second, logs, http)
    await http.close()


async def deliver(dispatch: Dispatch, *calls: Call) -> list[Answer]:
    return await asyncio.gather(*(dispatch.deliver(call) for call in calls))


def sent_by(answers: list[Answer]) -> Counter[str]:
    assert all(isinstance(answer.result, SentMark) for answer in answers), answers
    return Counter(answer.provider for answer in answers)


async def test_weights_say_who_sends_what(texts: Texts) -> None:
    calls = [texts.call(number) for number in range(200)]
    found = sent_by(await deliver(texts.dispatch((3, 1)), *calls))
    assert found == texts.accepted(*calls)
    assert found["twilio"] == pytest.approx(150, abs=25)


async def test_one_that_stands_by_is_used_only_in_trouble(texts: Texts) -> None:
    dispatch, calls = texts.dispatch(), [texts.call(number) for number in range(20)]
    assert sent_by(await deliver(dispatch, *calls)) == {"twilio": 20}


@pytest.mark.parametrize("fault", [{"error_rate": 1.0}, {"error_rate": 1.0, "status": 401}])
async def test_what_was_certainly_not_taken_goes_to_the_next_at_once(
    texts: Texts, fault: dict[str, object]
) -> None:
    texts.fault(**fault)
    dispatch, calls = texts.dispatch(), [texts.call(number) for number in range(30)]
    for call in calls:
        assert sent_by(await deliver(dispatch, call)) == {"spare": 1}
    assert texts.accepted(*calls) == {"spare": 30}
    assert texts.first.simulators.faults.requests("twilio") == IN_A_ROW


async def test_it_is_used_again_within_seconds_of_its_recovery(texts: Texts) -> None:
    texts.fault(error_rate=1.0)
    dispatch = texts.dispatch()
    for number in range(IN_A_ROW):
        await deliver(dispatch, texts.call(number))
    texts.first.simulators.faults.clear_all()
    begin, number = time.monotonic(), 100
    while sent_by(await deliver(dispatch, texts.call(number))) != {"twilio": 1}:
        number += 1
        await asyncio.sleep(0.05)
    assert time.monotonic() - begin < 3


async def test_a_provider_that_hangs_holds_up_what_is_in_flight_and_no_more(texts: Texts) -> None:
    texts.fault(hang_rate=1.0)
    dispatch, calls = texts.dispatch(), [texts.call(number) for number in range(100)]
    begin = time.monotonic()
    answers = await deliver(dispatch, *calls)
    assert time.monotonic() - begin < 5
    uncertain = [a for a in answers if isinstance(a.result, Retry)]
    # And one more, if it took so long that the provider was asked whether it is well again.
    assert len(uncertain) <= texts.stage.settings.calls_in_flight + 1
    assert all(isinstance(a.result, Retry) and a.result.uncertain for a in uncertain)
    assert texts.accepted(*calls) == {"spare": 100 - len(uncertain)}


@pytest.mark.parametrize("holds", [False, True])
async def test_what_may_have_been_taken_is_asked_of_no_other(texts: Texts, holds: bool) -> None:
    texts.fault(drop_reply_rate=1.0)
    dispatch, call = texts.dispatch(holds=holds), texts.call()
    (answer,) = await deliver(dispatch, call)
    assert texts.accepted(call) == {"twilio": 1}
    if holds:
        assert isinstance(answer.result, Refused)
        assert answer.result.reason is Reason.UNCERTAIN
    else:
        assert isinstance(answer.result, Retry)
        assert answer.result.uncertain


async def test_while_all_are_in_trouble_deliveries_wait_and_none_is_used_up(texts: Texts) -> None:
    for running in (texts.first, texts.second):
        running.simulators.faults.set("twilio", Fault(error_rate=1.0))
    dispatch = texts.dispatch((1, 1))
    for number in range(IN_A_ROW):
        (answer,) = await deliver(dispatch, texts.call(number))
        assert isinstance(answer.result, Retry)
    waiting = [asyncio.create_task(dispatch.deliver(texts.call(n))) for n in range(50)]
    await asyncio.sleep(0.5)
    assert not any(task.done() for task in waiting)
    texts.first.simulators.faults.clear_all()
    texts.second.simulators.faults.clear_all()
    assert sent_by(await asyncio.wait_for(asyncio.gather(*waiting), 5)).total() == 50


async def test_who_waits_for_a_circuit_ends_when_its_partition_goes(texts: Texts) -> None:
    texts.fault(error_rate=1.0)
    dispatch = texts.alone()
    for number in range(IN_A_ROW):
        await deliver(dispatch, texts.call(number))
    waiting = asyncio.create_task(dispatch.deliver(texts.call()))
    await asyncio.sleep(0.1)
    texts.stage.closing.set()
    with pytest.raises(Abandoned):
        await asyncio.wait_for(waiting, 1)


async def test_who_waits_for_a_circuit_too_long_is_not_sent(texts: Texts) -> None:
    texts.fault(error_rate=1.0)
    dispatch = texts.alone()
    for number in range(IN_A_ROW):
        await deliver(dispatch, texts.call(number))
    texts.first.simulators.faults.clear_all()
    call = texts.call(expires_at=texts.stage.clock.now() + 300)
    (answer,) = await deliver(dispatch, call)
    assert isinstance(answer.result, Retry)
    assert answer.result.reason is Reason.CIRCUIT_OPEN
    assert texts.accepted(call) == {}


async def test_a_retry_after_keeps_all_away_until_then(texts: Texts) -> None:
    texts.fault(error_rate=1.0, status=429, retry_after=1)
    dispatch = texts.alone()
    await deliver(dispatch, texts.call())
    texts.first.simulators.faults.clear_all()
    begin, call = time.monotonic(), texts.call(1)
    assert sent_by(await deliver(dispatch, call)) == {"twilio": 1}
    assert 0.8 < time.monotonic() - begin < 2


async def test_an_address_that_no_provider_serves(texts: Texts) -> None:
    call = texts.call()
    said: Delivery = delivery(texts.stage.clock, address="apns:abc", channel=Channel.PUSH)
    (answer,) = await deliver(texts.dispatch(), Call(said, call.ledger, call.closing))
    assert isinstance(answer.result, Refused)
    assert answer.result.reason is Reason.NO_PROVIDER
    assert "TOCSIN_PUSH_PROVIDERS" in answer.result.detail
