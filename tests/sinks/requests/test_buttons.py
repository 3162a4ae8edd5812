"""Images and buttons as each provider has them, read by its own SDK where it has one."""

import re
from typing import Any

import msgspec
import telegram
from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement

from schemas.delivery import Action, Content
from schemas.profile import BotChat
from schemas.vocabulary import Channel
from sinks.chat.discord import MOST_FIELD, Discord
from sinks.chat.slack import Slack
from sinks.chat.slack_app import SlackApp
from sinks.chat.teams import Teams
from sinks.chat.telegram import Telegram
from sinks.push.apns_payload import payload_of as apple_of
from sinks.push.webpush import payload_of as browser_of
from tests.sinks.requests.recorder import Recorder, delivery, settings

PHOTO = "https://x.example/p.png?a=1&b=2"
OPEN, HARM = Action(label="Open & see", url="https://x.example/7"), "[x](<https://evil.example>)"
CONTENT = Content(
    title="Hi",
    body="Hello",
    image=PHOTO,
    actions=(OPEN, Action(label=HARM, url="https://x.example/a>b\\c")),
)
PLAIN = Content(title="Hi", body="Hello")


def said(provider: Any, content: Content, *chat: BotChat) -> Any:
    """What is sent, as it travels."""
    return msgspec.json.decode(msgspec.json.encode(provider.message_of(content, *chat)))


def test_slack_has_buttons_that_its_sdk_takes_and_an_image_that_can_cost_nothing() -> None:
    found = said(Slack(settings(), Recorder()), CONTENT)
    blocks = Block.parse_all(found["blocks"])
    for block in blocks:
        block.validate_json()
    buttons = blocks[-1]
    assert isinstance(buttons, ActionsBlock)
    assert all(isinstance(each, ButtonElement) for each in buttons.elements)
    shown = [(each["text"]["text"], each["url"]) for each in found["blocks"][-1]["elements"]]
    assert shown == [(each.label, each.url) for each in CONTENT.actions]
    assert len({each["action_id"] for each in found["blocks"][-1]["elements"]}) == 2
    # An image block that Slack can't fetch is invalid_blocks; an attachment is shown without it.
    assert found["attachments"] == [{"image_url": PHOTO, "fallback": "Hi"}]
    app = said(SlackApp(settings(), Recorder()), CONTENT, BotChat(platform="slack", chat="C1"))
    assert (app["blocks"], app["attachments"]) == (found["blocks"], found["attachments"])
    assert set(said(Slack(settings(), Recorder()), PLAIN)) == {"text", "blocks"}


def test_teams_has_an_image_and_actions_that_open_pages() -> None:
    (attachment,) = said(Teams(settings(), Recorder()), CONTENT)["attachments"]
    card = attachment["content"]
    assert card["body"][-1] == {"type": "Image", "url": PHOTO, "altText": "Hi"}
    assert card["actions"] == [
        {"type": "Action.OpenUrl", "title": each.label, "url": each.url} for each in CONTENT.actions
    ]
    (attachment,) = said(Teams(settings(), Recorder()), PLAIN)["attachments"]
    assert "actions" not in attachment["content"]


def test_discord_has_an_image_and_links_that_nothing_breaks_out_of() -> None:
    (embed,) = said(Discord(settings(), Recorder()), CONTENT)["embeds"]
    assert embed["image"] == {"url": PHOTO}
    links = [field["value"] for field in embed["fields"]]
    assert links[0] == "[Open & see](<https://x.example/7>)"
    label, address = re.fullmatch(r"\[(.*)\]\(<([^<>]*)>\)", links[1]).groups()  # type: ignore[union-attr]
    assert re.sub(r"\\(.)", r"\1", label) == HARM
    assert not re.search(r"(?<!\\)[\[\]()<>]", label)
    assert address == "https://x.example/a%3Eb%5Cc"
    assert all(field["name"] for field in embed["fields"])
    long = Action(label="x", url="https://x.example/" + "y" * MOST_FIELD)
    (embed,) = said(Discord(settings(), Recorder()), Content(body="b", actions=(long,)))["embeds"]
    assert embed == {"description": "b"}


def test_telegram_has_a_keyboard_and_a_preview_that_its_library_reads() -> None:
    chat = BotChat(platform="telegram", chat="1")
    found = said(Telegram(settings(), Recorder()), CONTENT, chat)
    keyboard = telegram.InlineKeyboardMarkup.de_json(found["reply_markup"], None)
    rows = [[(button.text, button.url) for button in row] for row in keyboard.inline_keyboard]
    assert rows == [[(each.label, each.url)] for each in CONTENT.actions]
    preview = telegram.LinkPreviewOptions.de_json(found["link_preview_options"], None)
    assert (preview.url, preview.prefer_large_media) == (PHOTO, True)
    assert not preview.is_disabled
    plain = said(Telegram(settings(), Recorder()), PLAIN, chat)
    assert plain["link_preview_options"] == {"is_disabled": True}
    assert "reply_markup" not in plain


def test_apple_and_browsers_get_them_for_the_apps_own_code() -> None:
    told = delivery(Channel.PUSH, "apns:d", content=CONTENT)
    apple = msgspec.json.decode(msgspec.json.encode(apple_of(told)))
    assert apple["aps"]["mutable-content"] == 1
    expected = [{"label": each.label, "url": each.url} for each in CONTENT.actions]
    assert (apple["image"], apple["actions"]) == (PHOTO, expected)
    browser = msgspec.json.decode(msgspec.json.encode(browser_of(told)))
    assert (browser["image"], browser["actions"]) == (PHOTO, expected)
    plain = delivery(Channel.PUSH, "apns:d", content=PLAIN)
    assert "mutable-content" not in msgspec.to_builtins(apple_of(plain))["aps"]
    assert not {"image", "actions"} & {*msgspec.to_builtins(browser_of(plain)), *apple_of(plain)}
