"""A variant goes with its message, from the decision through the sinks, whatever is repeated."""

from policy.catalogue.catalogue import parse
from schemas.dead_letter import DeadLetter
from schemas.topics import CONTACTS, DEAD_LETTERS, EVENTS, REQUESTS
from schemas.vocabulary import Channel, Reason
from schemas.vocabulary import Stage as Step
from tests.agents.names import unique
from tests.agents.samples import event, reachable
from tests.agents.stage import Stage

FILE = """
event = "thing.happened"
[types.thing]
category = "things"
priority = "normal"
users = "who"
time_to_live = "2d"
channels = ["inapp", "push"]
[types.thing.templates]
inapp = { body = "plain" }
push = { body = "plain" }
[types.thing.experiment]
name = "words"
variants.plain = {}
variants.warm.templates = { inapp = { body = "warm" } }
"""


HELD_OUT = FILE.partition("[types.thing.experiment]")[0].replace(
    'time_to_live = "2d"',
    """time_to_live = "2d"
holdout = { share = "50%", name = "half" }
goal = { event = "thing.bought", within = "1d", match = "cart", user = "buyers" }
""",
)


async def test_who_is_told_and_who_reaches_the_goal_is_told_of_both_groups(stage: Stage) -> None:
    stage.catalogue = parse({"thing.toml": HELD_OUT})
    users = [unique("user") for _ in range(20)]
    await stage.say(CONTACTS, *map(reachable, users))
    about = {"cart": "c1"}
    bought = event("thing.bought", {"buyers": users[:5], **about})
    nameless = event("thing.bought", {"buyers": users})
    await stage.say(EVENTS, event("thing.happened", {"who": users, **about}), bought, nameless)
    await stage.work(stage.router, stage.decider)
    told = await stage.told()
    groups = {each.user: each.variant for each in told if each.stage is Step.ASSIGNED}
    assert set(groups) == set(users)
    reached = {each.user for each in await stage.deliveries(Channel.INAPP)}
    held_out = {each.user for each in told if each.reason is Reason.HOLDOUT}
    assert held_out == set(users) - reached
    assert reached == {user for user in users if groups[user] == "holdout.half/told"}
    assert held_out == {user for user in users if groups[user] == "holdout.half/held_out"}
    assert {each.detail for each in told if each.stage is Step.ASSIGNED} == {"c1"}
    goals = {(each.user, each.event_id, each.detail) for each in told if each.stage is Step.GOAL}
    assert goals == {(user, bought.id, "c1") for user in users[:5]}
    rows = {each.id for each in told}
    # As after a crash in which the state was lost as well.
    await stage.restart(keep_disk=False)
    stage.again(EVENTS, *REQUESTS.values())
    await stage.work(stage.router, stage.decider)
    assert {each.id for each in await stage.told()} == rows
    assert not await stage.read(DEAD_LETTERS, DeadLetter)


async def test_each_user_reads_one_variant_and_all_rows_of_the_message_say_it(stage: Stage) -> None:
    stage.catalogue = parse({"thing.toml": FILE})
    users = [unique("user") for _ in range(20)]
    await stage.say(CONTACTS, *map(reachable, users))
    happened = [event("thing.happened", {"who": users}) for _ in range(2)]
    await stage.say(EVENTS, *happened)
    await stage.work(stage.router, stage.decider, stage.inapp)
    inapp = await stage.deliveries(Channel.INAPP)
    read = {each.user: each.content.body for each in inapp}
    assert set(read.values()) == {"plain", "warm"}
    assert len(inapp) == 40
    assert {(each.user, each.content.body) for each in inapp} == set(read.items())
    everything = [*inapp, *await stage.deliveries(Channel.PUSH)]
    assert {each.variant for each in everything} == {"words/plain", "words/warm"}
    assert all(each.variant == f"words/{read[each.user]}" for each in everything)
    told = await stage.told()
    assert {each.stage for each in told} >= {Step.QUEUED, Step.SENT}
    assert all(each.variant == f"words/{read[each.user]}" for each in told)
    # As after a crash in which the state was lost as well.
    await stage.restart(keep_disk=False)
    stage.again(*REQUESTS.values())
    await stage.work(stage.decider)
    again = await stage.deliveries(Channel.INAPP)
    assert {(each.user, each.content.body) for each in again} == set(read.items())
