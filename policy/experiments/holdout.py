"""A holdout: users who get nothing of a type, or of any, so that it shows what telling brings."""

from msgspec import Struct

from policy.decision.decision import Outcome
from policy.field_paths import key_at
from policy.identity import holdout_point
from policy.time.duration import shown
from schemas.event import Event
from schemas.vocabulary import Reason

WHOLE = 10_000
"""Shares are whole numbers of this many."""
TOLD, HELD_OUT = "told", "held_out"
"""The two groups of a holdout."""
_RANGE_BITS = 64


class Holdout(Struct, frozen=True):
    """So large a `share` (of 10,000) of users is held out of a type, or of all where it is empty.

    Who that is depends on tenant, user, type and `name`, and on nothing else: no event, replay or
    restart changes it. A larger share under the same name holds out the same users and others.
    """

    name: str
    share: int
    type: str = ""

    @property
    def label(self) -> str:
        """What its results are kept by: a type's own and everybody's have no name in common."""
        return f"{'holdout' if self.type else 'global'}.{self.name}"

    def holds_out(self, tenant: str, user: str) -> bool:
        """Whether the user is among them."""
        # In whole numbers: a fraction would be rounded.
        return self._point(tenant, user) * WHOLE >> _RANGE_BITS < self.share

    def shown(self, tenant: str, user: str) -> str:
        """In which group the user is, as an explanation."""
        place, whose = self._point(tenant, user) / (1 << _RANGE_BITS), self.type or "all types"
        return f"{self.name} of {whose}: at {place:.2%}, and holds out those below {self.percent}"

    @property
    def percent(self) -> str:
        """The share in words."""
        return f"{self.share / WHOLE * 100:g}%"

    def _point(self, tenant: str, user: str) -> int:
        return holdout_point(tenant, user, self.type, self.name)


class Goal(Struct, frozen=True):
    """What a type is to bring about: that the user does this `within` so long (ms) of its event.

    Whoever is the actor of such an event did it, or whom it names at `user`. With `match` both
    events must have the same value there.
    """

    event: str
    within: int
    match: tuple[str, ...] = ()
    user: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The goal in words."""
        same = f" of the same {'.'.join(self.match)}" if self.match else ""
        return f"{self.event}{same} within {shown(self.within)}"

    def about(self, event: Event) -> str | None:
        """What must be the same of both events; None for one that lacks it, so that it counts in
        neither group."""
        return key_at(event.data, self.match) if self.match else ""


def held_out_by(holdouts: tuple[Holdout, ...], tenant: str, user: str) -> Holdout | None:
    """The first of these holdouts that the user is in."""
    return next((each for each in holdouts if each.holds_out(tenant, user)), None)


def held_out(holdout: Holdout) -> Outcome:
    """What becomes of a notification whose user is in this holdout."""
    return Outcome(None, Reason.HOLDOUT, f"{holdout.percent} of {holdout.type or 'all types'}")


def groups(holdouts: tuple[Holdout, ...], tenant: str, user: str) -> list[str]:
    """In which group of which holdout a user counts who would be notified, as LABEL/GROUP.

    Who is held out counts there alone, and not among those whom another holdout lets be told.
    """
    found = held_out_by(holdouts, tenant, user)
    if found is not None:
        return [f"{found.label}/{HELD_OUT}"]
    return [f"{each.label}/{TOLD}" for each in holdouts]
