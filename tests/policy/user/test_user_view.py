"""What is stored of a user, as the schemas of the topics say it."""

from datetime import UTC, datetime

import msgspec
import pytest

from policy.user.profile import FOR_GOOD, Profile
from policy.user.suppression_reason import NO_END, Barred
from policy.user.user_view import contacts_of, preferences_of, suppressions_of, unsubscribed_from
from schemas.profile import BotChat, ChatHook, Contacts, Device, QuietHours
from schemas.vocabulary import Channel, SuppressionReason, Weekday

NOON, ONE = 1_772_366_400_000, 1_772_370_000_000
AT_NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT_ONE = datetime(2026, 3, 1, 13, tzinfo=UTC)


@pytest.mark.parametrize(("until", "end"), [(NO_END, None), (ONE, AT_ONE)])
def test_a_bar_has_its_reason_and_its_end(until: int, end: datetime | None) -> None:
    bar = Barred(Channel.EMAIL, "ann@example.com", SuppressionReason.HARD_BOUNCE, NOON, until)
    (found,) = suppressions_of(Profile(barred=(bar,)), "acme", "ann")
    assert (found.user, found.tenant, found.channel) == ("ann", "acme", Channel.EMAIL)
    assert (found.address, found.reason) == ("ann@example.com", SuppressionReason.HARD_BOUNCE)
    assert (found.at, found.until) == (AT_NOON, end)


def test_wishes_are_told_as_they_are_written() -> None:
    monday_night = (1, 22 * 60, 7 * 60 + 5)
    profile = Profile(
        quiet_hours=(monday_night, (127, 0, 60)),
        mutes={"news/cats": FOR_GOOD, "news/dogs": NOON},
        snoozed_until=ONE,
        digest_at=18 * 60 + 30,
    )
    found = preferences_of(profile, "acme", "ann")
    assert found.quiet_hours == (
        QuietHours(start="22:00", end="07:05", days=(Weekday.MON,)),
        QuietHours(start="00:00", end="01:00"),
    )
    assert found.mutes == {"news/cats": None, "news/dogs": AT_NOON}
    assert (found.snooze_until, found.digest_at) == (AT_ONE, "18:30")
    nothing = preferences_of(Profile(), "acme", "ann")
    assert (nothing.snooze_until, nothing.digest_at, nothing.quiet_hours) == (None, None, ())


def test_an_address_that_is_not_there_is_none() -> None:
    found = contacts_of(Profile(), "acme", "ann")
    assert (found.email, found.phone, found.zone, found.locale) == (None, None, None, None)


def test_contacts_are_told_as_they_were_written() -> None:
    said = Contacts(
        user="ann",
        tenant="acme",
        devices=(Device(token="t", platform="apns"),),
        webhooks=("https://example.com/x",),
        chats=(ChatHook(platform="slack", url="https://hooks.slack.com/services/T/B/x"),),
        bot_chats=(
            BotChat(platform="slack", chat="C012", thread="1700000000.123456"),
            BotChat(platform="telegram", chat="-100123", thread="7"),
            BotChat(platform="telegram", chat="@shop_news"),
            BotChat(platform="whatsapp", chat="+4915112345678"),
        ),
    )
    profile = Profile().with_contacts(said)
    assert contacts_of(profile, "acme", "ann") == said
    assert profile.addresses(Channel.CHAT) == (
        "slack:https://hooks.slack.com/services/T/B/x",
        "slackapp:C012/1700000000.123456",
        "telegram:-100123/7",
        "telegram:@shop_news",
        "whatsapp:+4915112345678",
    )


def test_what_was_stored_before_there_were_bots_is_read() -> None:
    fields = msgspec.to_builtins(Profile(chats=("slack:https://x",)))
    assert msgspec.convert(fields[:-2], Profile) == Profile(chats=("slack:https://x",))
    assert Profile.__struct_fields__[-2] == "bot_chats"


def test_only_what_a_user_left_is_listed() -> None:
    clicks = {"news": {Channel.EMAIL: 5, Channel.PUSH: -6}, "things": {Channel.SMS: -7}}
    assert unsubscribed_from(Profile(subscriptions=clicks)) == {"news": (Channel.EMAIL,)}
