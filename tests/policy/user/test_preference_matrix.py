"""What a person may choose, as it stands now, and what becomes of a choice."""

import pytest

from policy.catalogue.catalogue import parse
from policy.user.preference_matrix import Choice, Remainder, choices, remainder
from policy.user.tenant import DEFAULT_TENANT
from policy.user.user_view import Known
from schemas.profile import Contacts, Preferences
from schemas.vocabulary import Channel, Frequency
from tests.policy.samples import TYPE

RECEIPT = TYPE.replace("thing", "receipt").replace("= 86400", "= 86400\ntransactional = true")
ALERT = TYPE.replace("thing", "alert").replace("alerts", "things")
NEWS = """
event = "news.came"
[types.news]
category = "news"
priority = "low"
channels = ["email"]
users = "who"
time_to_live = "1d"
escalation = [{ after = "5m", channels = ["push"] }]
[types.news.templates]
push = { title = "Hi", body = "x" }
email = { title = "Hi", body = "x" }
"""
CATALOGUE = parse(
    {"thing.toml": TYPE, "receipt.toml": RECEIPT, "alert.toml": ALERT, "news.toml": NEWS}
)

MESSAGES = {channel: channel is not Channel.SMS for channel in Channel}
"""Anybody may be sent a message of the built-in category, on any channel."""


def known(preferences: Preferences, **left: tuple[Channel, ...]) -> Known:
    return Known(contacts=Contacts(user="ann"), preferences=preferences, unsubscribed=left)


def test_every_category_that_can_be_turned_off_with_the_channels_of_its_types() -> None:
    said = Preferences(
        user="ann",
        categories={"things": {Channel.PUSH: False, Channel.SMS: True}},
        frequency={"news": Frequency.DAILY},
    )
    assert choices(CATALOGUE, known(said, things=(Channel.INAPP,)), DEFAULT_TENANT) == [
        Choice("messages", MESSAGES, Frequency.INSTANTLY),
        Choice("news", {Channel.PUSH: True, Channel.EMAIL: True}, Frequency.DAILY),
        Choice(
            "things",
            {Channel.PUSH: False, Channel.EMAIL: True, Channel.SMS: True, Channel.INAPP: False},
            Frequency.INSTANTLY,
        ),
    ]


def test_who_says_nothing_has_the_defaults() -> None:
    found = choices(CATALOGUE, known(Preferences(user="ann")), DEFAULT_TENANT)
    assert {each.category: each.channels for each in found} == {
        "messages": MESSAGES,
        "news": {Channel.PUSH: True, Channel.EMAIL: True},
        "things": {
            Channel.PUSH: True,
            Channel.EMAIL: True,
            Channel.SMS: False,
            Channel.INAPP: True,
        },
    }


@pytest.mark.parametrize(
    ("category", "channel", "left"),
    [
        ("things", Channel.EMAIL, Remainder.NOTHING),
        ("news", Channel.PUSH, Remainder.NOTHING),
        ("receipts", Channel.SMS, Remainder.ALL),
        ("mixed", Channel.EMAIL, Remainder.SOME),
        # It has no type there, or none any more.
        ("mixed", Channel.CHAT, Remainder.NOTHING),
        ("mixed", Channel.PUSH, Remainder.ALL),
        ("gone", Channel.EMAIL, Remainder.NOTHING),
    ],
)
def test_what_still_comes_of_a_category_that_was_left(
    category: str, channel: Channel, left: Remainder
) -> None:
    mixed = TYPE.replace("thing", "paper").replace("papers", "mixed")
    needed = mixed.replace("paper", "bill").replace("= 86400", "= 86400\ntransactional = true")
    catalogue = parse(
        {
            "thing.toml": TYPE,
            "receipt.toml": RECEIPT,
            "news.toml": NEWS,
            "paper.toml": mixed.replace('"push", ', "").replace(
                'push = { title = "Hi", body = "{{ data.text }}", data = ["text"] }', ""
            ),
            "bill.toml": needed,
        }
    )
    assert remainder(catalogue, category, channel) is left
