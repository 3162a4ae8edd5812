"""What is sent for a text, header by header and field by field."""

import pytest

from policy.contact.number_plan import country_of
from policy.tracking.ticket import Purpose, read_ticket
from schemas.delivery import Content
from schemas.vocabulary import Channel, Priority, Reason
from sinks.http.client import HttpClient
from sinks.provider import PermanentFailure, Sent, TransientFailure
from sinks.registry import kind_of
from sinks.sms.plivo import Plivo
from sinks.sms.sms_provider import Text, Texter, Texting
from sinks.sms.sns import Sns
from sinks.sms.twilio import Twilio
from sinks.sms.vonage import MOST_CALLBACK, Vonage
from tests.sinks.replies.table import TEXT, reply
from tests.sinks.requests.recorder import PUBLIC, Recorder, delivery, settings

NUMBER = "+4930123456"
NAMES = (
    "notification_id=00000000000000000000000000000017&delivery_id=00000000000000000000000000000007"
)
SAID = delivery(Channel.SMS, NUMBER)
KEY = b"a key to sign with"


def callback(provider: str) -> str:
    text = Texting(settings(), provider).prepare(SAID)
    assert isinstance(text, Text)
    return text.callback


async def test_twilio() -> None:
    http = Recorder(reply(201, {"sid": "SM1"}))
    chosen = settings(
        twilio_account_sid="AC1", twilio_auth_token="token", twilio_url="https://api.twilio.com/"
    )
    assert list(await Twilio(chosen, http).send([SAID])) == [Sent("SM1", 1, 0.075)]
    assert http.request.url == "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json"
    assert http.request.headers == {
        "Authorization": "Basic QUMxOnRva2Vu",  # AC1:token
        "Content-Type": "application/x-www-form-urlencoded",
    }
    assert http.request.form == [
        ("To", NUMBER),
        ("From", "+15005550006"),
        ("Body", "Wörter"),
        ("StatusCallback", callback("twilio")),
    ]


async def test_twilio_through_a_messaging_service() -> None:
    http = Recorder(reply(201, {"sid": "SM1"}))
    chosen = settings(twilio_messaging_service="MG1", public_url="")
    assert list(await Twilio(chosen, http).send([SAID])) == [Sent("SM1", 1, 0.075)]
    assert http.request.form == [("To", NUMBER), ("MessagingServiceSid", "MG1"), ("Body", "Wörter")]


async def test_plivo() -> None:
    http = Recorder(reply(202, {"message_uuid": ["u"]}))
    chosen = settings(
        plivo_auth_id="MA1", plivo_auth_token="token", plivo_url="https://api.plivo.com/"
    )
    assert list(await Plivo(chosen, http).send([SAID])) == [Sent("u", 1, 0.075)]
    assert http.request.url == "https://api.plivo.com/v1/Account/MA1/Message/"
    assert http.request.headers == {
        "Authorization": "Basic TUExOnRva2Vu",  # MA1:token
        "Content-Type": "application/json",
    }
    assert http.request.json == {
        "src": "+15005550006",
        "dst": NUMBER,
        "text": "Wörter",
        "url": callback("plivo"),
        "method": "POST",
    }


async def test_plivo_is_told_of_no_callback_where_there_is_none() -> None:
    http = Recorder(reply(202, {"message_uuid": ["u"]}))
    await Plivo(settings(public_url=""), http).send([SAID])
    assert http.request.json == {"src": "+15005550006", "dst": NUMBER, "text": "Wörter"}


@pytest.mark.parametrize(("body", "kind"), [("Wörter", "text"), ("Жук", "unicode")])
async def test_vonage(body: str, kind: str) -> None:
    http = Recorder(reply(200, {"messages": [{"status": "0", "message-id": "m"}]}))
    chosen = settings(
        vonage_api_key="k", vonage_api_secret="secret", vonage_url="https://rest.nexmo.com/"
    )
    said = delivery(Channel.SMS, NUMBER, content=Content(body=body))
    assert list(await Vonage(chosen, http).send([said])) == [Sent("m", 1, 0.075)]
    assert http.request.url == "https://rest.nexmo.com/sms/json"
    assert http.request.headers == {
        "Authorization": "Basic azpzZWNyZXQ=",  # k:secret
        "Content-Type": "application/json",
    }
    assert http.request.json == {
        "to": "4930123456",
        "from": "15005550006",
        "text": body,
        "type": kind,
        # The partition of "ada" among eight, and the day on which it expires.
        "client-ref": ("00000000000000000000000000000007.00000000000000000000000000000017.5.20775"),
        "callback": f"{PUBLIC}/webhooks/vonage",
    }


