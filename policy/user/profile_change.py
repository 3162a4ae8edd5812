"""Changing some of a profile, and leaving the rest as it is."""

from collections.abc import Mapping
from typing import TypeVar

from msgspec.structs import replace

from policy.user.profile import Profile, quiet_span
from schemas.profile import ProfileChange

MOST_CATEGORIES = 1000
"""Categories of which one user says anything; of more, those that were changed last count."""
Wish = TypeVar("Wish")


def with_change(profile: Profile, change: ProfileChange) -> Profile:
    """The profile with what the change says, and all else as it was."""
    before, hours, zone = profile.categories, change.quiet_hours, change.zone
    cells = {
        category: {**before.get(category, {}), **channels}
        for category, channels in change.categories.items()
    }
    return replace(
        profile,
        categories=_merged(before, cells),
        frequency=_merged(profile.frequency, change.frequency),
        quiet_hours=profile.quiet_hours if hours is None else tuple(map(quiet_span, hours)),
        zone=profile.zone if zone is None else zone,
    )


def _merged(before: Mapping[str, Wish], changed: Mapping[str, Wish]) -> dict[str, Wish]:
    kept = {name: wish for name, wish in before.items() if name not in changed}
    return dict([*kept.items(), *changed.items()][-MOST_CATEGORIES:])
