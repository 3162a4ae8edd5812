"""An address that is gone, or whose owner complains, is written to no more."""

from typing import Any

import pytest

from policy.tracking.ticket import Purpose, issue_ticket
from schemas.profile import BotChat, Contacts
from schemas.topics import (
    CONTACTS,
)
from schemas.vocabulary import Channel, Reason
from sinks.tickets import Tickets
from tests.web.dsn import complaint
from tests.web.opting_out.mail_reports import mailgun, postmark, resend, sendgrid, ses, smtp
from tests.web.opting_out.town import EMAIL, EVERYWHERE, KEY, LONG, PHONES, SMS, Town
from tests.web.signing import SETTINGS


@pytest.mark.parametrize("user", ["ann", LONG])
@pytest.mark.parametrize("code", ["63003", "63016"])
async def test_a_number_without_whatsapp_is_not_written_to_again(
    town: Town, user: str, code: str
) -> None:
    """And one that only had no template is, however long ids are."""
    chat = BotChat(platform="whatsapp", chat=PHONES["ann"])
    said = Contacts(user=user, tenant=user, phone=PHONES["bob"], bot_chats=(chat,))
    await town.write(CONTACTS, user, said)
    sent = (await town.happens(user, "talk", user))[Channel.CHAT]
    assert sent.address == f"whatsapp:{PHONES['ann']}"
    ticket = Tickets(SETTINGS.model_copy(update={"partitions": 1})).of(sent, Purpose.REPORT)
    status = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": code}
    await town.reports("twiliowhatsapp", status, ticket)
    again = await town.happens(user, "talk", user)
    assert (Channel.CHAT in again) is (code == "63016")


GONE = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "ann@example.com"}]}

ANGRY = {"complainedRecipients": [{"emailAddress": "ann@example.com"}]}

AUGUST = "hard_bounce until 2026-08-28T12:02:00Z"
"""180 days after the first of March."""

BARRED: list[tuple[str, Any, str]] = [
    ("sendgrid", lambda t: sendgrid("bounce", t, type="bounce", reason="550"), AUGUST),
    ("sendgrid", lambda t: sendgrid("spamreport", t), "complaint"),
    ("mailgun", lambda t: mailgun("failed", t, severity="permanent"), AUGUST),
    ("mailgun", lambda t: mailgun("complained", t), "complaint"),
    ("ses", lambda t: ses("Bounce", t, **GONE), AUGUST),
    ("ses", lambda t: ses("Complaint", t, **ANGRY), "complaint"),
    ("postmark", lambda t: postmark("Bounce", t, Type="HardBounce"), AUGUST),
    ("postmark", lambda t: postmark("SpamComplaint", t), "complaint"),
    ("resend", lambda t: resend("bounced", t, bounce={"type": "Permanent"}), AUGUST),
    ("resend", lambda t: resend("complained", t), "complaint"),
    ("smtp", lambda t: smtp("550 5.1.1 User unknown", t), AUGUST),
    ("smtp", lambda t: complaint("abuse", f"X-Tocsin-Ticket: {t}"), "complaint"),
]


@pytest.mark.parametrize(("provider", "values", "bar"), BARRED)
async def test_an_address_that_is_gone_or_complains_gets_no_more_mail(
    town: Town, provider: str, values: Any, bar: str
) -> None:
    mail = (await town.happens("ann"))[EMAIL]
    await town.reports(provider, values(issue_ticket(mail, Purpose.REPORT, KEY)))
    assert (await town.happens("ann")).keys() == EVERYWHERE - {EMAIL}
    assert town.why() == [(EMAIL, Reason.SUPPRESSED_ADDRESS, bar)]
    # The address itself is barred, whatever it is about; nobody else's is.
    assert EMAIL not in await town.happens("ann", "bill")
    assert (await town.happens("bob")).keys() == EVERYWHERE


SOFT: list[tuple[str, Any]] = [
    ("sendgrid", lambda t: sendgrid("bounce", t, type="blocked", reason="421")),
    ("sendgrid", lambda t: sendgrid("dropped", t, reason="Bounced Address")),
    ("mailgun", lambda t: mailgun("failed", t, severity="temporary")),
    ("mailgun", lambda t: mailgun("rejected", t)),
    ("ses", lambda t: ses("Bounce", t, **GONE | {"bounceType": "Transient"})),
    ("ses", lambda t: ses("Reject", t, reason="Bad content")),
    ("postmark", lambda t: postmark("Bounce", t, Type="Transient")),
    ("postmark", lambda t: postmark("Bounce", t, Type="SoftBounce")),
    ("resend", lambda t: resend("bounced", t, bounce={"type": "Transient"})),
    ("resend", lambda t: resend("suppressed", t, suppressed={"message": "listed"})),
    ("smtp", lambda t: smtp("552 5.2.2 over quota", t)),
    ("smtp", lambda t: smtp("554 5.7.1 Relay access denied", t)),
    ("smtp", lambda t: smtp("450 4.2.0 Greylisted", t, "delayed")),
]


@pytest.mark.parametrize(("provider", "values"), SOFT)
async def test_a_mail_that_failed_this_once_bars_nothing(
    town: Town, provider: str, values: Any
) -> None:
    mail = (await town.happens("ann"))[EMAIL]
    await town.reports(provider, values(issue_ticket(mail, Purpose.REPORT, KEY)))
    assert (await town.happens("ann")).keys() == EVERYWHERE


DEAD_NUMBERS = [
    ("twilio", {"MessageStatus": "undelivered", "ErrorCode": "30005"}),
    ("twilio", {"MessageStatus": "undelivered", "ErrorCode": "30006"}),
    ("plivo", {"Status": "undelivered", "ErrorCode": "50"}),
    ("plivo", {"Status": "undelivered", "ErrorCode": "70"}),
]


@pytest.mark.parametrize(("provider", "fields"), DEAD_NUMBERS)
async def test_a_number_that_is_none_gets_no_more_texts(
    town: Town, provider: str, fields: dict[str, str]
) -> None:
    text = (await town.happens("ann"))[SMS]
    await town.reports(provider, fields, issue_ticket(text, Purpose.REPORT, KEY))
    assert (await town.happens("ann")).keys() == EVERYWHERE - {SMS}
    assert [reason for _, reason, _ in town.why()] == [Reason.SUPPRESSED_ADDRESS]
    assert (await town.happens("bob")).keys() == EVERYWHERE
