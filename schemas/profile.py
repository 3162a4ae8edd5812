"""`contacts`, `preferences`, `presence` (key: user): what is known of a person."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.event import Moment, Name
from schemas.vocabulary import Channel

ClockTime = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Device(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One installation of an app that can receive push notifications."""

    token: Annotated[str, Meta(min_length=1, max_length=4096)]
    platform: Literal["fcm"] = "fcm"


class Contacts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where to reach a user; each record replaces the one before it."""

    user: Name
    devices: tuple[Device, ...] = ()
    email: str | None = None
    phone: str | None = None  # E.164
    zone: str = "UTC"  # IANA
    locale: str = "en"
    suppressed: tuple[str, ...] = ()  # addresses that bounced or complained
    tenant: Name = "default"


class QuietHours(Struct, frozen=True, kw_only=True):
    """A daily span in the user's own zone; it may cross midnight. An equal start and end: none."""

    start: ClockTime
    end: ClockTime


class Preferences(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a user wants to hear; each record replaces the one before it.

    `channels` overrides the defaults (push, email and in-app on, SMS off);
    `categories` overrides those for one category, channel by channel.
    """

    user: Name
    channels: dict[Channel, bool] = {}
    categories: dict[str, dict[Channel, bool]] = {}
    quiet_hours: QuietHours | None = None
    tenant: Name = "default"


class Presence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether a user has the app open; an `online` that is not renewed ends at `until`."""

    user: Name
    online: bool
    until: Moment
    tenant: Name = "default"
