"""The one protocol that every provider of every channel implements."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from schemas.delivery import Delivery
from schemas.vocabulary import Channel, Priority, Reason

UNBOUNDED = 1 << 30
"""Calls at once, where nothing bounds them but what all calls of a provider have in common."""


class Fault(StrEnum):
    """Whose fault it is that a message was not taken."""

    MESSAGE = "message"  # this content can't be sent, to whomever
    ADDRESS = "address"  # other addresses are served
    CREDENTIALS = "credentials"
    """Our account as a whole: key, sender, rights or quota. While it lasts nobody is served, so one
    success proves that it was something else."""
    PROVIDER = "provider"  # it is down, slow, or asks everybody to wait


class Sent(Struct, frozen=True):
    """The provider took the message; `reference` is the name that it gave it.

    An SMS has its `segments`, and what they `cost` by the prices in the settings.
    """

    reference: str
    segments: int = 0
    cost: float = 0.0


class TransientFailure(Struct, frozen=True):
    """Not now: the same call may succeed later, not before `after` seconds if that is given.

    `uncertain` says that the provider may have taken it, as no answer came that tells. `fault` is
    set where the reason does not tell whose fault it is, `part` where it is that of a part of the
    provider, which serves some addresses only.
    """

    reason: Reason
    detail: str
    after: float | None = None
    uncertain: bool = False
    fault: Fault | None = None
    part: str = ""

    @property
    def whose(self) -> Fault:
        """Whose fault it is."""
        if self.fault is not None:
            return self.fault
        return Fault.CREDENTIALS if self.reason is Reason.UNAUTHORIZED else Fault.PROVIDER

    @property
    def concerns_all(self) -> bool:
        """Whether it is the provider's fault or our account's there, and not this message's."""
        return self.whose in (Fault.CREDENTIALS, Fault.PROVIDER)


class PermanentFailure(Struct, frozen=True):
    """Never: the same call can't succeed.

    `lasting` is False where a reply blames the address, but our settings may be the cause: then
    the message is lost, and the address is not suppressed.
    """

    reason: Reason
    detail: str
    lasting: bool = True

    @property
    def whose(self) -> Fault:
        """Whose fault it is."""
        blames_address = self.reason in (Reason.UNREGISTERED, Reason.INVALID_ADDRESS)
        return Fault.ADDRESS if blames_address else Fault.MESSAGE


Outcome = Sent | TransientFailure | PermanentFailure


class Provider(Protocol):
    """Delivers messages of one channel over one provider's wire protocol."""

    name: str
    channel: Channel
    scheme: str
    """Of the addresses that it reaches, as in `policy.contact.address`; BARE for those without."""
    is_one_server: bool
    """False where addresses are servers of their own, whose trouble is no trouble of others."""
    calls_per_server: int
    """How many calls one of those servers may have at once, beside what is left for others."""
    keeps_tickets: bool
    """Whether its messages bear references, so that the sent-ledger keeps their tickets."""
    batch_size: int
    """How many deliveries one call can carry."""

    def server_of(self, delivery: Delivery) -> str:
        """The server that serves this address, by which calls are bounded; empty for the one."""
        ...

    def linger(self, priority: Priority) -> float:
        """Seconds that a delivery of this priority may wait for others to share its call."""
        ...

    async def check(self) -> None:
        """Raise Misconfigured, naming the setting, when the credentials can't work."""
        ...

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """Make one call and return one outcome a delivery, in order.

        Never raises for what a provider or the network does: a time-out, a refused connection and
        an unreadable reply are `TransientFailure`. It must not be assumed that an uncertain one was
        not delivered: the reply may be what got lost.
        """
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


class OneServer:
    """What a provider says that has no servers but its own, and whose messages bear tickets."""

    is_one_server = True
    calls_per_server = UNBOUNDED
    keeps_tickets = False

    def server_of(self, delivery: Delivery) -> str:
        """All addresses are served by the provider."""
        return ""
