"""What the web asks roles, and what they answer; `owners` (key: ROLE/PARTITION) says whom."""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.event import Event, Hex, Name
from schemas.inbox import MOST, ItemId
from schemas.request import Broadcast


class Explain(Struct, frozen=True, kw_only=True, tag="explain"):
    """What would become of an event for a user now, by each type that it sets off."""

    event: Event
    user: Name


class ReadUser(Struct, frozen=True, kw_only=True, tag="user"):
    """What is stored about a user."""

    tenant: Name
    user: Name


class CountAudience(Struct, frozen=True, kw_only=True, tag="audience"):
    """Of how many users in this partition it would be decided, of those after `done` (hex)."""

    broadcast: Broadcast
    done: str = ""


class Counted(Struct, frozen=True):
    """So many of those that were looked at; where to go on, empty where these were all."""

    users: int
    done: str = ""


class ReadPosts(Struct, frozen=True, kw_only=True, tag="posts"):
    """The newest posts of much-followed actors whom the user follows, or those before an item."""

    tenant: Name
    user: Name
    before: ItemId | None = None
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 20


class ReadTicket(Struct, frozen=True, kw_only=True, tag="ticket"):
    """The ticket of which a stub has left with a message, by what the stub says.

    The answer is a list with that ticket, an empty one where it is not kept.
    """

    owner: Hex
    expires_at: int
    delivery_id: Hex


Question = Explain | ReadUser | CountAudience | ReadPosts | ReadTicket


class Owner(Struct, frozen=True, kw_only=True):
    """A worker that holds a partition of its role, restored; the newest record counts.

    It may have died since: the caller must expect no answer, or one that it is not there.
    """

    role: str
    partition: int
    url: str


class ReadCircuits(Struct, frozen=True, kw_only=True, tag="circuits"):
    """The circuits of a sink's process."""


class CircuitState(Struct, frozen=True, kw_only=True):
    """Whether a provider is called now: `closed` (all calls), `half_open` (one, to see) or `open`
    (none, for so many seconds).

    Nothing has succeeded since `failing_since`; at `last_error_at` it last failed, saying
    `last_error`. Both are epoch milliseconds, 0 for never. While it is left alone, its deliveries
    go to those `instead`, by weight; without any they wait.
    """

    provider: str
    state: str
    free_in: float = 0.0
    failing_since: int = 0
    last_error: str = ""
    last_error_at: int = 0
    instead: list[str] = []


class ReadSources(Struct, frozen=True, kw_only=True, tag="sources"):
    """The sources that a process reads."""


class SourceState(Struct, frozen=True, kw_only=True):
    """How far one process is with its part of a source.

    `lag` are records before it, `per_second` those that it was done with lately. What came of the
    others since the process began is `moved`, `skipped` and `dead`. At `last_error_at` (epoch ms, 0
    for never) a record was refused last, saying `last_error`; where it `waits`, it reads nothing
    for now, and says why.
    """

    source: str
    lag: int = 0
    per_second: float = 0.0
    moved: int = 0
    skipped: int = 0
    dead: int = 0
    last_error: str = ""
    last_error_at: int = 0
    waits: str = ""


class TakeRequests(Struct, frozen=True, kw_only=True, tag="take_requests"):
    """Up to `wanted` requests of the limit `name`, which allows so many a minute."""

    name: Annotated[str, Meta(max_length=500)]
    per_minute: Annotated[int, Meta(ge=1)]
    wanted: Annotated[int, Meta(ge=1)] = 1


class Allowance(Struct, frozen=True, kw_only=True):
    """So many are `granted`, and count as made; `left` may follow at once.

    After `full_in` seconds all of the burst is possible again, and after `next_in` one request.
    """

    granted: int
    left: int
    full_in: float
    next_in: float


class ReadSentTicket(Struct, frozen=True, kw_only=True, tag="ticket"):
    """The ticket of a delivery that was sent; `day` (since 1970) is that on which it expires.

    It is answered with a list: empty where none was kept, or its user was erased.
    """

    delivery_id: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
    day: Annotated[int, Meta(ge=0, lt=1 << 31)]
