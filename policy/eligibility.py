"""Whether one channel may carry a notification, apart from how much it already carried."""

from collections.abc import Container

from policy.decision import Suppressed
from policy.notification_type import NotificationType, Plan
from policy.preferences import opt_out
from policy.quiet_hours import quiet
from policy.user import Profile
from schemas.vocabulary import Channel, Reason


def addresses(profile: Profile, channel: Channel, user: str) -> tuple[str, ...]:
    """Where a channel reaches a user: a token a device, or one address; in-app, the user."""
    if channel is Channel.PUSH:
        return profile.devices
    if channel is Channel.INAPP:
        return (user,)
    address = profile.email if channel is Channel.EMAIL else profile.phone
    return (address,) if address else ()


def refusal(
    plan: Plan,
    spec: NotificationType,
    profile: Profile,
    known: tuple[str, ...],
    usable: tuple[str, ...],
    sent: Container[Channel],
    now: int,
) -> Suppressed | None:
    """The first rule that keeps the plan's channel silent at `now` (epoch ms), or None.

    `known` are the user's addresses, `usable` those that did not bounce, `sent` the channels
    that this notification already goes out on.
    """
    channel = plan.channel
    if known and not usable:
        return Suppressed(channel, Reason.SUPPRESSED_ADDRESS)
    if not spec.transactional and (why := opt_out(profile, spec.category, channel)):
        return Suppressed(channel, Reason.OPTED_OUT, why)
    if not known:
        return Suppressed(channel, Reason.NO_ADDRESS)
    if plan.stand_in is not None and plan.stand_in in sent:
        return Suppressed(channel, plan.presence)
    hours = profile.quiet_hours if plan.heeds_quiet_hours else None
    if hours and (why := quiet(profile.zone, *hours, now)):
        return Suppressed(channel, Reason.QUIET_HOURS, why)
    return None
