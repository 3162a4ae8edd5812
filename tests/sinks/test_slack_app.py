"""Slack, as an app: channels, users and threads of one workspace."""

import pytest
from pydantic import SecretStr

from policy.rendering.channels.chat import MOST, ChatRoom
from schemas.delivery import Content
from schemas.vocabulary import Channel, Reason
from sinks.chat.slack_app import SlackApp
from sinks.provider import Sent, TransientFailure
from tests.sinks.rig import Case, Rig

SLACKAPP = Case(
    kind=SlackApp,
    channel=Channel.CHAT,
    address="slackapp:C{}",
    invalid="slackapp:#general",
    dead=Reason.UNREGISTERED,
    misconfigured=[
        ({"slackapp_bot_token": ""}, "TOCSIN_SLACKAPP_BOT_TOKEN is not set"),
        ({"slackapp_bot_token": "T0/B0/x"}, "is no bot's token"),
        ({"slackapp_url": "slack"}, "TOCSIN_SLACKAPP_URL is not an http or https URL"),
    ],
)

alone = pytest.mark.parametrize("rig", ["slackapp"], indirect=True)


@alone
async def test_the_longest_text_that_there_is_room_for(rig: Rig) -> None:
    title = "&" * 250
    body = ChatRoom().fitted(title, "<" * 3000, {})
    assert len(title) + len(body) <= MOST
    assert isinstance(await rig.send(content=Content(title=title, body=body)), Sent)


@alone
@pytest.mark.parametrize(
    "address", ["slackapp:U0123456789", "slackapp:C0123456789/1700000000.123456"]
)
async def test_a_user_and_a_thread(rig: Rig, address: str) -> None:
    assert isinstance(await rig.send(address=address), Sent)
    assert rig.witnessed()[0].address == address


@alone
async def test_another_apps_token_loses_nobody(rig: Rig) -> None:
    chosen = rig.settings.model_copy(update={"slackapp_bot_token": SecretStr("xoxb-1-wrong")})
    (outcome,) = await SlackApp(chosen, rig.http).send([rig.delivery()])
    assert outcome == TransientFailure(Reason.UNAUTHORIZED, "invalid_auth")
