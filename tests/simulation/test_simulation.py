"""The whole of router, decider, ledger and timers, in any order, with replays and crashes."""

import os
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest

from agents.decider.user_states import UserStates
from tables.storage import journal_records
from tests.simulation.planted import FAULTS, FIRST_TOWN, SHOWN_BY, little_room
from tests.simulation.play import MortalStore, play
from tests.simulation.script import script
from tests.simulation.witness import broken, see

FIRST = int(os.environ.get("SIMULATION_FIRST", "0"))
SEEDS = int(os.environ.get("SIMULATION_SEEDS", "75"))
CRASHES = 6
DOWN_FOR = 20 * 60_000
IN_ONE_TEST = 25
SMALL_BATCH = 1000
"""Bytes: most of what one event makes is more than that, and some of it many times as much."""


async def problems(seed: int) -> list[str]:
    """What is wrong with a seed: a promise that is broken, or a difference that disorder makes.

    Once something is, the town is not played any further.
    """
    town = script(seed)
    log = await play(town)
    calm = see(log)
    if found := [*log.forgotten, *broken(town, calm)]:
        return found
    log = await play(town, is_disturbed=True, crashes=CRASHES)
    wild = see(log)
    in_order, in_disorder = calm.result(town), wild.result(town)
    found = [*log.forgotten, *broken(town, wild)]
    found += [f"only in order: {line}" for line in in_order - in_disorder]
    found += [f"only in disorder: {line}" for line in in_disorder - in_order]
    if found:
        return found
    log = await play(town, is_disturbed=True, crashes=CRASHES, down_for=DOWN_FOR)
    return [*log.forgotten, *broken(town, see(log), down_for=DOWN_FOR)]


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, IN_ONE_TEST))
async def test_order_replays_and_crashes_change_nothing(first: int) -> None:
    for seed in range(first, min(first + IN_ONE_TEST, FIRST + SEEDS)):
        assert not await problems(seed), f"seed {seed}"


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS // 3, IN_ONE_TEST))
async def test_what_exceeds_a_batch_is_there_as_a_whole_or_not_at_all(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MortalStore, "most_bytes", SMALL_BATCH)
    cut = Mock(wraps=journal_records.cut)
    monkeypatch.setattr("tables.storage.journal.cut", cut)
    for seed in range(first, min(first + IN_ONE_TEST, FIRST + SEEDS)):
        assert not await problems(seed), f"seed {seed}"
    assert cut.called


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS // 7, IN_ONE_TEST))
async def test_what_a_ledger_has_no_room_for_is_known_all_the_same(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    little_room(monkeypatch)
    asked, spilled = Mock(), UserStates.spilled

    def noted(*args: Any) -> bytes:
        asked()
        return spilled(*args)

    monkeypatch.setattr(UserStates, "spilled", noted)
    for seed in range(first, min(first + IN_ONE_TEST, FIRST + SEEDS // 7)):
        assert not await problems(seed), f"seed {seed}"
    assert asked.called


@pytest.mark.parametrize("plant", FAULTS)
async def test_a_planted_fault_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    # A crash must hit the right step, so some faults show in one of a hundred towns.
    for seed in (SHOWN_BY.get(plant, FIRST_TOWN), *range(FIRST_TOWN, FIRST_TOWN + 300)):
        if await problems(seed):
            return
    pytest.fail("nobody noticed")
