"""What is sent for mails: header by header, and whom each reply of a shared call is of."""

from typing import Any
from urllib.parse import unquote_plus

import msgspec
import pytest
from msgspec.structs import replace

from policy.tracking.ticket import Purpose, issue_ticket, read_ticket
from schemas.delivery import Content, Delivery
from schemas.vocabulary import Channel, Priority, Reason
from sinks.email.mailgun import Mailgun
from sinks.email.postmark import Postmark
from sinks.email.resend import Resend
from sinks.email.return_path import ReturnPath
from sinks.email.sendgrid import SendGrid
from sinks.email.ses import Ses
from sinks.provider import PermanentFailure, Sent, TransientFailure
from sinks.registry import kind_of
from tests.sinks.replies.table import reply
from tests.sinks.requests.recorder import PUBLIC, Recorder, delivery, settings
from tests.sinks.requests.test_email_batches import people

KEY = b"a key to sign with"
ADA = delivery(
    Channel.EMAIL, "ada@example.com", content=Content(body="Wörter", title="Grüße", html="<p>W</p>")
)
PLAIN = delivery(Channel.EMAIL, "ada@example.com", content=Content(body="Wörter", title="Grüße"))
TICKET = issue_ticket(ADA, Purpose.REPORT, KEY)
LEAVE = issue_ticket(ADA, Purpose.UNSUBSCRIBE, KEY)
IDS = {
    "notification_id": "00000000000000000000000000000017",
    "delivery_id": "00000000000000000000000000000007",
}
ONE_CLICK = {
    "List-Unsubscribe": f"<{PUBLIC}/unsubscribe/{LEAVE}>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
}
"""The two headers of RFC 8058, section 3.1."""
BOTH = pytest.mark.parametrize("said", [ADA, PLAIN], ids=["html", "plain"])
EACH = pytest.mark.parametrize("name", ["sendgrid", "mailgun", "postmark", "resend", "ses"])
AMAZON = {
    "aws_region": "eu-west-1",
    "aws_access_key_id": "AKIA",
    "aws_secret_access_key": "secret",
    "ses_configuration_set": "reports",
}


@BOTH
async def test_sendgrid(said: Delivery) -> None:
    http = Recorder(reply(202, b"", {"x-message-id": "m"}))
    chosen = settings(sendgrid_api_key="SG.key", sendgrid_url="https://api.sendgrid.com/")
    assert list(await SendGrid(chosen, http).send([said])) == [Sent("m")]
    assert http.request.url == "https://api.sendgrid.com/v3/mail/send"
    assert http.request.headers == {
        "Authorization": "Bearer SG.key",
        "Content-Type": "application/json",
    }
    html = [{"type": "text/html", "value": "<p>W</p>"}] if said is ADA else []
    assert http.request.json == {
        "personalizations": [
            {
                "to": [{"email": "ada@example.com"}],
                "custom_args": {**IDS, "ticket": TICKET},
                "headers": ONE_CLICK,
            }
        ],
        "from": {"email": "shop@example.com"},
        "subject": "Grüße",
        "content": [{"type": "text/plain", "value": "Wörter"}, *html],
        "categories": ["order_shipped", "orders"],
    }


@BOTH
async def test_mailgun(said: Delivery) -> None:
    http = Recorder(reply(200, {"id": "<m>", "message": "Queued."}))
    chosen = settings(
        mailgun_api_key="key", mailgun_domain="mg.example.com", mailgun_url="https://mailgun.net/"
    )
    assert list(await Mailgun(chosen, http).send([said])) == [Sent("<m>")]
    assert http.request.url == "https://mailgun.net/v3/mg.example.com/messages"
    assert http.request.headers.keys() == {"Authorization", "Content-Type"}
    assert http.request.headers["Authorization"] == "Basic YXBpOmtleQ=="  # api:key
    assert http.request.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert http.request.form == [
        ("from", "shop@example.com"),
        ("to", "ada@example.com"),
        ("subject", "Grüße"),
        ("text", "Wörter"),
        *([("html", "<p>W</p>")] if said is ADA else []),
        *((f"v:{name}", value) for name, value in IDS.items()),
        ("v:ticket", TICKET),
        *((f"h:{name}", value) for name, value in ONE_CLICK.items()),
        ("o:tag", "order_shipped"),
        ("o:tag", "orders"),
    ]


