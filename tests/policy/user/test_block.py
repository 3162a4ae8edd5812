"""Whom a user has blocked is the same in whatever order it is said, and however often."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from policy.user.block import MOST_BLOCKED, blocked, is_blocked, with_block
from policy.user.profile import Profile
from policy.user.user_view import blocked_by
from schemas.profile import Block

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def block(at: int, blocked: bool = True, actor: str = "eve") -> Block:
    """Said for so many milliseconds after 1970 began."""
    moment = EPOCH + timedelta(milliseconds=at)
    return Block(user="ann", actor=actor, at=moment, blocked=blocked)


def after(profile: Profile, said: Block, accepted_at: int = 1_000_000) -> Profile:
    return with_block(profile, said, accepted_at)


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("ends", [True, False])
def test_the_newest_counts_in_every_order(order: tuple[int, ...], ends: bool) -> None:
    said = [block(1000, ends), block(2000, not ends), block(3000, ends)]
    profile = Profile()
    for number in (*order, *order):
        profile = after(profile, said[number])
    assert is_blocked(profile, "eve") is ends
    assert not is_blocked(profile, "bob")


def test_what_is_known_already_changes_nothing() -> None:
    profile = after(Profile(), block(2000))
    for said in (block(2000), block(1000), block(1000, False)):
        assert after(profile, said) is profile


def test_of_two_for_one_moment_the_last_read_counts() -> None:
    profile = after(after(Profile(), block(5)), block(5, False))
    assert not is_blocked(profile, "eve")


def test_a_block_from_the_future_counts_as_of_when_it_was_taken() -> None:
    """A producer whose clock is years ahead must not block an actor for good."""
    profile = after(Profile(), block(10**12), accepted_at=5000)
    assert list(blocked(profile)) == [("eve", 5000)]
    assert not is_blocked(after(profile, block(6000, False), accepted_at=6000), "eve")


def test_a_block_of_the_epoch_itself_counts() -> None:
    assert is_blocked(after(Profile(), block(0)), "eve")


def test_those_that_ended_make_room_before_the_oldest_blocks_do() -> None:
    profile = after(Profile(), block(1, actor="first"))
    profile = after(profile, block(10_000, False, actor="ended"))
    for number in range(MOST_BLOCKED - 1):
        profile = after(profile, block(100 + number, actor=f"a{number}"))
    assert is_blocked(profile, "first")
    assert "ended" not in profile.blocks
    profile = after(profile, block(9000, actor="last"))
    assert len(profile.blocks) == MOST_BLOCKED
    assert not is_blocked(profile, "first")
    assert is_blocked(profile, "last")


def test_who_is_blocked_is_told_by_name_with_the_time() -> None:
    profile = Profile()
    for said in (block(3000, actor="bob"), block(2000), block(4000, False, actor="al")):
        profile = after(profile, said)
    assert list(blocked(profile)) == [("bob", 3000), ("eve", 2000)]
    assert blocked_by(profile) == {
        "bob": "1970-01-01T00:00:03.000Z",
        "eve": "1970-01-01T00:00:02.000Z",
    }
