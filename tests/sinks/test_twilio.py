"""Twilio: whose fault a refused message is."""

from dataclasses import replace

import pytest

from schemas.delivery import Content
from schemas.vocabulary import Channel, Reason
from sinks.http.client import Reply
from sinks.provider import PermanentFailure, Sent, TransientFailure
from sinks.sms.sms_provider import Text, Texting
from sinks.sms.twilio import Twilio, outcome_of
from tests.sinks.rig import Case, Rig

TWILIO = Case(
    kind=Twilio,
    channel=Channel.SMS,
    address="+1500555{:04d}",
    invalid="12",
    dead=Reason.UNREGISTERED,
    titled=False,
    misconfigured=[
        ({"twilio_account_sid": ""}, "TOCSIN_TWILIO_ACCOUNT_SID is not set"),
        ({"twilio_account_sid": "SM1"}, "TOCSIN_TWILIO_ACCOUNT_SID"),
        ({"twilio_auth_token": ""}, "TOCSIN_TWILIO_AUTH_TOKEN is not set"),
        ({"sms_from": ""}, "TOCSIN_SMS_FROM is not set"),
        ({"twilio_messaging_service": "MG1"}, "TOCSIN_TWILIO_MESSAGING_SERVICE is not MG"),
    ],
)


@pytest.mark.parametrize("rig", ["twilio"], indirect=True)
async def test_refused_sender_loses_nobody(rig: Rig) -> None:
    settings = rig.settings.model_copy(update={"sms_from": "#"})
    outcome = await replace(rig, provider=Twilio(settings, rig.http)).send()
    assert isinstance(outcome, TransientFailure)
    assert outcome.reason is Reason.UNAUTHORIZED


SERVICE = f"MG{7:032x}"


@pytest.mark.parametrize("rig", ["twilio"], indirect=True)
async def test_a_messaging_service_needs_no_sender(rig: Rig) -> None:
    update = {"sms_from": "", "twilio_messaging_service": SERVICE}
    provider = Twilio(rig.settings.model_copy(update=update), rig.http)
    await provider.check()
    assert isinstance(await replace(rig, provider=provider).send(), Sent)
    assert len(rig.witnessed()) == 1


@pytest.mark.parametrize("rig", ["twilio"], indirect=True)
@pytest.mark.parametrize("service", [f"MG{0:032x}", "MGx"])
async def test_a_messaging_service_that_is_none_loses_nobody(rig: Rig, service: str) -> None:
    settings = rig.settings.model_copy(update={"twilio_messaging_service": service})
    outcome = await replace(rig, provider=Twilio(settings, rig.http)).send()
    assert isinstance(outcome, TransientFailure)
    assert outcome.reason is Reason.UNAUTHORIZED


@pytest.mark.parametrize("rig", ["twilio"], indirect=True)
async def test_too_long_a_text(rig: Rig) -> None:
    outcome = await rig.send(content=Content(body="x" * 1601))
    assert isinstance(outcome, PermanentFailure)
    assert outcome.reason is Reason.REJECTED


@pytest.mark.parametrize("rig", ["twilio"], indirect=True)
@pytest.mark.parametrize("status", [400, 429])
async def test_what_finds_the_queue_full_is_sent_later(rig: Rig, status: int) -> None:
    text = Texting(rig.settings, "twilio").prepare(rig.delivery())
    assert isinstance(text, Text)
    body = b'{"code": 21611, "message": "exceeded the maximum number of queued messages"}'
    outcome = outcome_of(Reply(status, {}, body, 0.0), text)
    assert isinstance(outcome, TransientFailure)
    assert outcome.reason is Reason.THROTTLED
