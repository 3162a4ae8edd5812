"""What is posted to chats: each platform's message, in which no content is markup."""

import asyncio
from typing import Any

import msgspec
import pytest

from schemas.delivery import Content
from schemas.vocabulary import Channel, Priority, Reason
from sinks.chat.discord import Discord
from sinks.chat.hooks import Hooks
from sinks.chat.slack import Slack
from sinks.chat.slack_app import SlackApp
from sinks.chat.teams import Teams
from sinks.chat.telegram import Telegram
from sinks.http.adaptive_rate import Pace
from sinks.http.client import Reply
from sinks.provider import PermanentFailure, Sent
from tests.sinks.replies.table import reply
from tests.sinks.requests.endpoints import Known
from tests.sinks.requests.recorder import Recorder, delivery, settings
from tests.virtual_time import in_virtual_time

HARM = Content(title="A & <B>", body="*x* <@1>\n\n[y](z)")
BARE = Content(body="plain")
MESSAGES: list[tuple[type[Hooks], Content, dict[str, Any]]] = [
    (Slack, HARM, {
        "text": "A &amp; &lt;B&gt;\n*x* &lt;@1&gt;\n\n[y](z)",
        "blocks": [
            {"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}
            for text in (HARM.title, HARM.body)
        ],
    }),
    (Slack, BARE, {
        "text": "plain",
        "blocks": [
            {"type": "section", "text": {"type": "plain_text", "text": "plain", "emoji": False}}
        ],
    }),
    (Discord, HARM, {
        "embeds": [{"description": "**A & \\<B\\>**\n\\*x\\* \\<\\@1\\>\n\n\\[y\\]\\(z\\)"}],
        "allowed_mentions": {"parse": []},
    }),
    (Discord, BARE, {
        "embeds": [{"description": "plain"}], "allowed_mentions": {"parse": []},
    }),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "content", "message"), MESSAGES)
def test_the_message(kind: type[Hooks], content: Content, message: dict[str, Any]) -> None:
    provider = kind(settings(), Recorder())
    assert msgspec.json.decode(msgspec.json.encode(provider.message_of(content))) == message


def test_each_platform_has_its_name_and_its_scheme() -> None:
    for bot, name in ((Telegram, "telegram"), (SlackApp, "slackapp")):
        assert (bot.name, bot.scheme, bot.channel) == (name, name, Channel.CHAT)
        assert bot.is_one_server
    for kind, name in ((Slack, "slack"), (Discord, "discord"), (Teams, "teams")):
        provider = kind(settings(), Recorder())
        assert (provider.name, provider.scheme, provider.channel) == (name, name, Channel.CHAT)
        assert not provider.is_one_server


HOOKS: list[tuple[type[Hooks], str, str, Reply]] = [
    (
        Slack,
        "https://hooks.slack.com/services/T/B/x",
        "https://hooks.slack.com/services/T/B/x",
        reply(200, b"ok"),
    ),
    (
        Discord,
        "https://discord.com/api/webhooks/1/x",
        "https://discord.com/api/webhooks/1/x?wait=true",
        reply(200, {"id": "the delivery's id"}),
    ),
    (
        Teams,
        "https://prod-1.westeurope.logic.azure.com/workflows/x",
        "https://prod-1.westeurope.logic.azure.com/workflows/x",
        reply(202, b""),
    ),
]


@pytest.mark.parametrize(("kind", "hook", "url", "taken"), HOOKS)
async def test_what_leaves_for_a_hook(kind: type[Hooks], hook: str, url: str, taken: Reply) -> None:
    http = Recorder(taken)
    provider = kind(settings(), http)
    provider._endpoints = known = Known(http)
    said = delivery(Channel.CHAT, f"{kind.name}:{hook}", content=HARM)
    (outcome,) = await provider.send([said])
    assert isinstance(outcome, Sent)
    assert outcome.reference in (said.delivery_id, "the delivery's id")
    assert http.request.url == url
    assert http.request.headers == {
        "Content-Type": "application/json",
        "X-Tocsin-Delivery": f"{said.notification_id}.{said.delivery_id}",
    }
    assert http.request.body == msgspec.json.encode(provider.message_of(HARM))
    # Each hook fails by itself.
    assert known.circuits == [hook]


IDS = {"X-Tocsin-Delivery": f"{23:032x}.{7:032x}"}
JSON = {"Content-Type": "application/json; charset=utf-8"}
NO_PREVIEW = {"link_preview_options": {"is_disabled": True}}


