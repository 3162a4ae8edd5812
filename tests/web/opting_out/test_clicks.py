"""Who unsubscribes hears no more: by a click, at the provider, or in their preferences."""

from typing import Any

import pytest

from policy.tracking.ticket import Purpose, issue_ticket
from schemas.erasure import Erasure
from schemas.profile import Contacts, Preferences, ProfileChange
from schemas.topics import (
    CONTACTS,
    ERASURES,
    PREFERENCES,
    PROFILE_CHANGES,
)
from schemas.vocabulary import Channel, Reason
from sinks.tickets import Tickets
from tests.web.dsn import complaint
from tests.web.opting_out.mail_reports import mailgun, postmark, sendgrid, ses
from tests.web.opting_out.town import EMAIL, EVERYWHERE, KEY, LONG, PUSH, SMS, Town
from tests.web.signing import SETTINGS


async def test_without_a_no_everything_comes(town: Town) -> None:
    for what in ("thing", "other", "bill"):
        assert (await town.happens("ann", what)).keys() == EVERYWHERE
    assert town.why() == []


@pytest.mark.parametrize(
    "form",
    [
        {"List-Unsubscribe": "One-Click"},  # RFC 8058, section 3.1
        {"do": "unsubscribe"},  # the button of our own page
        {},
    ],
)
async def test_one_click_is_honoured(town: Town, form: dict[str, str]) -> None:
    mail = (await town.happens("ann"))[EMAIL]
    await town.clicks(mail, **form)
    assert (await town.happens("ann")).keys() == EVERYWHERE - {EMAIL}
    assert town.why() == [(EMAIL, Reason.OPTED_OUT, "by user, one click")]
    # Nobody else, nothing else, and what is transactional goes out all the same.
    assert (await town.happens("bob")).keys() == EVERYWHERE
    assert (await town.happens("ann", "other")).keys() == EVERYWHERE
    assert (await town.happens("ann", "bill")).keys() == EVERYWHERE
    # An app that knows nothing of the click says that all is wanted.
    wants = Preferences(user="ann", channels=dict.fromkeys(Channel, True))
    await town.write(PREFERENCES, "ann", wants)
    assert (await town.happens("ann")).keys() == EVERYWHERE - {EMAIL}
    await town.clicks(mail, do="subscribe")
    assert (await town.happens("ann")).keys() == EVERYWHERE
    await town.clicks(mail, **form)
    assert EMAIL not in await town.happens("ann")


async def test_to_look_at_the_link_unsubscribes_nobody(town: Town) -> None:
    mail = (await town.happens("ann"))[EMAIL]
    for method in ("GET", "HEAD"):
        url = f"{town.url}/unsubscribe/{issue_ticket(mail, Purpose.UNSUBSCRIBE, KEY)}"
        async with town.session.request(method, url) as answer:
            assert answer.status == 200
    assert (await town.happens("ann")).keys() == EVERYWHERE


LEFT = [
    ("sendgrid", lambda t: sendgrid("unsubscribe", t)),
    ("sendgrid", lambda t: sendgrid("group_unsubscribe", t)),
    ("mailgun", lambda t: mailgun("unsubscribed", t)),
    ("ses", lambda t: ses("Subscription", t, contactList="x")),
    ("postmark", lambda t: postmark("SubscriptionChange", t, SuppressSending=True,
                                    SuppressionReason="ManualSuppression", Origin="Recipient")),
    ("smtp", lambda t: complaint("opt-out", f"X-Tocsin-Ticket: {t}")),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "values"), LEFT)
async def test_who_unsubscribes_at_the_provider_gets_no_more_of_it(
    town: Town, provider: str, values: Any
) -> None:
    mail = (await town.happens("ann"))[EMAIL]
    await town.reports(provider, values(issue_ticket(mail, Purpose.REPORT, KEY)))
    assert (await town.happens("ann")).keys() == EVERYWHERE - {EMAIL}
    assert town.why() == [(EMAIL, Reason.OPTED_OUT, "by user, one click")]
    assert (await town.happens("ann", "other")).keys() == EVERYWHERE
    assert (await town.happens("bob")).keys() == EVERYWHERE


