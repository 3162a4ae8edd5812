"""Priority: however much of low priority waits, what is critical leaves within a second."""

import asyncio
import time

import pytest

from embedded.house import House
from embedded.simulators.faults import Fault
from schemas.vocabulary import Channel, Priority
from tests.chaos.conftest import Tell
from tests.chaos.deliveries import Deliveries, accepted, producing, write
from tests.chaos.observe import set_fault, wait_until_read

CRITICALS = 40
PACE = 0.1
"""Seconds between two of them."""
SLOW = Fault(latency=0.05)
"""So that there is a backlog at the provider too."""


@pytest.mark.parametrize("backlog", [6000, pytest.param(1_000_000, marks=pytest.mark.chaos)])
async def test_critical_leaves_within_a_second(house: House, tell: Tell, backlog: int) -> None:
    low = Deliveries(f"low-{backlog}", Channel.PUSH, Priority.LOW, backlog)
    urgent = Deliveries(f"urgent-{backlog}", Channel.PUSH, Priority.CRITICAL, CRITICALS)
    await set_fault(house, "fcm", SLOW)
    written = {}
    async with producing(house) as producer:
        await write(house, producer, low, range(backlog))
        for number in range(CRITICALS):
            await write(house, producer, urgent, [number])
            written[urgent.id_of(number)] = time.time()
            await asyncio.sleep(PACE)
        await asyncio.sleep(1)
    left = backlog - sum(map(len, accepted(house, low.ids()).values()))
    taken = accepted(house, urgent.ids())
    waited = sorted(lines[0].at - written[name] for name, lines in taken.items())
    tell(
        f"{left:,} of {backlog:,} of low priority still waited; critical ones were accepted after "
        f"{waited[CRITICALS // 2]:.2f} s, the last after {waited[-1]:.2f} s"
    )
    assert left > backlog / 4
    assert len(waited) == CRITICALS
    assert waited[-1] < 1
    await set_fault(house, "fcm", None)
    begin = time.monotonic()
    # Sixteen calls at a time, as all chaos tests have it, are some 800 a second.
    await wait_until_read(house, within=60 + backlog / 300)
    passed = time.monotonic() - begin
    taken = accepted(house, low.ids())
    lost = sum(not lines for lines in taken.values())
    twice = sum(len(lines) - 1 for lines in taken.values() if lines)
    tell(
        f"the other {left:,} went out within {passed:,.0f} s, {left / passed:,.0f} a second: "
        f"of {backlog:,} lost {lost}, sent again {twice}"
    )
    assert (lost, twice) == (0, 0)
