"""`blocks` (key: user): a user blocks an actor, or unblocks them."""

from msgspec import Struct

from schemas.event import Moment, Name


class Block(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`user` blocks `actor` from `at` on, or with `blocked` false no longer does.

    Whatever the actor does then notifies the user of nothing and is in no feed of theirs, whoever
    else it is for; but for transactional types, which come all the same. Of two records the later
    `at` counts, in whichever order they come.
    """

    user: Name
    actor: Name
    at: Moment
    blocked: bool = True
    tenant: Name = "default"
