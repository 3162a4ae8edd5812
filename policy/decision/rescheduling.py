"""What is pending follows current preferences: quiet hours, a snooze, the time zone, how often."""

from msgspec.structs import replace

from policy.digest.user_frequency import window_of
from policy.quiet_hours import quiet, zone_of
from policy.user.ledger import Gathering, Ledger, Waiting
from policy.user.profile import Profile
from policy.user.state import UserState
from policy.user.tenant import Tenant


def may_reschedule(before: Profile, after: Profile) -> bool:
    """Whether something may become due at another time, by what changed in a profile."""
    return (
        before.zone != after.zone
        or before.quiet_hours != after.quiet_hours
        or before.snoozed_until != after.snoozed_until
        or before.frequency != after.frequency
        or before.digest_at != after.digest_at
    )


def rescheduled(
    ledger: Ledger, before: Profile, after: Profile, tenant: Tenant, now: int
) -> Ledger:
    """The ledger, with all that waits due when it is by the profile of after; the same if nothing
    is.

    `now` in epoch ms. What is due earlier than now is decided again at once, by all rules. A delay
    or an escalation counts from an event, and so stays as it was.
    """
    found = quiet(after, tenant, now)
    free_at = now if found is None else found.until
    zones = zone_of(before, tenant), zone_of(after, tenant)
    waiting = {name: _freed(each, free_at) for name, each in ledger.waiting.items()}
    state = UserState(after, ledger, tenant)
    gathering = {
        name: _moved(each, before, zones, free_at, state, now) if each.due_at else each
        for name, each in ledger.gathering.items()
    }
    if waiting == ledger.waiting and gathering == ledger.gathering:
        return ledger
    return replace(ledger, waiting=waiting, gathering=gathering)


def _is_wished_otherwise(each: Gathering, state: UserState) -> bool:
    """Whether the user wants it more or less often than when it was gathered."""
    return bool(each.category) and window_of(each.category, state) != each.window


def _freed(each: Waiting, free_at: int) -> Waiting:
    return replace(each, due_at=free_at) if each.is_quiet and each.due_at != free_at else each


def _moved(
    each: Gathering,
    before: Profile,
    zones: tuple[str, str],
    free_at: int,
    state: UserState,
    now: int,
) -> Gathering:
    if each.extended_until and not _is_wished_otherwise(each, state):
        # Its window is over, and it waits for the morning; or for a limit, which is asked again.
        return replace(each, due_at=free_at, extended_until=free_at)
    if each.category:
        is_same = (
            zones[0] == zones[1]
            and window_of(each.category, state) == each.window
            and before.quiet_hours == state.profile.quiet_hours  # before which it has to be over
        )
        # All that is gathered says until when it waits on.
        return each if is_same else replace(each, due_at=min(each.due_at, now), extended_until=0)
    was, is_now = (each.window.end([each.first], zone) for zone in zones)
    if was == is_now:
        return each
    return replace(each, due_at=is_now + each.window.lateness)
