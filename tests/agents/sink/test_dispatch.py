"""Fail-over: a delivery goes where it can be taken, and is never risked twice against the rule."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from agents.sink.dispatch import Answer, Dispatch
from agents.sink.provider_calls import Call
from embedded.simulators.accept_log import read_accept_log
from embedded.simulators.faults import Fault
from embedded.simulators.server import Serving, serving
from policy.contact.address import WHATSAPP
from schemas.delivery import Delivery
from schemas.errors import Abandoned, Unavailable
from schemas.vocabulary import Channel, Priority, Reason
from sinks.http.breaker import FIRST_MS, IN_A_ROW
from sinks.http.client import HttpClient
from sinks.provider import PermanentFailure, TransientFailure
from sinks.registry import Weighted
from sinks.sms.twilio import Twilio
from tables.sent import SentLedger, SentMark
from tables.storage.memory_store import MemoryStore
from tests.agents.line import Line
from tests.agents.samples import delivery
from tests.agents.stage import Stage, staging
from tests.patience import PATIENCE, ended, until

SOON = 0.6
"""Seconds that a call has where a test waits for it to time out; else it has all the patience."""


class Spare(Twilio):
    """A second provider of the same kind."""

    name = "spare"


class Third(Twilio):
    """And another one."""

    name = "third"


class Elsewhere(Twilio):
    """One that reaches other addresses of the channel."""

    name, scheme = "elsewhere", WHATSAPP


@dataclass
class Texts:
    """Two providers, each with simulators of its own; the clock of their circuits stands still."""

    stage: Stage
    first: Serving
    second: Serving
    logs: dict[str, Path]
    http: HttpClient

    def dispatch(
        self,
        weights: tuple[int, int] = (1, 0),
        *,
        holds: bool = False,
        first_by: HttpClient | None = None,
    ) -> Dispatch:
        """The two, weighed so; the first is called by a client of its own if one is given."""
        providers = [
            Weighted(kind(self.stage.settings.model_copy(update=self.reach(running)), http), weight)
            for kind, running, http, weight in (
                (Twilio, self.first, first_by or self.http, weights[0]),
                (Spare, self.second, self.http, weights[1]),
            )
        ]
        return Dispatch(providers, self.stage.runtime, holds=holds)

    def alone(self) -> Dispatch:
        """The first without the second."""
        return self.beside()

    def beside(self, *others: Weighted) -> Dispatch:
        """The first and others."""
        settings = self.stage.settings.model_copy(update=self.reach(self.first))
        providers = [Weighted(Twilio(settings, self.http), 1), *others]
        return Dispatch(providers, self.stage.runtime, holds=False)

    def well(self, kind: type[Twilio], weight: int) -> Weighted:
        """A provider that is in no trouble."""
        settings = self.stage.settings.model_copy(update=self.reach(self.second))
        return Weighted(kind(settings, self.http), weight)

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

    def requests(self) -> int:
        """How many requests met the first provider's fault."""
        return self.first.simulators.faults.requests("twilio")

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
async def texts(line: Line, tmp_path: Path, accounts: tuple[bytes, bytes]) -> AsyncIterator[Texts]:
    http = HttpClient(PATIENCE, connections=8)
    one, two = tmp_path / "one", tmp_path / "two"
    for folder, its_accounts in zip((one, two), accounts, strict=True):
        folder.mkdir()
        (folder / "accounts.json").write_bytes(its_accounts)
    logs = {"twilio": one / "accepted.jsonl", "spare": two / "accepted.jsonl"}
    async with (
        serving(0, logs["twilio"], one) as first,
        serving(0, logs["spare"], two) as second,
        staging(line, tmp_path / "state", calls_in_flight=8, provider_timeout=PATIENCE) as stage,
    ):
        stage.clock.stand_still()
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


