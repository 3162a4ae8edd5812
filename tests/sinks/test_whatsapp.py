"""WhatsApp: templates at any time, free text for a day after somebody wrote, one number for all."""

from typing import Any

import pytest

from embedded.simulators.accept_log import digest_of
from embedded.simulators.faults import Fault
from schemas.delivery import Approved, Content
from schemas.vocabulary import Channel, Reason
from sinks.chat.twilio_whatsapp import MOST_BODY, TwilioWhatsApp
from sinks.chat.vonage_whatsapp import VonageWhatsApp
from sinks.chat.whatsapp import words_of
from sinks.provider import PermanentFailure, Sent, TransientFailure
from tests.sinks.rig import Case, Rig
from tests.sinks.test_vonage_messages import ACCOUNT

TWILIOWHATSAPP = Case(
    kind=TwilioWhatsApp,
    channel=Channel.CHAT,
    address="whatsapp:+1500555{:04d}",
    invalid="whatsapp:+12",
    dead=Reason.UNREGISTERED,
    url_setting="twilio_url",
    misconfigured=[
        ({"twilio_account_sid": ""}, "TOCSIN_TWILIO_ACCOUNT_SID is not set"),
        ({"twilio_auth_token": ""}, "TOCSIN_TWILIO_AUTH_TOKEN is not set"),
        ({"twilio_url": "twilio"}, "TOCSIN_TWILIO_URL is not an http or https URL"),
        ({"twilio_whatsapp_from": ""}, "TOCSIN_TWILIO_WHATSAPP_FROM is not set"),
        ({"twilio_whatsapp_from": "Shop"}, "TOCSIN_TWILIO_WHATSAPP_FROM is no phone number"),
        ({"twilio_messaging_service": "MG1"}, "TOCSIN_TWILIO_MESSAGING_SERVICE is not MG"),
    ],
)
VONAGEWHATSAPP = Case(
    kind=VonageWhatsApp,
    channel=Channel.CHAT,
    address="whatsapp:+1500555{:04d}",
    invalid="whatsapp:+12",
    dead=Reason.INVALID_ADDRESS,
    url_setting="vonage_messages_url",
    misconfigured=[
        *ACCOUNT,
        ({"vonage_whatsapp_from": ""}, "TOCSIN_VONAGE_WHATSAPP_FROM is not set"),
        ({"vonage_whatsapp_from": "Shop"}, "TOCSIN_VONAGE_WHATSAPP_FROM is no phone number"),
    ],
)
vonage = pytest.mark.parametrize("rig", ["vonagewhatsapp"], indirect=True)
twilio = pytest.mark.parametrize("rig", ["twiliowhatsapp"], indirect=True)
SHIPPED = Approved(template=f"HX{7:032x}", variables=("Ann", "order 7"))
TEMPLATE = Content(title="Shipped", body="It's on its way.", approved=SHIPPED)
SERVICE = f"MG{7:032x}"


@twilio
async def test_outside_of_a_day_a_template_goes_and_free_text_does_not(rig: Rig) -> None:
    closed = rig.running.simulators.twilio_whatsapp.closed
    closed.add(rig.address(1))
    try:
        free = await rig.send(1)
        assert isinstance(await rig.send(1, content=TEMPLATE), Sent)
    finally:
        closed.clear()
    assert isinstance(free, PermanentFailure)
    # The address is as good as before: tomorrow's template goes there.
    assert (free.reason, free.detail[:16]) == (Reason.REJECTED, "HTTP 400: 63016:")
    (line,) = rig.witnessed()
    assert (line.title, line.digest) == (
        SHIPPED.template,
        digest_of('{"1":"Ann","2":"order 7"}'),
    )


@vonage
async def test_by_vonage_too_a_template_goes_where_free_text_does_not(rig: Rig) -> None:
    named = Approved(template="ns:order_shipped", language="de", variables=("Ann", "order 7"))
    closed = rig.running.simulators.vonage_messages.closed
    closed.add(rig.address(1))
    try:
        free = await rig.send(1)
        assert isinstance(await rig.send(1, content=Content(body="x", approved=named)), Sent)
    finally:
        closed.clear()
    assert isinstance(free, PermanentFailure)
    said = "HTTP 422: 1340: Outside of the allowed window"
    assert (free.reason, free.detail) == (Reason.REJECTED, said)
    (line,) = rig.witnessed()
    assert (line.title, line.digest) == ("ns:order_shipped", digest_of("Ann\norder 7"))


@twilio
async def test_a_template_without_variables(rig: Rig) -> None:
    bare = Approved(template=SHIPPED.template)
    assert isinstance(await rig.send(content=Content(body="x", approved=bare)), Sent)
    assert rig.witnessed()[0].digest == digest_of("")


@twilio
async def test_no_call_is_made_for_what_is_no_content_sid(rig: Rig) -> None:
    named = Approved(template="order_shipped")
    outcome = await rig.send(content=Content(body="x", approved=named))
    said = "order_shipped is no ContentSid: HX and 32 hex digits"
    assert outcome == PermanentFailure(Reason.REJECTED, said)
    assert rig.witnessed() == []


@twilio
@pytest.mark.parametrize(
    ("update", "sender"),
    [
        ({"twilio_messaging_service": SERVICE}, ("From", "whatsapp:+14155238886")),
        (
            {"twilio_messaging_service": SERVICE, "twilio_whatsapp_from": ""},
            ("MessagingServiceSid", SERVICE),
        ),
    ],
)
async def test_who_sends(rig: Rig, update: dict[str, Any], sender: tuple[str, str]) -> None:
    provider = TwilioWhatsApp(rig.settings.model_copy(update=update), rig.http)
    await provider.check()
    assert isinstance((await provider.send([rig.delivery()]))[0], Sent)
    form = provider.form_of(Content(body="Hi"), "+4930123456")
    assert list(form.items()) == [("To", "whatsapp:+4930123456"), sender, ("Body", "Hi")]


@twilio
async def test_a_sender_of_another_kind_loses_nobody(rig: Rig) -> None:
    settings = rig.settings.model_copy(update={"twilio_whatsapp_from": "#"})
    (outcome,) = await TwilioWhatsApp(settings, rig.http).send([rig.delivery()])
    assert isinstance(outcome, TransientFailure)
    assert (outcome.reason, outcome.detail[:6]) == (Reason.UNAUTHORIZED, "21910:")


@twilio
@pytest.mark.parametrize("sign", ["*", "🦊", "ж"])
async def test_the_longest_text_that_there_is_room_for(rig: Rig, sign: str) -> None:
    for title in ("", "Order 7"):
        content = Content(title=title, body=sign * 2000)
        assert isinstance(await rig.send(content=content), Sent)
    assert isinstance(rig.provider, TwilioWhatsApp)
    body = rig.provider.form_of(content, "+4930123456")["Body"]
    assert (len(body), body[-1]) == (MOST_BODY, "…")
    fits = Content(body="x" * MOST_BODY)
    assert rig.provider.form_of(fits, "+4930123456")["Body"] == fits.body


@pytest.mark.parametrize(
    ("title", "text"),
    [("", "Hi"), ("Order 7", "*Order 7*\nHi"), ("5 * 7", "5 * 7\nHi")],
)
def test_a_title_is_bold(title: str, text: str) -> None:
    assert words_of(Content(title=title, body="Hi")) == text


@twilio
async def test_texts_and_whatsapp_fail_each_by_itself(rig: Rig) -> None:
    rig.running.simulators.faults.set("twilio", Fault(error_rate=1.0, status=503))
    assert isinstance(await rig.send(), Sent)
