"""Slack, Teams and Discord: what an event says can't ping, link or format."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.simulators.accept_log import digest_of
from embedded.simulators.credentials import Credentials, chat_hook
from policy.message import MOST_LABEL
from policy.rendering.channels.chat import MOST, ChatRoom
from schemas.delivery import Action, Content
from schemas.vocabulary import Channel, Reason
from sinks.chat.discord import Discord
from sinks.chat.slack import Section, Slack
from sinks.chat.teams import Teams
from sinks.provider import PermanentFailure, Sent, TransientFailure
from sinks.registry import BuildProvider
from tests.sinks.rig import Case, Rig

HARM = (
    "@everyone <!channel> <@U1> [pay](https://evil.example) **bold** `code` <https://e.example|x>"
)


def case(kind: BuildProvider, platform: str) -> Case:
    def subscribe(accounts: Credentials, url: str, number: int) -> str:
        return f"{platform}:{chat_hook(platform, url, number, accounts.chat_token)}"

    return Case(
        kind=kind,
        channel=Channel.CHAT,
        address="",
        invalid=f"{platform}:https://hooks.example.com/services/T0/B1/x",
        dead=Reason.UNREGISTERED,
        subscribe=subscribe,
    )


SLACK = case(Slack, "slack")
TEAMS = case(Teams, "teams")
DISCORD = case(Discord, "discord")
each = pytest.mark.parametrize("rig", ["slack", "teams", "discord"], indirect=True)


def only(name: str) -> Callable[..., object]:
    return pytest.mark.parametrize("rig", [name], indirect=True)


@each
async def test_the_longest_text_that_there_is_room_for(rig: Rig) -> None:
    title = "[" * 250
    body = ChatRoom().fitted(title, "*" * 3000, {})
    assert len(title) + len(body) <= MOST
    assert isinstance(await rig.send(content=Content(title=title, body=body)), Sent)


@each
async def test_a_hook_with_a_wrong_token(rig: Rig) -> None:
    token = rig.running.credentials.chat_token
    outcome = await rig.send(address=rig.address(1).replace(token, "other"))
    wrong = (PermanentFailure, TransientFailure) if rig.name == "teams" else PermanentFailure
    assert isinstance(outcome, wrong)


@each
@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/latest",
        "http://localhost:8123/",
        "https://hooks.slack.com.evil.example/services/T0/B0/x",
        "https://hooks.slack.com@evil.example/services/T0/B0/x",
        "https://[",
        "",
    ],
)
async def test_only_the_platforms_own_hosts_are_called(rig: Rig, url: str) -> None:
    outcome = await rig.send(address=f"{rig.name}:{url}")
    assert isinstance(outcome, PermanentFailure)
    assert outcome.reason is Reason.INVALID_ADDRESS


@only("discord")
async def test_discord_reads_no_markdown_and_pings_nobody(rig: Rig) -> None:
    before = rig.running.simulators.discord.styled
    await rig.send(content=Content(title=HARM[:100], body=HARM))
    assert rig.running.simulators.discord.styled == before
    assert rig.witnessed()[0].title == HARM[:100]


@given(st.text(max_size=300), st.text(max_size=100))
def test_discord_never_gets_a_bare_mark(body: str, title: str) -> None:
    text = Discord.message_of(None, Content(body=body, title=title)).embeds[0].description  # type: ignore[arg-type]
    inner = text.removeprefix("**").replace("**\n", "", 1) if title else text
    bare = inner.replace("\\\\", "")
    for at, mark in enumerate(bare):
        if mark in "*_~`|[]<@":
            assert bare[at - 1] == "\\"


@given(st.text(max_size=300))
def test_slacks_text_has_no_brackets(body: str) -> None:
    message = Slack.message_of(None, Content(body=body))  # type: ignore[arg-type]
    assert not {"<", ">"} & set(message.text)
    sections = [block for block in message.blocks if isinstance(block, Section)]
    assert all(section.text.type == "plain_text" for section in sections)


@only("discord")
async def test_discords_own_wait_is_taken_to_the_millisecond(rig: Rig) -> None:
    provider = rig.provider
    assert isinstance(provider, Discord)
    from sinks.http.client import Reply

    body = b'{"message": "You are being rate limited.", "retry_after": 0.457, "global": false}'
    outcome = provider.outcome_of(Reply(429, {"retry-after": "1"}, body, 0.0), "d")
    assert outcome == TransientFailure(Reason.THROTTLED, outcome.detail, 0.457)  # type: ignore[union-attr]


@each
async def test_one_throttled_hook_stops_no_other(rig: Rig) -> None:
    other = rig.delivery(2)
    rig.fault(error_rate=1.0, status=429, retry_after=30)
    assert isinstance(await rig.send(number=1), TransientFailure)
    rig.running.simulators.faults.clear_all()
    (again, fine) = await rig.provider.send([rig.delivery(1), other])
    assert isinstance(again, TransientFailure)
    assert (again.reason, round(again.after or 0)) == (Reason.CIRCUIT_OPEN, 30)
    assert isinstance(fine, Sent)


def test_a_card_is_as_the_schema_has_it() -> None:
    message = Teams.message_of(None, Content(title="Shipped", body="One\n\nTwo"))  # type: ignore[arg-type]
    (attachment,) = msgspec.to_builtins(message)["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert [block["type"] for block in card["body"]] == ["RichTextBlock"] * 3
    assert [block["inlines"][0]["weight"] for block in card["body"]] == [
        "Bolder",
        "Default",
        "Default",
    ]


@pytest.mark.parametrize(
    "rig", ["slack", "teams", "discord", "slackapp", "telegram"], indirect=True
)
async def test_an_image_and_three_buttons_are_taken_beside_the_text(rig: Rig) -> None:
    link = Action(label="x" * MOST_LABEL, url="https://x.example/" + "y" * 2000)
    content = Content(title="Hi", body=HARM, image="https://x.example/p.png", actions=(link,) * 3)
    outcome = await rig.send(content=content)
    assert isinstance(outcome, Sent)
    (line,) = rig.witnessed()
    assert (line.title, line.digest) == ("Hi", digest_of(HARM))
