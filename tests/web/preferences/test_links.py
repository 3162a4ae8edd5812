"""Which links open a person's preferences, and for how long."""

from typing import Any

import pytest

from policy.tracking.ticket import Purpose, issue_stub, issue_ticket, ticket_of
from schemas.errors import Unavailable
from schemas.question import ReadTicket, ReadUser
from schemas.topics import BLOCKS
from tests.sinks.rig import delivery
from tests.sinks.test_sendgrid import SENDGRID
from tests.web.caller import KEY
from tests.web.preferences.person import ALL_BUT_SMS, MAIL, NOW, NOW_SHOWN, TOKEN, Page, Person
from web.gateway.token import Subscriber, make_token, subscriber_secret

TICKETS = [issue_ticket(MAIL, each, KEY) for each in Purpose if each is not Purpose.PREFERENCES]
"""What messages bear, and what they bore before tickets had a purpose."""

ENDED = make_token(
    subscriber_secret(KEY, "acme"), Subscriber("acme", "user-7"), NOW // 1000 - 61, life=60
)


@pytest.mark.parametrize("token", [TOKEN[:-3], ENDED, "x", *TICKETS])
async def test_a_link_that_is_none_shows_and_changes_nothing(person: Person, token: str) -> None:
    """That of a message too: it stands in pixels and callbacks, and so in others' logs."""
    for answer in (await person.sees(token), await person.says(token)):
        assert answer.status == 404
        assert "<h1>This link is not valid</h1>" in answer.text
        assert "It was cut, or has ended." in answer.text
        assert "Retry-After" not in answer.headers
    assert person.owners.asked == []
    german = await person.sees(token, **{"Accept-Language": "de-DE,en"})
    assert "<h1>Dieser Link gilt nicht</h1>" in german.text


MAIL_LINK = issue_ticket(
    delivery(SENDGRID, 7, tenant="acme", accepted_at=NOW), Purpose.PREFERENCES, KEY
)
"""Of a mail that was accepted just now."""

SIXTY_DAYS = 60 * 86_400_000


async def test_a_mails_own_link_opens_the_page_without_whom_the_person_blocks(
    person: Person,
) -> None:
    person.is_known(blocked={"eve": NOW_SHOWN})
    answer = await person.sees(MAIL_LINK)
    assert answer.status == 200
    assert Page(answer).boxes == ALL_BUT_SMS
    assert "eve" not in answer.text
    assert 'name="block"' not in answer.text
    assert person.owners.asked == [
        ("decider", "user-7", ReadUser(tenant="acme", user="user-7"), {})
    ]
    form = {"shown": "big_things.push", "blocked_shown": "eve", "block": "bob"}
    said = await person.says(MAIL_LINK, **form)
    assert (said.status, said.headers["Location"]) == (
        303,
        f"/preferences/{MAIL_LINK}?after=profile-changes:1",
    )
    assert person.change["categories"] == {"big_things": {"push": False}}
    assert person.topics.said(BLOCKS) == []


@pytest.mark.parametrize(("age", "status"), [(SIXTY_DAYS - 1, 200), (SIXTY_DAYS, 404)])
async def test_a_mails_own_link_has_an_end(person: Person, age: int, status: int) -> None:
    old = delivery(SENDGRID, 7, tenant="acme", accepted_at=NOW - age)
    assert (await person.sees(issue_ticket(old, Purpose.PREFERENCES, KEY))).status == status


async def test_a_mails_long_names_are_asked_for_where_they_are_kept(person: Person) -> None:
    long = delivery(SENDGRID, 7, tenant="acme", user="user-7", accepted_at=NOW)
    stub = issue_stub(long, 0, Purpose.PREFERENCES, KEY)
    known = person.owners.answer

    def answer(_: str, asked: Any) -> Any:
        return [ticket_of(long)] if isinstance(asked, ReadTicket) else known

    person.owners.answer = answer
    assert (await person.sees(stub)).status == 200
    # One of another purpose is not even asked for.
    other = issue_stub(long, 0, Purpose.UNSUBSCRIBE, KEY)
    assert (await person.sees(other)).status == 404
    person.owners.answer = Unavailable("nobody has the partition")
    assert (await person.sees(stub)).status == (await person.says(stub)).status == 503
