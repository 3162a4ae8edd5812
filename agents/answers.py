"""Answers to what the web asks of a user, from the state of the partition; they change nothing."""

import msgspec

from pipeline.settings import Settings
from policy.audience import followees
from policy.body import body_digest
from policy.catalogue import Catalogue
from policy.explanation import Explanation, explain
from policy.known import (
    Known,
    contacts_of,
    preferences_of,
    suppressions_of,
    unsubscribed_from,
)
from policy.ledger import Ledger
from policy.membership import Ties, membership
from policy.notification_type import NotificationType
from policy.profile import Profile
from policy.user_state import Quota, UserState
from schemas.event import Event
from schemas.question import Explain, Question
from schemas.request import Origin, Request
from tables.followers import FOLLOWERS
from tables.held import CANCELLED, QUOTAS
from tables.table import key_of
from tables.turn import Turn
from tables.users import LEDGERS, PROFILES, user_key

NOWHERE = Origin("events", -1, -1)
"""Where an event stands that is asked about and in no topic."""
_decode = msgspec.json.Decoder(Question).decode
_encode = msgspec.json.Encoder().encode


class Answers:
    """Reads one partition, within a turn that is never finished."""

    def __init__(self, turn: Turn, catalogue: Catalogue, settings: Settings, number: int) -> None:
        self._turn = turn
        self._catalogue = catalogue
        self._settings = settings
        self._number = number

    def answer(self, question: bytes, now: int) -> bytes:
        """The answer as JSON; raises ValidationError for what is no question."""
        asked = _decode(question)
        if isinstance(asked, Explain):
            return _encode(self._explain(asked.event, asked.user, now))
        return _encode(self._known(asked.tenant, asked.user, now))

    def _explain(self, event: Event, user: str, now: int) -> list[Explanation]:
        origin = msgspec.structs.replace(NOWHERE, body=body_digest(event))
        found = []
        for spec in self._catalogue.for_event(event):
            request = Request(
                type=spec.name, user=user, event=event, origin=origin, accepted_at=now
            )
            state = self._state(event, user)
            threshold = spec.fan_out_threshold or self._settings.fan_out_threshold
            attributes = state.profile.attributes
            ties = self._ties(event, spec, user)
            member = membership(event, spec, user, ties, attributes, threshold)
            found.append(explain(request, spec, member, state, now))
        return found

    def _state(self, event: Event, user: str) -> UserState:
        person, tenant = user_key(event.tenant, user), self._catalogue.tenant(event.tenant)
        quota, limit = None, tenant.rate_limit
        if limit is not None:
            tally = self._turn.view(QUOTAS).get(key_of(event.tenant))
            quota = Quota.of(limit, tally, self._number, self._settings.partitions)
        cancelled = key_of(event.tenant, event.cancel_key or "")
        return UserState(
            self._turn.view(PROFILES).get(person) or Profile(),
            self._turn.view(LEDGERS).get(person) or Ledger(),
            tenant,
            quota,
            self._turn.view(CANCELLED).get(cancelled) or 0,
        )

    def _ties(self, event: Event, spec: NotificationType, user: str) -> Ties:
        if event.notify is not None or not (spec.followers or spec.subscribers):
            return Ties()
        edges = self._turn.view(FOLLOWERS)
        asked = followees(event, spec)
        follows = [name for name in asked if edges.get(key_of(event.tenant, name, user))]
        return Ties(follows=frozenset(follows))

    def _known(self, tenant: str, user: str, now: int) -> Known:
        person = user_key(tenant, user)
        profile = self._turn.view(PROFILES).get(person) or Profile()
        ledger = self._turn.view(LEDGERS).get(person) or Ledger()
        return Known(
            contacts=contacts_of(profile, tenant, user),
            preferences=preferences_of(profile, tenant, user),
            suppressions=suppressions_of(profile, tenant, user),
            unsubscribed=unsubscribed_from(profile),
            online=profile.is_online(now, 0),
            waiting=len(ledger.waiting) + len(ledger.gathering),
        )
