"""What the web asks the decider of a user; answered where the user's partition is held."""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.event import Event, Hex, Name
from schemas.inbox_change import ItemId
from schemas.inbox_question import MOST
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
