"""Whether one user belongs to whom an event's notification type is for."""

from collections.abc import Collection, Mapping

from msgspec import Struct

from policy.audience.audience import TOPIC, Read, fan_out, followees, told_after
from policy.audience.segment import belongs, segment_of
from policy.notification_type import NotificationType
from schemas.event import Event


class Membership(Struct, frozen=True):
    """Whether the user is notified at all, and in words why; None where it is not known."""

    is_in: bool | None
    why: str


class FollowFacts(Struct, frozen=True):
    """What ties a user to others: whom of those asked about they follow, and the actor's followers.

    `follows` is None where nobody knows; `followers` is their number by user partition.
    """

    follows: Collection[str] | None = None
    followers: Mapping[int, int] = {}


def membership(
    event: Event,
    spec: NotificationType,
    user: str,
    ties: FollowFacts,
    attributes: Mapping[str, str],
    threshold: int,
) -> Membership:
    """Whether the user is in the audience; from `threshold` followers on feeds read a post.

    Raises BadRecord where the event does not say whom it is for, or lacks what a condition needs.
    """
    if spec.when is not None and not spec.when.holds(event):
        return Membership(False, f"it is sent for an event only if {spec.when.source}")
    if spec.users or event.notify is not None:
        path = "notify.users" if event.notify else f"data.{'.'.join(spec.users)}"
        named = told_after(event, spec)
        if user not in named:
            return Membership(False, f"{path} names {_listed(list(named))}, not {user}")
        if named[user]:
            path = f"data.{'.'.join(spec.then[named[user] // spec.then_after - 1])}"
        return Membership(True, f"{path} names {user}")
    if (chosen := segment_of(event, spec)) is not None:
        is_in = belongs(chosen.condition, user, attributes)
        verb = "is" if is_in else "is not"
        why = f"{user} {verb} in {chosen.name}, those with {chosen.condition.source}"
        return Membership(is_in, why)
    if spec.segment:
        missing = dict(spec.segment.items() - attributes.items())
        if missing:
            return Membership(False, f"{user} does not have {_pairs(missing)}")
        return Membership(True, f"{user} has {_pairs(spec.segment)}")
    followed = followees(event, spec)
    if ties.follows is None:
        return Membership(None, f"as a follower of {_names(followed)}, if {user} is one")
    found = [name for name in followed if name in ties.follows]
    if not found:
        return Membership(False, f"{user} does not follow {_names(followed)}")
    if spec.followers and isinstance(fan_out(ties.followers, threshold), Read):
        count = sum(ties.followers.values())
        why = f"{event.actor} has {count} followers; from {threshold} on, posts aren't fanned out"
        return Membership(False, f"feeds read it: {why}")
    return Membership(True, f"{user} follows {_names(found)}")


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:3]) or "nobody"
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _names(followees: list[str]) -> str:
    return _listed([name.replace(TOPIC, "the topic ", 1) for name in followees])


def _pairs(segment: Mapping[str, str]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in sorted(segment.items()))
