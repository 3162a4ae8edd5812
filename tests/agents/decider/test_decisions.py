"""What a transaction decides: in what order, against a tenant's limit, of what was cancelled."""

from collections.abc import Mapping

from policy.time.timestamps import moment
from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.event import Cancellation, Event
from schemas.profile import Contacts
from schemas.topics import CANCELLATIONS, CONTACTS, DELIVER, DELIVERY_EVENTS, EVENTS
from schemas.vocabulary import Channel, Priority, Reason, Stage
from tables.pending import CANCEL_KEYS, CANCELLING, HELD
from tests.simulation.roles import NOW, Roles

MINUTE = 60_000
TYPE = """
event = "{name}.happened"
[types.{name}]
category = "things"
priority = "{priority}"
channels = ["email"]
users = "who"
time_to_live = "2d"
{special}
templates.email = {{ title = "Hi", body = "{{{{ data.text }}}}" }}
"""
DIGEST = 'digests = [{ channels = ["email"], every = "10m" }]'
CLOSED_MS = 10 * MINUTE + 5000
"""When a digest of every ten minutes goes out: what is late has five seconds."""
CATALOGUE = {
    f"{name}.toml": TYPE.format(name=name, priority=priority, special=special)
    for name, priority, special in (
        ("plain", "normal", ""),
        ("urgent", "high", ""),
        ("gathered", "normal", DIGEST),
        ("alarms", "high", DIGEST),
    )
}


def limited(count: int) -> dict[str, str]:
    """The catalogue, with a tenant to whom so many are sent an hour."""
    limit = f"rate_limit = {{ count = {count}, seconds = 3600 }}"
    return {**CATALOGUE, "tenants.toml": f"[tenants.default]\n{limit}\n"}


def happened(number: int, kind: str = "plain", **fields: object) -> Event:
    values = {"occurred_at": moment(NOW + number), "actor": "shop", "tenant": "default"}
    data = {"who": fields.pop("who", "ann"), "text": f"text {number}"}
    return Event(id=f"e{number}", type=f"{kind}.happened", data=data, **{**values, **fields})  # type: ignore[arg-type]


async def roles_of(catalogue: Mapping[str, str] = CATALOGUE) -> Roles:
    roles = Roles(catalogue=catalogue)
    await roles.say(
        CONTACTS, *(Contacts(user=name, email=f"{name}@x.org") for name in ("ann", "bob"))
    )
    await roles.settle()
    return roles


async def happens(roles: Roles, *events: Event) -> None:
    await roles.say(EVENTS, *events)
    await roles.settle()


async def passes(roles: Roles, milliseconds: int) -> None:
    roles.clock.at += milliseconds
    await roles.settle()


def sent(roles: Roles) -> list[str]:
    """The texts of all that was sent, the most urgent first."""
    topics = [DELIVER[Channel.EMAIL, priority] for priority in Priority]
    return [each.content.body for topic in topics for each in roles.read(topic, Delivery)]


def went(roles: Roles) -> list[str]:
    """The events that went out, by themselves or in a digest, in that order."""
    rows = roles.read(DELIVERY_EVENTS, DeliveryEvent)
    out = (row.event_id for row in rows if row.stage in (Stage.QUEUED, Stage.DIGESTED))
    return list(dict.fromkeys(out))


def kept_back(roles: Roles, reason: Reason) -> list[str]:
    """The events that did not for this reason, in that order."""
    rows = roles.read(DELIVERY_EVENTS, DeliveryEvent)
    return [row.event_id for row in rows if (row.stage, row.reason) == (Stage.SUPPRESSED, reason)]


def held(roles: Roles) -> list[bytes]:
    """What is stored of notifications that wait, and of cancellations under way."""
    prefixes = (HELD.prefix, CANCEL_KEYS.prefix, CANCELLING.prefix)
    return [key for key in roles.decider_store.stored if key.startswith(prefixes)]


async def test_of_what_is_due_at_one_moment_the_urgent_goes_first_then_what_happened_first() -> (
    None
):
    roles, at = await roles_of(), moment(NOW + CLOSED_MS)
    # Digests of what happens now are due at that moment too.
    digests = [
        happened(n, kind, occurred_at=moment(NOW)) for n, kind in ((0, "gathered"), (1, "alarms"))
    ]
    kinds = ("plain", "urgent")
    scheduled = [happened(n, kinds[n % 2], deliver_at=at) for n in range(2, 10)]
    await happens(roles, *reversed(scheduled), *digests)
    assert sent(roles) == []
    await passes(roles, CLOSED_MS)
    assert went(roles) == [f"e{n}" for n in (*range(1, 10, 2), *range(0, 10, 2))]


async def test_a_tenants_limit_holds_over_all_that_comes_of_it() -> None:
    roles = await roles_of(limited(2))
    for number in range(4):
        await happens(roles, happened(number, who=("ann", "bob")[number % 2]))
    assert sent(roles) == ["text 0", "text 1"]
    assert kept_back(roles, Reason.RATE_LIMITED) == ["e2", "e3"]
    # Another tenant has none.
    others = [happened(number, tenant="acme") for number in range(4, 8)]
    await roles.say(CONTACTS, Contacts(user="ann", email="ann@acme.org", tenant="acme"))
    await happens(roles, *others)
    assert len(sent(roles)) == 6
    await passes(roles, 120 * MINUTE)
    await happens(roles, happened(8, occurred_at=moment(roles.clock.at)))
    assert sent(roles)[-1] == "text 8"


async def test_what_is_cancelled_takes_nothing_of_a_tenants_limit() -> None:
    roles, at = await roles_of(limited(1)), moment(NOW + MINUTE)
    await happens(roles, happened(0, deliver_at=at, cancel_key="trip"))
    await roles.say(
        CANCELLATIONS, Cancellation(cancel_key="trip", actor="shop", at=moment(NOW + 1))
    )
    await passes(roles, 2 * MINUTE)
    assert kept_back(roles, Reason.CANCELLED) == ["e0"]
    await happens(roles, happened(1), happened(2))
    assert sent(roles) == ["text 1"]


async def test_a_cancellation_takes_what_has_its_key_and_happened_before_it() -> None:
    roles, at = await roles_of(), moment(NOW + MINUTE)
    await happens(
        roles,
        happened(0, deliver_at=at, cancel_key="trip"),
        happened(1, deliver_at=at, cancel_key="other"),
        happened(2, deliver_at=at),
        happened(3, deliver_at=at, cancel_key="trip", occurred_at=moment(NOW + 50)),
        happened(4, "gathered", cancel_key="trip"),
        happened(5, "gathered", cancel_key="other"),
        happened(6, "gathered"),
    )
    await roles.say(
        CANCELLATIONS, Cancellation(cancel_key="trip", actor="shop", at=moment(NOW + 20))
    )
    await roles.settle()
    assert sorted(kept_back(roles, Reason.CANCELLED)) == ["e0", "e4"]
    await passes(roles, CLOSED_MS)
    assert sorted(went(roles)) == ["e1", "e2", "e3", "e5", "e6"]
    assert held(roles) == []
