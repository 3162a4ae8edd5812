"""What is said of users: contacts, preferences, presence, and whom they follow."""

from aiokafka import ConsumerRecord
from msgspec.structs import replace

from agents.decider.opt_outs import OptOutReports
from agents.edges import put_edge
from agents.following import is_overtaken
from pipeline.processing.misplaced import MovedRecord
from policy.accepted_at import accepted
from policy.contact.address import push_address
from policy.contact.phone import ways_to_write
from policy.contact.reachable import plain, with_rewritten
from policy.time.timestamps import epoch_ms
from policy.user.block import with_block
from policy.user.opt_outs import PRODUCER, REPLY
from policy.user.profile import Profile
from policy.user.subscription import with_subscription
from policy.user.suppression import (
    stopped,
    with_bar,
    with_registration,
    with_stop,
    with_suppression,
)
from policy.user.taken import Taken, with_said
from schemas.feedback import Stop, Suppression
from schemas.follow import Follow
from schemas.profile import (
    Block,
    Contacts,
    DeviceChange,
    Preferences,
    Presence,
    ProfileChange,
    Subscription,
)
from schemas.vocabulary import Channel
from tables.followers import SEGMENTS
from tables.phones import PHONES, STOPPED
from tables.storage.table import key_of, parts_of
from tables.storage.transaction import Transaction
from tables.users import PROFILES

Said = (
    Contacts
    | DeviceChange
    | Preferences
    | ProfileChange
    | Block
    | Presence
    | Subscription
    | Suppression
)


def note(
    transaction: Transaction,
    value: Said | Follow | Stop,
    taken: Taken,
    reports: OptOutReports,
) -> None:
    """Store what a record says of its user, or of whoever has a phone number; report what they
    leave by it.

    Of profile records the one that Kafka took last counts, see policy.user.taken.
    """
    if isinstance(value, Follow):
        if is_overtaken(transaction, value):
            return
        at = accepted(value.accepted_at, taken.at)
        who = value.tenant, value.followee, value.follower
        put_edge(transaction, *who, following=value.following, at=at)
        return
    if isinstance(value, Stop):
        _stop(transaction, value, taken, reports)
        return
    user = key_of(value.tenant, value.user)
    known = transaction.view(PROFILES).get(user)
    if known is None and isinstance(value, Suppression) and value.accepted_at:
        return  # of a message to somebody of whom nothing is known any more
    before = known or Profile()
    match value:
        case Contacts():
            after = with_rewritten(before, with_said(before, value, taken))
            for address in after.devices:
                if address not in before.devices:
                    after = with_registration(after, address, taken.at)
            _move_segments(transaction, value.tenant, value.user, before, after)
            after = _move_numbers(transaction, value.tenant, value.user, before, after)
        case DeviceChange():
            after = with_said(before, value, taken)
            if not value.removed:
                after = with_registration(after, push_address(value.device), taken.at)
        case Preferences() | ProfileChange() | Presence():
            after = with_said(before, value, taken)
        case Block():
            after = with_block(before, value, taken.at)
        case Subscription():
            after = with_subscription(before, value)
        case Suppression():
            after = with_suppression(before, value)
    if after is before:
        return
    transaction.view(PROFILES).put(user, after)
    # Of whom nothing was known until now, nothing went to: their wishes are brought in.
    if known is not None and isinstance(value, Preferences | ProfileChange):
        by = value.by or PRODUCER
        reports.by_preferences(value.tenant, value.user, (before, after), by, taken.at)
    elif known is not None and isinstance(value, Suppression):
        reports.by_stop(value.tenant, value.user, (before, after), REPLY, taken.at)


def _move_segments(
    transaction: Transaction, tenant: str, user: str, before: Profile, after: Profile
) -> None:
    if before.attributes == after.attributes:
        return
    segments = transaction.view(SEGMENTS)
    for name, value in before.attributes.items():
        segments.put(key_of(tenant, name, value, user), None)
    for name, value in after.attributes.items():
        segments.put(key_of(tenant, name, value, user), True)


def _move_numbers(
    transaction: Transaction, tenant: str, user: str, before: Profile, after: Profile
) -> Profile:
    """Find the user by their numbers from now on; STOP may have come from one before."""
    phones, numbers = transaction.view(PHONES), after.numbers
    for number in before.numbers:
        if number not in numbers:
            phones.put(key_of(number, tenant, user), None)
    for number in numbers:
        phones.put(key_of(number, tenant, user), True)
        stops = (transaction.view(STOPPED).get(key_of(way)) for way in ways_to_write(number))
        at = max((stop for stop in stops if stop is not None), default=None)
        if at is not None:
            after = with_bar(after, stopped(number, at))
    return after


def _stop(transaction: Transaction, said: Stop, taken: Taken, reports: OptOutReports) -> None:
    for way in ways_to_write(plain(Channel.SMS, said.phone)):
        _stop_as_written(transaction, replace(said, phone=way), taken, reports)


def _stop_as_written(
    transaction: Transaction, said: Stop, taken: Taken, reports: OptOutReports
) -> None:
    number, stops = key_of(said.phone), transaction.view(STOPPED)
    at, before = epoch_ms(said.at), stops.get(number)
    if said.stopped:
        stops.put(number, at if before is None else max(at, before))
    elif before is not None and before <= at:
        stops.put(number, None)
    profiles = transaction.view(PROFILES)
    for key in list(transaction.view(PHONES).keys(number)):
        _, tenant, user = parts_of(key)
        owner = key_of(tenant, user)
        profile = profiles.get(owner) or Profile()
        after = with_stop(profile, said)
        profiles.put(owner, after)
        reports.by_stop(tenant, user, (profile, after), REPLY, taken.at)


def taken(record: ConsumerRecord) -> Taken:
    """When Kafka took what a record says of a user."""
    return Taken(record.timestamp, is_moved=isinstance(record, MovedRecord))
