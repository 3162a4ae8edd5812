"""The one protocol that every provider of every channel implements."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from schemas.delivery import Delivery
from schemas.vocabulary import Channel, Priority, Reason


class Sent(Struct, frozen=True):
    """The provider took the message; `reference` is the name that it gave it.

    An SMS has its `segments`, and what they `cost` by the prices in the settings.
    """

    reference: str
    segments: int = 0
    cost: float = 0.0


class Retry(Struct, frozen=True):
    """Not now: the same call may succeed later, not before `after` seconds if that is given.

    `uncertain` says that the provider may have taken it, as no answer came that tells.
    """

    reason: Reason
    detail: str
    after: float | None = None
    uncertain: bool = False


class Refused(Struct, frozen=True):
    """Never: the same call can't succeed."""

    reason: Reason
    detail: str


Outcome = Sent | Retry | Refused


class Provider(Protocol):
    """Delivers messages of one channel over one provider's wire protocol."""

    name: str
    channel: Channel
    scheme: str
    """Of the addresses that it reaches, as in `policy.user.address`; BARE for those without one."""
    is_one_server: bool
    """False where addresses are servers of their own, whose trouble is no trouble of others."""
    batch_size: int
    """How many deliveries one call can carry."""

    def linger(self, priority: Priority) -> float:
        """Seconds that a delivery of this priority may wait for others to share its call."""
        ...

    async def check(self) -> None:
        """Raise Misconfigured, naming the setting, when the credentials can't work."""
        ...

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """Make one call and return one outcome a delivery, in order.

        Never raises for what a provider or the network does: a time-out, a refused connection
        and an unreadable reply are `Retry`. It must not be assumed that an uncertain one was
        not delivered: the reply may be what got lost.
        """
        ...

    async def close(self) -> None:
        """Close connections."""
        ...
