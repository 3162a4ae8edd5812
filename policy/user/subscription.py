"""Categories that a user left by one click, channel by channel, and came back to."""

from msgspec.structs import replace

from policy.time.timestamps import epoch_ms
from policy.user.profile import Profile
from schemas.profile import Subscription
from schemas.vocabulary import Channel

MOST_CATEGORIES = 200
"""Categories of one user in which something is remembered; a tenant has far fewer."""


def with_subscription(profile: Profile, said: Subscription) -> Profile:
    """The profile after one click; the same one where a later click is known already.

    Kept is when, above 0 (epoch ms) for unsubscribed and below for back again.
    """
    at = max(1, epoch_ms(said.at))
    clicks = profile.subscriptions.get(said.category, {})
    before = clicks.get(said.channel, 0)
    after = -at if said.subscribed else at
    if abs(before) > at or before == after:
        return profile
    clicks = clicks | {said.channel: after}
    rest = {k: v for k, v in profile.subscriptions.items() if k != said.category}
    kept = list(rest.items())[-(MOST_CATEGORIES - 1) :]
    return replace(profile, subscriptions={**dict(kept), said.category: clicks})


def is_unsubscribed(profile: Profile, category: str, channel: Channel) -> bool:
    """Whether the user left this category on this channel."""
    return profile.subscriptions.get(category, {}).get(channel, 0) > 0