@pytest.mark.parametrize(("length", "sent"), [(100, True), (101, False)])
def test_vonage_takes_a_callback_of_a_hundred_characters(length: int, sent: bool) -> None:
    assert MOST_CALLBACK == 100
    text = Text(NUMBER, "Shop", "Hi", True, 1, 0.0, "https://n.example.com/".ljust(length, "x"))
    request = Vonage(settings(), Recorder()).request_of(SAID, text)
    assert request.callback == (text.callback if sent else "")
    assert request.from_ == "Shop"


@pytest.mark.parametrize(
    ("sender", "attribute"),
    [
        ("Shop", "AWS.SNS.SMS.SenderID"),
        ("+15005550006", "AWS.MM.SMS.OriginationNumber"),
        ("24680", "AWS.MM.SMS.OriginationNumber"),  # a short code
    ],
)
@pytest.mark.parametrize(
    ("priority", "kind"),
    [
        (Priority.CRITICAL, "Transactional"),
        (Priority.HIGH, "Transactional"),
        (Priority.NORMAL, "Promotional"),
        (Priority.LOW, "Promotional"),
        (Priority.BULK, "Promotional"),
    ],
)
async def test_sns(sender: str, attribute: str, priority: Priority, kind: str) -> None:
    http = Recorder(reply(200, "<MessageId>m</MessageId>"))
    chosen = settings(
        aws_region="eu-west-1",
        aws_access_key_id="AKIA",
        aws_secret_access_key="secret",
        sms_senders={"DE": sender},
    )
    said = delivery(Channel.SMS, NUMBER, priority=priority)
    assert list(await Sns(chosen, http).send([said])) == [Sent("m", 1, 0.075)]
    assert http.request.url == "https://sns.eu-west-1.amazonaws.com/"
    headers = http.request.headers
    assert headers["Content-Type"] == "application/x-www-form-urlencoded; charset=utf-8"
    signed = headers["Authorization"]
    assert signed.startswith("AWS4-HMAC-SHA256 Credential=AKIA/")
    assert "/eu-west-1/sns/aws4_request, SignedHeaders=content-type;host;x-amz-date" in signed
    prefix = "MessageAttributes.entry"
    assert http.request.form == [
        ("Action", "Publish"),
        ("Version", "2010-03-31"),
        ("PhoneNumber", NUMBER),
        ("Message", "Wörter"),
        (f"{prefix}.1.Name", attribute),
        (f"{prefix}.1.Value.DataType", "String"),
        (f"{prefix}.1.Value.StringValue", sender),
        (f"{prefix}.2.Name", "AWS.SNS.SMS.SMSType"),
        (f"{prefix}.2.Value.DataType", "String"),
        (f"{prefix}.2.Value.StringValue", kind),
        (f"{prefix}.3.Name", "notification_id"),
        (f"{prefix}.3.Value.DataType", "String"),
        (f"{prefix}.3.Value.StringValue", "00000000000000000000000000000017"),
        (f"{prefix}.4.Name", "delivery_id"),
        (f"{prefix}.4.Value.DataType", "String"),
        (f"{prefix}.4.Value.StringValue", "00000000000000000000000000000007"),
    ]


async def test_sns_elsewhere() -> None:
    http = Recorder(reply(200, "<MessageId>m</MessageId>"))
    await Sns(settings(sns_url="http://127.0.0.1:1/x/"), http).send([SAID])
    assert http.request.url == "http://127.0.0.1:1/x/"


