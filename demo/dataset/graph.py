"""Who follows whom: most have a few followers, a handful have thousands."""

from collections.abc import Sequence
from random import Random

MOST_FOLLOWED = 8
"""Nobody follows more than this many; the mean is half of it."""
BY_FAME = 0.8
"""Chance that a choice falls on somebody in proportion to the followers they have already."""


def follower_graph(users: Sequence[str], random: Random) -> dict[str, list[str]]:
    """Followers by followee, grown by preferential attachment (Price, 1976).

    People join in random order and follow those who are there. Copying the choice of an earlier
    follow picks by fame without any bookkeeping; the rest are picked evenly.
    """
    joined = list(users)
    random.shuffle(joined)
    choices: list[str] = []
    followers: dict[str, list[str]] = {}
    for present, follower in enumerate(joined):
        if not present:
            continue
        followed: set[str] = set()
        for _ in range(random.randint(0, MOST_FOLLOWED)):
            if choices and random.random() < BY_FAME:
                followee = choices[int(random.random() * len(choices))]
            else:
                followee = joined[int(random.random() * present)]
            if followee != follower:
                followed.add(followee)
        for followee in sorted(followed):
            choices.append(followee)
            followers.setdefault(followee, []).append(follower)
    return followers
