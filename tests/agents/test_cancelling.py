"""Cancelled keys are remembered for events that come later, and forgotten once none can."""

import pytest

from agents.decisions import Decisions
from agents.rehearsal import HeldClock
from pipeline.lanes import ALL_READ
from pipeline.memory_log import MemoryLog
from pipeline.outputs import Outputs
from pipeline.topics import SENT_KEPT_MS
from policy.catalogue.catalogue import parse
from policy.instants import moment
from schemas.cancellation import Cancellation
from tables.held import CANCELLED
from tables.memory import MemoryStore
from tables.table import key_of
from tables.timers import Horizon, Timers
from tables.turn import Turn

NOW = 1_773_480_413_600
MINUTE = 60_000
KEY = key_of("default", "trip")


class Clerk:
    """Cancels a key, and does what is due, over a store in memory."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self._timers = Timers(self.store)

    async def cancel(self, at: int, now: int) -> None:
        turn, decisions = self._turn(now)
        decisions.remember_cancelled(Cancellation(cancel_key="trip", actor="shop", at=moment(at)))
        await turn.finish()

    async def wake(self, now: int) -> int | None:
        """Do what is due; what the key is remembered as then."""
        while due := self._timers.due(Horizon(now, now), 10):
            turn, decisions = self._turn(now)
            decisions.fire_all(due, Horizon(now, now))
            await turn.finish()
        return Turn(None, self.store, self._outputs()).view(CANCELLED).get(KEY)

    def _turn(self, now: int) -> tuple[Turn, Decisions]:
        turn = Turn(None, self.store, self._outputs())
        return turn, Decisions(turn, self._timers, parse({}), now, 0, 1, ALL_READ)

    def _outputs(self) -> Outputs:
        return Outputs(MemoryLog(HeldClock()))


@pytest.mark.parametrize("ahead", [-MINUTE, 0, 1, MINUTE, 2 * SENT_KEPT_MS])
async def test_a_key_is_forgotten_even_if_its_cancellation_was_ahead_of_our_clock(
    ahead: int,
) -> None:
    clerk, at = Clerk(), NOW + ahead
    await clerk.cancel(at, NOW)
    assert await clerk.wake(at + SENT_KEPT_MS - 1) == at
    assert await clerk.wake(max(NOW, at) + SENT_KEPT_MS) is None
    assert not clerk.store.stored


async def test_a_key_that_was_cancelled_again_is_kept_for_the_later() -> None:
    clerk = Clerk()
    await clerk.cancel(NOW + MINUTE, NOW)
    await clerk.cancel(NOW, NOW + 2)
    assert await clerk.wake(NOW + MINUTE + SENT_KEPT_MS - 1) == NOW + MINUTE
    assert await clerk.wake(NOW + MINUTE + SENT_KEPT_MS) is None
