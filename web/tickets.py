"""Tickets as they come back, with links and reports."""

from pipeline.settings import Settings
from policy.tracking.bounce_token import read_token
from policy.tracking.reference import read_reference
from policy.tracking.ticket import Purpose, Stub, Ticket, read_stub, read_ticket
from schemas.errors import Unavailable
from schemas.question import ReadSentTicket, ReadTicket
from schemas.vocabulary import Channel
from web.api.services import DECIDER
from web.workers.partition_router import Owners

QUESTION_SECONDS = 4.0
"""For which a sink has to say whose message a reference names."""


class Tickets:
    """Reads those that we issued; that of a stub or a reference is asked for where it is kept."""

    def __init__(self, settings: Settings, owners: Owners) -> None:
        self._key = settings.signing_key.get_secret_value().encode()
        self._owners = owners
        self._partitions = settings.partitions

    async def find(self, text: str, purpose: Purpose) -> Ticket | None:
        """The ticket, None for what we did not issue for this, or do not keep any more.

        Raises Unavailable where nobody answers who keeps it.
        """
        ticket = read_ticket(text, purpose, self._key)
        if ticket is not None:
            return ticket
        stub = read_stub(text, purpose, self._key)
        return None if stub is None else await self._kept(stub)

    async def referred(self, text: str, channel: Channel) -> Ticket | None:
        """The ticket of a message that bears a reference, None for what we do not know any more.

        The token of a mail names its channel itself.
        Raises Unavailable where nobody answers who keeps it. A reference is not signed: who brings
        it must be known to be the provider. The token of a mail is.
        """
        named = read_reference(text)
        if named is None:
            channel, named = Channel.EMAIL, read_token(text, self._key)
        if named is None or named.partition >= self._partitions:
            return None
        question = ReadSentTicket(delivery_id=named.delivery_id, day=named.day)
        kept = await self._owners.ask_once(
            channel, named.partition, question, list[Ticket], QUESTION_SECONDS
        )
        if kept is None:
            raise Unavailable(f"No {channel} worker answers for partition {named.partition}.")
        return kept[0] if kept else None

    async def _kept(self, stub: Stub) -> Ticket | None:
        question = ReadTicket(
            owner=stub.owner.hex(),
            expires_at=stub.expires_at,
            delivery_id=stub.delivery_id.hex(),
        )
        try:
            kept = await self._owners.ask_in(DECIDER, stub.partition, question, list[Ticket])
        except RuntimeError:
            raise Unavailable("A decider of the previous release stores no tickets.") from None
        return kept[0] if kept else None
