"""What is known of a user, keyed by the user.

Topics: `contacts`, `devices`, `preferences`, `profile-changes`, `subscriptions`, `blocks`,
`presence`, `hints`.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.event import Moment, Name
from schemas.naming import ONE_LINE
from schemas.vocabulary import Channel, Frequency, Weekday

_Label = Annotated[str, Meta(max_length=200)]
_Topic = Annotated[str, Meta(min_length=1, max_length=401)]
"""Two names and what divides them."""
ClockTime = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5)]


class Device(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One installation of an app, or a browser, that can receive push notifications.

    `token` is what the platform gave the app: FCM's or APNs' device token, or for `web` the
    subscription as JSON, as the browser's `JSON.stringify` writes it.
    """

    token: Annotated[str, Meta(min_length=1, max_length=4096)]
    platform: Literal["fcm", "apns", "web"] = "fcm"


Url = Annotated[str, Meta(pattern=r"^https?://", max_length=2000)]
_MOST_ENDPOINTS = 10
_MOST_LISTED = 1000
_Address = Annotated[str, Meta(max_length=4200)]
_Category = Annotated[str, Meta(max_length=200, extra=ONE_LINE)]
_Attribute = Annotated[str, Meta(min_length=1, max_length=200)]
"""A text, which may have lines."""