async def test_what_changes_in_postmarks_list_is_not_what_the_user_wants(town: Town) -> None:
    mail = (await town.happens("ann"))[EMAIL]
    ticket = issue_ticket(mail, Purpose.REPORT, KEY)
    gone = {"SuppressSending": True, "SuppressionReason": "HardBounce", "Origin": "Recipient"}
    await town.reports("postmark", postmark("SubscriptionChange", ticket, **gone))
    assert (await town.happens("ann")).keys() == EVERYWHERE
    await town.clicks(mail)
    back = {"SuppressSending": False, "SuppressionReason": None, "Origin": "Customer"}
    await town.reports("postmark", postmark("SubscriptionChange", ticket, **back))
    assert (await town.happens("ann")).keys() == EVERYWHERE - {EMAIL}


@pytest.mark.parametrize(("provider", "values"), LEFT)
async def test_however_long_ids_are_who_unsubscribes_is_known(
    town: Town, provider: str, values: Any
) -> None:
    contacts = Contacts(user=LONG, tenant=LONG, email="ann@example.com")
    await town.write(CONTACTS, LONG, contacts)
    mail = (await town.happens(LONG, tenant=LONG))[EMAIL]
    tickets = Tickets(SETTINGS.model_copy(update={"partitions": 1}))
    ticket, link = (tickets.of(mail, each) for each in (Purpose.REPORT, Purpose.UNSUBSCRIBE))
    assert max(len(ticket), len(link)) < 100
    async with town.session.get(f"{town.url}/unsubscribe/{link}") as page:
        assert "about <strong>things</strong>" in await page.text()
    await town.reports(provider, values(ticket))
    assert EMAIL not in await town.happens(LONG, tenant=LONG)
    assert (EMAIL, Reason.OPTED_OUT, "by user, one click") in town.why()
    # Once they are erased, nobody is left whom the ticket could name.
    erased = Erasure(user=LONG, tenant=LONG)
    await town.write(ERASURES, LONG, erased)
    await town.workers.settle()
    async with town.session.post(f"{town.url}/unsubscribe/{link}") as page:
        assert page.status == 404


async def test_who_comes_back_at_the_provider_is_told_again(town: Town) -> None:
    mail = (await town.happens("ann"))[EMAIL]
    await town.clicks(mail)
    back = sendgrid("group_resubscribe", issue_ticket(mail, Purpose.REPORT, KEY))
    back[0]["timestamp"] = town.clock.at // 1000 + 1
    await town.reports("sendgrid", back)
    assert (await town.happens("ann")).keys() == EVERYWHERE


@pytest.mark.parametrize(("by", "shown"), [("", "producer"), ("api", "api"), ("page", "page")])
async def test_who_turns_a_category_off_is_counted_once(town: Town, by: Any, shown: str) -> None:
    no = ProfileChange(user="ann", categories={"things": {EMAIL: False, PUSH: True}}, by=by)
    for _ in range(2):
        await town.write(PROFILE_CHANGES, "ann", no)
        await town.workers.settle()
    assert town.left() == [("ann", "things", "email", shown)]
    # A channel as a whole stands for its categories, and what is off already is not left.
    wants = Preferences(
        user="bob", channels={EMAIL: True, SMS: False}, categories={"things": {SMS: False}}, by=by
    )
    await town.write(PREFERENCES, "bob", wants)
    # Of whom nothing was known, wishes are brought in, and nothing is left.
    await town.write(PREFERENCES, "eve", Preferences(user="eve", channels={PUSH: False}, by=by))
    await town.workers.settle()
    assert town.left()[1:] == [("bob", "", "sms", shown)]


async def test_one_click_is_reported_with_its_message_alone(town: Town) -> None:
    await town.clicks((await town.happens("ann"))[EMAIL])
    await town.workers.settle()
    assert town.left() == []
