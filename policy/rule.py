"""A rule: one reason not to send now, asked of a draft."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from policy.decision import Outcome
from policy.digest_window import DigestWindow
from schemas.vocabulary import Reason

if TYPE_CHECKING:
    from policy.draft import Draft


class Later(Struct, frozen=True):
    """Ask again at `due_at` (ms)."""

    due_at: int
    reason: Reason
    detail: str


class Gather(Struct, frozen=True):
    """Put it with others into one digest: with those of the same `source`, type and key."""

    window: DigestWindow
    source: str
    reason: Reason = Reason.DIGEST
    detail: str = ""


Verdict = Outcome | Later | Gather


class Rule(Struct, frozen=True):
    """What may object to a plan: `test` answers None for no objection.

    `shows` says, for an explanation, what the rule looks at.
    """

    name: str
    test: "Callable[[Draft], Verdict | None]"
    shows: "Callable[[Draft], str]"
