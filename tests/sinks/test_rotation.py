"""Credentials of providers that are replaced under a provider that sends: its simulator refuses
the old ones."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.monitoring.metrics import STALE_SECRETS
from pipeline.replaced_files import LOOK_SECONDS
from pipeline.secret_file import FileSecret
from pipeline.settings import Settings
from schemas.vocabulary import Reason
from sinks.provider import Sent, TransientFailure
from tests.certificates import new_key, private_pem
from tests.pipeline.mounted import Mounted, Seconds
from tests.sinks.rig import Rig

SECRETS = {
    "mailgun": "mailgun_api_key",
    "plivo": "plivo_auth_token",
    "postmark": "postmark_server_token",
    "resend": "resend_api_key",
    "sendgrid": "sendgrid_api_key",
    "slackapp": "slackapp_bot_token",
    "smtp": "smtp_password",
    "telegram": "telegram_bot_token",
    "twilio": "twilio_auth_token",
    "twiliowhatsapp": "twilio_auth_token",
    "vonage": "vonage_api_secret",
}
"""By the provider."""


async def refused(rig: Rig, provider: Any) -> None:
    (outcome,) = await provider.send([rig.delivery(1)])
    rig.assert_secretless(outcome)
    assert isinstance(outcome, TransientFailure)
    assert outcome.reason is Reason.UNAUTHORIZED
    assert rig.witnessed() == []


async def taken(rig: Rig, provider: Any) -> None:
    (outcome,) = await provider.send([rig.delivery(2)])
    assert isinstance(outcome, Sent)
    assert len(rig.witnessed()) == 1


@pytest.mark.parametrize("rig", sorted(SECRETS), indirect=True)
async def test_a_new_key_is_used_without_a_restart(rig: Rig, tmp_path: Path) -> None:
    setting = SECRETS[rig.name]
    right = getattr(rig.settings, setting).get_secret_value()
    wrong = right[:-4] + ("0000" if right[-4:] != "0000" else "1111")
    mounted, seconds = Mounted(tmp_path / "secrets", key=wrong), Seconds()
    secret = FileSecret(setting, mounted["key"], seconds)
    provider = rig.case.kind(rig.settings.model_copy(update={setting: secret}), rig.http)
    try:
        await refused(rig, provider)
        mounted.swap(key=f"{right}\n")
        await refused(rig, provider)
        seconds.now = LOOK_SECONDS
        await taken(rig, provider)
    finally:
        await provider.close()


def with_file(rig: Rig, setting: str, content: str, tmp_path: Path) -> tuple[Mounted, Settings]:
    mounted = Mounted(tmp_path / "secrets", key=content)
    return mounted, rig.settings.model_copy(update={setting: mounted["key"]})


@pytest.mark.parametrize("rig", ["vonagemessages", "vonagewhatsapp"], indirect=True)
async def test_a_new_private_key_of_an_application(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.replaced_files.LOOK_SECONDS", 0)
    right = (rig.settings.vonage_private_key or Path()).read_text()
    wrong = private_pem(new_key()).decode()
    mounted, settings = with_file(rig, "vonage_private_key", wrong, tmp_path)
    provider = rig.case.kind(settings, rig.http)
    await refused(rig, provider)
    mounted.swap(key=right)
    await taken(rig, provider)
    mounted.swap(key=right[:300])
    (outcome,) = await provider.send([rig.delivery(3)])
    assert isinstance(outcome, Sent)
    assert STALE_SECRETS.labels("vonage_private_key")._value.get() == 1


@pytest.mark.parametrize("rig", ["fcm"], indirect=True)
async def test_a_new_service_account(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("pipeline.replaced_files.LOOK_SECONDS", 0)
    right = (rig.settings.fcm_credentials or Path()).read_text()
    mounted, settings = with_file(rig, "fcm_credentials", right, tmp_path)
    provider = rig.case.kind(settings, rig.http)
    await taken(rig, provider)
    mounted.swap(key=right[:200])
    (outcome,) = await provider.send([rig.delivery(3)])
    assert isinstance(outcome, Sent)
    assert "TOCSIN_FCM_CREDENTIALS" in caplog.text
    assert STALE_SECRETS.labels("fcm_credentials")._value.get() == 1
    assert right[150:200] not in caplog.text
    mounted.swap(key=right.replace("tocsin-demo", "another-project"))
    (outcome,) = await provider.send([rig.delivery(4)])
    assert not isinstance(outcome, Sent)
    assert STALE_SECRETS.labels("fcm_credentials")._value.get() == 0
