"""What is stored about a user, as the records that it came from."""

from msgspec import Struct

from policy.contact.address import bot_chat_of, device_of, hook_of
from policy.time.timestamps import moment, timestamp
from policy.time.wall_clock import DAY, EVERY_DAY
from policy.user.block import blocked
from policy.user.profile import FOR_GOOD, Profile, QuietSpan
from schemas.event import Timestamp
from schemas.feedback import Suppression
from schemas.profile import Contacts, Preferences, QuietHours
from schemas.vocabulary import Channel, Weekday


class Known(Struct, frozen=True, kw_only=True):
    """What counts when something is decided for a user.

    `unsubscribed` are channels by category that were left by one click; `waiting` is how many
    notifications and digests wait; `best_hour` is the hour (UTC) in which they open most, where
    it is known. `blocked` are actors of whom they want to hear nothing, and since when.
    """

    contacts: Contacts
    preferences: Preferences
    suppressions: tuple[Suppression, ...] = ()
    unsubscribed: dict[str, tuple[Channel, ...]] = {}
    online: bool = False
    waiting: int = 0
    best_hour: int | None = None
    blocked: dict[str, Timestamp] = {}


def contacts_of(profile: Profile, tenant: str, user: str) -> Contacts:
    """The contacts of a profile."""
    return Contacts(
        user=user,
        tenant=tenant,
        devices=tuple(map(device_of, profile.devices)),
        email=profile.email or None,
        phone=profile.phone or None,
        zone=profile.zone or None,
        locale=profile.locale or None,
        suppressed=profile.suppressed,
        attributes=profile.attributes,
        webhooks=profile.webhooks,
        chats=tuple(map(hook_of, profile.chats)),
        bot_chats=tuple(map(bot_chat_of, profile.bot_chats)),
    )


def preferences_of(profile: Profile, tenant: str, user: str) -> Preferences:
    """The preferences of a profile."""
    snoozed, digest_at = profile.snoozed_until, profile.digest_at
    return Preferences(
        user=user,
        tenant=tenant,
        channels=profile.channels,
        categories=profile.categories,
        quiet_hours=tuple(map(_quiet_hours, profile.quiet_hours)),
        mutes={
            topic: None if until == FOR_GOOD else moment(until)
            for topic, until in profile.mutes.items()
        },
        snooze_until=moment(snoozed) if snoozed else None,
        frequency=profile.frequency,
        digest_at=None if digest_at is None else _clock(digest_at),
    )


def suppressions_of(profile: Profile, tenant: str, user: str) -> tuple[Suppression, ...]:
    """The bars of a profile's addresses, those that ended or were lifted included."""
    return tuple(
        Suppression(
            user=user,
            tenant=tenant,
            channel=bar.channel,
            reason=bar.reason,
            at=moment(bar.at),
            address=bar.address,
            until=moment(bar.until) if bar.until else None,
        )
        for bar in profile.barred
    )


def unsubscribed_from(profile: Profile) -> dict[str, tuple[Channel, ...]]:
    """Channels by category that the user left by one click."""
    found = {
        category: tuple(channel for channel, at in clicks.items() if at > 0)
        for category, clicks in profile.subscriptions.items()
    }
    return {category: channels for category, channels in found.items() if channels}


def blocked_by(profile: Profile) -> dict[str, str]:
    """Whom the user has blocked, and since when."""
    return {actor: timestamp(at) for actor, at in blocked(profile)}


def _quiet_hours(span: QuietSpan) -> QuietHours:
    bits, start, end = span
    days = [day for at, day in enumerate(Weekday) if bits >> at & 1 and bits != EVERY_DAY]
    return QuietHours(start=_clock(start), end=_clock(end), days=tuple(days))


def _clock(minute: int) -> str:
    minute %= DAY
    return f"{minute // 60:02}:{minute % 60:02}"
