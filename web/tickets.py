"""Tickets as they come back, with links and reports."""

from pipeline.errors import Unavailable
from pipeline.settings import Settings
from policy.ticket import Stub, Ticket, read_stub, read_ticket
from schemas.question import ReadTicket
from web.api.desk import DECIDER
from web.owners import Owners


class Tickets:
    """Reads those that we issued; a stub's ticket is asked for where it is kept."""

    def __init__(self, settings: Settings, owners: Owners) -> None:
        self._key = settings.signing_key.get_secret_value().encode()
        self._owners = owners

    async def find(self, text: str) -> Ticket | None:
        """The ticket, None for what we did not issue, or do not keep any more.

        Raises Unavailable where nobody answers who keeps it.
        """
        ticket = read_ticket(text, self._key)
        if ticket is not None:
            return ticket
        stub = read_stub(text, self._key)
        return None if stub is None else await self._kept(stub)

    async def _kept(self, stub: Stub) -> Ticket | None:
        question = ReadTicket(
            owner=stub.owner.hex(),
            expires_at=stub.expires_at,
            delivery_id=stub.delivery_id.hex(),
        )
        try:
            kept = await self._owners.ask_in(DECIDER, stub.partition, question, list[Ticket])
        except RuntimeError:
            raise Unavailable("A decider of the last release keeps no tickets.") from None
        return kept[0] if kept else None
