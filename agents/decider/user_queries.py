"""Answers to what the web asks of a user, from the state of the partition; they change nothing."""

import msgspec

from agents.decider.fan_out import count_audience
from agents.decider.feed_queries import FeedAnswers
from pipeline.settings import Settings
from policy.audience.membership import FollowFacts
from policy.catalogue.catalogue import Catalogue
from policy.decision.context import (
    Standing,
    ending_keys,
    explanations,
    followed,
    marked_keys,
)
from policy.decision.explanation import Explanation
from policy.identity import user_digest
from policy.tracking.ticket import Stub, Ticket
from policy.user.ledger import Ledger
from policy.user.profile import Profile
from policy.user.user_view import (
    Known,
    blocked_by,
    contacts_of,
    preferences_of,
    suppressions_of,
    unsubscribed_from,
)
from schemas.errors import BadRecord
from schemas.event import Event
from schemas.question import CountAudience, Counted, Explain, Question, ReadPosts, ReadTicket
from schemas.vocabulary import Reason
from tables.followers import FOLLOWERS
from tables.pending import CANCELLED, QUOTAS, SPENT
from tables.spilled_marks import spilled_mark
from tables.storage.table import key_of
from tables.storage.transaction import Transaction
from tables.tickets import TICKETS, ticket_key
from tables.users import LEDGERS, PROFILES, user_key

MOST_COUNTED = 2000
"""Users that are looked at for one answer, some 40 ms: others wait for it."""
_decode = msgspec.json.Decoder(Question).decode
_encode = msgspec.json.Encoder().encode


class Answers:
    """Reads one partition, within a transaction that is never finished."""

    def __init__(
        self, transaction: Transaction, catalogue: Catalogue, settings: Settings, number: int
    ) -> None:
        self._transaction = transaction
        self._catalogue = catalogue
        self._settings = settings
        self._number = number

    def answer(self, question: bytes, now: int) -> bytes:
        """The answer as JSON; raises ValidationError for what is no question."""
        asked = _decode(question)
        if isinstance(asked, Explain):
            return _encode(self._explain(asked.event, asked.user, now))
        if isinstance(asked, CountAudience):
            return _encode(self._count(asked))
        if isinstance(asked, ReadPosts):
            return _encode(FeedAnswers(self._transaction, self._catalogue, asked, now).posts())
        if isinstance(asked, ReadTicket):
            return _encode(self._ticket(asked))
        return _encode(self._known(asked.tenant, asked.user, now))

    def _explain(self, event: Event, user: str, now: int) -> list[Explanation]:
        standing, threshold = self._standing(event, user, now), self._settings.fan_out_threshold
        return explanations(event, user, now, self._catalogue, standing, threshold)

    def _count(self, asked: CountAudience) -> Counted:
        name = asked.broadcast.type
        spec = self._catalogue.types.get(name)
        if spec is None:
            raise BadRecord(Reason.UNKNOWN_TYPE, f"no notification type {name!r}")
        done = bytes.fromhex(asked.done)
        users, done = count_audience(self._transaction, asked.broadcast, spec, done, MOST_COUNTED)
        return Counted(users, done.hex())

    def _standing(self, event: Event, user: str, now: int) -> Standing:
        view, tenant = self._transaction.view, event.tenant
        person, edges = user_key(tenant, user), view(FOLLOWERS)
        specs = self._catalogue.for_event(event)
        asked, cancelled = followed(event, specs), view(CANCELLED)
        follows = frozenset(name for name in asked if edges.get(key_of(tenant, name, user)))
        ledger = view(LEDGERS).get(person) or Ledger()
        marked, until = marked_keys(event, user, specs), ledger.spilled_until
        owner = user_digest(tenant, user)
        return Standing(
            profile=view(PROFILES).get(person) or Profile(),
            ledger=ledger,
            # How many followers there are, the router knows: feeds may read it instead.
            ties=FollowFacts(follows),
            cancelled_at=cancelled.get(key_of(tenant, event.cancel_key or "")) or 0,
            ended={
                key: cancelled.get(key_of(tenant, key)) or 0
                for key in ending_keys(event, user, specs)
            },
            tally=view(QUOTAS).get(key_of(tenant)),
            partition=self._number,
            partitions=self._settings.partitions,
            spending=view(SPENT).get(key_of(tenant)),
            prices=self._settings.sms_prices,
            spilled=b"".join(
                spilled_mark(self._transaction, owner, key, now, until) for key in marked
            ),
        )

    def _ticket(self, asked: ReadTicket) -> list[Ticket]:
        owner, delivery = bytes.fromhex(asked.owner), bytes.fromhex(asked.delivery_id)
        stub = Stub(self._number, owner, asked.expires_at, delivery)
        ticket = self._transaction.view(TICKETS).get(ticket_key(stub))
        return [] if ticket is None else [ticket]

    def _known(self, tenant: str, user: str, now: int) -> Known:
        person = user_key(tenant, user)
        profile = self._transaction.view(PROFILES).get(person) or Profile()
        ledger = self._transaction.view(LEDGERS).get(person) or Ledger()
        return Known(
            contacts=contacts_of(profile, tenant, user),
            preferences=preferences_of(profile, tenant, user),
            suppressions=suppressions_of(profile, tenant, user),
            unsubscribed=unsubscribed_from(profile),
            online=profile.is_online(now, 0),
            waiting=len(ledger.waiting) + len(ledger.gathering),
            best_hour=profile.best_hour,
            blocked=blocked_by(profile),
        )
