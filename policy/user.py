"""What is kept for each user: a profile and a ledger, both MessagePack arrays.

Stored values outlive the program that wrote them, so a field is only ever added, at the end
and with a default.
"""

from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from policy.dedupe import Mark
from policy.rate_limit import Window
from schemas.profile import Contacts, Preferences, Presence
from schemas.vocabulary import Channel

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_ms(moment: datetime) -> int:
    """Epoch milliseconds of an aware datetime, exact and rounded down."""
    since = moment - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


class Profile(Struct, frozen=True, array_like=True):
    """Where a user can be reached and what they want; without records, the defaults."""

    devices: tuple[str, ...] = ()  # push tokens
    email: str = ""
    phone: str = ""  # E.164
    zone: str = "UTC"  # IANA
    locale: str = "en"
    suppressed: tuple[str, ...] = ()  # addresses that bounced or complained
    channels: dict[Channel, bool] = {}
    categories: dict[str, dict[Channel, bool]] = {}
    quiet_hours: tuple[str, str] | None = None  # HH:MM on the wall
    online_until: int = 0  # epoch ms

    def with_contacts(self, contacts: Contacts) -> "Profile":
        """The profile with these contacts in place of those it had."""
        return replace(
            self,
            # A token listed twice is one device.
            devices=tuple(dict.fromkeys(device.token for device in contacts.devices)),
            email=contacts.email or "",
            phone=contacts.phone or "",
            zone=contacts.zone,
            locale=contacts.locale,
            suppressed=contacts.suppressed,
        )

    def with_preferences(self, preferences: Preferences) -> "Profile":
        """The profile with these preferences in place of those it had."""
        hours = preferences.quiet_hours
        return replace(
            self,
            channels=preferences.channels,
            categories=preferences.categories,
            quiet_hours=(hours.start, hours.end) if hours else None,
        )

    def with_presence(self, presence: Presence) -> "Profile":
        """The profile with this presence in place of the one it had."""
        return replace(self, online_until=epoch_ms(presence.until) if presence.online else 0)


class Ledger(Struct, frozen=True, array_like=True):
    """What was decided for a user: deduplication marks by key, and rate windows by name.

    Bounded: at most `MARKS_KEPT` marks, and in each window twice its limit's count of times.
    """

    marks: dict[bytes, Mark] = {}
    windows: dict[str, Window] = {}
