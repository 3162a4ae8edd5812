"""What a user wants to receive, where and how often; else their tenant's wish, or the default."""

from policy.digest.windows import HOURLY, DigestWindow, daily, weekly
from policy.time.timestamps import text
from policy.user.profile import FOR_GOOD, Profile
from policy.user.subscription import is_unsubscribed
from policy.user.tenant import Tenant
from schemas.vocabulary import Channel, Frequency, Reason

_SMS = Channel.SMS  # see schemas.vocabulary
ALL_OTHERS = "*"
"""The category under which a frequency stands for those that are not named."""


def opt_out(profile: Profile, tenant: Tenant, category: str, channel: Channel) -> str | None:
    """Which preference keeps a category off a channel, or None when it may be sent.

    One click to unsubscribe overrides all. Category by channel overrides channel, the user's
    overrides the tenant's, and where neither says anything all are on but SMS.
    """
    if profile.subscriptions and is_unsubscribed(profile, category, channel):
        return "by user, one click"
    for said in (profile, tenant):
        if said.categories:
            wanted = said.categories.get(category, {}).get(channel)
            if wanted is not None:
                return None if wanted else f"by {_who(said)}, category and channel"
        if said.channels:
            wanted = said.channels.get(channel)
            if wanted is not None:
                return None if wanted else f"by {_who(said)} and channel"
    return "by default" if channel is _SMS else None


def _who(said: Profile | Tenant) -> str:
    return "user" if isinstance(said, Profile) else "tenant"


def muted(profile: Profile, category: str, topic: str, now: int) -> tuple[Reason, str] | None:
    """Whether the user muted what this is about, for good or for a time that is not over."""
    if not profile.mutes or not topic:
        return None
    name = f"{category}/{topic}"
    until = profile.mutes.get(name)
    if until is None:
        return None
    if until == FOR_GOOD:
        return Reason.MUTED, name
    return (Reason.SNOOZED, f"{name} until {text(until)}") if now < until else None


def frequency(profile: Profile, tenant: Tenant, category: str) -> Frequency:
    """How often the user wants a category."""
    for said in (profile.frequency, tenant.frequency):
        if said:
            found = said.get(category) or said.get(ALL_OTHERS)
            if found is not None:
                return found
    return Frequency.INSTANTLY


def wish_window(profile: Profile, tenant: Tenant, wanted: Frequency) -> DigestWindow | None:
    """The window of the digests that a user wants so often; None where they want none.

    A daily one ends when the user, or their tenant, says, and so does a weekly one, on Mondays.
    """
    if wanted is Frequency.INSTANTLY:
        return None
    if wanted is Frequency.HOURLY:
        return HOURLY
    minute = tenant.digest_at if profile.digest_at is None else profile.digest_at
    return weekly(minute) if wanted is Frequency.WEEKLY else daily(minute)
