"""Rows of a type with a breakdown say the class of their user, whatever comes of it."""

from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.event import Event
from schemas.profile import Contacts, Preferences
from schemas.topics import CONTACTS, DELIVER, DELIVERY_EVENTS, EVENTS, PREFERENCES
from schemas.vocabulary import Channel, Priority, Reason, Stage
from tests.agents.decider.test_decisions import CATALOGUE, MINUTE, happened
from tests.simulation.roles import Roles

BY_PLAN = {
    name: text.replace('users = "who"', 'users = "who"\nbreakdown = "plan"')
    for name, text in CATALOGUE.items()
}
HELD_OUT = BY_PLAN["plain.toml"].replace(
    'breakdown = "plan"',
    'breakdown = "plan"\nholdout = { share = "50%", name = "half" }\n'
    'goal = { event = "thing.bought", within = "1d" }',
)
PLANS = {"ann": "pro", "bob": "", "cyd": "cyd@example.com"}
CLASSES = {"ann": "plan=pro", "bob": "plan=", "cyd": "plan=(other)"}


async def roles_with(plain: str = BY_PLAN["plain.toml"]) -> Roles:
    roles = Roles(catalogue={**BY_PLAN, "plain.toml": plain})
    people = [
        Contacts(user=user, email=f"{user}@x.org", attributes={"plan": plan} if plan else {})
        for user, plan in PLANS.items()
    ]
    await roles.say(CONTACTS, *people)
    await roles.settle()
    return roles


async def happen(roles: Roles, *events: Event, after: int = 0) -> list[DeliveryEvent]:
    await roles.say(EVENTS, *events)
    await roles.settle()
    roles.clock.at += after
    await roles.settle()
    return roles.read(DELIVERY_EVENTS, DeliveryEvent)


async def test_each_row_and_message_says_it() -> None:
    """Of what is queued, gathered, told together or turned down."""
    roles = await roles_with()
    off = Preferences(user="bob", categories={"things": {Channel.EMAIL: False}})
    await roles.say(PREFERENCES, off)
    gathered = happened(1, "gathered", who=("ann", "cyd"))
    rows = await happen(roles, happened(0, who=tuple(PLANS)), gathered, after=11 * MINUTE)
    # What bob leaves by his preferences is of no type.
    assert [row.stage for row in rows if not row.type] == [Stage.UNSUBSCRIBED]
    rows = [row for row in rows if row.type]
    assert all(row.attribute == CLASSES[row.user] for row in rows)
    seen = {(row.user, row.stage) for row in rows}
    assert seen >= {("ann", Stage.QUEUED), ("ann", Stage.HELD), ("cyd", Stage.DIGESTED)}
    assert ("bob", Reason.OPTED_OUT) in {(row.user, row.reason) for row in rows}
    topics = [DELIVER[Channel.EMAIL, priority] for priority in Priority]
    deliveries = [each for topic in topics for each in roles.read(topic, Delivery)]
    assert len(deliveries) == 4
    assert all(each.attribute == CLASSES[each.user] for each in deliveries)


async def test_who_is_held_out_and_who_is_told_say_it_alike() -> None:
    roles = await roles_with(HELD_OUT)
    rows = await happen(roles, happened(0, who=tuple(PLANS)))
    assigned = {row.user: row.attribute for row in rows if row.stage is Stage.ASSIGNED}
    assert assigned == CLASSES
    assert all(row.attribute == CLASSES[row.user] for row in rows)


async def test_a_type_that_names_none_says_nothing() -> None:
    roles = await roles_with(CATALOGUE["plain.toml"])
    rows = await happen(roles, happened(0, who=tuple(PLANS)))
    assert {row.attribute for row in rows} == {""}
