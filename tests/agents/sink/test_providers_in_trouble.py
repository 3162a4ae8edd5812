"""What is said, and by whom, of providers that are in trouble."""

import pytest
from prometheus_client import REGISTRY

from agents.sink.dispatch import Answer
from schemas.question import CircuitState
from schemas.vocabulary import Reason
from sinks.http.breaker import FIRST_MS
from sinks.provider import PermanentFailure, TransientFailure
from tests.agents.sink.test_dispatch import Elsewhere, Spare, Texts, Third, deliver, in_trouble
from tests.agents.sink.test_dispatch import texts as texts


async def test_where_others_can_be_reached_it_is_said_when_to_try_again(texts: Texts) -> None:
    """It would hold up their lane; once they are in trouble too, all wait where they are."""
    dispatch, call = await in_trouble(texts, texts.well(Elsewhere, 1)), texts.call()
    texts.stage.clock.ahead += 300
    (answer,) = await deliver(dispatch, call)
    left = (FIRST_MS - 300) / 1000
    assert answer == Answer("", TransientFailure(Reason.CIRCUIT_OPEN, "twilio", left))
    assert texts.accepted(call) == {}


@pytest.mark.parametrize(
    ("spare", "third", "instead"), [(3, 1, ["spare", "third"]), (1, 3, ["third", "spare"])]
)
async def test_those_of_most_weight_are_named_first_for_who_is_in_trouble(
    texts: Texts, spare: int, third: int, instead: list[str]
) -> None:
    others = texts.well(Spare, spare), texts.well(Third, third), texts.well(Elsewhere, 9)
    dispatch = texts.beside(*others)
    texts.fault(error_rate=1.0)
    for number in range(100):
        texts.stage.clock.ahead += 1
        await deliver(dispatch, texts.call(number))
    twilio, *_ = dispatch.circuits()
    assert (twilio.state, twilio.instead) == ("open", instead)


async def test_what_an_operator_is_told_of_providers_in_trouble_and_well(texts: Texts) -> None:
    """What it said, since when nothing succeeds, and who is called instead; and when it is over."""
    dispatch, began = texts.dispatch(weights=(1, 1)), texts.stage.clock.now()
    assert dispatch.circuits() == [
        CircuitState(provider="twilio", state="closed"),
        CircuitState(provider="spare", state="closed"),
    ]
    texts.fault(error_rate=1.0, status=503)
    for number in range(40):
        texts.stage.clock.ahead += 1
        await deliver(dispatch, texts.call(number))
    twilio, spare = dispatch.circuits()
    assert (twilio.state, twilio.instead) == ("open", ["spare"])
    assert twilio.last_error.startswith("provider_error: ")
    assert "503" in twilio.last_error
    assert began < twilio.failing_since < twilio.last_error_at < texts.stage.clock.now()
    assert spare == CircuitState(provider="spare", state="closed")
    metric = "tocsin_provider_failing_since_seconds"
    assert REGISTRY.get_sample_value(metric, {"provider": "twilio"}) == twilio.failing_since / 1000

    texts.first.simulators.faults.clear_all()
    texts.stage.clock.ahead += FIRST_MS
    for number in range(40, 80):
        await deliver(dispatch, texts.call(number))
    well, _ = dispatch.circuits()
    assert (well.state, well.failing_since, well.instead) == ("closed", 0, [])
    assert (well.last_error, well.last_error_at) == (twilio.last_error, twilio.last_error_at)
    assert REGISTRY.get_sample_value(metric, {"provider": "twilio"}) == 0


async def test_the_log_says_who_is_left_alone_and_what_it_said(
    texts: Texts, caplog: pytest.LogCaptureFixture
) -> None:
    dispatch = await in_trouble(texts)
    (left,) = [each.message for each in caplog.records if "left alone" in each.message]
    assert left.startswith("twilio is left alone for 1 s (provider_error: HTTP 503: ")
    texts.stage.clock.ahead += FIRST_MS
    await deliver(dispatch, texts.call())
    assert caplog.records[-1].message == "twilio is called again."


async def test_whose_own_fault_it_is_that_says_nothing_of_the_provider(texts: Texts) -> None:
    texts.fault(error_rate=1.0, status=400)
    dispatch = texts.alone()
    (answer,) = await deliver(dispatch, texts.call())
    assert isinstance(answer.result, PermanentFailure)
    assert dispatch.circuits() == [CircuitState(provider="twilio", state="closed")]