async def test_mailgun_for_two() -> None:
    """Each has a value of its own for everything that differs."""
    http = Recorder(reply(200, {"id": "<m>", "message": "Queued."}))
    bo = delivery(
        Channel.EMAIL,
        "bo@example.com",
        8,
        user="bo",
        content=Content(body="b", title="B", html="<b>"),
    )
    await Mailgun(settings(), http).send([ADA, bo])
    form = http.request.form
    assert [value for name, value in form if name == "to"] == ["ada@example.com", "bo@example.com"]
    fields = dict(form)
    values = msgspec.json.decode(fields.pop("recipient-variables"))
    assert values["bo@example.com"] == {
        "subject": "B",
        "text": "b",
        "html": "<b>",
        "notification_id": bo.notification_id,
        "delivery_id": bo.delivery_id,
        "ticket": issue_ticket(bo, Purpose.REPORT, KEY),
        "unsubscribe": issue_ticket(bo, Purpose.UNSUBSCRIBE, KEY),
    }
    assert values["ada@example.com"]["ticket"] == TICKET
    assert values["ada@example.com"]["unsubscribe"] == LEAVE
    assert fields | {"to": ""} == {
        "from": "shop@example.com",
        "to": "",
        "subject": "%recipient.subject%",
        "text": "%recipient.text%",
        "html": "%recipient.html%",
        "v:notification_id": "%recipient.notification_id%",
        "v:delivery_id": "%recipient.delivery_id%",
        "v:ticket": "%recipient.ticket%",
        "h:List-Unsubscribe": f"<{PUBLIC}/unsubscribe/%recipient.unsubscribe%>",
        "h:List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "o:tag": "orders",
    }


@BOTH
async def test_postmark(said: Delivery) -> None:
    http = Recorder(reply(200, [{"ErrorCode": 0, "Message": "OK", "MessageID": "m"}]))
    chosen = settings(postmark_server_token="token", postmark_url="https://api.postmarkapp.com/")
    assert list(await Postmark(chosen, http).send([said])) == [Sent("m")]
    assert http.request.url == "https://api.postmarkapp.com/email/batch"
    assert http.request.headers == {
        "X-Postmark-Server-Token": "token",
        "Accept": "application/json",
        "Content-Type": "application/json",
    }
    pieces = [TICKET[at : at + 80] for at in range(0, len(TICKET), 80)]
    assert len(pieces) > 1
    mail = {
        "From": "shop@example.com",
        "To": "ada@example.com",
        "Subject": "Grüße",
        "TextBody": "Wörter",
        "MessageStream": "outbound",
        "Tag": "order_shipped",
        "Metadata": {**IDS, **{f"ticket{n}": piece for n, piece in enumerate(pieces)}},
        "Headers": [{"Name": name, "Value": value} for name, value in ONE_CLICK.items()],
    }
    assert http.request.json == [mail | ({"HtmlBody": "<p>W</p>"} if said is ADA else {})]


@BOTH
async def test_resend(said: Delivery) -> None:
    http = Recorder(reply(200, {"data": [{"id": "m"}], "errors": []}))
    chosen = settings(resend_api_key="re_key", resend_url="https://api.resend.com/")
    assert list(await Resend(chosen, http).send([said])) == [Sent("m")]
    assert http.request.url == "https://api.resend.com/emails/batch"
    headers = dict(http.request.headers)
    assert len(headers.pop("Idempotency-Key")) == 64  # of 1 to 256 characters
    assert headers == {
        "Authorization": "Bearer re_key",
        "Content-Type": "application/json",
        "x-batch-validation": "permissive",
    }
    assert len(TICKET) <= 256
    mail = {
        "from": "shop@example.com",
        "to": ["ada@example.com"],
        "subject": "Grüße",
        "text": "Wörter",
        "headers": ONE_CLICK,
        "tags": [{"name": n, "value": v} for n, v in {**IDS, "ticket": TICKET}.items()],
    }
    assert http.request.json == [mail | ({"html": "<p>W</p>"} if said is ADA else {})]


@BOTH
async def test_ses(said: Delivery) -> None:
    http = Recorder(reply(200, {"MessageId": "m"}))
    assert list(await Ses(settings(**AMAZON), http).send([said])) == [Sent("m")]
    assert http.request.url == "https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails"
    headers = http.request.headers
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIA/")
    assert "/eu-west-1/ses/aws4_request" in headers["Authorization"]
    body: dict[str, Any] = {"Text": {"Data": "Wörter", "Charset": "UTF-8"}}
    if said is ADA:
        body["Html"] = {"Data": "<p>W</p>", "Charset": "UTF-8"}
    tags = {**IDS, "ticket": TICKET, "type": "order_shipped"}
    assert http.request.json == {
        "FromEmailAddress": "shop@example.com",
        "Destination": {"ToAddresses": ["ada@example.com"]},
        "Content": {
            "Simple": {
                "Subject": {"Data": "Grüße", "Charset": "UTF-8"},
                "Body": body,
                "Headers": [{"Name": name, "Value": value} for name, value in ONE_CLICK.items()],
            }
        },
        "EmailTags": [{"Name": name, "Value": value} for name, value in tags.items()],
        "ConfigurationSetName": "reports",
    }


