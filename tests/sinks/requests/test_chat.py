"""What is posted to chats: each platform's message, in which no content is markup."""

from typing import Any

import msgspec
import pytest

from schemas.delivery import Content
from schemas.vocabulary import Channel, Reason
from sinks.chat.discord import Discord
from sinks.chat.hooks import Hooks
from sinks.chat.slack import Slack
from sinks.chat.teams import Teams
from sinks.http import Reply
from sinks.provider import Refused, Sent
from tests.sinks.replies.table import reply
from tests.sinks.requests.endpoints import Known
from tests.sinks.requests.recorder import Recorder, delivery, settings

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


@pytest.mark.parametrize("kind", [Slack, Discord, Teams])
@pytest.mark.parametrize("url", ["https://hooks.example.com/x", "https://[", ""])
async def test_no_other_hosts_are_called(kind: type[Hooks], url: str) -> None:
    http = Recorder()
    provider = kind(settings(), http)
    provider._endpoints = Known(http)
    said = f"it is at none of {kind.name}'s hosts"
    (outcome,) = await provider.send([delivery(Channel.CHAT, f"{kind.name}:{url}")])
    assert outcome == Refused(Reason.INVALID_ADDRESS, said)
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