async def test_nobody_is_called_once_the_lease_has_ended(texts: Texts) -> None:
    """Asked when the call goes out: a slot may have been long in coming."""
    lost = False

    def check_lease() -> None:
        if lost:
            raise Unavailable("the lease has ended")

    texts.stage.runtime = replace(texts.stage.runtime, check_lease=check_lease)
    dispatch, before, after = texts.alone(), texts.call(1), texts.call(2)
    await dispatch.deliver(before)
    lost = True
    with pytest.raises(Unavailable, match="the lease has ended"):
        await dispatch.deliver(after)
    assert texts.accepted(before, after) == {"twilio": 1}


async def test_one_that_stands_by_is_used_only_in_trouble(texts: Texts) -> None:
    dispatch, calls = texts.dispatch(), [texts.call(number) for number in range(20)]
    assert sent_by(await deliver(dispatch, *calls)) == {"twilio": 20}


@pytest.mark.parametrize("fault", [{"error_rate": 1.0}, {"error_rate": 1.0, "status": 401}])
async def test_what_was_certainly_not_taken_goes_to_the_next_at_once(
    texts: Texts, fault: dict[str, object]
) -> None:
    texts.fault(**fault)
    dispatch, calls = texts.dispatch(), [texts.call(number) for number in range(30)]
    found = []
    for call in calls:
        answers = await deliver(dispatch, call)
        assert sent_by(answers) == {"spare": 1}
        found += [name for answer in answers for name, _ in answer.before]
    assert texts.accepted(*calls) == {"spare": 30}
    assert texts.requests() == IN_A_ROW
    # Each call that failed is known, though another provider took the message.
    assert found == ["twilio"] * IN_A_ROW


async def test_it_is_used_again_within_a_second_of_its_recovery(texts: Texts) -> None:
    texts.fault(error_rate=1.0)
    dispatch = texts.dispatch()
    for number in range(IN_A_ROW):
        await deliver(dispatch, texts.call(number))
    texts.first.simulators.faults.clear_all()
    texts.stage.clock.ahead += FIRST_MS - 1
    assert sent_by(await deliver(dispatch, texts.call(100))) == {"spare": 1}
    texts.stage.clock.ahead += 1
    assert sent_by(await deliver(dispatch, texts.call(101))) == {"twilio": 1}


async def test_a_provider_that_hangs_holds_up_what_is_in_flight_and_no_more(texts: Texts) -> None:
    texts.fault(hang_rate=1.0)
    impatient = HttpClient(SOON, connections=8)
    dispatch = texts.dispatch(first_by=impatient)
    calls = [texts.call(number) for number in range(100)]
    answers = await deliver(dispatch, *calls)
    uncertain = [a for a in answers if isinstance(a.result, TransientFailure)]
    # And those that took a free slot before the last of the failures that open the circuit.
    assert len(uncertain) < texts.stage.settings.calls_in_flight + IN_A_ROW
    assert all(isinstance(a.result, TransientFailure) and a.result.uncertain for a in uncertain)
    assert texts.accepted(*calls) == {"spare": 100 - len(uncertain)}
    await impatient.close()


async def test_one_that_hangs_is_called_no_more_before_anything_timed_out(texts: Texts) -> None:
    texts.fault(hang_rate=1.0)
    dispatch = texts.dispatch()
    hanging = [asyncio.create_task(dispatch.deliver(texts.call(n))) for n in range(IN_A_ROW)]
    await until(lambda: texts.requests() == IN_A_ROW)
    texts.stage.clock.ahead += int(PATIENCE * 500) + 1  # half of what a call has
    assert sent_by(await deliver(dispatch, texts.call(100))) == {"spare": 1}
    assert not any(task.done() for task in hanging)
    texts.first.simulators.faults.clear_all()
    await ended(asyncio.gather(*hanging))


