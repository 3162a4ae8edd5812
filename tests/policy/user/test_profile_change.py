"""A change says a part of what a user wants; whatever it does not name stays."""

from typing import Any

import pytest
from msgspec.structs import replace

from policy.user.profile import Profile
from policy.user.profile_change import MOST_CATEGORIES, with_change
from schemas.profile import ProfileChange, QuietHours
from schemas.vocabulary import Channel, Frequency, Weekday

PUSH, EMAIL, SMS = Channel.PUSH, Channel.EMAIL, Channel.SMS
BEFORE = Profile(
    devices=("a-phone",),
    email="ann@example.com",
    zone="Europe/Paris",
    channels={SMS: True},
    categories={"news": {EMAIL: True}, "things": {PUSH: False}},
    quiet_hours=((1, 1320, 420), (127, 720, 780)),
    mutes={"things/7": 0},
    snoozed_until=9,
    frequency={"news": Frequency.DAILY, "things": Frequency.DAILY},
    digest_at=480,
)


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ({}, {}),
        (
            {"categories": {"news": {PUSH: False}, "new": {SMS: True}}},
            {
                "categories": {
                    "news": {EMAIL: True, PUSH: False},
                    "things": {PUSH: False},
                    "new": {SMS: True},
                }
            },
        ),
        (
            {"categories": {"things": {PUSH: True}}},
            {"categories": {"news": {EMAIL: True}, "things": {PUSH: True}}},
        ),
        (
            {"frequency": {"things": Frequency.HOURLY}},
            {"frequency": {"news": Frequency.DAILY, "things": Frequency.HOURLY}},
        ),
        ({"quiet_hours": ()}, {"quiet_hours": ()}),
        (
            {"quiet_hours": (QuietHours(start="23:00", end="06:30", days=(Weekday.TUE,)),)},
            {"quiet_hours": ((2, 1380, 390),)},
        ),
        ({"zone": "Asia/Tokyo"}, {"zone": "Asia/Tokyo"}),
    ],
)
def test_what_is_named_changes_and_all_else_stays(
    said: dict[str, Any], fields: dict[str, Any]
) -> None:
    assert with_change(BEFORE, ProfileChange(user="ann", **said)) == replace(BEFORE, **fields)


def test_two_changes_of_different_cells_are_both_kept_in_either_order() -> None:
    one = ProfileChange(user="ann", categories={"news": {PUSH: False}})
    two = ProfileChange(user="ann", categories={"news": {SMS: True}})
    after = with_change(with_change(BEFORE, one), two)
    assert after == with_change(with_change(BEFORE, two), one)
    assert after.categories["news"] == {EMAIL: True, PUSH: False, SMS: True}


def test_a_user_can_not_grow_without_bound() -> None:
    profile = Profile()
    for first in range(0, 3000, 500):
        cells = {f"c{number}": {PUSH: False} for number in range(first, first + 500)}
        often = dict.fromkeys(cells, Frequency.DAILY)
        profile = with_change(profile, ProfileChange(user="ann", categories=cells, frequency=often))
    newest = [f"c{number}" for number in range(3000 - MOST_CATEGORIES, 3000)]
    assert list(profile.categories) == list(profile.frequency) == newest
