"""What is stored about a user: addresses and preferences, a MessagePack array.

Stored values outlive the program that wrote them, so a field is only ever added, at the end
and with a default.
"""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from policy.contact.address import bot_chat_address, chat_address, is_of_whatsapp, push_address
from policy.time.timestamps import epoch_ms
from policy.time.wall_clock import bits_of, minutes_of
from policy.user.suppression_reason import Barred
from schemas.profile import Contacts, DeviceChange, Hint, Preferences, Presence, QuietHours
from schemas.vocabulary import Channel, Frequency

QuietSpan = tuple[int, int, int]
"""Days on which it starts (bits, Monday the lowest), start and end in minutes of the day."""
MOST_DEVICES = 100
"""Push tokens of one user; of more, the last ones listed count."""
MOST_ONLINE = 10
"""Devices of one user whose presence is kept: those that say they are online the longest."""
FOR_GOOD = 0
FARTHEST = 253_370_764_800_000
"""9999-01-01, as far ahead as a moment counts: a calendar must still have the days after it."""
_DAY_MS = 86_400_000
_PUSH = Channel.PUSH  # see schemas.vocabulary


class Profile(Struct, frozen=True, array_like=True, gc=False):
    """Where a user can be reached and what they want; without records, the defaults."""

    devices: tuple[str, ...] = ()  # as policy.contact.address writes them
    email: str = ""
    phone: str = ""  # E.164
    zone: str = ""  # IANA; empty: the tenant's
    locale: str = ""  # empty: the tenant's
    suppressed: tuple[str, ...] = ()  # addresses that bounced or complained
    channels: dict[Channel, bool] = {}
    categories: dict[str, dict[Channel, bool]] = {}
    quiet_hours: tuple[QuietSpan, ...] = ()
    online: dict[str, int] = {}  # by device, until when (epoch ms)
    left_at: int = 0  # when a device was last said to go offline (epoch ms)
    mutes: dict[str, int] = {}  # CATEGORY/TOPIC: until when (epoch ms), or FOR_GOOD
    snoozed_until: int = 0  # epoch ms
    frequency: dict[str, Frequency] = {}
    digest_at: int | None = None  # minute of the day
    attributes: dict[str, str] = {}
    barred: tuple[Barred, ...] = ()  # the newest MOST_BARRED
    subscriptions: dict[str, dict[Channel, int]] = {}  # see policy.user.subscription
    chats: tuple[str, ...] = ()  # as policy.contact.address writes them
    webhooks: tuple[str, ...] = ()  # URLs
    best_hour: int | None = None  # of the day (UTC), in which they open most
    blocks: dict[str, int] = {}  # actors, see policy.user.block
    taken: dict[str, int] = {}  # see policy.user.taken
    bot_chats: tuple[str, ...] = ()  # as policy.contact.address writes them
    local_hour: int | None = None  # of their own day; stands in for `best_hour` where it is known

    def with_contacts(self, contacts: Contacts) -> "Profile":
        """The profile with these contacts in place of those it had."""
        # A token listed twice is one device.
        devices = tuple(dict.fromkeys(map(push_address, contacts.devices)))
        return replace(
            self,
            devices=devices[-MOST_DEVICES:],
            email=contacts.email or "",
            phone=contacts.phone or "",
            zone=contacts.zone or "",
            locale=contacts.locale or "",
            suppressed=contacts.suppressed,
            attributes=contacts.attributes,
            chats=tuple(dict.fromkeys(map(chat_address, contacts.chats))),
            webhooks=tuple(dict.fromkeys(contacts.webhooks)),
            bot_chats=tuple(dict.fromkeys(map(bot_chat_address, contacts.bot_chats))),
        )

    def with_device(self, change: DeviceChange) -> "Profile":
        """The profile with one device more, as the newest, or less."""
        address = push_address(change.device)
        others = tuple(each for each in self.devices if each != address)
        devices = others if change.removed else (*others, address)
        return replace(self, devices=devices[-MOST_DEVICES:])

    def addresses(self, channel: Channel) -> tuple[str, ...]:
        """Where the channel reaches the user; in-app nowhere but in their inbox."""
        if channel is _PUSH:
            return self.devices
        if channel is Channel.EMAIL:
            return (self.email,) if self.email else ()
        if channel is Channel.SMS:
            return (self.phone,) if self.phone else ()
        if channel is Channel.CHAT:
            return self.chats + self.bot_chats
        return self.webhooks if channel is Channel.WEBHOOK else ()

    @property
    def numbers(self) -> tuple[str, ...]:
        """Those from which they may answer STOP: the phone's, and WhatsApp's with its scheme."""
        phone = (self.phone,) if self.phone else ()
        if not self.bot_chats:
            return phone
        return phone + tuple(filter(is_of_whatsapp, self.bot_chats))

    def with_preferences(self, preferences: Preferences) -> "Profile":
        """The profile with these preferences in place of those it had."""
        snooze, digest_at = preferences.snooze_until, preferences.digest_at
        return replace(
            self,
            channels=preferences.channels,
            categories=preferences.categories,
            quiet_hours=tuple(quiet_span(hours) for hours in preferences.quiet_hours),
            mutes={
                topic: FOR_GOOD if until is None else _moment(until)
                for topic, until in preferences.mutes.items()
            },
            snoozed_until=0 if snooze is None else _moment(snooze),
            frequency=preferences.frequency,
            digest_at=None if digest_at is None else minutes_of(digest_at),
        )

    def with_hint(self, hint: Hint) -> "Profile":
        """The profile with this hint in place of the last; itself where that says the same."""
        said = hint.best_hour, hint.local_hour
        if said == (self.best_hour, self.local_hour):
            return self
        return replace(self, best_hour=hint.best_hour, local_hour=hint.local_hour)

    def with_presence(self, presence: Presence) -> "Profile":
        """The profile with what is said of one device's presence; the others stay as they are.

        Going offline is also the occasion to forget devices that fell silent over a day ago.
        """
        until, device = epoch_ms(presence.until), presence.device
        if presence.online:
            online = sorted((self.online | {device: until}).items(), key=lambda item: item[1])
            return replace(self, online=dict(online[-MOST_ONLINE:]))
        left = {
            other: end
            for other, end in self.online.items()
            if other != device and end > until - _DAY_MS
        }
        return replace(self, online=left, left_at=until)

    def is_online(self, now: int, grace: int) -> bool:
        """Whether a device is online at `now` (epoch ms), or was less than `grace` ms ago."""
        for until in self.online.values():
            if now < until + grace:
                return True
        return self.left_at <= now < self.left_at + grace


def quiet_span(hours: QuietHours) -> QuietSpan:
    """Quiet hours as numbers."""
    return bits_of(hours.days), minutes_of(hours.start), minutes_of(hours.end)


def _moment(moment: datetime) -> int:
    # At the epoch itself it would read as FOR_GOOD.
    return max(1, min(epoch_ms(moment), FARTHEST))
