"""Forgetting a user: all that the decider keeps of them, and what comes too late of them."""

from aiokafka import ConsumerRecord

from agents.decider.best_hour_hints import forget_hint
from agents.decider.pending_erasure import begin_dropping_held
from agents.edges import begin_erasing
from pipeline.producing.outputs import partition_of
from policy.accepted_at import accepted
from policy.identity import user_digest
from policy.user.ledger import Ledger
from policy.user.profile import Profile
from schemas.encoding import encode
from schemas.erasure import Erasure, Withdrawal
from schemas.feed import Post
from schemas.feedback import Feedback, Receipt, Suppression
from schemas.follow import Follow
from schemas.profile import (
    Block,
    Contacts,
    DeviceChange,
    Hint,
    Preferences,
    Presence,
    ProfileChange,
    Subscription,
)
from schemas.request import Broadcast, Request
from schemas.topics import WITHDRAWALS
from tables.erasure_filter import ErasureFilter
from tables.followers import SEGMENTS
from tables.phones import PHONES
from tables.spilled_marks import begin_forgetting
from tables.storage.step import Step
from tables.storage.table import key_of
from tables.storage.transaction import Transaction
from tables.tickets import drop_tickets
from tables.timers import TIMERS, Timers
from tables.users import LEDGERS, PROFILES, user_key


def is_forgotten(forgotten: ErasureFilter, record: ConsumerRecord, value: object) -> bool:
    """Whether a record is older than the erasure of the user whom it is about."""
    match value:
        case Request():
            return forgotten.covers(value.event.tenant, value.user, value.accepted_at)
        case Follow():
            at = accepted(value.accepted_at, record.timestamp)
            users = (value.follower, value.followee)
            return any(forgotten.covers(value.tenant, user, at) for user in users)
        case Suppression() | Feedback() | Receipt():
            at = accepted(value.accepted_at, record.timestamp)
            return forgotten.covers(value.tenant, value.user, at)
        case Post() | Broadcast():
            return forgotten.covers(value.event.tenant, value.event.actor, value.accepted_at)
        case (
            Contacts()
            | DeviceChange()
            | Preferences()
            | ProfileChange()
            | Block()
            | Presence()
            | Subscription()
            | Hint()
        ):
            return forgotten.covers(value.tenant, value.user, record.timestamp)
    return False  # about nobody, or about more than one


def erase(
    transaction: Transaction, timers: Timers, erasure: Erasure, at: int, partitions: int, step: Step
) -> None:
    """Drop in the transaction what is stored under the user; what may be much more goes in parts.

    That is who follows whom, and of what waits for them all that is beyond the step. What they
    posted, and who follows them, is told to every partition.
    """
    tenant, user = erasure.tenant, erasure.user
    person = user_key(tenant, user)
    profile = transaction.view(PROFILES).get(person) or Profile()
    for name, value in profile.attributes.items():
        transaction.view(SEGMENTS).put(key_of(tenant, name, value, user), None)
    for number in profile.numbers:
        transaction.view(PHONES).put(key_of(number, tenant, user), None)
    transaction.view(PROFILES).put(person, None)
    digest = user_digest(tenant, user)
    drop_tickets(transaction, digest)
    forget_hint(transaction, tenant, user, partition_of(user, partitions))
    _drop_waiting(transaction, timers, tenant, user)
    begin_dropping_held(transaction, tenant, user, at, step)
    begin_forgetting(transaction, digest, at, step)
    begin_erasing(transaction, tenant, user, at)
    withdrawal = encode(Withdrawal(actor=user, at=at, tenant=tenant))
    for place in range(partitions):
        transaction.outputs.add(WITHDRAWALS, place, user.encode(), withdrawal)


def _drop_waiting(transaction: Transaction, timers: Timers, tenant: str, user: str) -> None:
    person, ledgers = user_key(tenant, user), transaction.view(LEDGERS)
    ledger = ledgers.get(person)
    if ledger is not None:
        timers.move(transaction.view(TIMERS), tenant, user, ledger, Ledger(), now=0)
        ledgers.put(person, None)
