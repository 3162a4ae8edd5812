"""A rule: one reason not to send now, asked of a draft."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from policy.decision.decision import Outcome
from policy.digest.windows import DigestWindow
from schemas.vocabulary import Channel, Reason

if TYPE_CHECKING:
    from policy.decision.builder import Draft


LIMIT, DIGEST, WISH = "limit", "digest", "wish"
"""What may have an event gathered: a limit, its type, or how often the user wants to hear of it."""


class Later(Struct, frozen=True):
    """Ask again at `due_at` (ms)."""

    due_at: int
    reason: Reason
    detail: str

    @property
    def said(self) -> tuple[Reason, str]:
        """Why, as it is reported."""
        return self.reason, self.detail


class Gather(Struct, frozen=True):
    """Put it with others into one digest: with those of the same `source`, type and key.

    By WISH, with those of all types of its category.
    """

    window: DigestWindow
    source: str
    reason: Reason = Reason.DIGEST
    detail: str = ""


class StandBy(Struct, frozen=True):
    """Ask again once it is known whether one of these channels, which wait, goes out."""

    waited_for: tuple[Channel, ...]

    @property
    def detail(self) -> str:
        """What it is a fallback for, in words."""
        return f"stands by for {' and '.join(self.waited_for)}"


Verdict = Outcome | Later | Gather | StandBy


class Rule(Struct, frozen=True):
    """What may object to a plan: `test` answers None for no objection.

    `shows` says, for an explanation, what the rule looks at.
    """

    name: str
    test: "Callable[[Draft], Verdict | None]"
    shows: "Callable[[Draft], str]"
