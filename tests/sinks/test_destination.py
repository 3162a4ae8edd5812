"""Classes of destinations; the kinds of numbers are held to libphonenumber's own examples."""

import phonenumbers
import pytest

from policy.contact.address import bot_chat_address, chat_address, push_address
from schemas.profile import BotChat, ChatHook, Device
from schemas.vocabulary import Channel
from sinks.destination import destination_class

WEB = '{"endpoint":"https://%s/send/abc","keys":{"auth":"a","p256dh":"b"}}'


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("ann.secret@gmail.com", "gmail"),
        ("ANN@GoogleMail.com", "gmail"),
        ("ann@hotmail.co.uk", "microsoft"),
        ("ann@outlook.com.br", "microsoft"),
        ("ann@live.nl", "microsoft"),
        ("ann@yahoo.fr", "yahoo"),
        ("ann@yahoo.co.jp", "yahoo japan"),  # another company
        ("ann@icloud.com", "apple"),
        ("ann@gmx.net", "gmx"),
        ("ann@web.de", "web.de"),
        # A domain of somebody's own is never told, however it is called.
        ("ann@ann-miller.example", "other"),
        ("ann@live.ann-miller.com", "other"),
        ("ann@yahoo.ann.com", "other"),
        ("ann@gmail.com.evil.org", "other"),
        ("ann", "other"),
    ],
)
def test_a_mailbox_provider_by_domain(address: str, expected: str) -> None:
    assert destination_class(Channel.EMAIL, address) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (phonenumbers.PhoneNumberType.MOBILE, {"mobile", "fixed or mobile"}),
        (phonenumbers.PhoneNumberType.FIXED_LINE, {"fixed", "fixed or mobile"}),
        (phonenumbers.PhoneNumberType.TOLL_FREE, {"toll free"}),
    ],
)
def test_a_number_is_its_country_and_its_kind(kind: int, expected: set[str]) -> None:
    for region in ("DE", "GB", "FR", "BR", "IN", "JP", "NG", "CH", "PL"):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue  # no such numbers in that country
        number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        country, _, found = destination_class(Channel.SMS, number).partition(" ")
        assert country == region, number
        assert found in expected, number


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+4915112345678", "DE mobile"),
        ("+12125550123", "US fixed or mobile"),  # American digits don't say which
        ("+14165550123", "CA fixed or mobile"),
        ("+4912", "DE other"),
        ("+999123456", "other"),
        ("none", "other"),
    ],
)
def test_what_digits_do_not_say_is_not_told(number: str, expected: str) -> None:
    assert destination_class(Channel.SMS, number) == expected


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        (Device(token="tok:en"), "fcm"),
        (Device(token="ab12", platform="apns"), "apns"),
        (Device(token=WEB % "fcm.googleapis.com", platform="web"), "web fcm"),
        (Device(token=WEB % "updates.push.services.mozilla.com", platform="web"), "web mozilla"),
        (Device(token=WEB % "web.push.apple.com", platform="web"), "web apple"),
        (Device(token=WEB % "wns2-am3p.notify.windows.com", platform="web"), "web windows"),
        (Device(token=WEB % "push.ann.example", platform="web"), "web other"),
        (Device(token="{}", platform="web"), "web other"),
        (Device(token="x", platform="web"), "web other"),
    ],
)
def test_a_push_service(device: Device, expected: str) -> None:
    assert destination_class(Channel.PUSH, push_address(device)) == expected


def test_chats_are_their_platform_and_what_is_a_users_own_is_nothing() -> None:
    hook = chat_address(ChatHook(platform="discord", url="https://discord.com/api/webhooks/1/s"))
    bot = bot_chat_address(BotChat(platform="telegram", chat="@ann"))
    phone = bot_chat_address(BotChat(platform="whatsapp", chat="+4915112345678"))
    assert destination_class(Channel.CHAT, hook) == "discord"
    assert destination_class(Channel.CHAT, bot) == "telegram"
    assert destination_class(Channel.CHAT, phone) == "whatsapp DE mobile"
    assert destination_class(Channel.WEBHOOK, "https://ann.example/hook") == ""
    assert destination_class(Channel.INAPP, "ann") == ""
