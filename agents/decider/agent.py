"""The decider: is this user notified, where and when, and if not, why not.

Keyed by user: requests and broadcasts meet preferences, contacts, presence and ledgers here, and
what was deferred is evaluated again when it is due.
"""

import asyncio
import logging
from functools import partial

import msgspec
from aiokafka import ConsumerRecord

from agents.decider.best_hour_hints import take_hint
from agents.decider.cancellation import Cancellations
from agents.decider.decisions import Decisions
from agents.decider.erasure import erase, is_forgotten
from agents.decider.fan_out import AT_ONCE, give_up_next, resume_fan_out, start_fan_out
from agents.decider.opt_outs import OptOutReports
from agents.decider.outboxes import keep_post, withdraw
from agents.decider.profile_updates import note, taken
from agents.decider.topics import (
    ADDRESSES,
    AHEAD,
    ASIDE,
    AUDIENCE,
    GATHERED,
    KINDS,
    KNOWN,
    PROMPT,
    READ_FIRST,
    SHARES,
    SLICE_RECORDS,
    work_of,
)
from agents.decider.user_queries import Answers
from agents.decider.user_states import UserStates
from agents.decider.waiting_broadcasts import WaitingBroadcasts
from agents.decider.watermark import Outlook
from agents.edges import EdgeErasures, drop_edge
from agents.spans import slice_done
from agents.state import Stateful, open_store
from pipeline.catalogue_folder import Catalogues
from pipeline.process.runtime import Runtime
from pipeline.processing.lanes import ReadTo, all_read
from pipeline.processing.record_faults import is_of_record, report_fault
from pipeline.processing.role import Role
from pipeline.processing.slices import Slice, in_stretches
from pipeline.tracing.export import is_tracing
from policy.contact.reachable import usable_contacts
from policy.limits.unpriced import unpriced_limits
from policy.message import MESSAGE
from schemas.erasure import Erasure, Withdrawal
from schemas.errors import BadRecord
from schemas.event import Cancellation
from schemas.feed import Post
from schemas.feedback import Feedback, Receipt, Stop, Suppression
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
from schemas.topics import ERASURES, PLACED, WITHDRAWALS
from tables import pending
from tables.erasure_filter import ERASED, ERASING, ErasureFilter
from tables.followers import FOLLOWEES, FOLLOWERS, INDEXED, LAST_FOLLOWS, SEGMENTS
from tables.former_topics import refuse_unread
from tables.moved import MOVED, without_repeats
from tables.outboxes import AGES, OUTBOXES, POSTS
from tables.phones import PHONES, STOPPED
from tables.spilled_marks import FORGETTING, SPILLED, SpilledMarks
from tables.storage.step import Step
from tables.storage.store import Store
from tables.storage.transaction import Transaction
from tables.tickets import TICKETS
from tables.timers import TIMERS, Horizon, Timers
from tables.users import LEDGERS, PROFILES, user_key

log = logging.getLogger(__name__)

NAME = "decider"
TABLES = (
    PROFILES,
    LEDGERS,
    FOLLOWERS,
    FOLLOWEES,
    LAST_FOLLOWS,
    SEGMENTS,
    PHONES,
    STOPPED,
    TIMERS,
    pending.HELD,
    pending.CANCEL_KEYS,
    pending.CANCELLED,
    pending.CANCELLING,
    pending.QUOTAS,
    pending.SPENT,
    pending.FAN_OUTS,
    pending.FAN_OUT_TURN,
    pending.AWAITED,
    ERASED,
    ERASING,
    INDEXED,
    POSTS,
    OUTBOXES,
    AGES,
    MOVED,
    TICKETS,
    SPILLED,
    FORGETTING,
)
WATERMARK_RETRY_SECONDS = 0.05
"""Seconds until a timer that waits for that is looked at again."""


def decider(catalogues: Catalogues, runtime: Runtime) -> Role:
    """The role `decider`."""
    told: set[str] = set()

    def open_handler(number: int, closing: asyncio.Event) -> Decider:
        for said in unpriced_limits(catalogues.current.tenants, runtime.settings.sms_prices):
            if said not in told:
                told.add(said)
                log.warning("%s", said)
        return Decider(catalogues, runtime, number, open_store(runtime, NAME, number, *TABLES))

    return Role(
        name=NAME,
        topics=tuple(topic.name for topic in KINDS),
        open_handler=open_handler,
        check=partial(refuse_unread, runtime.settings, NAME),
        answers=True,
        slice_records=SLICE_RECORDS,
        weights=KNOWN | SHARES | ASIDE,
        ahead=AHEAD,
        read_first=READ_FIRST,
        work_of=work_of,
    )


