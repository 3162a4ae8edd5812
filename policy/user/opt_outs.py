"""What a user leaves by a reply or by their preferences, as analysts count it.

One click to unsubscribe is reported with the message that had the link, so it is not of these.
"""

from collections.abc import Iterator

from msgspec import Struct

from policy.identity import delivery_event_id, opt_out_id
from policy.user.preferences import opt_out
from policy.user.profile import Profile
from policy.user.tenant import Tenant
from schemas.delivery_event import DeliveryEvent
from schemas.vocabulary import Channel, Priority, Stage, SuppressionReason

ALL_CATEGORIES = ""
REPLY, PRODUCER = "reply", "producer"
"""By what they left, beside `api` and `page`, which profile records name."""


class OptOut(Struct, frozen=True):
    """A category that is left on a channel, or ALL_CATEGORIES."""

    category: str
    channel: Channel


def opt_outs(before: Profile, after: Profile, tenant: Tenant) -> Iterator[OptOut]:
    """What went to the user before and does not any more, by their own wish.

    A channel that is left as a whole stands for its categories. What was off before, by default
    or by the tenant, can't be left.
    """
    if before.channels is after.channels and before.categories is after.categories:
        return
    whole = {
        channel
        for channel, wanted in after.channels.items()
        if not wanted and _is_left(before, after, tenant, ALL_CATEGORIES, channel)
    }
    for channel in sorted(whole):
        yield OptOut(ALL_CATEGORIES, channel)
    for category, cell in after.categories.items():
        for channel, wanted in cell.items():
            if wanted or channel in whole:
                continue
            if _is_left(before, after, tenant, category, channel):
                yield OptOut(category, channel)


def newly_stopped(before: Profile, after: Profile, at: int) -> Iterator[OptOut]:
    """Channels on which the user has an address at `at` (epoch ms) that STOP bars only now."""
    if before.barred is after.barred:
        return
    known = {
        (bar.channel, bar.address)
        for bar in before.barred
        if bar.reason is SuppressionReason.STOP and bar.holds(bar.channel, bar.address, at)
    }
    left = {
        bar.channel
        for bar in after.barred
        if bar.reason is SuppressionReason.STOP
        and bar.holds(bar.channel, bar.address, at)
        and (bar.channel, bar.address) not in known
        and bar.address in after.addresses(bar.channel)
    }
    for channel in sorted(left):
        yield OptOut(ALL_CATEGORIES, channel)


def left(tenant: str, user: str, what: OptOut, by: str, at: int) -> DeliveryEvent:
    """The delivery event: it is of a user and of no notification, so it has no type either.

    The same record read again makes the same one; `at` is when Kafka took it (epoch ms).
    """
    name = opt_out_id(tenant, user, what.category, at)
    return DeliveryEvent(
        id=delivery_event_id(name, what.channel, Stage.UNSUBSCRIBED, 0),
        stage=Stage.UNSUBSCRIBED,
        at=at,
        occurred_at=at,
        accepted_at=at,
        tenant=tenant,
        type="",
        category=what.category,
        priority=Priority.NORMAL,
        user=user,
        event_id="",
        notification_id="",
        channel=what.channel,
        detail=by,
    )


def _is_left(
    before: Profile, after: Profile, tenant: Tenant, category: str, channel: Channel
) -> bool:
    return (
        opt_out(before, tenant, category, channel) is None
        and opt_out(after, tenant, category, channel) is not None
    )
