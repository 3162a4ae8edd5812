"""What is said of users: contacts, preferences, presence, and whom they follow."""

from policy.profile import Profile
from schemas.follow import Follow
from schemas.profile import Contacts, Preferences, Presence
from tables.followers import FOLLOWERS, SEGMENTS
from tables.table import key_of
from tables.turn import Turn
from tables.users import PROFILES


def note(turn: Turn, value: Contacts | Preferences | Presence | Follow) -> None:
    """Store what a record says of its user."""
    if isinstance(value, Follow):
        edge = key_of(value.tenant, value.followee, value.follower)
        turn.view(FOLLOWERS).put(edge, True if value.following else None)
        return
    user = key_of(value.tenant, value.user)
    before = turn.view(PROFILES).get(user) or Profile()
    match value:
        case Contacts():
            after = before.with_contacts(value)
            _move_segments(turn, value.tenant, value.user, before, after)
        case Preferences():
            after = before.with_preferences(value)
        case Presence():
            after = before.with_presence(value)
    turn.view(PROFILES).put(user, after)


def _move_segments(turn: Turn, tenant: str, user: str, before: Profile, after: Profile) -> None:
    if before.attributes == after.attributes:
        return
    segments = turn.view(SEGMENTS)
    for name, value in before.attributes.items():
        segments.put(key_of(tenant, name, value, user), None)
    for name, value in after.attributes.items():
        segments.put(key_of(tenant, name, value, user), True)