class Decider(Stateful):
    """The decider's share of one partition."""

    def __init__(self, catalogues: Catalogues, runtime: Runtime, number: int, store: Store) -> None:
        super().__init__(store, runtime, NAME, KINDS)
        self._catalogues = catalogues
        self._number = number
        self._timers = Timers(store)
        self._is_fanning_out = True  # until a look shows that nothing is left
        self._waiting = WaitingBroadcasts(number, self._intake.set_aside)
        self._edges = EdgeErasures(drop_edge)
        self._cancellations = Cancellations()
        self._spilled = SpilledMarks()
        self._outlook = Outlook(PROMPT, GATHERED, ADDRESSES, AUDIENCE)
        self._read_to: ReadTo = all_read

    async def handle(self, slice_: Slice) -> None:
        """Decide each request and broadcast of the slice, or note what is said of a user."""
        begun = self._runtime.clock.now() if is_tracing() else 0
        transaction = Transaction(slice_, self._store, self._runtime.outputs())
        records = list(self._intake.read(slice_, transaction.outputs))
        if slice_.partition.topic == PLACED[NAME].name:
            records = list(without_repeats(transaction, records))
        forgotten = ErasureFilter(transaction)
        if slice_.partition.topic == ERASURES.name:
            self._erase(transaction, forgotten, records)
        else:
            if slice_.partition.topic == WITHDRAWALS.name:
                for _, said in records:
                    self._edges.withdraw(transaction, forgotten, said)
            if not forgotten.is_empty:
                records = [each for each in records if not is_forgotten(forgotten, *each)]
            await self._take_all(transaction, records, self._runtime.clock.now())
        await transaction.commit()
        if begun:
            asked = (value for _, value in records if isinstance(value, Request | Broadcast))
            traces = [value.event.trace for value in asked if value.event.trace]
            slice_done(NAME, slice_, traces, begun, self._runtime.clock.now())

    def _erase(
        self,
        transaction: Transaction,
        forgotten: ErasureFilter,
        records: list[tuple[ConsumerRecord, Erasure]],
    ) -> None:
        partitions = self._runtime.settings.partitions
        step = Step()
        for record, erasure in records:
            erase(transaction, self._timers, erasure, record.timestamp, partitions, step)
            forgotten.note(erasure.tenant, erasure.user, record.timestamp)
        self._edges.may_be_left = self._spilled.may_be_left = True

    async def _take_all(
        self,
        transaction: Transaction,
        records: list[tuple[ConsumerRecord, msgspec.Struct]],
        now: int,
    ) -> None:
        asked, users, broadcasts, messages, decided_to = set(), [], 0, [], 0
        for _, value in records:
            if isinstance(value, Request):
                users.append(user_key(value.event.tenant, value.user))
                decided_to = value.accepted_at
                if value.type == MESSAGE:
                    messages.append(value.event)
                else:
                    asked.add(value.type)
            elif isinstance(value, Broadcast):
                broadcasts += 1
                asked.add(value.type)
        catalogue = self._catalogues.current
        if not (asked <= catalogue.types.keys() and all(map(catalogue.knows, messages))):
            # The router may have seen a type that is newer than our last look at the files.
            await self._catalogues.refresh()
        decisions = self._decisions(transaction, now)
        decisions.load(users)
        step, known = Step(), self._outlook.audience(now, self._read_to) if broadcasts else 0
        async for stretch in in_stretches(records):
            for record, value in stretch:
                try:
                    if isinstance(value, Request):
                        decisions.decide(value)
                    elif isinstance(value, Broadcast):
                        if self._waiting.waits(record, known):
                            self._waiting.put_by(transaction, decisions, record, value)
                        else:
                            self._is_fanning_out = True
                            start_fan_out(transaction, decisions, record, value, broadcasts)
                    elif isinstance(value, Cancellation):
                        self._cancellations.begin(transaction, decisions, value, step)
                    else:
                        self._take(transaction, decisions, value, record)
                except BadRecord as error:
                    self._intake.set_aside(record, _of_source(error, value), transaction.outputs)
        self._spilled.note_decided(min(decided_to, now))

    def _take(
        self,
        transaction: Transaction,
        decisions: Decisions,
        value: msgspec.Struct,
        record: ConsumerRecord,
    ) -> None:
        reports = OptOutReports(transaction, self._catalogues.current, self._number)
        match value:
            case Feedback() | Receipt():
                decisions.hear(value)
            case Post():
                keep_post(transaction, value)
            case Withdrawal():
                withdraw(transaction, value)
            case Contacts() | Preferences() | ProfileChange():
                if isinstance(value, Contacts):
                    exceptions = self._runtime.settings.private_endpoints
                    value, wrong = usable_contacts(value, exceptions)
                    if wrong is not None:
                        self._intake.set_aside(record, wrong, transaction.outputs, is_used=True)
                with decisions.following(value.tenant, value.user):
                    note(transaction, value, taken(record), reports)
            case DeviceChange() | Presence() | Follow():
                note(transaction, value, taken(record), reports)
            case Subscription() | Suppression() | Stop() | Block():
                note(transaction, value, taken(record), reports)
            case Hint():
                take_hint(transaction, value, self._number)

    async def answer(self, question: bytes) -> bytes:
        """What is known, or what would become of an event; see schemas.question."""
        transaction = Transaction(None, self._store, self._runtime.outputs())
        settings = self._runtime.settings
        answers = Answers(transaction, self._catalogues.current, settings, self._number)
        return answers.answer(question, self._runtime.clock.now())

    async def on_timer(self, read_to: ReadTo) -> float | None:
        """Go on with broadcasts that are under way, and fire the timers that are due.

        After an outage, what was taken by Kafka before a timer was due is handled before it.
        """
        now = self._runtime.clock.now()
        if self._cancellations.may_be_left:
            transaction, decisions = self._turn_by_clock(now)
            self._cancellations.go_on(transaction, decisions, Step())
            await transaction.commit()
        for each in (self._edges, self._spilled):
            if each.may_be_left:
                transaction, _ = self._turn_by_clock(now)
                each.go_on(transaction)
                await transaction.commit()
        self._read_to = read_to
        if self._is_fanning_out:
            await self._do_by_clock(now, None)
        if self._waiting.may_be_left:
            until = self._outlook.audience(now, read_to)
            if await self._waiting.go_on(partial(self._turn_by_clock, now), until):
                self._is_fanning_out = True
        else:
            self._outlook.rest_broadcasts()
        fired, following = False, self._timers.next_due(now)
        if following is not None and following <= now:
            since = self._waiting.since(self._turn_by_clock(now)[0])
            fired = await self._do_by_clock(now, self._outlook.horizon(now, read_to, since))
            following = self._timers.next_due(now)
        else:
            self._outlook.rest()
        if self._is_fanning_out or self._edges.may_be_left:
            return 0
        if self._cancellations.may_be_left or self._spilled.may_be_left:
            return 0
        waits = [WATERMARK_RETRY_SECONDS] if self._waiting.may_be_left else []
        if following is not None:
            waits.append(max(0 if fired else WATERMARK_RETRY_SECONDS, (following - now) / 1000))
        return min(waits, default=None)

    async def _do_by_clock(self, now: int, horizon: Horizon | None, most: int = AT_ONCE) -> bool:
        """Fire timers, or without a horizon go on with a fan-out; whether there was anything to do.

        Where something raises what a record may be to blame for, less is done at once, and what
        raises it alone is given up.
        """
        try:
            return await self._take_by_clock(now, horizon, most)
        except Exception as error:
            if not is_of_record(error):
                raise
            if most == 1:
                await self._give_up_by_clock(now, horizon, error)
                return True
        return await self._do_by_clock(now, horizon, most // 2)

    async def _take_by_clock(self, now: int, horizon: Horizon | None, most: int) -> bool:
        transaction, decisions = self._turn_by_clock(now)
        if horizon is None:
            refuse = self._intake.set_aside
            self._is_fanning_out = resume_fan_out(
                transaction, decisions, most, self._number, refuse
            )
        else:
            due = self._timers.due(horizon, most)
            if not due:
                return False
            decisions.fire_all(due, horizon)
        await transaction.commit()
        return True

    async def _give_up_by_clock(self, now: int, horizon: Horizon | None, error: Exception) -> None:
        """Of what is next by the clock, give up what raises an error also when it is alone."""
        if horizon is None:
            transaction, decisions = self._turn_by_clock(now)
            fault = report_fault("timers", "a fan-out", error)
            give_up_next(transaction, decisions, fault, self._number, self._intake.set_aside)
            await transaction.commit()
            return
        for key, timer in self._timers.due(horizon, 1):
            transaction, decisions = self._turn_by_clock(now)
            try:
                decisions.fire_all([(key, timer)], horizon)
                await transaction.commit()
            except Exception as again:
                if not is_of_record(again):
                    raise
                transaction, decisions = self._turn_by_clock(now)
                transaction.view(TIMERS).put(key, None)
                decisions.give_up(timer, report_fault("timers", "a timer", again))
                await transaction.commit()

    def _turn_by_clock(self, now: int) -> tuple[Transaction, Decisions]:
        transaction = Transaction(None, self._store, self._runtime.outputs())
        return transaction, self._decisions(transaction, now)

    def _decisions(self, transaction: Transaction, now: int) -> Decisions:
        catalogue, settings = self._catalogues.current, self._runtime.settings
        read_to = min(map(self._read_to, ADDRESSES))
        states = UserStates(
            transaction,
            self._timers,
            catalogue,
            self._number,
            settings.partitions,
            read_to,
            settings.sms_prices,
        )
        return Decisions(transaction, states, catalogue, now, self._number)


def _of_source(error: BadRecord, value: msgspec.Struct) -> BadRecord:
    """What is wrong, with the company's record that it began with: the dead letter is of what was
    made of that."""
    if not isinstance(value, Request | Broadcast) or not value.origin.source:
        return error
    return BadRecord(error.reason, f"{error.detail}; made of {value.origin.source}")
