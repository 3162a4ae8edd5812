"""What the web asks the decider of a user; answered where the user's partition is held."""

from msgspec import Struct

from schemas.event import Event, Name


class Explain(Struct, frozen=True, kw_only=True, tag="explain"):
    """What would become of an event for a user now, by each type that it sets off."""

    event: Event
    user: Name


class ReadUser(Struct, frozen=True, kw_only=True, tag="user"):
    """What is known of a user."""

    tenant: Name
    user: Name


Question = Explain | ReadUser
