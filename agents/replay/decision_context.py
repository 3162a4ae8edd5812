"""How one user stands: what router and decider have stored that bears on one event for them."""

from agents.decider.agent import NAME as DECIDER
from agents.router.agent import NAME as ROUTER
from pipeline.admin.topic_creation import check_topics
from pipeline.producing.outputs import partition_of
from pipeline.settings import Settings
from policy.audience.membership import FollowFacts
from policy.decision.context import Standing, ending_keys, followed, marked_keys
from policy.identity import user_digest
from policy.notification_type import NotificationType
from policy.user.ledger import Ledger
from policy.user.profile import Profile
from schemas.event import Event
from schemas.topics import changelog
from tables.followers import FOLLOWER_COUNTS, FOLLOWERS
from tables.pending import CANCELLED, QUOTAS, SPENT
from tables.spilled_marks import SPILLED, is_mark_of
from tables.storage.snapshot import snapshot
from tables.storage.table import View, key_of
from tables.users import LEDGERS, PROFILES, user_key


async def read_standing(
    settings: Settings, event: Event, user: str, specs: tuple[NotificationType, ...]
) -> Standing:
    """Read it from the changelogs, as of now; `specs` are the types that the event sets off.

    Raises Unavailable without Kafka, Misconfigured without topics, BrokenChangelog for what can't
    be read, and BadRecord where the event does not say whose followers it is for.
    """
    await check_topics(settings, [changelog(ROUTER), changelog(DECIDER)])
    partition = partition_of(user, settings.partitions)
    person, tenant = user_key(event.tenant, user), key_of(event.tenant)
    cancelled = key_of(event.tenant, event.cancel_key or "")
    ends = {key: key_of(event.tenant, key) for key in ending_keys(event, user, specs)}
    edges = {name: key_of(event.tenant, name, user) for name in followed(event, specs)}
    wanted = {
        PROFILES.prefix + person,
        LEDGERS.prefix + person,
        QUOTAS.prefix + tenant,
        SPENT.prefix + tenant,
        *(CANCELLED.prefix + key for key in (cancelled, *ends.values())),
        *(FOLLOWERS.prefix + edge for edge in edges.values()),
    }
    owner, marks = user_digest(event.tenant, user), marked_keys(event, user, specs)

    def is_wanted(key: bytes) -> bool:
        return key in wanted or is_mark_of(key, owner, marks)

    tables = (PROFILES, LEDGERS, QUOTAS, SPENT, CANCELLED, FOLLOWERS, SPILLED)
    store = await snapshot(settings.brokers, DECIDER, partition, is_wanted, *tables)
    spilled = dict(store.scan(SPILLED.prefix))
    profile, following = View(PROFILES, store).get(person), View(FOLLOWERS, store)
    times = View(CANCELLED, store)
    follows = frozenset(name for name, edge in edges.items() if following.get(edge))
    is_counted = any(spec.followers for spec in specs)
    return Standing(
        profile=profile or Profile(),
        ledger=View(LEDGERS, store).get(person) or Ledger(),
        ties=FollowFacts(follows, await _followers(settings, event) if is_counted else {}),
        cancelled_at=times.get(cancelled) or 0,
        tally=View(QUOTAS, store).get(tenant),
        partition=partition,
        partitions=settings.partitions,
        spending=View(SPENT, store).get(tenant),
        prices=settings.sms_prices,
        is_known=profile is not None,
        ended={key: times.get(place) or 0 for key, place in ends.items()},
        # The last one first: of what was told again after its window, that is the one that counts.
        spilled=b"".join(SPILLED.decode(spilled[key]) for key in sorted(spilled, reverse=True)),
    )


async def _followers(settings: Settings, event: Event) -> dict[int, int]:
    """By user partition, those of the event's actor."""
    actor = key_of(event.tenant, event.actor)
    partition = partition_of(event.actor, settings.partitions)
    wanted = {FOLLOWER_COUNTS.prefix + actor}
    store = await snapshot(
        settings.brokers, ROUTER, partition, wanted.__contains__, FOLLOWER_COUNTS
    )
    return View(FOLLOWER_COUNTS, store).get(actor) or {}
