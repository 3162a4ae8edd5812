"""Plivo: whose fault a refused message is, and what a message carries."""

from dataclasses import replace

import pytest

from schemas.delivery import Content
from schemas.vocabulary import Channel, Reason
from sinks.provider import PermanentFailure, Sent, TransientFailure
from sinks.sms.plivo import Plivo
from tests.sinks.rig import Case, Rig

PLIVO = Case(
    kind=Plivo,
    channel=Channel.SMS,
    address="+1500555{:04d}",
    invalid="12",
    dead=Reason.INVALID_ADDRESS,
    titled=False,
    misconfigured=[
        ({"plivo_auth_id": ""}, "TOCSIN_PLIVO_AUTH_ID is not set"),
        ({"plivo_auth_token": ""}, "TOCSIN_PLIVO_AUTH_TOKEN is not set"),
        ({"plivo_url": "plivo"}, "TOCSIN_PLIVO_URL"),
        ({"sms_from": ""}, "TOCSIN_SMS_FROM is not set"),
    ],
)
alone = pytest.mark.parametrize("rig", ["plivo"], indirect=True)


@alone
@pytest.mark.parametrize("update", [{"sms_from": "#"}, {"plivo_auth_id": "MAOTHER"}])
async def test_a_refused_setting_loses_nobody(rig: Rig, update: dict[str, str]) -> None:
    settings = rig.settings.model_copy(update=update)
    outcome = await replace(rig, provider=Plivo(settings, rig.http)).send()
    assert isinstance(outcome, TransientFailure)
    assert outcome.reason is Reason.UNAUTHORIZED


@alone
async def test_too_long_a_text(rig: Rig) -> None:
    outcome = await rig.send(content=Content(body="x" * 1601))
    assert isinstance(outcome, PermanentFailure)
    assert outcome.reason is Reason.REJECTED


@alone
async def test_segments_are_counted(rig: Rig) -> None:
    outcome = await rig.send(content=Content(body="x" * 400))
    assert isinstance(outcome, Sent)
    assert outcome.segments == 3
