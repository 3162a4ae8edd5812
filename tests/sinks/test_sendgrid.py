"""SendGrid: its JSON, which mails share a call, whom a refused mail is blamed on."""

import random
from dataclasses import replace

import msgspec
import pytest
from pydantic import SecretStr
from sendgrid.helpers import mail as sendgrid_helpers

from embedded.simulators.accept_log import digest_of
from pipeline.settings import Settings
from schemas.delivery import Content
from schemas.vocabulary import Channel, Reason
from sinks.email.return_path import ReturnPath
from sinks.email.senders import From
from sinks.email.sendgrid import SendGrid
from sinks.email.sendgrid_mail import groups_of, mail_of
from sinks.provider import Sent, TransientFailure
from tests.sinks.rig import Case, Rig, delivery

SENDGRID = Case(
    kind=SendGrid,
    channel=Channel.EMAIL,
    address="user{}@example.com",
    invalid="nobody",
    dead=Reason.INVALID_ADDRESS,  # it finds out only when the address is invalid
    linger=(0.0, 0.2, 1.0, 5.0, 5.0),
    misconfigured=[
        ({"sendgrid_api_key": ""}, "TOCSIN_SENDGRID_API_KEY is not set"),
        ({"email_from": "me"}, "TOCSIN_EMAIL_FROM"),
    ],
)


@pytest.mark.parametrize("public_url", ["", "https://n.example.com"])
def test_json_is_that_of_its_helpers(public_url: str) -> None:
    back = ReturnPath(Settings(public_url=public_url, signing_key=SecretStr("key")))
    assert back.is_open == bool(public_url)
    batch = [
        delivery(SENDGRID, number, content=Content(title="Hi", body="text", html="<p>text</p>"))
        for number in range(3)
    ]
    theirs = sendgrid_helpers.Mail(from_email=sendgrid_helpers.From("shop@example.com"))
    theirs.subject = "-tocsin:subject-"
    theirs.add_content(sendgrid_helpers.Content("text/plain", "-tocsin:text-"))
    theirs.add_content(sendgrid_helpers.Content("text/html", "-tocsin:html-"))
    for sent in batch:
        copy = sendgrid_helpers.Personalization()
        copy.add_to(sendgrid_helpers.To(sent.address))
        for tag, value in (("subject", "Hi"), ("text", "text"), ("html", "<p>text</p>")):
            copy.add_substitution(sendgrid_helpers.Substitution(f"-tocsin:{tag}-", value))
        for name, value in back.marks(sent).items():
            copy.add_custom_arg(sendgrid_helpers.CustomArg(name, value))
        for name, value in back.headers(sent).items():
            copy.add_header(sendgrid_helpers.Header(name, value))
        theirs.add_personalization(copy)
    theirs.add_category(sendgrid_helpers.Category("order_shipped"))
    theirs.add_category(sendgrid_helpers.Category("orders"))
    expected = theirs.get()
    # The helper puts each new one first.
    expected["personalizations"].reverse()
    expected["categories"].reverse()
    ours = msgspec.json.encode(mail_of(batch, From("", "shop@example.com"), back))
    assert msgspec.json.decode(ours) == expected
    # A name and where answers go are fields of their own.
    theirs.from_email = sendgrid_helpers.From("billing@example.com", "Büro, Nord")
    theirs.reply_to = sendgrid_helpers.ReplyTo("help@example.com")
    named = theirs.get()
    sender = From("Büro, Nord", "billing@example.com", "help@example.com")
    ours = msgspec.json.encode(mail_of(batch, sender, back))
    found = msgspec.json.decode(ours)
    assert (found["from"], found["reply_to"]) == (named["from"], named["reply_to"])


@pytest.mark.parametrize("rig", ["sendgrid"], indirect=True)
async def test_content_of_every_shape_in_one_batch(rig: Rig) -> None:
    batch = [
        delivery(SENDGRID, 0),
        delivery(SENDGRID, 1, content=Content(title="1", body="one", html="<b>one</b>")),
        delivery(SENDGRID, 2, content=Content(title="2", body="x" * 20_000, html="<i>2</i>")),
        delivery(SENDGRID, 3, address="user0@example.com"),
        delivery(SENDGRID, 4),
    ]
    assert groups_of(batch) == [[0, 4], [1], [2], [3]]
    outcomes = await rig.provider.send(batch)
    lines = {line.delivery_id: line for line in rig.witnessed()}
    assert outcomes == [Sent(lines[sent.delivery_id].reference) for sent in batch]
    for sent in batch:
        line = lines[sent.delivery_id]
        assert (line.title, line.digest) == (sent.content.title, digest_of(sent.content.body))


@pytest.mark.parametrize("rig", ["sendgrid"], indirect=True)
async def test_a_thousand_go_in_one_call(rig: Rig) -> None:
    outcomes = await rig.provider.send([delivery(SENDGRID, n) for n in range(1000)])
    assert len(set(outcomes)) == 1
    assert len(rig.witnessed()) == 1000


@pytest.mark.parametrize("rig", ["sendgrid"], indirect=True)
async def test_refused_sender_loses_nobody(rig: Rig) -> None:
    settings = rig.settings.model_copy(update={"email_from": "me@home"})
    wrong = replace(rig, provider=SendGrid(settings, rig.http))
    outcome = await wrong.send()
    assert isinstance(outcome, TransientFailure)
    assert outcome.reason is Reason.UNAUTHORIZED
    assert "the sender is refused" in outcome.detail


@pytest.mark.parametrize("rig", ["sendgrid"], indirect=True)
async def test_halves_find_the_one_that_nobody_names(rig: Rig) -> None:
    # 400 for the first call alone: nobody is named, so both halves are sent again.
    rig.fault(error_rate=0.2, status=400, seed=_seed_of_a_single_error(0.2))
    outcomes = await rig.provider.send([delivery(SENDGRID, n) for n in range(4)])
    assert all(isinstance(outcome, Sent) for outcome in outcomes)
    assert len(rig.witnessed()) == 4


def _seed_of_a_single_error(rate: float) -> int:
    for seed in range(1000):
        source = random.Random(seed)
        errors = [[source.random() for _ in range(5)][2] < rate for _ in range(3)]
        if errors == [True, False, False]:
            return seed
    raise AssertionError("no such seed")
