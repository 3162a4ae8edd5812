"""The last release and this version beside each other, under load: nothing lost, nothing twice."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from embedded.local_stack import ROOT, LocalStack
from pipeline.admin.topic_creation import create_topics
from schemas.topics import FORMER, ROLES, Topic
from tests.chaos.conftest import Tell
from tests.chaos.findings import settle
from tests.chaos.flow import BRIEF_RATE, RATE, flowing
from tests.chaos.workers import second, stop

MOST_SHARED = ("router", "decider", "push")
"""Roles that hand on to each other, and so read what the other version wrote."""


@pytest.fixture
async def ours_again(house: LocalStack) -> AsyncIterator[LocalStack]:
    """The house, with the topics that the last release has besides, as where it was set up by that.

    All its workers are of this version again when a test is over.
    """
    others = [Topic(name=name, key="", written_by="", read_by="decider") for name in FORMER]
    await create_topics(house.settings, others)
    try:
        yield house
    finally:
        theirs = [role for role, worker in house.workers.items() if worker.code != ROOT]
        await _roll(house, theirs, ROOT)


async def test_back_to_the_last_release_and_forward_again(
    ours_again: LocalStack, release: Path, tell: Tell
) -> None:
    await _survives(ours_again, "rolled", release, tell, BRIEF_RATE, MOST_SHARED, MOST_SHARED)


@pytest.mark.chaos
async def test_every_role_in_either_order(
    ours_again: LocalStack, release: Path, tell: Tell
) -> None:
    there, back = ROLES, tuple(reversed(ROLES))
    await _survives(ours_again, "all-rolled", release, tell, RATE, there, there, back, back)


async def _survives(
    house: LocalStack, name: str, release: Path, tell: Tell, rate: int, *rolls: tuple[str, ...]
) -> None:
    """Replace roles by the other version, forth and back, while events flow."""
    before = {role: worker.restarts for role, worker in house.workers.items()}
    async with flowing(house, name, 600, rate) as flow:
        for number, roles in enumerate(rolls):
            await _roll(house, roles, ROOT if number % 2 else release)
            if number % 2 == 0:
                # Both versions in one group: they share its partitions and hand them over.
                async with second(house, "decider", f"{name}-{number}"):
                    pass
        flow.healed()
    finding = await settle(house, flow)
    tell(finding.summary())
    finding.assert_all_arrived()
    assert finding.wasted_calls == 0
    assert finding.outputs.repeats == 0
    assert {role: worker.restarts for role, worker in house.workers.items()} == before


async def _roll(house: LocalStack, roles: Sequence[str], code: Path) -> None:
    """Replace one role after the other by the version whose code is in this folder."""
    for role in roles:
        worker = house.workers[role]
        await stop(worker)
        worker.code = code
        await worker.start()
