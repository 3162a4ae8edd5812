"""A tenth of all addresses are bad: who has a good one is written to once, and waits for nobody.

Nothing here is timed. The clock stands still, so a circuit that opened would stay open, and what
waits for one would wait until the test is given up.
"""

import asyncio
import random

import pytest

from agents.sink.dispatch import Answer
from schemas.delivery import Delivery
from sinks.provider import PermanentFailure
from tables.sent import SentMark
from tests.patience import in_time
from tests.sinks.dispatching import Dispatching
from tests.sinks.requests.recorder import NOW, Still
from tests.sinks.rig import Rig

COUNT = 120
POISONED = 12
IN_A_ROW = "the bad ones first"
AMONG_THEM = "the bad ones among the good"


def addressed(rig: Rig) -> tuple[list[Delivery], frozenset[str]]:
    """Deliveries to as many users, of which those to bad addresses come first; and who is dead.

    Half of them are to addresses that are none, half to some that are gone.
    """
    dead = frozenset(rig.address(number) for number in range(0, POISONED, 2))
    # The clock of the test is another than that by which their days are reckoned.
    lasting = {"expires_at": NOW + 86_400_000}
    return [
        rig.delivery(
            number,
            address=rig.case.invalid if number % 2 and number < POISONED else rig.address(number),
            **lasting,
        )
        for number in range(COUNT)
    ], dead


@pytest.mark.parametrize("order", [IN_A_ROW, AMONG_THEM])
async def test_bad_addresses_open_no_circuit_and_hold_up_nobody(rig: Rig, order: str) -> None:
    deliveries, dead = addressed(rig)
    good = {delivery.delivery_id for delivery in deliveries[POISONED:]}
    if order == AMONG_THEM:
        random.Random(7).shuffle(deliveries)
    rig.fault(dead=dead)
    line = Dispatching(rig.provider, rig.settings, Still())
    states = set[str]()

    async def deliver(delivery: Delivery) -> tuple[str, Answer]:
        answer = await line.deliver(delivery)
        states.add(line.state)
        return delivery.delivery_id, answer

    async with in_time():
        if order == IN_A_ROW:
            # All of them are known to be bad before anybody is served.
            told = list(await asyncio.gather(*map(deliver, deliveries[:POISONED])))
            told += await asyncio.gather(*map(deliver, deliveries[POISONED:]))
        else:
            told = list(await asyncio.gather(*map(deliver, deliveries)))

    assert states == {"closed"}
    results = {name: answer.result for name, answer in told}
    assert {name for name, result in results.items() if isinstance(result, SentMark)} == good
    refused = [result for name, result in results.items() if name not in good]
    assert all(isinstance(result, PermanentFailure) for result in refused)
    # Nobody is written to twice, and no call is made for a bad address that a good one has to make.
    assert sorted(line.delivery_id for line in rig.witnessed()) == sorted(good)
    assert rig.running.simulators.faults.requests(rig.name) <= COUNT
