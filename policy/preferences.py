"""What a user wants to hear, and where."""

from policy.user import Profile
from schemas.vocabulary import Channel


def opt_out(profile: Profile, category: str, channel: Channel) -> str | None:
    """Which preference keeps a category off a channel, or None when it may be sent.

    Category by channel overrides channel, and that overrides the default: all on but SMS.
    """
    if profile.categories:
        by_category = profile.categories.get(category)
        if by_category is not None and channel in by_category:
            return None if by_category[channel] else "by category and channel"
    wanted = profile.channels.get(channel)
    if wanted is None:
        return "by default" if channel is Channel.SMS else None
    return None if wanted else "by channel"
