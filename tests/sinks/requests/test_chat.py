"""What is posted to chats: each platform's message, in which no content is markup."""

from typing import Any

import msgspec
import pytest

from schemas.delivery import Content
from schemas.vocabulary import Channel
from sinks.chat.discord import Discord
from sinks.chat.hooks import Hooks
from sinks.chat.slack import Slack
from sinks.chat.teams import Teams
from tests.sinks.requests.recorder import Recorder, settings

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
    for kind, name in ((Slack, "slack"), (Discord, "discord"), (Teams, "teams")):
        provider = kind(settings(), Recorder())
        assert (provider.name, provider.scheme, provider.channel) == (name, name, Channel.CHAT)
        assert not provider.is_one_server


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
