"""Tickets as they travel: of one delivery for one purpose after the other."""

from policy.tracking.ticket import Purpose, read_stub, read_ticket, ticket_of
from schemas.vocabulary import Channel
from sinks.tickets import Tickets
from tests.sinks.requests.recorder import delivery, settings

KEY = b"a key to sign with"


def test_those_of_each_delivery_are_its_own_whichever_was_before() -> None:
    tickets = Tickets(settings())
    ann, bo, long = (
        delivery(Channel.EMAIL, "a@b.de", user=user) for user in ("ann", "bo", "x" * 600)
    )
    for each in (ann, bo, long, ann, long, long, bo):
        for purpose in (Purpose.REPORT, Purpose.UNSUBSCRIBE):
            issued = tickets.of(each, purpose)
            if each is long:
                assert read_stub(issued, purpose, KEY) is not None
            else:
                assert read_ticket(issued, purpose, KEY) == ticket_of(each, purpose)
