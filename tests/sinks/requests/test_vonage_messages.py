"""What is sent to Vonage's Messages API: as its own package writes it, but for what we add."""

from typing import Any

import pytest
from vonage_messages.models import Sms, SmsOptions, WhatsappTemplate, WhatsappText
from vonage_messages.models.whatsapp import WhatsappTemplateResource, WhatsappTemplateSettings

from schemas.delivery import Approved, Content, Delivery
from schemas.vocabulary import Channel, Reason
from sinks.chat.twilio_whatsapp import TwilioWhatsApp
from sinks.chat.vonage_whatsapp import VonageWhatsApp
from sinks.provider import PermanentFailure, Sent, TransientFailure
from sinks.registry import kind_of
from sinks.sms.vonage_messages import VonageMessages
from tests.sinks.replies.table import reply
from tests.sinks.requests.recorder import PUBLIC, Recorder, delivery, settings

NUMBER = "+4930123456"
TAKEN = reply(202, {"message_uuid": "u"})
# The partition of "ada" among eight, and the day on which it expires.
REFERENCE = "00000000000000000000000000000007.00000000000000000000000000000017.5.20775"
NAMES = "notification_id=00000000000000000000000000000017"
SETTINGS = settings(
    vonage_api_key="k",
    vonage_api_secret="secret",
    vonage_messages_url="https://api.nexmo.com/",
    vonage_whatsapp_from="+14155238886",
    twilio_account_sid="AC1",
    twilio_auth_token="token",
    twilio_whatsapp_from="+14155238886",
)
ABOUT = {"client_ref": REFERENCE, "webhook_version": "v1", "to": NUMBER[1:]}


def webhook(name: str) -> dict[str, str]:
    return {**ABOUT, "webhook_url": f"{PUBLIC}/webhooks/{name}"}


def written(model: Any) -> dict[str, Any]:
    """As the package sends it."""
    found: dict[str, Any] = model.model_dump(by_alias=True, exclude_none=True, mode="json")
    return found


def chat(**fields: Any) -> Delivery:
    return delivery(Channel.CHAT, f"whatsapp:{NUMBER}", content=Content(**fields))


@pytest.mark.parametrize(("body", "kind"), [("Wörter", "text"), ("Жук", "unicode")])
async def test_a_text(body: str, kind: str) -> None:
    http = Recorder(TAKEN)
    said = delivery(Channel.SMS, NUMBER, content=Content(body=body))
    assert list(await VonageMessages(SETTINGS, http).send([said])) == [Sent("u", 1, 0.075)]
    assert http.request.url == "https://api.nexmo.com/v1/messages"
    assert http.request.headers == {
        "Authorization": "Basic azpzZWNyZXQ=",  # k:secret
        "Content-Type": "application/json",
    }
    options = SmsOptions(encoding_type=kind)
    model = Sms(from_="15005550006", text=body, sms=options, **webhook("vonagemessages"))
    assert http.request.json == written(model)


async def test_free_text_on_whatsapp() -> None:
    http = Recorder(TAKEN)
    assert list(await VonageWhatsApp(SETTINGS, http).send([chat(title="Hi", body="x")])) == [
        Sent("u")
    ]
    model = WhatsappText(from_="14155238886", text="*Hi*\nx", **webhook("vonagewhatsapp"))
    assert http.request.json == written(model)


@pytest.mark.parametrize(
    ("approved", "locale", "parameters"),
    [
        (Approved(template="ns:t", language="de", variables=("a", "b")), "de", ["a", "b"]),
        (Approved(template="ns:t"), "en", None),
    ],
)
async def test_a_template_on_whatsapp(
    approved: Approved, locale: str, parameters: list[str] | None
) -> None:
    http = Recorder(TAKEN)
    await VonageWhatsApp(SETTINGS, http).send([chat(body="x", approved=approved)])
    model = WhatsappTemplate(
        from_="14155238886",
        template=WhatsappTemplateResource(name="ns:t", parameters=parameters),
        whatsapp=WhatsappTemplateSettings(locale=locale, policy="deterministic"),
        **webhook("vonagewhatsapp"),
    )
    assert http.request.json == written(model)


async def test_where_nobody_can_reach_us_no_webhook_is_named() -> None:
    http = Recorder(TAKEN)
    chosen = SETTINGS.model_copy(update={"public_url": ""})
    await VonageMessages(chosen, http).send([delivery(Channel.SMS, NUMBER)])
    await VonageWhatsApp(chosen, http).send([chat(body="x")])
    for request in http.requests:
        assert not {"webhook_url", "webhook_version"} & request.json.keys()


async def test_a_template_on_whatsapp_by_twilio() -> None:
    http = Recorder(reply(201, {"sid": "SM1"}))
    approved = Approved(template=f"HX{7:032x}", variables=("Änn", 'order "7"'))
    said = chat(body="x", approved=approved)
    assert list(await TwilioWhatsApp(SETTINGS, http).send([said])) == [Sent("SM1")]
    assert http.request.url == "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json"
    form = dict(http.request.form)
    assert form.pop("StatusCallback").startswith(f"{PUBLIC}/webhooks/twiliowhatsapp?{NAMES}")
    assert form == {
        "To": f"whatsapp:{NUMBER}",
        "From": "whatsapp:+14155238886",
        "ContentSid": approved.template,
        "ContentVariables": '{"1":"Änn","2":"order \\"7\\""}',
    }


LOST = TransientFailure(Reason.TIMEOUT, "no reply within 10 s", uncertain=True)


@pytest.mark.parametrize("name", ["vonagemessages", "vonagewhatsapp", "twiliowhatsapp"])
async def test_calls_that_are_not_made_or_have_no_reply(name: str) -> None:
    provider = kind_of(name)(SETTINGS, http := Recorder(LOST))
    scheme = f"{provider.scheme}:" if provider.scheme else ""
    nobody = PermanentFailure(Reason.INVALID_ADDRESS, "the address is no possible phone number")
    assert list(await provider.send([delivery(provider.channel, f"{scheme}+12")])) == [nobody]
    assert http.requests == []
    said = delivery(provider.channel, f"{scheme}{NUMBER}")
    assert list(await provider.send([said])) == [LOST]
    assert (provider.is_one_server, provider.batch_size) == (True, 1)
