"""Sharing partitions: even, by as few moves as there can be, and back to whom they came from."""

import random
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.consuming.assignment import Claim, assign

names = st.sampled_from("abcdefgh")
members = st.dictionaries(
    names,
    st.builds(Claim, st.integers(-1, 4), st.frozensets(st.integers(0, 9))),
    min_size=1,
    max_size=5,
)
NEW = Claim()


def sizes_of(assigned: dict[str, set[int]]) -> list[int]:
    return sorted(map(len, assigned.values()))


def owner_of(number: int, claims: dict[str, Claim]) -> str | None:
    """Whose the partition is by the newest claim."""
    having = [name for name in sorted(claims) if number in claims[name].partitions]
    return max(having, key=lambda name: claims[name].generation, default=None)


def fewest_moves(count: int, claims: dict[str, Claim]) -> int:
    """By trying every way to hand the larger shares out: what exceeds a share must move."""
    owners = [owner_of(number, claims) for number in range(count)]
    held = [owners.count(name) for name in claims]
    least, more = divmod(count, len(claims))
    shares = set(permutations([least + 1] * more + [least] * (len(claims) - more)))
    return min(
        sum(max(0, has - share) for has, share in zip(held, each, strict=True)) for each in shares
    ) + owners.count(None)


@given(st.integers(0, 10), members)
def test_shares_are_even_and_nothing_is_given_twice_or_to_nobody(
    count: int, claims: dict[str, Claim]
) -> None:
    assigned = assign(range(count), claims)
    assert assigned.keys() == claims.keys()
    assert sorted(number for each in assigned.values() for number in each) == list(range(count))
    least, more = divmod(count, len(claims))
    assert sizes_of(assigned) == [least] * (len(claims) - more) + [least + 1] * more


@given(st.integers(0, 10), members)
def test_no_even_assignment_moves_fewer_partitions(count: int, claims: dict[str, Claim]) -> None:
    assigned = assign(range(count), claims)
    moved = sum(
        number not in assigned.get(owner_of(number, claims) or "", ()) for number in range(count)
    )
    assert moved == fewest_moves(count, claims)


@given(st.integers(0, 10), members, st.randoms())
def test_the_order_in_which_members_are_named_is_of_no_matter(
    count: int, claims: dict[str, Claim], chance: random.Random
) -> None:
    shuffled = list(claims.items())
    chance.shuffle(shuffled)
    assert assign(reversed(range(count)), dict(shuffled)) == assign(range(count), claims)


@given(st.integers(1, 64), members)
def test_what_is_even_already_stays(count: int, claims: dict[str, Claim]) -> None:
    before = assign(range(count), claims)
    again = {name: Claim(7, frozenset(each)) for name, each in before.items()}
    assert assign(range(count), again) == before


@pytest.mark.parametrize(("workers", "count"), [(4, 64), (8, 64), (16, 128), (2, 8), (3, 8)])
def test_a_crash_moves_only_what_the_dead_one_had_and_its_restart_brings_that_back(
    workers: int, count: int
) -> None:
    everyone = {f"w{number:02}": NEW for number in range(workers)}
    home = assign(range(count), everyone)
    for dead in everyone:
        claims = {name: Claim(1, frozenset(each)) for name, each in home.items()}
        left = {name: claim for name, claim in claims.items() if name != dead}
        without = assign(range(count), left)
        kept = {number for name, each in without.items() for number in each & home[name]}
        assert kept == set(range(count)) - home[dead]
        back = {name: Claim(2, frozenset(each)) for name, each in without.items()}
        again = assign(range(count), {**back, dead: claims[dead]})
        moved = sum(len(home[name] - again[name]) for name in home)
        # With one more than others it gets one less: nobody has to give up a partition for it.
        larger = len(home[dead]) > count // workers
        assert moved == larger


def test_a_member_of_an_older_generation_claims_only_what_nobody_newer_has() -> None:
    claims = {"a": Claim(5, frozenset({0, 1})), "b": Claim(3, frozenset({0, 1, 2, 3}))}
    assert assign(range(4), claims) == {"a": {0, 1}, "b": {2, 3}}


def test_a_newcomer_takes_an_even_share_from_all() -> None:
    old = {"a": Claim(1, frozenset(range(6))), "b": Claim(1, frozenset(range(6, 12)))}
    assigned = assign(range(12), {**old, "c": NEW})
    assert sizes_of(assigned) == [4, 4, 4]
    assert assigned["a"] < set(range(6))
    assert assigned["b"] < set(range(6, 12))


def test_who_has_too_many_gives_the_last_ones() -> None:
    """So that which ones move is the same wherever it is reckoned."""
    old = {"a": Claim(1, frozenset(range(4)))}
    assert assign(range(4), {**old, "b": NEW}) == {"a": {0, 1}, "b": {2, 3}}


def test_nobody_gets_nothing() -> None:
    assert assign(range(3), {}) == {}
