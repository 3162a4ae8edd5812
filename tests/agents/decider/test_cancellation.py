"""Cancelled keys are remembered for events that come later, and forgotten once none can."""

import pytest

from agents.decider.decisions import Decisions
from agents.decider.user_states import UserStates
from agents.replay.in_memory_pipeline import HeldClock
from pipeline.processing.lanes import ALL_READ
from pipeline.producing.memory_log import MemoryLog
from pipeline.producing.outputs import Outputs
from policy.catalogue.catalogue import parse
from policy.time.timestamps import moment
from schemas.event import Cancellation
from schemas.topics import CANCELLATIONS, SENT_KEPT_MS
from schemas.vocabulary import Reason
from tables.pending import CANCELLED, CANCELLING
from tables.storage.memory_store import MemoryStore
from tables.storage.table import key_of
from tables.storage.transaction import Transaction
from tables.timers import Horizon, Timers
from tests.agents.decider.test_decisions import (
    CLOSED_MS,
    happened,
    happens,
    held,
    kept_back,
    passes,
    roles_of,
    sent,
    went,
)
from tests.simulation.roles import NOW

MINUTE = 60_000
KEY = key_of("default", "trip")


class Clerk:
    """Cancels a key, and does what is due, over a store in memory."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self._timers = Timers(self.store)

    async def cancel(self, at: int, now: int) -> None:
        transaction, decisions = self._transaction(now)
        decisions.remember_cancelled(Cancellation(cancel_key="trip", actor="shop", at=moment(at)))
        await transaction.commit()

    async def on_timer(self, now: int) -> int | None:
        """Do what is due; what the key is remembered as then."""
        while due := self._timers.due(Horizon(now, now), 10):
            transaction, decisions = self._transaction(now)
            decisions.fire_all(due, Horizon(now, now))
            await transaction.commit()
        return Transaction(None, self.store, self._outputs()).view(CANCELLED).get(KEY)

    def _transaction(self, now: int) -> tuple[Transaction, Decisions]:
        transaction = Transaction(None, self.store, self._outputs())
        states = UserStates(transaction, self._timers, parse({}), 0, 1, ALL_READ, {})
        return transaction, Decisions(transaction, states, parse({}), now, 0)

    def _outputs(self) -> Outputs:
        return Outputs(MemoryLog(HeldClock()))


@pytest.mark.parametrize("ahead", [-MINUTE, 0, 1, MINUTE, 2 * SENT_KEPT_MS])
async def test_a_key_is_forgotten_even_if_its_cancellation_was_ahead_of_our_clock(
    ahead: int,
) -> None:
    clerk, at = Clerk(), NOW + ahead
    await clerk.cancel(at, NOW)
    assert await clerk.on_timer(at + SENT_KEPT_MS - 1) == at
    assert await clerk.on_timer(max(NOW, at) + SENT_KEPT_MS) is None
    assert not clerk.store.stored


async def test_a_key_that_was_cancelled_again_is_kept_for_the_later() -> None:
    clerk = Clerk()
    await clerk.cancel(NOW + MINUTE, NOW)
    await clerk.cancel(NOW, NOW + 2)
    assert await clerk.on_timer(NOW + MINUTE + SENT_KEPT_MS - 1) == NOW + MINUTE
    assert await clerk.on_timer(NOW + MINUTE + SENT_KEPT_MS) is None


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows a transaction, read in one go; of the default that was bound when it was read."""
    monkeypatch.setattr("agents.decider.cancellation.AT_ONCE", 2)
    monkeypatch.setattr("tables.storage.step.Step.__init__.__defaults__", (2, 8 << 20))


@pytest.mark.usefixtures("small_steps")
async def test_a_digest_leaves_out_what_a_cancellation_has_yet_to_come_to() -> None:
    roles = await roles_of()
    events = [happened(n, "gathered", cancel_key=("trip", "other")[n == 3]) for n in range(8)]
    await happens(roles, *events)
    await roles.say(
        CANCELLATIONS, Cancellation(cancel_key="trip", actor="shop", at=moment(NOW + 9))
    )
    await roles.route()
    await roles.decide()
    assert len(kept_back(roles, Reason.CANCELLED)) == 2
    await passes(roles, CLOSED_MS)
    assert sorted(kept_back(roles, Reason.CANCELLED)) == [f"e{n}" for n in range(8) if n != 3]
    assert sent(roles) == ["text 3"]
    assert held(roles) == []


@pytest.mark.usefixtures("small_steps")
async def test_each_of_what_is_held_under_a_key_is_looked_at_once() -> None:
    """Also of what happened later, and so stays: a transaction begins behind the last one."""
    roles, at = await roles_of(), moment(NOW + MINUTE)
    events = [happened(n, deliver_at=at, cancel_key="trip") for n in range(5)]
    await happens(roles, *events)
    before = Cancellation(cancel_key="trip", actor="shop", at=moment(NOW - 1))
    await roles.say(CANCELLATIONS, before)
    await roles.route()
    await roles.decide()  # two
    await roles.on_timer()  # two more
    assert CANCELLING.prefix + KEY in roles.decider_store.stored
    await roles.on_timer()
    assert CANCELLING.prefix + KEY not in roles.decider_store.stored
    await passes(roles, MINUTE)
    assert sorted(went(roles)) == [f"e{n}" for n in range(5)]
    assert held(roles) == []
