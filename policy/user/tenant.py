"""What holds for the users of one tenant who have not said otherwise."""

from msgspec import Struct

from policy.catalogue.entry import TenantEntry
from policy.limits.daily_limit import DailyLimit
from policy.limits.rate_limit import TenantLimit
from policy.sender import sender_of
from policy.time.wall_clock import is_zone, minutes_of
from policy.user.profile import QuietSpan, quiet_span
from schemas.delivery import Sender
from schemas.vocabulary import Channel, Frequency


class Tenant(Struct, frozen=True):
    """Defaults for users, and limits over all of them together.

    `digest_at` is when daily digests come, in minutes of the day by the user's clock; `sender` who
    e-mails are from.
    """

    zone: str = "UTC"
    locale: str = "en"
    channels: dict[Channel, bool] = {}
    categories: dict[str, dict[Channel, bool]] = {}
    quiet_hours: tuple[QuietSpan, ...] = ()
    frequency: dict[str, Frequency] = {}
    digest_at: int = 9 * 60
    rate_limit: TenantLimit | None = None
    sender: Sender | None = None
    daily_limit: DailyLimit | None = None


DEFAULT_TENANT = Tenant()
"""A tenant of which the catalogue says nothing."""


def compiled(entry: TenantEntry) -> Tenant:
    """The tenant that an entry of the catalogue describes.

    Raises ValueError with two arguments, the field and the complaint, for an unknown zone or
    a limit of nothing.
    """
    zone = DEFAULT_TENANT.zone if entry.zone is None else entry.zone
    if not is_zone(zone):
        raise ValueError("zone", f"{zone!r} is not an IANA time zone")
    limit = entry.daily_limit
    if limit is not None and limit.messages is None and limit.sms_cost is None:
        raise ValueError("daily_limit", "limits nothing: it needs messages or sms_cost")
    digest_at = entry.digest_at
    return Tenant(
        zone=zone,
        locale=entry.locale or DEFAULT_TENANT.locale,
        channels=entry.channels,
        categories=entry.categories,
        quiet_hours=tuple(quiet_span(hours) for hours in entry.quiet_hours),
        frequency=entry.frequency,
        digest_at=DEFAULT_TENANT.digest_at if digest_at is None else minutes_of(digest_at),
        rate_limit=entry.rate_limit,
        sender=sender_of(entry.sender),
        daily_limit=limit,
    )
