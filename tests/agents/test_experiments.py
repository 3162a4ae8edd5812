"""A variant goes with its message, from the decision through the sinks, whatever is repeated."""

from pipeline.topics import CONTACTS, EVENTS, REQUESTS
from policy.catalogue.catalogue import parse
from schemas.vocabulary import Channel
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