@pytest.mark.parametrize("name", ["twilio", "plivo", "vonage", "sns"])
async def test_no_call_is_made_for_what_is_no_number(name: str) -> None:
    http = Recorder()
    provider = kind_of(name)(settings(), http)
    outcome = PermanentFailure(Reason.INVALID_ADDRESS, "the address is no possible phone number")
    assert list(await provider.send([delivery(Channel.SMS, "12")])) == [outcome]
    assert http.requests == []
    assert (provider.name, provider.channel, provider.scheme) == (name, Channel.SMS, "")
    assert (provider.is_one_server, provider.batch_size) == (True, 1)


LOST = TransientFailure(Reason.TIMEOUT, "no reply within 10 s", uncertain=True)


@pytest.mark.parametrize("name", ["twilio", "plivo", "vonage", "sns"])
async def test_a_call_without_a_reply_stays_what_it_is(name: str) -> None:
    http: HttpClient = Recorder(LOST)
    assert list(await kind_of(name)(settings(), http).send([SAID])) == [LOST]


def test_the_callback_of_each_provider_leads_to_its_reports() -> None:
    for name in ("twilio", "plivo"):
        provider = kind_of(name)(settings(), Recorder())
        assert isinstance(provider, Texter)
        text = provider.texting.prepare(SAID)
        assert isinstance(text, Text)
        start, _, ticket = text.callback.partition("&ticket=")
        assert start == f"{PUBLIC}/webhooks/{name}?{NAMES}"
        read = read_ticket(ticket, Purpose.REPORT, KEY)
        assert read is not None
        assert (read.user, read.category, read.channel) == ("ada", "orders", Channel.SMS)


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        ({"signing_key": ""}, f"{PUBLIC}/webhooks/twilio?{NAMES}"),
        ({"public_url": ""}, ""),
        ({"public_url": "", "signing_key": ""}, ""),
    ],
)
def test_the_callback_has_no_more_than_the_settings_allow(
    update: dict[str, str], expected: str
) -> None:
    text = Texting(settings(**update), "twilio").prepare(SAID)
    assert isinstance(text, Text)
    assert text.callback == expected


@pytest.mark.parametrize(
    ("address", "senders", "prices", "sender", "cost"),
    [
        (NUMBER, {}, {}, "+15005550006", 0.0),
        (NUMBER, {"DE": "Shop"}, {"DE": 0.075}, "Shop", 0.15),
        (NUMBER, {"DE": ""}, {"*": 0.05}, "+15005550006", 0.1),
        (NUMBER, {"US": "Other", "*": "All"}, {"US": 1.0, "DE": 0.0000004}, "All", 0.000001),
        ("+12025550123", {"DE": "Shop"}, {"DE": 0.075, "*": 0.01}, "+15005550006", 0.02),
    ],
)
def test_sender_and_price_are_the_countrys(
    address: str, senders: dict[str, str], prices: dict[str, float], sender: str, cost: float
) -> None:
    said = delivery(Channel.SMS, address, content=Content(body="x" * 161))
    text = Texting(settings(sms_senders=senders, sms_prices=prices), "sns").prepare(said)
    assert isinstance(text, Text)
    assert (text.to, text.body) == (address, "x" * 161)
    assert (text.segments, text.is_gsm, text.sender, text.cost) == (2, True, sender, cost)


@pytest.mark.parametrize(
    ("counted", "segments", "cost"), [(0, 2, 0.15), (1, 1, 0.075), (2, 2, 0.15), (3, 3, 0.225)]
)
def test_the_providers_count_of_segments_is_what_is_paid(
    counted: int, segments: int, cost: float
) -> None:
    assert TEXT.sent("r", counted) == Sent("r", segments, cost)


def test_a_cost_is_rounded_to_a_millionth() -> None:
    assert Text("+1", "", "", True, 3, 0.1, "").sent("r", 1) == Sent("r", 1, 0.033333)


@pytest.mark.parametrize(("number", "country"), [("+10005550123", "US"), ("+80012345678", "001")])
def test_a_number_of_no_plan_is_of_the_country_that_leads_its_code(
    number: str, country: str
) -> None:
    assert country_of(number) == country
