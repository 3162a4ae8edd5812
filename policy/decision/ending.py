"""What ends a notification that still waits: another event about the same thing."""

from msgspec import Struct

from policy.field_paths import key_at
from policy.identity import ending_key
from policy.time.timestamps import epoch_ms
from schemas.event import Event
from schemas.request import Request

EVERYBODY = ""
"""In place of a user: the event names nobody, and so ends what is pending for all."""


class Ending(Struct, frozen=True):
    """An event of this type ends what has the same value at `match` in its data.

    `users` is where the type has its own event say who is told, and the ending event whom it
    concerns; empty for a type with another audience.
    """

    event: str
    match: tuple[str, ...]
    users: tuple[str, ...] = ()

    def key(self, event: Event, user: str) -> str | None:
        """What the user's share of an event, of either kind, is found by; None without a value."""
        value = key_at(event.data, self.match)
        return None if value is None else ending_key(self.event, self.match, user, value)

    def keys(self, request: Request) -> tuple[str, ...]:
        """What an ending of this request may be known by; none where its event has no value."""
        found = (self.key(request.event, each) for each in (request.user, EVERYBODY))
        return tuple(key for key in found if key is not None)

    @property
    def shown(self) -> str:
        """The event that ends it, in words."""
        return f"{self.event} of the same {'.'.join(self.match)}"


def is_over(request: Request, at: int) -> bool:
    """Whether what ends or cancels it, `at` that time (epoch ms), came at or after its event.

    In whatever order they were read; at 0 nothing came.
    """
    return at > 0 and at >= epoch_ms(request.event.occurred_at)


def said_of(until: Ending | None) -> str:
    """What ended it, for its row; the type may say nothing of that any more."""
    return "ended by another event" if until is None else f"ended by {until.shown}"