@pytest.mark.parametrize(
    ("address", "content", "body"),
    [
        (
            "telegram:-100123/7",
            HARM,
            {
                "chat_id": "-100123",
                "text": "A & <B>\n*x* <@\u20601>\n\n[y](z)",
                "entities": [{"type": "bold", "offset": 0, "length": 7}],
                "message_thread_id": 7,
                **NO_PREVIEW,
            },
        ),
        ("telegram:@shop_news", BARE, {"chat_id": "@shop_news", "text": "plain", **NO_PREVIEW}),
    ],
)
async def test_what_leaves_for_telegram(address: str, content: Content, body: Any) -> None:
    http = Recorder(reply(200, {"ok": True, "result": {"message_id": 9}}))
    chosen = settings(telegram_bot_token="12:ab-c", telegram_url="https://api.telegram.org/")
    said = delivery(Channel.CHAT, address, content=content)
    assert list(await Telegram(chosen, http).send([said])) == [Sent("9")]
    assert http.request.url == "https://api.telegram.org/bot12:ab-c/sendMessage"
    assert http.request.headers == {**JSON, **IDS}
    assert http.request.json == body


def test_telegrams_pace_is_of_the_setting() -> None:
    assert Telegram(settings(telegram_per_second=7), Recorder())._pace.rate == 7


@in_virtual_time
async def test_each_message_to_telegram_waits_its_turn_and_an_urgent_one_the_shortest() -> None:
    """One a second: the second of three is made a second later, the third after two."""
    http = Recorder(reply(200, {"ok": True, "result": {"message_id": 9}}))
    provider = Telegram(settings(telegram_bot_token="12:x"), http)
    now = asyncio.get_running_loop().time
    provider._pace = Pace(1, now)
    went: list[tuple[str, float]] = []

    async def send(name: str, priority: Priority) -> None:
        await provider.send([delivery(Channel.CHAT, "telegram:1", priority=priority)])
        went.append((name, round(now(), 1)))

    low = [send(name, Priority.LOW) for name in ("first", "second", "third")]
    await asyncio.gather(*low, send("urgent", Priority.CRITICAL))
    assert went == [("first", 0.0), ("urgent", 1.0), ("second", 2.0), ("third", 3.0)]


@pytest.mark.parametrize(
    ("address", "channel", "thread"),
    [
        ("slackapp:C012/1700000000.123456", "C012", {"thread_ts": "1700000000.123456"}),
        ("slackapp:U012", "U012", {}),
    ],
)
async def test_what_leaves_for_slacks_app(address: str, channel: str, thread: Any) -> None:
    http = Recorder(reply(200, {"ok": True, "ts": "1503435956.000247"}))
    chosen = settings(slackapp_bot_token="xoxb-1", slackapp_url="https://slack.com/api/")
    said = delivery(Channel.CHAT, address, content=HARM)
    assert list(await SlackApp(chosen, http).send([said])) == [Sent("1503435956.000247")]
    assert http.request.url == "https://slack.com/api/chat.postMessage"
    assert http.request.headers == {"Authorization": "Bearer xoxb-1", **JSON, **IDS}
    assert http.request.json == {
        "channel": channel,
        **thread,
        **MESSAGES[0][2],
        "unfurl_links": False,
        "unfurl_media": False,
    }


@pytest.mark.parametrize(
    "address",
    [
        *("slackapp:", "slackapp:#general", "slackapp:c012", "slackapp:C012/x", "slackapp:C0/1/2"),
        *("telegram:", "telegram:me", "telegram:1.5", "telegram:@x", "telegram:1/-7"),
        *("telegram:1/x", "", "x"),
    ],
)
@pytest.mark.parametrize("kind", [Telegram, SlackApp])
async def test_what_is_no_chat_is_not_called(
    kind: type[Telegram] | type[SlackApp], address: str
) -> None:
    http = Recorder()
    (outcome,) = await kind(settings(), http).send([delivery(Channel.CHAT, address)])
    assert outcome == PermanentFailure(Reason.INVALID_ADDRESS, "it is no chat")
    assert http.requests == []


@pytest.mark.parametrize("kind", [Slack, Discord, Teams])
@pytest.mark.parametrize("url", ["https://hooks.example.com/x", "https://[", ""])
async def test_no_other_hosts_are_called(kind: type[Hooks], url: str) -> None:
    http = Recorder()
    provider = kind(settings(), http)
    provider._endpoints = Known(http)
    said = f"it is at none of {kind.name}'s hosts"
    (outcome,) = await provider.send([delivery(Channel.CHAT, f"{kind.name}:{url}")])
    assert outcome == PermanentFailure(Reason.INVALID_ADDRESS, said)
    assert http.requests == []


@pytest.mark.parametrize(
    ("hook", "url"),
    [
        ("https://discord.com/api/webhooks/1/x", "https://discord.com/api/webhooks/1/x?wait=true"),
        ("https://discord.com/x?thread_id=2", "https://discord.com/x?thread_id=2&wait=true"),
    ],
)
def test_discord_is_asked_to_wait(hook: str, url: str) -> None:
    assert Discord(settings(), Recorder()).url_of(hook) == url
    assert Slack(settings(), Recorder()).url_of(hook) == hook
