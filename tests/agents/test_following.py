"""Who follows whom goes by when it was said, in whichever order it comes."""

from itertools import permutations

import pytest

from agents.following import take_follow
from pipeline.producing.memory_log import MemoryLog
from pipeline.producing.outputs import Outputs
from policy.time.timestamps import moment
from schemas.follow import Follow
from schemas.topics import FOLLOWING, FOLLOWS
from tables.followers import FOLLOW_TIMES, FOLLOWER_COUNTS, FOLLOWERS, UNFOLLOWED
from tables.followers import UNFOLLOWED_KEPT_MS as KEPT_MS
from tables.storage.memory_store import MemoryStore
from tables.storage.table import key_of
from tables.storage.transaction import Transaction
from tests.agents.names import unique
from tests.agents.router.test_agent import counts_of
from tests.agents.shifted_clock import ShiftedClock
from tests.agents.stage import Stage

NOW = 1_773_480_413_600
DAY_MS = 86_400_000


def said(at: int, following: bool, follower: str = "ann", followee: str = "eve") -> Follow:
    return Follow(follower=follower, followee=followee, at=moment(at), following=following)


class Town:
    """A router's follows in one partition, in memory."""

    def __init__(self) -> None:
        self.store = MemoryStore()

    async def hears(self, *follows: Follow, at: int = NOW) -> list[bool]:
        """Take them in one transaction, all accepted at this time; which of them counted."""
        transaction = Transaction(None, self.store, Outputs(MemoryLog(ShiftedClock())))
        taken = [take_follow(transaction, follow, at, 1) for follow in follows]
        await transaction.commit()
        return taken

    def count(self, followee: str = "eve") -> int:
        stored = self.store.stored.get(FOLLOWER_COUNTS.prefix + key_of("default", followee))
        return sum(FOLLOWER_COUNTS.decode(stored).values()) if stored else 0

    def rows(self, *prefixes: bytes) -> int:
        return sum(key[:1] in prefixes for key in self.store.stored)


@pytest.mark.parametrize("order", list(permutations(range(4))))
@pytest.mark.parametrize("first", [True, False])
async def test_in_every_order_the_newest_counts(order: tuple[int, ...], first: bool) -> None:
    """Alternately followed and not: the last of the four is the opposite of the first."""
    town = Town()
    steps = [said(NOW - 4000 + 1000 * at, first ^ bool(at % 2)) for at in range(4)]
    for at in order:
        await town.hears(steps[at])
    assert town.count() == (0 if first else 1)


async def test_a_repeat_makes_a_follow_newer_than_an_unfollow_in_between() -> None:
    town = Town()
    await town.hears(said(NOW - 9, True), said(NOW - 1, True))
    assert await town.hears(said(NOW - 5, False)) == [False]
    assert town.count() == 1


async def test_of_two_for_one_moment_the_last_read_counts() -> None:
    town = Town()
    assert await town.hears(said(NOW, True), said(NOW, False)) == [True, True]
    assert town.count() == 0


async def test_a_follow_from_the_future_counts_as_of_when_it_was_taken() -> None:
    """A producer whose clock is years ahead must not keep anybody from leaving."""
    town = Town()
    await town.hears(said(NOW + 400 * DAY_MS, True))
    assert await town.hears(said(NOW + 1000, False), at=NOW + 1000) == [True]
    assert town.count() == 0


async def test_edges_do_not_mix() -> None:
    town = Town()
    await town.hears(said(NOW, False), said(NOW - 5, True, "bob"), said(NOW - 5, True, "ann", "al"))
    assert (town.count("eve"), town.count("al")) == (1, 1)


async def test_state_of_before_times_were_kept_is_older_than_all() -> None:
    town = Town()
    edge, eve = key_of("default", "eve", "ann"), key_of("default", "eve")
    await town.store.write(
        {
            FOLLOWERS.prefix + edge: FOLLOWERS.encode(True),
            FOLLOWER_COUNTS.prefix + eve: FOLLOWER_COUNTS.encode({0: 1}),
        }
    )
    assert await town.hears(said(0, False)) == [True]
    assert town.count() == 0


async def test_what_is_unfollowed_is_forgotten_after_a_time_and_not_before() -> None:
    town = Town()
    await town.hears(said(NOW, True), said(NOW + 1, False), at=NOW + 1)
    last = NOW + 1 + KEPT_MS
    assert await town.hears(said(NOW, True), at=last) == [False]
    # Whoever unfollows sweeps.
    await town.hears(said(last, False, "bob"), at=last)
    assert await town.hears(said(NOW, True), at=last) == [False]
    await town.hears(said(last + 1, False, "al"), at=last + 1)
    assert town.rows(FOLLOW_TIMES.prefix, UNFOLLOWED.prefix) == 4  # bob's and al's
    assert await town.hears(said(NOW, True), at=last + 1) == [True]


async def test_who_follows_again_is_not_forgotten() -> None:
    town = Town()
    await town.hears(said(NOW, False))
    await town.hears(said(NOW + 1, True), at=NOW + 1)
    later = NOW + 2 * KEPT_MS
    await town.hears(said(later, False, "bob"), at=later)
    assert await town.hears(said(NOW, False), at=later) == [False]
    assert town.count() == 1


async def test_what_is_kept_of_an_unfollowed_edge_names_nobody() -> None:
    town = Town()
    await town.hears(said(NOW, True), said(NOW, False))
    assert town.rows(FOLLOW_TIMES.prefix) == 1
    for key, value in town.store.stored.items():
        assert b"ann" not in key + value


async def test_an_older_follow_that_comes_late_is_not_told_on(stage: Stage) -> None:
    now, actor, ann = stage.clock.now(), unique("actor"), unique("ann")
    await stage.say(
        FOLLOWS,
        said(now - 3000, True, ann, actor),
        said(now - 1000, False, ann, actor),
        said(now - 2000, True, ann, actor),
    )
    await stage.work(stage.router)
    told = [follow.following for follow in await stage.read(FOLLOWING, Follow)]
    assert told == [True, False]
    # Read all over again, as after the loss of its offsets: the state is what it was.
    stage.again(FOLLOWS)
    await stage.work(stage.router)
    told = [follow.following for follow in await stage.read(FOLLOWING, Follow)]
    assert told == [True, False, False]
    assert await counts_of(stage, actor) == {}
