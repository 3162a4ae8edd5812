"""Channels that wait as older contacts, which may have an address, are still unread.

By docs/inside.md such a channel is `held` for want of an address, for ten minutes at most, and is
then decided by the same rules as ever. Whether contacts were unread can't be seen from outside;
that the wait ends can.
"""

from collections.abc import Mapping

from demo.verify.expected.notification import Notification
from demo.verify.expected.outcome import WHOLE, Held, Outcome, Silent
from demo.verify.observed import Seen

REASONS = ("no_address", "suppressed_address")
LONGEST_MS = 600_000
WITHOUT_ADDRESSES = (WHOLE, "inapp")
"""Places that no address is needed for."""
BEFORE_ADDRESSES = ("opted_out",)
"""Why a channel is silent, whether it has an address or not."""


def waited_for_contacts(
    it: Notification, outcomes: Mapping[str, Outcome], seen: Mapping[str, Seen]
) -> Mapping[str, Outcome]:
    """The outcomes, each behind its wait for contacts where a row tells of one."""
    return {
        channel: _waited(it, channel, outcome, seen.get(channel, Seen()))
        for channel, outcome in outcomes.items()
    }


def _waited(it: Notification, channel: str, outcome: Outcome, seen: Seen) -> Outcome:
    if channel in WITHOUT_ADDRESSES:
        return outcome
    if isinstance(outcome, Silent) and outcome.reason in BEFORE_ADDRESSES:
        return outcome
    latest = it.claim.at + LONGEST_MS
    for reason in REASONS:
        if reason in seen.held:
            if seen.suppressed == {"expired"} and it.expires_at <= latest:
                outcome = Silent("expired")
            outcome = Held(reason, it.claim.at, latest, outcome)
    return outcome
