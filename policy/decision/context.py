"""How one user stands to an event: what is stored that bears on it, and what would become of it."""

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from policy.audience.audience import followees, told_after
from policy.audience.membership import FollowFacts, membership
from policy.body import body_digest
from policy.catalogue.catalogue import Catalogue
from policy.decision.explanation import Explanation, explain
from policy.dedupe import NO_MARKS, mark_key
from policy.identity import counted_id
from policy.limits.daily_limit import Allowance, Spending
from policy.limits.rate_limit import Tally
from policy.notification_type import NotificationType
from policy.user.ledger import Ledger
from policy.user.profile import Profile
from policy.user.state import Quota, UserState
from policy.user.tenant import Tenant
from schemas.event import Event
from schemas.request import Origin, Request

NOWHERE = Origin("events", -1, -1)
"""Where an event stands that is asked about, and in no topic."""


class Standing(Struct, frozen=True):
    """What is stored of a user, and of what an event has to do with them.

    `partition` of `partitions` is the user's; `tally` what their tenant used there of its limit,
    and `spending` of its limit by day, with the `prices` of SMS;
    `ended` when what ends a notification happened (epoch ms), by the keys of `ending_keys`;
    `spilled` the marks under those of `marked_keys` that the ledger has no room for.
    """

    profile: Profile = Profile()
    ledger: Ledger = Ledger()
    ties: FollowFacts = FollowFacts()
    cancelled_at: int = 0
    tally: Tally | None = None
    partition: int = 0
    partitions: int = 1
    is_known: bool = True
    ended: Mapping[str, int] = {}
    spending: Spending | None = None
    prices: Mapping[str, float] = {}
    spilled: bytes = NO_MARKS

    def state(self, tenant: Tenant) -> UserState:
        """The state that the decider would decide on."""
        quota, limit = None, tenant.rate_limit
        if limit is not None:
            quota = Quota.of(limit, self.tally, self.partition, self.partitions)
        found = UserState(
            self.profile, self.ledger, tenant, quota, self.cancelled_at, spilled=self.spilled
        )
        if tenant.daily_limit is None:
            return found
        place = self.partition, self.partitions
        allowance = Allowance.of(tenant.daily_limit, tenant.zone, self.prices, self.spending, place)
        return replace(found, allowance=allowance)


def followed(event: Event, specs: Iterable[NotificationType]) -> set[str]:
    """Whose followers any of the types is for; raises BadRecord where the event doesn't say."""
    if event.notify is not None:
        return set()
    asked = (spec for spec in specs if spec.followers or spec.subscribers)
    return {name for spec in asked for name in followees(event, spec)}


def ending_keys(event: Event, user: str, specs: Iterable[NotificationType]) -> set[str]:
    """What would be remembered of events that end what these types tell the user of this one."""
    untils = [(spec.until, spec.name) for spec in specs]
    return {
        key
        for until, name in untils
        if until is not None
        for key in until.keys(_request(event, user, name, 0))
    }


def marked_keys(event: Event, user: str, specs: Iterable[NotificationType]) -> set[bytes]:
    """Under what it would be remembered that these types told the user of this event."""
    return {mark_key(counted_id(event, user, spec.name)) for spec in specs}


def explanations(
    event: Event, user: str, at: int, catalogue: Catalogue, standing: Standing, threshold: int
) -> list[Explanation]:
    """What would become of the event at `at` (epoch ms), by each type that it sets off.

    `threshold` counts for types that have none of their own. Raises BadRecord where the event
    does not say whom it is for.
    """
    state = standing.state(catalogue.tenant(event.tenant))
    found = []
    for spec in catalogue.for_event(event):
        limit = spec.fan_out_threshold or threshold
        attributes = standing.profile.attributes
        member = membership(event, spec, user, standing.ties, attributes, limit)
        request, stands = _request(event, user, spec.name, at), state
        if spec.then:
            request = replace(request, after=told_after(event, spec).get(user, 0))
        if spec.until is not None:
            times = (standing.ended.get(key, 0) for key in spec.until.keys(request))
            stands = replace(state, ended_at=max(times, default=0))
        found.append(explain(request, spec, member, stands, at))
    return found


def _request(event: Event, user: str, type_name: str, at: int) -> Request:
    origin = replace(NOWHERE, body=body_digest(event))
    return Request(type=type_name, user=user, event=event, origin=origin, accepted_at=at)
