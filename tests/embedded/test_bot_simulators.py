"""The simulators of Telegram and of Slack's API, driven by the SDKs made for them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from telegram import Bot, MessageEntity
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken
from telegram.request import HTTPXRequest

from embedded.simulators.accept_log import digest_of
from tests.embedded.conftest import Bench


@asynccontextmanager
async def bot(bench: Bench, token: str | None = None) -> AsyncIterator[Bot]:
    token = token or bench.running.credentials.telegram_bot_token
    request = HTTPXRequest()
    await request.initialize()
    yield Bot(token, base_url=f"{bench.running.base_url}/bot", request=request)
    await request.shutdown()


async def test_telegrams_sdk_sends(bench: Bench) -> None:
    bold = MessageEntity(type=MessageEntity.BOLD, offset=0, length=7)
    async with bot(bench) as ours:
        posted = await ours.send_message(
            -100123, "Shipped\nOn its way", entities=[bold], message_thread_id=7
        )
    last = bench.last()
    assert (last.provider, last.title) == ("telegram", "Shipped")
    assert last.address == "telegram:-100123/7"
    assert (last.digest, last.reference) == (digest_of("On its way"), str(posted.message_id))


async def test_telegrams_sdk_knows_the_errors(bench: Bench) -> None:
    async with bot(bench, "12345:wrong") as strange:
        with pytest.raises(InvalidToken):
            await strange.send_message(1, "x")
    bench.fault("telegram", dead=frozenset({"telegram:7"}))
    moved = bench.running.simulators.telegram.moved
    moved["-5"] = -1005
    async with bot(bench) as ours:
        with pytest.raises(Forbidden, match="blocked by the user"):
            await ours.send_message(7, "x")
        with pytest.raises(BadRequest, match="too long"):
            await ours.send_message(8, "x" * 4097)
        with pytest.raises(ChatMigrated) as told:
            await ours.send_message(-5, "x")
    moved.clear()
    assert told.value.new_chat_id == -1005


def slack(bench: Bench, token: str | None = None) -> AsyncWebClient:
    token = token or bench.running.credentials.slackapp_bot_token
    return AsyncWebClient(token, base_url=f"{bench.running.base_url}/api/")


async def test_slacks_sdk_sends(bench: Bench) -> None:
    posted = await slack(bench).chat_postMessage(
        channel="C012", text="On its way", thread_ts="1700000000.123456"
    )
    last = bench.last()
    assert (last.provider, last.address) == ("slackapp", "slackapp:C012/1700000000.123456")
    assert (last.digest, last.reference) == (digest_of("On its way"), posted["ts"])


@pytest.mark.parametrize(
    ("channel", "token", "text", "error"),
    [
        ("C012", "xoxb-wrong", "x", "invalid_auth"),
        ("C0DEAD", None, "x", "is_archived"),
        ("C012", None, "x" * 40_001, "msg_too_long"),
        ("", None, "x", "channel_not_found"),
    ],
)
async def test_slacks_sdk_knows_the_errors(
    bench: Bench, channel: str, token: str | None, text: str, error: str
) -> None:
    bench.fault("slackapp", dead=frozenset({"slackapp:C0DEAD"}))
    with pytest.raises(SlackApiError) as refused:
        await slack(bench, token).chat_postMessage(channel=channel, text=text)
    assert refused.value.response["error"] == error


async def test_slack_takes_forms(bench: Bench) -> None:
    """As its SDK for Node posts them, with blocks as JSON."""
    block = {"type": "section", "text": {"type": "mrkdwn", "text": "On its way"}}
    form = {"channel": "C012", "text": "x", "blocks": json.dumps([block])}
    posted = await slack(bench).api_call("chat.postMessage", data=form)
    last = bench.last()
    assert (last.digest, last.reference) == (digest_of("On its way"), posted["ts"])
    for wrong in ("{", '{"type": 1}'):
        with pytest.raises(SlackApiError, match="invalid_arguments"):
            await slack(bench).api_call("chat.postMessage", data={**form, "blocks": wrong})


async def test_slacks_sdk_is_told_how_long_to_wait(bench: Bench) -> None:
    bench.fault("slackapp", error_rate=1.0, status=429, retry_after=30)
    with pytest.raises(SlackApiError) as refused:
        await slack(bench).chat_postMessage(channel="C012", text="x")
    assert refused.value.response["error"] == "ratelimited"
    assert refused.value.response.headers["Retry-After"] == "30"
