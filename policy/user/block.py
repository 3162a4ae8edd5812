"""Actors whom a user blocks, and those whom they blocked once."""

from collections.abc import Iterator

from msgspec.structs import replace

from policy.time.timestamps import epoch_ms
from policy.user.profile import Profile
from schemas.profile import Block

MOST_BLOCKED = 1000
"""Actors of one user of whom a block, or its end, is remembered."""


def with_block(profile: Profile, said: Block, accepted_at: int) -> Profile:
    """The profile after one block, or its end; the same one where a later word is known already.

    Kept is when, above 0 (epoch ms) for blocked and below for blocked no longer; never later than
    Kafka took it, at `accepted_at`: a clock that is ahead must not block for good. Of more than
    MOST_BLOCKED those go first whose block ended longest ago, and then the oldest blocks.
    """
    at = max(1, min(epoch_ms(said.at), accepted_at))
    before = profile.blocks.get(said.actor, 0)
    after = at if said.blocked else -at
    if abs(before) > at or before == after:
        return profile
    blocks = {**profile.blocks, said.actor: after}
    if len(blocks) > MOST_BLOCKED:
        del blocks[min(blocks, key=lambda actor: (blocks[actor] > 0, abs(blocks[actor])))]
    return replace(profile, blocks=blocks)


def is_blocked(profile: Profile, actor: str) -> bool:
    """Whether the user has blocked the actor."""
    return profile.blocks.get(actor, 0) > 0


def blocked(profile: Profile) -> Iterator[tuple[str, int]]:
    """Whom the user has blocked, by name, and since when (epoch ms)."""
    for actor, at in sorted(profile.blocks.items()):
        if at > 0:
            yield actor, at
