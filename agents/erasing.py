"""Forgetting a user: all that the decider keeps of them, and whom they follow."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
from aiokafka import ConsumerRecord

from agents.hints import forget_hint
from agents.people import put_edge
from pipeline.outputs import partition_of
from pipeline.topics import FOLLOWS, WITHDRAWALS
from policy.instants import moment
from policy.user.ledger import Ledger
from policy.user.profile import Profile
from schemas.encoding import encode
from schemas.erasure import Erasure
from schemas.feedback import Feedback
from schemas.follow import Follow
from schemas.hint import Hint
from schemas.post import Post
from schemas.profile import Contacts, DeviceChange, Preferences, Presence
from schemas.profile_change import ProfileChange
from schemas.request import Request
from schemas.subscription import Subscription
from schemas.suppression import Suppression
from schemas.withdrawal import Withdrawal
from tables.erased import Forgotten
from tables.followers import FOLLOWERS, SEGMENTS
from tables.held import CANCEL_KEYS, HELD
from tables.phones import PHONES
from tables.table import key_of, last_part, parts_of
from tables.timers import TIMERS, Timers
from tables.turn import Turn
from tables.users import LEDGERS, PROFILES, user_key

AT_ONCE = 2000
"""Edges looked at before others have a turn: all of a tenant's are, by followee, as FOLLOWEES lacks
what was said before it was kept."""


def is_forgotten(forgotten: Forgotten, record: ConsumerRecord, value: object) -> bool:
    """Whether a record is older than the erasure of the user whom it is about."""
    match value:
        case Request():
            return forgotten.covers(value.event.tenant, value.user, value.accepted_at)
        case Follow():
            return forgotten.covers(value.tenant, value.follower, record.timestamp)
        case Post():
            return forgotten.covers(value.event.tenant, value.event.actor, value.accepted_at)
        case (
            Contacts()
            | DeviceChange()
            | Preferences()
            | ProfileChange()
            | Presence()
            | Subscription()
            | Suppression()
            | Feedback()
            | Hint()
        ):
            return forgotten.covers(value.tenant, value.user, record.timestamp)
    return False  # about nobody, or about more than one


def what_counts(
    turn: Turn,
    forgotten: Forgotten,
    records: list[tuple[ConsumerRecord, msgspec.Struct]],
    partitions: int,
) -> list[tuple[ConsumerRecord, msgspec.Struct]]:
    """Those that are no older than the erasure of whom they are about."""
    found = []
    for record, value in records:
        if not is_forgotten(forgotten, record, value):
            found.append((record, value))
        elif isinstance(value, Follow) and value.following:
            # The router has counted it, and the erasure could not know of it.
            at = record.timestamp
            _unfollow(turn, value.tenant, value.follower, value.followee, at, partitions)
    return found


async def erase(turn: Turn, timers: Timers, erasure: Erasure, at: int, partitions: int) -> None:
    """Drop all of it within the turn.

    Whom they followed is told to the router, which counts; what they posted, to every partition.
    """
    tenant, user = erasure.tenant, erasure.user
    person = user_key(tenant, user)
    profile = turn.view(PROFILES).get(person) or Profile()
    for name, value in profile.attributes.items():
        turn.view(SEGMENTS).put(key_of(tenant, name, value, user), None)
    if profile.phone:
        turn.view(PHONES).put(key_of(profile.phone, tenant, user), None)
    turn.view(PROFILES).put(person, None)
    forget_hint(turn, tenant, user, partition_of(user, partitions))
    _drop_waiting(turn, timers, tenant, user)
    followees = [followee async for followee in _followees(turn, tenant, user)]
    for followee in followees:
        put_edge(turn, tenant, followee, user, following=False)
        _unfollow(turn, tenant, user, followee, at, partitions)
    withdrawal = encode(Withdrawal(actor=user, at=at, tenant=tenant))
    for place in range(partitions):
        turn.outputs.add(WITHDRAWALS, place, user.encode(), withdrawal)


def _unfollow(turn: Turn, tenant: str, user: str, followee: str, at: int, partitions: int) -> None:
    said = Follow(follower=user, followee=followee, at=moment(at), following=False, tenant=tenant)
    place = partition_of(followee, partitions)
    turn.outputs.add(FOLLOWS, place, followee.encode(), encode(said))


def _drop_waiting(turn: Turn, timers: Timers, tenant: str, user: str) -> None:
    person = user_key(tenant, user)
    ledgers, held, keys = turn.view(LEDGERS), turn.view(HELD), turn.view(CANCEL_KEYS)
    ledger = ledgers.get(person)
    if ledger is not None:
        timers.move(turn.view(TIMERS), tenant, user, ledger, Ledger())
        ledgers.put(person, None)
    for row in list(held.keys(person)):
        kept = held.get(row)
        held.put(row, None)
        if kept is not None and kept.request.event.cancel_key is not None:
            place = key_of(tenant, kept.request.event.cancel_key)
            keys.put(place + row[len(key_of(tenant)) :], None)


async def _followees(turn: Turn, tenant: str, user: str) -> AsyncIterator[str]:
    end = key_of(user)
    for number, edge in enumerate(turn.view(FOLLOWERS).keys(key_of(tenant))):
        if edge.endswith(end) and last_part(edge) == user:
            yield parts_of(edge)[1]
        if number % AT_ONCE == AT_ONCE - 1:
            await asyncio.sleep(0)
