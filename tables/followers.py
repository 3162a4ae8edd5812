"""Who follows whom, kept twice: counted by the router, listed by the decider in both directions."""

from tables.table import Table

FOLLOWER_COUNTS: Table[dict[int, int]] = Table(b"c", dict[int, int])
"""By followee (tenant, followee): followers in each user partition."""

FOLLOWERS: Table[bool] = Table(b"f", bool)
"""By edge (tenant, followee, follower). In the router all followers of its followees, so that a
follow told twice counts once; in the decider those followers whose own state is beside them."""

FOLLOWEES: Table[bool] = Table(b"e", bool)
"""The decider's same edges the other way round: (tenant, follower, followee)."""

SEGMENTS: Table[bool] = Table(b"g", bool)
"""Users by attribute: (tenant, attribute, value, user)."""
