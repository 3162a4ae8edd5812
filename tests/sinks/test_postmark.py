"""Postmark: an answer for each mail of a batch, and what a mail carries."""

from dataclasses import replace

import pytest

from policy.tracking.ticket import Purpose, read_ticket
from schemas.delivery import Content
from schemas.vocabulary import Channel, Reason
from sinks.email.postmark import MOST_METADATA, Postmark
from sinks.provider import PermanentFailure, Sent, TransientFailure
from tests.sinks.rig import Case, Rig

POSTMARK = Case(
    kind=Postmark,
    channel=Channel.EMAIL,
    address="user{}@example.com",
    invalid="nobody",
    dead=Reason.UNREGISTERED,
    linger=(0.0, 0.2, 1.0, 5.0, 5.0),
    misconfigured=[
        ({"postmark_server_token": ""}, "TOCSIN_POSTMARK_SERVER_TOKEN is not set"),
        ({"postmark_url": "postmark"}, "TOCSIN_POSTMARK_URL"),
        ({"email_from": "me"}, "TOCSIN_EMAIL_FROM"),
    ],
)

alone = pytest.mark.parametrize("rig", ["postmark"], indirect=True)


@alone
async def test_each_mail_of_a_batch_has_its_own_answer(rig: Rig) -> None:
    rig.fault(dead=frozenset({"user1@example.com"}))
    batch = [rig.delivery(number) for number in range(4)]
    batch[2] = rig.delivery(2, address="nobody")
    batch[3] = rig.delivery(3, content=Content(title="Empty", body=""))
    first, inactive, invalid, empty = await rig.provider.send(batch)
    assert isinstance(first, Sent)
    for outcome, reason in (
        (inactive, Reason.UNREGISTERED),
        (invalid, Reason.INVALID_ADDRESS),
        (empty, Reason.REJECTED),
    ):
        assert isinstance(outcome, PermanentFailure)
        assert outcome.reason is reason
    assert [line.reference for line in rig.witnessed()] == [first.reference]


@alone
async def test_five_hundred_go_in_one_call(rig: Rig) -> None:
    outcomes = await rig.provider.send([rig.delivery(number) for number in range(500)])
    assert len(set(outcomes)) == 500
    assert len(rig.witnessed()) == 500


@alone
async def test_a_refused_sender_loses_nobody(rig: Rig) -> None:
    settings = rig.settings.model_copy(update={"email_from": "me@home"})
    outcome = await replace(rig, provider=Postmark(settings, rig.http)).send()
    assert isinstance(outcome, TransientFailure)
    assert outcome.reason is Reason.UNAUTHORIZED


@alone
async def test_a_ticket_is_split_to_fit_and_can_be_put_together(rig: Rig) -> None:
    assert isinstance(rig.provider, Postmark)
    mail = rig.provider.mail_of(rig.delivery(7, user="u" * 200))
    assert max(map(len, mail.metadata.values())) <= MOST_METADATA
    assert len(mail.metadata) <= 10
    pieces = [name for name in mail.metadata if name.startswith("ticket")]
    text = "".join(mail.metadata[f"ticket{n}"] for n in range(len(pieces)))
    key = rig.settings.signing_key.get_secret_value().encode()
    ticket = read_ticket(text, Purpose.REPORT, key)
    assert ticket is not None
    assert ticket.user == "u" * 200
    headers = {header.name: header.value for header in mail.headers}
    start, link = f"<{rig.settings.public_url}/unsubscribe/", headers["List-Unsubscribe"]
    assert link.startswith(start)
    leave = read_ticket(link.removeprefix(start)[:-1], Purpose.UNSUBSCRIBE, key)
    assert leave is not None
    assert leave.user == "u" * 200
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
