"""Tickets as they come back: whole, or as a stub whose ticket the decider keeps."""

from typing import Any

import pytest

from policy.tracking.ticket import Purpose, Ticket, issue_stub, issue_ticket, stub_of, ticket_of
from schemas.errors import Unavailable
from schemas.question import ReadTicket
from schemas.vocabulary import Channel
from tests.sinks.requests.recorder import delivery
from tests.web.caller import KEY, settings
from tests.web.desk import Asked
from web.tickets import Tickets

MAIL = delivery(Channel.EMAIL, "ada@example.com")
STUB = issue_stub(MAIL, 7, Purpose.REPORT, KEY)


async def found(text: str, answer: Any = None) -> tuple[Ticket | None, list[Any]]:
    owners = Asked()
    owners.answer = answer
    return await Tickets(settings(), owners).find(text, Purpose.REPORT), owners.asked


async def test_a_whole_ticket_is_asked_of_nobody() -> None:
    text = issue_ticket(MAIL, Purpose.REPORT, KEY)
    assert await found(text) == (ticket_of(MAIL, Purpose.REPORT), [])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        STUB[:-3],
        issue_stub(MAIL, 7, Purpose.REPORT, b"another"),
        issue_stub(MAIL, 7, Purpose.OPEN, KEY),
        issue_ticket(MAIL, Purpose.OPEN, KEY),
    ],
)
async def test_what_we_did_not_issue_is_asked_of_nobody(text: str) -> None:
    assert await found(text, [ticket_of(MAIL)]) == (None, [])


@pytest.mark.parametrize("kept", [[ticket_of(MAIL)], []])
async def test_a_stubs_ticket_is_asked_for_where_it_is_kept(kept: list[Ticket]) -> None:
    question = ReadTicket(
        owner=stub_of(MAIL, 7).owner.hex(),
        expires_at=MAIL.expires_at,
        delivery_id=MAIL.delivery_id,
    )
    expected = kept[0] if kept else None
    assert await found(STUB, kept) == (expected, [("decider", "7", question, None)])


@pytest.mark.parametrize(
    "error", [Unavailable("nobody has it"), RuntimeError("a worker answered 400")]
)
async def test_while_nobody_answers_it_is_not_said_that_there_is_none(error: Exception) -> None:
    """A decider of the last release does not know the question."""
    with pytest.raises(Unavailable):
        await found(STUB, error)
