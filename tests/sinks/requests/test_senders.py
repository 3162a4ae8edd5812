"""Who mails are from: as each provider's own documentation has it, and with no header injected."""

from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import parseaddr
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from pipeline.clock import Clock
from schemas.delivery import Delivery, Sender
from schemas.vocabulary import Channel, Reason
from sinks.email.mailgun import Mailgun
from sinks.email.postmark import Postmark
from sinks.email.resend import Resend
from sinks.email.senders import Senders, as_own
from sinks.email.sendgrid import SendGrid
from sinks.email.ses import Ses
from sinks.email.smtp import Smtp
from sinks.provider import Fault, Outcome, PermanentFailure, Sent, TransientFailure
from tests.sinks.replies.table import reply
from tests.sinks.requests.recorder import Recorder, Still, delivery, settings

BUREAU = Sender(name='Büro "Nord", Abt. <1>', address="b@x.example", reply_to="help@x.example")
QUOTED = '"Büro \\"Nord\\", Abt. <1>" <b@x.example>'
NAMED = Sender(name="Support")
ANSWERS = Sender(reply_to="help@x.example")
STILL: Clock = Still()


def mail(sender: Sender | None) -> Delivery:
    return delivery(Channel.EMAIL, "ada@example.com", sender=sender)


async def sent(kind: Any, sender: Sender | None, answer: Any, **fields: Any) -> Any:
    """The request for one mail, where TOCSIN_EMAIL_FROM has a name."""
    http = Recorder(reply(200, answer))
    await kind(settings(email_from="Shop <shop@example.com>", **fields), http).send([mail(sender)])
    return http.request


async def test_sendgrid_has_name_and_answers_as_fields_of_their_own() -> None:
    found = (await sent(SendGrid, BUREAU, b"")).json
    assert found["from"] == {"email": "b@x.example", "name": BUREAU.name}
    assert found["reply_to"] == {"email": "help@x.example"}
    found = (await sent(SendGrid, None, b"")).json
    assert found["from"] == {"email": "shop@example.com", "name": "Shop"}
    assert "reply_to" not in found


@pytest.mark.parametrize(
    ("sender", "line", "answers"),
    [
        (None, '"Shop" <shop@example.com>', ""),
        (BUREAU, QUOTED, "help@x.example"),
        (NAMED, '"Support" <shop@example.com>', ""),
        (ANSWERS, '"Shop" <shop@example.com>', "help@x.example"),
        # A name belongs to its address.
        (Sender(address="b@x.example"), "b@x.example", ""),
    ],
)
async def test_postmark_mailgun_and_resend_have_them_on_a_line(
    sender: Sender | None, line: str, answers: str
) -> None:
    (found,) = (await sent(Postmark, sender, [])).json
    assert (found["From"], found.get("ReplyTo", "")) == (line, answers)
    form = dict((await sent(Mailgun, sender, {})).form)
    assert (form["from"], form.get("h:Reply-To", "")) == (line, answers)
    (found,) = (await sent(Resend, sender, {})).json
    assert (found["from"], found.get("reply_to", [])) == (line, [answers] if answers else [])


def shown_in(line: str) -> tuple[str, str]:
    """Name and address of a header, as RFC 2047 has them read."""
    name, address = parseaddr(line.replace("\r\n", "").replace("\n", ""))
    return str(make_header(decode_header(name))), address


@pytest.mark.parametrize("sender", [None, BUREAU, NAMED, Sender(name="Ü" * 100)])
async def test_ses_has_names_encoded_and_takes_the_request(sender: Sender | None) -> None:
    keys = {"aws_region": "eu-west-1", "aws_access_key_id": "A", "aws_secret_access_key": "s"}
    found = (await sent(Ses, sender, {"MessageId": "m"}, **keys)).json
    assert found["FromEmailAddress"].isascii()
    assert "\n" not in found["FromEmailAddress"]
    assert shown_in(f"{found['FromEmailAddress']}")[0] == (
        sender.name if sender and sender.name else "Shop"
    )
    assert found.get("ReplyToAddresses", []) == ([BUREAU.reply_to] if sender is BUREAU else [])
    shape = ServiceModel(Loader().load_service_model("sesv2", "service-2"))
    request = shape.operation_model("SendEmail").input_shape
    assert not ParamValidator().validate(found, request).has_errors()


@pytest.mark.parametrize("sender", [None, BUREAU, NAMED, ANSWERS, Sender(name="Ü" * 100)])
def test_a_mail_by_smtp_is_read_as_it_was_meant(sender: Sender | None) -> None:
    provider = Smtp(settings(email_from="Shop <shop@example.com>"), Recorder(), STILL)
    written = provider.mail_of(mail(sender), "ada@example.com")
    read = message_from_bytes(written, policy=policy.default)
    said = sender or Sender()
    raw = dict(message_from_bytes(written).raw_items())["From"]
    expected = said.name or "Shop", said.address or "shop@example.com"
    assert shown_in(raw) == expected
    assert (read["Reply-To"] or "") == said.reply_to
    # Bounces come back to where they are read, whoever the mail is from.
    assert provider.envelope_of(mail(sender)).sender == "shop@example.com"


def test_no_name_begins_another_header() -> None:
    """The catalogue refuses such names; a record of a topic may still hold one."""
    evil = Sender(name="x\r\nBcc: all@x.example\r\n\r\nbody")
    written = Smtp(settings(), Recorder(), STILL).mail_of(mail(evil), "ada@example.com")
    read = message_from_bytes(written, policy=policy.default)
    assert read["Bcc"] is None
    assert read.keys().count("From") == 1
    assert "\n" not in Senders(settings()).of(mail(evil)).line


@pytest.mark.parametrize(
    ("outcome", "is_own"),
    [
        (TransientFailure(Reason.UNAUTHORIZED, "the sender is refused: from.email"), True),
        (TransientFailure(Reason.UNAUTHORIZED, "The example.com domain is not verified"), True),
        (TransientFailure(Reason.UNAUTHORIZED, "400: Sender Signature not found"), True),
        (TransientFailure(Reason.UNAUTHORIZED, "API key is invalid"), False),
        (TransientFailure(Reason.TIMEOUT, "no reply to the sender"), False),
        (PermanentFailure(Reason.REJECTED, "from"), False),
        (Sent("m"), False),
    ],
)
def test_a_sender_that_is_refused_stops_nobody_elses_mail(outcome: Outcome, is_own: bool) -> None:
    assert as_own(outcome, mail(None)) is outcome
    found = as_own(outcome, mail(BUREAU))
    if is_own:
        assert isinstance(found, TransientFailure)
        assert found.whose is Fault.MESSAGE
        assert not found.concerns_all
    else:
        assert found is outcome


async def test_a_refused_sender_is_told_of_its_own_mail_alone() -> None:
    said = {"errors": [{"field": "from.email", "message": "not a verified Sender Identity"}]}
    http = Recorder(reply(400, said))
    mails = [mail(BUREAU), delivery(Channel.EMAIL, "bo@example.com", 8)]
    own, other = await SendGrid(settings(), http).send(mails)
    assert isinstance(own, TransientFailure)
    assert isinstance(other, TransientFailure)
    assert (own.whose, other.whose) == (Fault.MESSAGE, Fault.CREDENTIALS)
