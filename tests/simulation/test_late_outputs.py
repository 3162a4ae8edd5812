"""What a dead worker had sent arrives after its successor's, and undoes nothing that is newer.

The simulation of router and decider holds it for requests, deliveries and withdrawals, which are
known by their ids or bear times of their own; that of inboxes for deliveries. Whether somebody
follows is neither, so it is held here.
"""

import os
from functools import partial
from random import Random
from typing import cast

import pytest

from agents.replay.in_memory_pipeline import HeldClock
from pipeline.producing.memory_log import MemoryLog
from pipeline.producing.outputs import Records
from pipeline.producing.write_queue import Entry
from policy.time.timestamps import moment
from schemas.encoding import encode
from schemas.follow import Follow
from schemas.topics import FOLLOWING, FOLLOWS
from tables.followers import FOLLOWERS
from tests.simulation.roles import Roles
from tests.simulation.test_simulation import FIRST

SEEDS = int(os.environ.get("SIMULATION_SEEDS", "100"))
IN_ONE_TEST = 50


class Late(MemoryLog):
    """A log in which records arrive once more, or for the first time, some writes later."""

    def __init__(self, clock: HeldClock, draw: Random) -> None:
        super().__init__(clock)
        self._draw = draw
        self.late: list[Records] = []

    async def write(self, topic: str, partition: int, entries: list[Entry]) -> int:
        end = await super().write(topic, partition, entries)
        if topic == FOLLOWING.name and self._draw.random() < 0.3:
            self.late.append([(topic, partition, entries)])
        if self.late and self._draw.random() < 0.3:
            for place in self.late.pop(0):
                await super().write(*place)
        return end


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, IN_ONE_TEST))
async def test_router_and_decider_agree_on_who_follows(first: int) -> None:
    for seed in range(first, first + IN_ONE_TEST):
        await walk(Random(seed))


async def walk(draw: Random) -> None:
    """Follow and unfollow at random, many times the same two."""
    roles = Roles(make_log=partial(Late, draw=draw))
    log = cast("Late", roles.log)
    for _ in range(draw.randrange(5, 40)):
        roles.clock.at += draw.choice([0, 0, 1, 500])
        follow = Follow(
            follower=draw.choice("ab"),
            followee=draw.choice("cd"),
            at=moment(roles.clock.at),
            following=draw.random() < 0.6,
        )
        entry = (follow.followee.encode(), encode(follow))
        await MemoryLog.write(log, FOLLOWS.name, 0, [entry])
        if draw.random() < 0.7:
            await roles.route(FOLLOWS)
        if draw.random() < 0.5:
            await roles.decide(FOLLOWING)
    await roles.settle()
    for late in log.late:
        for place in late:
            await MemoryLog.write(log, *place)
    await roles.settle()
    counted = {key for key, _ in roles.router_store.scan(FOLLOWERS.prefix)}
    assert {key for key, _ in roles.decider_store.scan(FOLLOWERS.prefix)} == counted
