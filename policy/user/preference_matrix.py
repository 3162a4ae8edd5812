"""What a person may choose: the cells of category by channel, and what stands in them."""

from enum import StrEnum

from msgspec import Struct

from policy.catalogue.catalogue import Catalogue
from policy.message import CATEGORY
from policy.notification_type import NotificationType
from policy.user.preferences import frequency, opt_out
from policy.user.profile import Profile
from policy.user.tenant import Tenant
from policy.user.user_view import Known
from schemas.vocabulary import Channel, Frequency


class Choice(Struct, frozen=True):
    """One category: what is on, by the channels that its types use; and how often it comes."""

    category: str
    channels: dict[Channel, bool]
    frequency: Frequency


class Remainder(StrEnum):
    """What of a category still comes on a channel to whoever has left it there."""

    NOTHING = "nothing"
    SOME = "some"  # types that are transactional
    ALL = "all"  # all of its types are


def remainder(catalogue: Catalogue, category: str, channel: Channel) -> Remainder:
    """What still comes by the types that the catalogue has now."""
    needed = {
        spec.transactional
        for spec in catalogue.types.values()
        if spec.category == category and channel in _channels_of(spec)
    }
    if True not in needed:
        return Remainder.NOTHING
    return Remainder.SOME if False in needed else Remainder.ALL


def choices(catalogue: Catalogue, known: Known, tenant: Tenant) -> list[Choice]:
    """Every category in which something can be turned off, with what holds for the user now."""
    profile = Profile().with_preferences(known.preferences)
    used: dict[str, set[Channel]] = {CATEGORY: set(Channel)}
    for spec in catalogue.types.values():
        if not spec.transactional:
            used.setdefault(spec.category, set()).update(_channels_of(spec))
    return [
        Choice(
            category,
            {
                channel: channel not in known.unsubscribed.get(category, ())
                and opt_out(profile, tenant, category, channel) is None
                for channel in Channel
                if channel in channels
            },
            frequency(profile, tenant, category),
        )
        for category, channels in sorted(used.items())
    ]


def _channels_of(spec: NotificationType) -> set[Channel]:
    return {plan.channel for step in spec.steps for plan in step.plans}