@pytest.mark.parametrize("holds", [False, True])
async def test_what_may_have_been_taken_is_asked_of_no_other(texts: Texts, holds: bool) -> None:
    texts.fault(drop_reply_rate=1.0)
    dispatch, call = texts.dispatch(holds=holds), texts.call()
    (answer,) = await deliver(dispatch, call)
    assert texts.accepted(call) == {"twilio": 1}
    if holds:
        assert isinstance(answer.result, PermanentFailure)
        assert answer.result.reason is Reason.UNCERTAIN
    else:
        assert isinstance(answer.result, TransientFailure)
        assert answer.result.uncertain


async def test_while_all_are_in_trouble_deliveries_wait_and_none_is_used_up(texts: Texts) -> None:
    for running in (texts.first, texts.second):
        running.simulators.faults.set("twilio", Fault(error_rate=1.0))
    dispatch = texts.dispatch((1, 1))
    for number in range(IN_A_ROW):
        (answer,) = await deliver(dispatch, texts.call(number))
        assert isinstance(answer.result, TransientFailure)
    waiting = [asyncio.create_task(dispatch.deliver(texts.call(n))) for n in range(50)]
    await asyncio.sleep(0.05)
    assert not any(task.done() for task in waiting)
    texts.first.simulators.faults.clear_all()
    texts.second.simulators.faults.clear_all()
    texts.stage.clock.ahead += FIRST_MS
    assert sent_by(await ended(asyncio.gather(*waiting))).total() == 50


async def in_trouble(texts: Texts, *others: Weighted) -> Dispatch:
    """The first provider, whose circuit has just opened, though it is well again; and others."""
    texts.fault(error_rate=1.0)
    dispatch = texts.beside(*others)
    for number in range(IN_A_ROW):
        await deliver(dispatch, texts.call(number))
    texts.first.simulators.faults.clear_all()
    return dispatch


async def test_who_waits_for_a_circuit_ends_when_its_partition_goes(texts: Texts) -> None:
    dispatch = await in_trouble(texts)
    waiting = asyncio.create_task(dispatch.deliver(texts.call()))
    await asyncio.sleep(0)
    texts.stage.closing.set()
    with pytest.raises(Abandoned):
        await ended(waiting)


async def test_who_waits_for_a_circuit_too_long_is_not_sent(texts: Texts) -> None:
    dispatch = await in_trouble(texts)
    call = texts.call(expires_at=texts.stage.clock.now() + 300)
    waiting = asyncio.create_task(dispatch.deliver(call))
    await asyncio.sleep(0)
    texts.stage.clock.ahead += 300
    answer = await ended(waiting)
    assert isinstance(answer.result, TransientFailure)
    assert answer.result.reason is Reason.CIRCUIT_OPEN
    assert texts.accepted(call) == {}


async def test_a_retry_after_keeps_all_away_until_then(texts: Texts) -> None:
    texts.fault(error_rate=1.0, status=429, retry_after=1)
    dispatch = texts.alone()
    await deliver(dispatch, texts.call())
    texts.first.simulators.faults.clear_all()
    waiting = asyncio.create_task(dispatch.deliver(texts.call(1)))
    await asyncio.sleep(0)
    assert [circuit.free_in for circuit in dispatch.circuits()] == [1.0]
    texts.stage.clock.ahead += 999
    assert [circuit.state for circuit in dispatch.circuits()] == ["open"]
    assert not waiting.done()
    texts.stage.clock.ahead += 1
    assert sent_by([await ended(waiting)]) == {"twilio": 1}


async def test_an_address_that_no_provider_serves(texts: Texts) -> None:
    call = texts.call()
    said: Delivery = delivery(texts.stage.clock, address="apns:abc", channel=Channel.PUSH)
    (answer,) = await deliver(texts.dispatch(), Call(said, call.ledger, call.closing))
    assert isinstance(answer.result, PermanentFailure)
    assert answer.result.reason is Reason.NO_PROVIDER
    assert "TOCSIN_PUSH_PROVIDERS" in answer.result.detail
