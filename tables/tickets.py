"""Tickets that are too long to travel with a message, whose stub says where they are."""

from itertools import islice

from policy.tracking.ticket import Stub, Ticket
from tables.storage.table import Table
from tables.storage.transaction import Transaction

TICKETS = Table(b"w", Ticket)
"""By a digest of tenant and user, when the delivery's time is up, and delivery id."""
MOST_KEPT = 100
"""Of one user; of more, those go first whose time was up first."""


def ticket_key(stub: Stub) -> bytes:
    """Under what the ticket of a stub is kept."""
    return stub.owner + max(0, stub.expires_at).to_bytes(8, "big") + stub.delivery_id


def keep_ticket(transaction: Transaction, stub: Stub, ticket: Ticket) -> None:
    """Keep a ticket, and no more of the user's than MOST_KEPT."""
    tickets = transaction.view(TICKETS)
    tickets.put(ticket_key(stub), ticket)
    kept = list(tickets.keys(stub.owner))
    for key in islice(kept, max(0, len(kept) - MOST_KEPT)):
        tickets.put(key, None)


def drop_tickets(transaction: Transaction, owner: bytes) -> None:
    """Drop all of one user's."""
    tickets = transaction.view(TICKETS)
    for key in list(tickets.keys(owner)):
        tickets.put(key, None)