async def test_ses_elsewhere_without_a_way_back() -> None:
    http = Recorder(reply(200, {"MessageId": "m"}))
    chosen = settings(ses_url="http://127.0.0.1:1/", public_url="")
    await Ses(chosen, http).send([delivery(Channel.EMAIL, "a@b.c", type="t" * 300)])
    assert http.request.url == "http://127.0.0.1:1/v2/email/outbound-emails"
    said = http.request.json
    assert "ConfigurationSetName" not in said
    assert "Headers" not in said["Content"]["Simple"]
    tags = {tag["Name"]: tag["Value"] for tag in said["EmailTags"]}
    assert tags == {**IDS, "type": "t" * 256}


@EACH
async def test_no_reply_is_the_same_for_all_who_share_a_call(name: str) -> None:
    lost = TransientFailure(Reason.TIMEOUT, "no reply within 10 s", uncertain=True)
    provider = kind_of(name)(settings(), Recorder(lost))
    said = [delivery(Channel.EMAIL, f"{n}@example.com", n) for n in range(3)]
    assert list(await provider.send(said)) == [lost] * 3
    assert (provider.name, provider.channel, provider.scheme) == (name, Channel.EMAIL, "")
    assert provider.is_one_server
    sizes = {"sendgrid": 1000, "mailgun": 1000, "postmark": 500, "resend": 100, "ses": 1}
    assert provider.batch_size == sizes[name]
    waits = [0.0] * 5 if name == "ses" else [0.0, 0.2, 1.0, 5.0, 5.0]
    assert [provider.linger(priority) for priority in Priority] == waits


NO, NOT_ONE = (
    PermanentFailure(Reason.REJECTED, "no"),
    PermanentFailure(Reason.INVALID_ADDRESS, "no"),
)


@pytest.mark.parametrize(
    ("update", "is_open"),
    [
        ({}, True),
        ({"public_url": ""}, False),
        ({"signing_key": ""}, False),
        ({"public_url": "", "signing_key": ""}, False),
    ],
)
def test_the_way_back_takes_both_a_url_and_a_key(update: dict[str, str], is_open: bool) -> None:
    back = ReturnPath(settings(**update))
    assert back.is_open is is_open
    assert back.headers(ADA) == (ONE_CLICK if is_open else {})
    assert back.marks(ADA) == IDS | ({"ticket": TICKET} if is_open else {})


@EACH
async def test_what_is_transactional_offers_nobody_to_unsubscribe(name: str) -> None:
    """Alone or in a shared call; its ticket travels, so that what becomes of it is known."""
    accepted = {"id": "<m>", "message": "Queued.", "MessageId": "m", "MessageID": "m"}
    kind = kind_of(name)
    for count in (1, 2):
        mails = [replace(mail, transactional=True) for mail in people(*"ab"[:count])]
        http = Recorder(reply(200, accepted), reply(200, accepted))
        await kind(settings(**AMAZON), http).send(mails)
        for request in http.requests:
            text = unquote_plus(request.body.decode())
            assert "ticket" in text
            assert "Unsubscribe" not in text


@pytest.mark.parametrize("most", [1, 79, 80, len(TICKET) - 1, len(TICKET), len(TICKET) + 1])
def test_a_ticket_is_whole_or_in_pieces_that_fit(most: int) -> None:
    marks = ReturnPath(settings()).marks(ADA, most)
    pieces = {name: mark for name, mark in marks.items() if name.startswith("ticket")}
    if most >= len(TICKET):
        assert pieces == {"ticket": TICKET}
    else:
        assert list(pieces) == [f"ticket{n}" for n in range(len(pieces))]
        assert all(len(piece) == most for piece in list(pieces.values())[:-1])
        assert 0 < len(pieces[f"ticket{len(pieces) - 1}"]) <= most
        assert "".join(pieces.values()) == TICKET
    found = read_ticket("".join(pieces.values()), Purpose.REPORT, KEY)
    assert found is not None
    assert found.user == "ada"
