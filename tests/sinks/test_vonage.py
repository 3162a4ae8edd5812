"""Vonage: errors in replies that say 200, parts, and how little a message may bear."""

from dataclasses import replace

import pytest
from pydantic import SecretStr

from schemas.delivery import Content
from schemas.vocabulary import Channel, Reason
from sinks.http.client import Reply
from sinks.provider import PermanentFailure, Sent, TransientFailure
from sinks.sms.sms_provider import Text, Texting
from sinks.sms.vonage import MOST_CALLBACK, Vonage, outcome_of
from tests.sinks.rig import Case, Rig

VONAGE = Case(
    kind=Vonage,
    channel=Channel.SMS,
    address="+1500555{:04d}",
    invalid="12",
    dead=Reason.INVALID_ADDRESS,
    titled=False,
    misconfigured=[
        ({"vonage_api_key": ""}, "TOCSIN_VONAGE_API_KEY is not set"),
        ({"vonage_api_secret": ""}, "TOCSIN_VONAGE_API_SECRET is not set"),
        ({"vonage_url": "vonage"}, "TOCSIN_VONAGE_URL"),
        ({"sms_from": ""}, "TOCSIN_SMS_FROM is not set"),
    ],
)
alone = pytest.mark.parametrize("rig", ["vonage"], indirect=True)


@alone
@pytest.mark.parametrize(
    "update",
    [{"vonage_api_secret": SecretStr("x")}, {"vonage_api_key": "other"}, {"sms_from": "#"}],
)
async def test_a_refused_setting_loses_nobody(rig: Rig, update: dict[str, object]) -> None:
    settings = rig.settings.model_copy(update=update)
    outcome = await replace(rig, provider=Vonage(settings, rig.http)).send()
    assert isinstance(outcome, TransientFailure)
    assert outcome.reason is Reason.UNAUTHORIZED


@alone
async def test_a_long_text_counts_in_parts(rig: Rig) -> None:
    outcome = await rig.send(content=Content(body="x" * 400))
    assert isinstance(outcome, Sent)
    assert outcome.segments == 3
    (line,) = rig.witnessed()
    assert outcome.reference == line.reference


@alone
async def test_only_a_callback_that_fits_is_sent(rig: Rig) -> None:
    said = rig.delivery()
    assert isinstance(rig.provider, Vonage)
    day = said.expires_at // 86_400_000
    for url, fits in (("https://n.example.com", True), (f"https://{'n' * 80}.com", False), ("", 0)):
        settings = rig.settings.model_copy(update={"public_url": url, "partitions": 1})
        provider = Vonage(settings, rig.http)
        text = provider.texting.prepare(said)
        assert isinstance(text, Text)
        request = provider.request_of(said, text)
        assert request.callback == (f"{url}/webhooks/vonage" if fits else "")
        assert len(request.callback) <= MOST_CALLBACK
        assert request.client_ref == f"{said.delivery_id}.{said.notification_id}.0.{day}"


@alone
@pytest.mark.parametrize(
    ("statuses", "kind"),
    [
        ("00", Sent),
        ("01", TransientFailure),
        ("11", TransientFailure),
        ("", TransientFailure),
        ("66", PermanentFailure),
    ],
)
async def test_what_several_parts_mean(rig: Rig, statuses: str, kind: type) -> None:
    text = Texting(rig.settings, "vonage").prepare(rig.delivery())
    assert isinstance(text, Text)
    parts = ",".join(f'{{"status":"{status}","message-id":"m"}}' for status in statuses)
    reply = Reply(200, {}, f'{{"messages":[{parts}]}}'.encode(), 0.0)
    outcome = outcome_of(reply, text)
    assert isinstance(outcome, kind)
    if isinstance(outcome, TransientFailure):
        assert outcome.uncertain == (statuses in ("01", ""))


@alone
async def test_too_many_calls_at_once_are_made_later(rig: Rig) -> None:
    text = Texting(rig.settings, "vonage").prepare(rig.delivery())
    assert isinstance(text, Text)
    body = b'{"messages":[{"status":"10","error-text":"Too Many Existing Binds"}]}'
    outcome = outcome_of(Reply(200, {"retry-after": "3"}, body, 0.0), text)
    assert isinstance(outcome, TransientFailure)
    assert (outcome.reason, outcome.after, outcome.uncertain) == (Reason.THROTTLED, 3.0, False)
