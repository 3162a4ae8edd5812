"""Amazon SNS: signed calls, senders that are names or numbers, answers in XML."""

from dataclasses import replace

import pytest
from pydantic import SecretStr

from schemas.delivery import Content
from schemas.vocabulary import Channel, Priority, Reason
from sinks.provider import PermanentFailure, TransientFailure
from sinks.sms.sms_provider import Text, Texting
from sinks.sms.sns import Sns, form_of
from tests.sinks.rig import Case, Rig

SNS = Case(
    kind=Sns,
    channel=Channel.SMS,
    address="+1500555{:04d}",
    invalid="12",
    dead=Reason.UNREGISTERED,
    titled=False,
    misconfigured=[
        ({"aws_region": ""}, "TOCSIN_AWS_REGION is not set"),
        ({"aws_access_key_id": ""}, "TOCSIN_AWS_ACCESS_KEY_ID is not set"),
        ({"aws_secret_access_key": ""}, "TOCSIN_AWS_SECRET_ACCESS_KEY is not set"),
        ({"sns_url": "sns"}, "TOCSIN_SNS_URL"),
        ({"sms_from": ""}, "TOCSIN_SMS_FROM is not set"),
    ],
)
alone = pytest.mark.parametrize("rig", ["sns"], indirect=True)


@alone
@pytest.mark.parametrize(
    "update",
    [
        {"aws_secret_access_key": SecretStr("another")},
        {"aws_access_key_id": "AKIAOTHER"},
        {"aws_region": "us-east-1"},
    ],
)
async def test_a_refused_setting_loses_nobody(rig: Rig, update: dict[str, object]) -> None:
    settings = rig.settings.model_copy(update=update)
    outcome = await replace(rig, provider=Sns(settings, rig.http)).send()
    assert isinstance(outcome, TransientFailure)
    assert outcome.reason is Reason.UNAUTHORIZED
    assert rig.witnessed() == []


@alone
async def test_too_long_a_text(rig: Rig) -> None:
    outcome = await rig.send(content=Content(body="x" * 1601))
    assert isinstance(outcome, PermanentFailure)
    assert outcome.reason is Reason.REJECTED


@alone
@pytest.mark.parametrize(
    ("sender", "attribute"),
    [
        ("Shop", "AWS.SNS.SMS.SenderID"),
        ("+15005550006", "AWS.MM.SMS.OriginationNumber"),
        ("24680", "AWS.MM.SMS.OriginationNumber"),  # a short code
    ],
)
async def test_a_sender_is_a_name_or_a_number(rig: Rig, sender: str, attribute: str) -> None:
    settings = rig.settings.model_copy(update={"sms_senders": {"US": sender}})
    said = rig.delivery(priority=Priority.LOW)
    text = Texting(settings, "sns").prepare(said)
    assert isinstance(text, Text)
    form = form_of(said, text)
    assert form["MessageAttributes.entry.1.Name"] == attribute
    assert form["MessageAttributes.entry.1.Value.StringValue"] == sender
    assert form["MessageAttributes.entry.2.Value.StringValue"] == "Promotional"
