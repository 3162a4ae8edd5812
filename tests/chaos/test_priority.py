"""Priority: however much of low priority waits, what is critical overtakes it.

With a million that wait, by `make chaos`, each is timed as well: it leaves within a second.
"""

import asyncio
import math
import time

import pytest

from embedded.local_stack import LocalStack
from embedded.simulators.faults import Fault
from schemas.vocabulary import Channel, Priority
from tests.chaos.conftest import Tell
from tests.chaos.deliveries import Deliveries, accepted, producing, write
from tests.chaos.observe import SETTLED, set_fault, wait_until_read
from tests.patience import until

CRITICALS = 40
PACE = 0.1
"""Seconds between two of them."""


@pytest.mark.parametrize(
    ("backlog", "latency", "within"),
    # Calls of a second let so few through that most still wait, however slow all else is.
    [(3500, 1.0, math.inf), pytest.param(1_000_000, 0.05, 1.0, marks=pytest.mark.chaos)],
)
async def test_critical_overtakes_what_waits(
    house: LocalStack, tell: Tell, backlog: int, latency: float, within: float
) -> None:
    low = Deliveries(f"low-{backlog}", Channel.PUSH, Priority.LOW, backlog)
    urgent = Deliveries(f"urgent-{backlog}", Channel.PUSH, Priority.CRITICAL, CRITICALS)
    await set_fault(house, "fcm", Fault(latency=latency))
    written = {}
    async with producing(house) as producer:
        await write(house, producer, low, range(backlog))
        for number in range(CRITICALS):
            await write(house, producer, urgent, [number])
            written[urgent.id_of(number)] = time.time()
            await asyncio.sleep(PACE)
    await until(lambda: all(accepted(house, urgent.ids()).values()), pause=0.1)
    left = backlog - sum(map(len, accepted(house, low.ids()).values()))
    taken = accepted(house, urgent.ids())
    waited = sorted(lines[0].at - written[name] for name, lines in taken.items())
    tell(
        f"{left:,} of {backlog:,} of low priority still waited; critical ones were accepted after "
        f"{waited[CRITICALS // 2]:.2f} s, the last after {waited[-1]:.2f} s"
    )
    assert left > backlog / 4
    assert waited[-1] < within
    await set_fault(house, "fcm", None)
    begin = time.monotonic()
    # Sixteen calls at a time, as all chaos tests have it, are some 800 a second.
    await wait_until_read(house, within=SETTLED + backlog / 300)
    passed = time.monotonic() - begin
    taken = accepted(house, low.ids())
    lost = sum(not lines for lines in taken.values())
    twice = sum(len(lines) - 1 for lines in taken.values() if lines)
    tell(
        f"the other {left:,} went out within {passed:,.0f} s, {left / passed:,.0f} a second: "
        f"of {backlog:,} lost {lost}, sent again {twice}"
    )
    assert (lost, twice) == (0, 0)
