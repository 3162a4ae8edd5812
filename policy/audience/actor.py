"""Whether a user is to be notified of what this actor does at all."""

from policy.notification_type import NotificationType
from policy.user.block import is_blocked
from policy.user.profile import Profile
from schemas.event import Event
from schemas.vocabulary import Reason


def unheard(event: Event, user: str, spec: NotificationType, profile: Profile) -> Reason:
    """Why the user is not notified of it, NONE if they are.

    Nobody hears of what they did themselves, unless the type says so; and of an actor whom they
    blocked only what is transactional.
    """
    if event.actor == user and not spec.own_events:
        return Reason.OWN_EVENT
    if profile.blocks and not spec.transactional and is_blocked(profile, event.actor):
        return Reason.BLOCKED
    return Reason.NONE


def shown_actor(event: Event, user: str, spec: NotificationType, profile: Profile) -> str:
    """Who did it, and what that is to the user, for an explanation."""
    if event.actor == user:
        return f"{user} did it; the type {'tells' if spec.own_events else 'does not tell'} them"
    if not is_blocked(profile, event.actor):
        return f"{event.actor}, not blocked"
    return f"{event.actor}, blocked by the user{', but transactional' * spec.transactional}"
