"""Numbers, senders by country, segments and what they cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.settings import Settings
from policy.contact.number_plan import country_of
from schemas.delivery import Content
from schemas.errors import Misconfigured
from schemas.vocabulary import Reason
from sinks.provider import PermanentFailure
from sinks.sms.sms_provider import Text, Texting
from tests.sinks.rig import delivery
from tests.sinks.test_twilio import TWILIO


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+4930123456", "DE"),
        ("+12025550123", "US"),
        ("+15005550006", "US"),  # Twilio's test number, in no plan
        ("+14165550123", "CA"),
        ("+442071234567", "GB"),
        ("+493", None),
        ("4930123456", None),
        ("+49 30 123456", None),
        ("+4930123456;ext=5", None),
        ("+999123456789", None),
        ("", None),
        ("tel", None),
    ],
)
def test_the_country_of_a_number(number: str, country: str | None) -> None:
    assert country_of(number) == country


@given(st.text(max_size=30))
def test_no_text_breaks_it(number: str) -> None:
    assert country_of(number) is None or number[0] == "+"


def prepared(
    address: str = "+4930123456", body: str = "Hi", **settings: object
) -> Text | PermanentFailure:
    texting = Texting(Settings.model_validate(settings), "twilio")
    return texting.prepare(delivery(TWILIO, address=address, content=Content(body=body)))


@pytest.mark.parametrize(
    ("address", "sender"), [("+4930123456", "Shop"), ("+12025550123", "+15005550006")]
)
def test_the_sender_is_by_country(address: str, sender: str) -> None:
    text = prepared(address, sms_senders={"DE": "Shop"})
    assert isinstance(text, Text)
    assert text.sender == sender


@pytest.mark.parametrize(
    ("body", "segments", "is_gsm"),
    [("x" * 160, 1, True), ("x" * 161, 2, True), ("ж" * 70, 1, False), ("ж" * 71, 2, False)],
)
def test_cost_is_by_segment_and_country(body: str, segments: int, is_gsm: bool) -> None:
    text = prepared(body=body, sms_prices={"DE": 0.075, "*": 0.05})
    assert isinstance(text, Text)
    assert (text.segments, text.is_gsm) == (segments, is_gsm)
    assert text.cost == pytest.approx(0.075 * segments)
    assert text.sent("r", 5).cost == pytest.approx(0.375)
    elsewhere = prepared("+442071234567", body, sms_prices={"DE": 0.075, "*": 0.05})
    assert isinstance(elsewhere, Text)
    assert elsewhere.cost == pytest.approx(0.05 * segments)


def test_no_price_is_no_cost() -> None:
    text = prepared()
    assert isinstance(text, Text)
    assert text.cost == 0


def test_a_number_that_can_not_be_is_refused_without_a_call() -> None:
    refused = prepared("12")
    assert isinstance(refused, PermanentFailure)
    assert refused.reason is Reason.INVALID_ADDRESS


def test_what_is_no_country_is_told() -> None:
    for wrong in ({"sms_senders": {"Germany": "Shop"}}, {"sms_prices": {"Germany": 1}}):
        with pytest.raises(Misconfigured, match="'Germany'"):
            Texting(Settings.model_validate(wrong), "twilio").check()


def test_the_callback_names_the_delivery_and_bears_its_ticket() -> None:
    text = prepared(public_url="https://n.example.com/", signing_key="key")
    assert isinstance(text, Text)
    assert text.callback.startswith("https://n.example.com/webhooks/twilio?notification_id=")
    assert "&ticket=" in text.callback
    bare = prepared(public_url="https://n.example.com")
    assert isinstance(bare, Text)
    assert "ticket" not in bare.callback
