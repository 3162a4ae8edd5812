"""Telegram: a bot in many chats, of which one's trouble is no other's."""

import pytest

from embedded.simulators.chat.telegram import PING
from policy.rendering.channels.chat import MOST, ChatRoom
from schemas.delivery import Content
from schemas.profile import BotChat
from schemas.vocabulary import Channel, Reason
from sinks.chat.telegram import Telegram
from sinks.provider import PermanentFailure, Sent, TransientFailure
from tests.sinks.rig import Case, Rig

TELEGRAM = Case(
    kind=Telegram,
    channel=Channel.CHAT,
    address="telegram:10{}",
    invalid="telegram:no such chat",
    dead=Reason.UNREGISTERED,
    misconfigured=[
        ({"telegram_bot_token": ""}, "TOCSIN_TELEGRAM_BOT_TOKEN is not set"),
        ({"telegram_bot_token": "12345"}, "is no bot's token"),
        ({"telegram_url": "telegram"}, "TOCSIN_TELEGRAM_URL is not an http or https URL"),
    ],
)

alone = pytest.mark.parametrize("rig", ["telegram"], indirect=True)
HARM = "@everyone (@ann_1) [pay](https://evil.example) *bold* <b>x</b> /start @ö_x mail@example.com"


@alone
async def test_nothing_is_markup_and_nobody_is_pinged(rig: Rig) -> None:
    assert len(PING.findall(HARM)) == 3
    before = rig.running.simulators.telegram.pings
    await rig.send(content=Content(title=HARM, body=HARM))
    assert rig.running.simulators.telegram.pings == before
    assert rig.witnessed()[0].title == HARM


@alone
@pytest.mark.parametrize("sign", ["*", "🦊", " @\N{MATHEMATICAL FRAKTUR SMALL A}"])
async def test_the_longest_text_that_there_is_room_for(rig: Rig, sign: str) -> None:
    title = (sign * 250)[:250]
    body = ChatRoom().fitted(title, (sign * 3000)[:3000], {})
    assert len(title) + len(body) <= MOST
    assert isinstance(await rig.send(content=Content(title=title, body=body)), Sent)


@alone
async def test_a_topic_of_a_group(rig: Rig) -> None:
    assert isinstance(await rig.send(address="telegram:-100123/7"), Sent)
    assert rig.witnessed()[0].address == "telegram:-100123/7"


@alone
async def test_a_group_that_became_a_supergroup_is_followed_and_remembered(rig: Rig) -> None:
    moved = rig.running.simulators.telegram.moved
    moved["-5"] = -1005
    try:
        for number in range(2):
            assert isinstance(await rig.send(number, address="telegram:-5"), Sent)
        assert [line.address for line in rig.witnessed()] == ["telegram:-1005"] * 2
    finally:
        moved.clear()


@alone
async def test_what_moves_again_at_once_is_given_up(rig: Rig) -> None:
    moved = rig.running.simulators.telegram.moved
    moved |= {"-5": -6, "-6": -5}
    try:
        outcome = await rig.send(address="telegram:-5")
    finally:
        moved.clear()
    assert isinstance(outcome, PermanentFailure)
    assert (outcome.reason, outcome.lasting) == (Reason.UNREGISTERED, False)


@alone
async def test_another_bots_token_loses_nobody(rig: Rig) -> None:
    chosen = Telegram(
        rig.settings.model_copy(
            update={"telegram_bot_token": type(rig.settings.signing_key)("12345:wrong")}
        ),
        rig.http,
    )
    (outcome,) = await chosen.send([rig.delivery()])
    assert isinstance(outcome, TransientFailure)
    assert outcome.reason is Reason.UNAUTHORIZED


@alone
@pytest.mark.parametrize(
    ("title", "units"), [("Shipped", 7), ("🦊 a", 4), ("@ann", 5), ("ж" * 3, 3)]
)
async def test_the_title_is_bold_by_units_of_utf_16(rig: Rig, title: str, units: int) -> None:
    assert isinstance(rig.provider, Telegram)
    chat = BotChat(platform="telegram", chat="1")
    message = rig.provider.message_of(Content(title=title, body="x"), chat)
    assert [(each.offset, each.length) for each in message.entities] == [(0, units)]
