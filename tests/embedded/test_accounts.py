"""What `tocsin check` asks providers, as their own SDKs ask it, and what it makes of answers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from plivo.exceptions import AuthenticationError
from postmarker.exceptions import ClientError as PostmarkError
from python_http_client.exceptions import UnauthorizedError  # type: ignore[import-untyped]
from sendgrid import SendGridAPIClient
from slack_sdk.errors import SlackApiError
from telegram.error import InvalidToken

from agents.check.findings import State
from agents.check.providers import check_providers
from pipeline.settings import Settings
from pipeline.variables import settings_of
from schemas.vocabulary import Reason
from sinks.credentials import CALLS, Known, ask, known_by
from sinks.http.client import HttpClient, Reply
from sinks.provider import TransientFailure
from tests.embedded.conftest import Bench
from tests.embedded.test_bot_simulators import bot, slack
from tests.embedded.test_email_simulators import amazon, postmark
from tests.embedded.test_sms_simulators import Client, plivo_of
from tests.patience import PATIENCE

__all__ = ["plivo_of"]

SECRETS = {
    "mailgun": "mailgun_api_key",
    "plivo": "plivo_auth_token",
    "postmark": "postmark_server_token",
    "resend": "resend_api_key",
    "sendgrid": "sendgrid_api_key",
    "ses": "aws_secret_access_key",
    "slackapp": "slackapp_bot_token",
    "sns": "aws_secret_access_key",
    "telegram": "telegram_bot_token",
    "twilio": "twilio_auth_token",
    "twiliowhatsapp": "twilio_auth_token",
    "vonage": "vonage_api_secret",
}


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient(PATIENCE, 1)
    yield client
    await client.close()


def settings(bench: Bench, **more: str) -> Settings:
    return settings_of({**bench.running.environment, **more})


@pytest.mark.parametrize("name", CALLS)
async def test_a_provider_knows_us_by_our_secret_and_by_no_other(
    bench: Bench, http: HttpClient, name: str
) -> None:
    known = await ask(name, settings(bench), http)
    assert known is not None and known.is_known
    wrong = settings(bench, **{f"TOCSIN_{SECRETS[name].upper()}": "12:wrong"})
    known = await ask(name, wrong, http)
    # Of Mailgun it can't be told from a key that may only send.
    assert known is not None and known.is_known is (None if name == "mailgun" else False)
    assert "wrong" not in known.said


async def test_sdks_ask_the_same(bench: Bench, plivo_of: Client) -> None:
    running = bench.running
    for key, error in ((running.credentials.sendgrid_api_key, None), ("wrong", UnauthorizedError)):
        sendgrid = SendGridAPIClient(key, host=running.base_url)
        await _asked(error, sendgrid.client.scopes.get)
    for secret, failure in (({}, None), ({"aws_secret_access_key": "wrong"}, ClientError)):
        await _asked(failure, amazon(bench, "sesv2", **secret).get_account)
        await _asked(failure, amazon(bench, "sns", **secret).get_sms_attributes)
    await _asked(None, plivo_of().account.get)
    await _asked(AuthenticationError, plivo_of("wrong").account.get)
    await _asked(None, postmark(bench).server.get)
    await _asked(PostmarkError, postmark(bench, "wrong").server.get)
    async with bot(bench) as ours:
        assert (await ours.get_me()).username == "tocsin_bot"
    async with bot(bench, "12:wrong") as other:
        with pytest.raises(InvalidToken):
            await other.get_me()
    assert (await slack(bench).auth_test())["ok"]
    with pytest.raises(SlackApiError, match="invalid_auth"):
        await slack(bench, "wrong").auth_test()


async def _asked(error: type[Exception] | None, ask: Any) -> None:
    if error is None:
        assert await asyncio.to_thread(ask)
        return
    with pytest.raises(error):
        await asyncio.to_thread(ask)


@pytest.mark.parametrize(
    ("name", "status", "body", "is_known"),
    [
        ("resend", 401, b'{"name":"restricted_api_key"}', True),
        ("resend", 401, b'{"name":"missing_api_key"}', False),
        ("ses", 403, b'{"message":"User: a is not authorized to perform: ses:GetAccount"}', True),
        ("sns", 403, b"<Code>AuthorizationError</Code>", True),
        ("sns", 403, b"<Code>InvalidClientTokenId</Code>", False),
        ("twilio", 404, b"", False),
        ("twilio", 503, b"", None),
        ("sendgrid", 403, b"restricted_api_key", False),
        ("slackapp", 200, b'{"ok":true}', True),
        ("slackapp", 200, b'{"ok":false,"error":"account_inactive"}', False),
        ("slackapp", 200, b"<html>", None),
    ],
)
def test_replies(name: str, status: int, body: bytes, is_known: bool | None) -> None:
    assert known_by(name, Reply(status, {}, body, 0.0)).is_known is is_known


def test_no_reply_says_nothing_of_us() -> None:
    known = known_by("twilio", TransientFailure(Reason.TIMEOUT, "no reply within 10 s"))
    assert known == Known(None, "it can't be asked: no reply within 10 s")


async def test_each_provider_of_each_channel_is_a_line(bench: Bench) -> None:
    chosen = settings(
        bench,
        TOCSIN_PUSH_PROVIDERS="fcm,apns,webpush",
        TOCSIN_EMAIL_PROVIDERS="sendgrid:3,smtp",
        TOCSIN_SMS_PROVIDERS="twilio,plivo",
        TOCSIN_CHAT_PROVIDERS="slack,telegram",
        TOCSIN_PLIVO_AUTH_TOKEN="wrong",
    )
    found = {each.subject: each async for each in check_providers(chosen)}
    assert list(found) == [
        *("push: fcm", "push: apns", "push: webpush", "email: sendgrid", "email: smtp"),
        *("sms: twilio", "sms: plivo", "chat: slack", "chat: telegram", "webhook: standard"),
    ]
    failed = [each for each in found.values() if each.state is not State.OK]
    assert [(each.subject, each.state) for each in failed] == [("sms: plivo", State.FAILED)]
    assert failed[0].todo


async def test_a_relay_that_refuses_us_and_what_is_not_set(bench: Bench) -> None:
    chosen = settings(
        bench,
        TOCSIN_EMAIL_PROVIDERS="smtp,postmark",
        TOCSIN_SMTP_PASSWORD="wrong",
        TOCSIN_POSTMARK_SERVER_TOKEN="",
        TOCSIN_SMS_PROVIDERS="nobody",
    )
    found = {each.subject: each async for each in check_providers(chosen)}
    assert found["email: smtp"].state is State.FAILED
    assert "TOCSIN_SMTP_" in found["email: smtp"].todo
    assert found["email: postmark"].state is State.FAILED
    assert "TOCSIN_POSTMARK_SERVER_TOKEN" in found["email: postmark"].found
    assert (found["sms"].state, found["sms"].todo) == (
        State.FAILED,
        "mend TOCSIN_SMS_PROVIDERS",
    )
    shown = " ".join(each.found for each in found.values())
    assert not any(secret in shown for secret in bench.running.credentials.secrets())