class ChatHook(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An incoming webhook of a chat platform; anyone who knows its URL can write there."""

    platform: Literal["slack", "teams", "discord"]
    url: Url


class BotChat(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A chat that a bot of ours writes into.

    `chat` is what the platform calls it: Telegram's number or @name of a channel, Slack's id of a
    channel or a user, a phone number with + on WhatsApp. `thread` is a topic's number there, or the
    `ts` of the message to answer.
    """

    platform: Literal["telegram", "slack", "whatsapp"]
    chat: Annotated[
        str,
        Meta(
            pattern=r"^(-?[0-9]{1,20}|@[A-Za-z][A-Za-z0-9_]{3,31}|[A-Z][A-Z0-9]{1,31}|"
            r"\+[1-9][0-9]{5,14})$"
        ),
    ]
    thread: Annotated[str, Meta(pattern=r"^([0-9]{1,18}(\.[0-9]{1,6})?)?$")] = ""


class Contacts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where to reach a user; the record that Kafka accepted last counts, whole.

    `attributes` say which segments the user belongs to, and what texts may say of them. Where
    `zone` (IANA) or `locale` is not given or not known, the tenant's counts. Of over 100 devices,
    the last 100 listed do. `email` is one plain address, whose domain may have any letters; `phone`
    has + and the country's code.
    An `email` or `phone` that can't be used is left out, and reported as a dead letter. `webhooks`
    and `chats` are at public https URLs; a record that names another is a dead letter as a whole.
    `bot_chats` are reached without a secret of their own.
    """

    user: Name
    devices: Annotated[tuple[Device, ...], Meta(max_length=_MOST_LISTED)] = ()
    email: Annotated[str, Meta(max_length=320)] | None = None
    phone: Annotated[str, Meta(max_length=32)] | None = None  # E.164
    zone: _Label | None = None
    locale: _Label | None = None
    suppressed: Annotated[tuple[_Address, ...], Meta(max_length=_MOST_LISTED)] = ()
    # addresses that bounced or complained
    attributes: Annotated[dict[Name, _Attribute], Meta(max_length=50)] = {}
    webhooks: Annotated[tuple[Url, ...], Meta(max_length=_MOST_ENDPOINTS)] = ()
    chats: Annotated[tuple[ChatHook, ...], Meta(max_length=_MOST_ENDPOINTS)] = ()
    tenant: Name = "default"
    bot_chats: Annotated[tuple[BotChat, ...], Meta(max_length=_MOST_ENDPOINTS)] = ()


class DeviceChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One device comes, or with `removed` goes; the user's other contacts stay as they are.

    Of two changes of one device the one that Kafka accepted last counts, as with contacts, which
    replace all devices.
    """

    user: Name
    device: Device
    removed: bool = False
    tenant: Name = "default"


class QuietHours(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A span by the user's own clock, on the days on which it starts; no days are all days.

    It may cross midnight. An equal start and end are no span at all.
    """

    start: ClockTime
    end: ClockTime
    days: tuple[Weekday, ...] = ()


class Preferences(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a user wants to receive; the record that Kafka accepted last counts, as a whole.

    `channels` overrides the defaults (all on but SMS);
    `categories` overrides those for one category, channel by channel. `mutes` are keyed by
    CATEGORY/TOPIC, where the topic is what the type says it is about; null mutes for good, a
    moment until then. During `quiet_hours`, and before `snooze_until`, what makes a sound waits.
    `frequency` is by category, `*` for those not named: hourly or daily, one message has all of the
    category on a channel. Daily ones come at `digest_at`.
    What is not said here is as the tenant has it.
    """

    user: Name
    channels: dict[Channel, bool] = {}
    categories: Annotated[dict[_Category, dict[Channel, bool]], Meta(max_length=_MOST_LISTED)] = {}
    quiet_hours: Annotated[tuple[QuietHours, ...], Meta(max_length=50)] = ()
    mutes: Annotated[dict[_Topic, Moment | None], Meta(max_length=1000)] = {}
    snooze_until: Moment | None = None
    frequency: Annotated[dict[_Category, Frequency], Meta(max_length=_MOST_LISTED)] = {}
    digest_at: ClockTime | None = None
    tenant: Name = "default"
    by: Literal["", "api", "page"] = ""


class Presence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether a user has the app open on a device; a user is online while any device is.

    Of one device the record that Kafka accepted last counts.

    Online ends at `until` where it is not renewed. Offline ends it at once, and `until` says
    when the app was closed; a moment that is still to come changes nothing about that.
    """

    user: Name
    online: bool
    until: Moment
    device: Name = "app"
    tenant: Name = "default"


Zone = Annotated[str, Meta(min_length=1, max_length=200)]


class ProfileChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is said here replaces what was said before; what is absent stays as it is.

    `categories` changes the channels that it names in the categories that it names, and
    `frequency` those categories. `quiet_hours` replaces all of them; an empty list ends them.
    `zone` (IANA) is the user's time zone. The record that Kafka accepted last counts, as with the
    topics `preferences` and `contacts`, which replace all. A producer that knows only a part of
    what a user wants writes this, and not all of it again: what was added in between would be lost.
    """

    user: Name
    categories: Annotated[dict[Name, dict[Channel, bool]], Meta(max_length=1000)] = {}
    frequency: Annotated[dict[Name, Frequency], Meta(max_length=1000)] = {}
    quiet_hours: Annotated[tuple[QuietHours, ...], Meta(max_length=50)] | None = None
    zone: Zone | None = None
    tenant: Name = "default"
    by: Literal["", "api", "page"] = ""


class Block(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`user` blocks `actor` from `at` on, or with `blocked` false no longer does.

    Whatever the actor does then notifies the user of nothing and is in no feed of theirs, whoever
    else it is for; but for transactional types, which come all the same. Of two records the later
    `at` counts, in whichever order they come.
    """

    user: Name
    actor: Name
    at: Moment
    blocked: bool = True
    tenant: Name = "default"


class Subscription(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The user unsubscribed from a category on a channel, or, if `subscribed`, is back.

    It stands beside `preferences`: a later record there, written by an app that knows nothing of
    the click, does not subscribe anybody again. Only `subscribed` does, and then preferences
    count. Transactional types go out all the same. Of two records the later `at` counts.
    """

    user: Name
    category: Name
    channel: Channel
    at: Moment
    subscribed: bool = False
    tenant: Name = "default"


class Hint(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """In which hour of the day (UTC, 0 to 23) a user opens most; it replaces the last one.

    `local_hour` is the hour that their own clock shows then. It stays right when clocks change, and
    counts where it is given.
    """

    user: Name
    best_hour: Annotated[int, Meta(ge=0, le=23)]
    tenant: Name = "default"
    local_hour: Annotated[int, Meta(ge=0, le=23)] | None = None
