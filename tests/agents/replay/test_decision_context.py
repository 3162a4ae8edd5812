"""What is read of one user from the changelogs, for one event."""

from agents.replay.decision_context import read_standing
from pipeline.producing.outputs import partition_of
from policy.audience.membership import FollowFacts
from policy.catalogue.catalogue import parse
from policy.decision.context import Standing
from policy.decision.ending import Ending
from policy.dedupe import NO_MARKS, Mark, mark_key, remember
from policy.identity import notification_id, user_digest
from policy.limits.daily_limit import Day, Spending
from policy.limits.rate_limit import Tally
from policy.user.ledger import Ledger, Waiting
from policy.user.profile import Profile
from schemas.topics import changelog
from tables.followers import FOLLOWERS
from tables.pending import CANCELLED, QUOTAS, SPENT
from tables.spilled_marks import SPILLED
from tables.storage.table import day_key, key_of
from tables.users import LEDGERS, PROFILES, user_key
from tests.agents.line import PARTITIONS
from tests.agents.names import unique
from tests.agents.samples import event
from tests.agents.stage import Stage

TYPES = """
event = "thing.happened"
[types.named]
category = "things"
priority = "normal"
channels = ["push"]
users = "who"
until = { event = "thing.over", match = "key" }
time_to_live = "2d"
templates.push = { title = "Hi", body = "{{ data.text }}" }
[types.told]
category = "things"
priority = "normal"
channels = ["push"]
followers = true
time_to_live = "2d"
templates.push = { title = "Hi", body = "{{ data.text }}" }
"""


async def test_all_that_bears_on_the_event_is_read_and_nothing_of_others(stage: Stage) -> None:
    catalogue = parse({"types.toml": TYPES})
    tenant, user, other = unique("tenant"), unique("ann"), unique("bob")
    data = {"who": user, "key": "7", "text": "hello"}
    said = event("thing.happened", data, tenant=tenant, cancel_key="trip")
    profile, ledger = Profile(email="ann@example.com"), Ledger(waiting={"x": Waiting(9)})
    name = mark_key(notification_id(tenant, said.id, user, "named"))
    marks = [remember(NO_MARKS, name, Mark(0, offset, 5, 24)) for offset in (7, 8)]
    strange_mark = remember(NO_MARKS, b"another1", Mark(0, 9, 5, 24))
    owner, later = user_digest(tenant, user), user_digest(tenant, other)
    place_of = SPILLED.prefix + day_key(1)
    tally, spending = Tally(60, 7, (1, 2)), Spending((Day(7, 1, 2),))
    ending = Ending("thing.over", ("key",)).key(said, user)
    assert ending is not None
    strange = Profile(email="another@example.com")
    rows = [
        (PROFILES.prefix + user_key(tenant, user), PROFILES.encode(profile)),
        (PROFILES.prefix + user_key("acme", user), PROFILES.encode(strange)),
        (PROFILES.prefix + user_key(tenant, other), PROFILES.encode(strange)),
        (LEDGERS.prefix + user_key(tenant, user), LEDGERS.encode(ledger)),
        (QUOTAS.prefix + key_of(tenant), QUOTAS.encode(tally)),
        (SPENT.prefix + key_of(tenant), SPENT.encode(spending)),
        (CANCELLED.prefix + key_of(tenant, "trip"), CANCELLED.encode(11)),
        (CANCELLED.prefix + key_of(tenant, ending), CANCELLED.encode(12)),
        (CANCELLED.prefix + key_of(tenant, "other"), CANCELLED.encode(13)),
        (FOLLOWERS.prefix + key_of(tenant, said.actor, user), FOLLOWERS.encode(True)),
        (place_of + owner + name, SPILLED.encode(marks[0])),
        (SPILLED.prefix + day_key(2) + owner + name, SPILLED.encode(marks[1])),
        (place_of + owner + b"another1", SPILLED.encode(strange_mark)),
        (place_of + later + name, SPILLED.encode(strange_mark)),
    ]
    place = partition_of(user, PARTITIONS)
    await stage.producer.write(changelog("decider").name, place, [*rows])
    specs = catalogue.for_event(said)
    found = await read_standing(stage.settings, said, user, specs)
    everybody = Ending("thing.over", ("key",)).key(said, "")
    assert found == Standing(
        profile=profile,
        ledger=ledger,
        ties=FollowFacts(frozenset({said.actor}), {}),
        cancelled_at=11,
        tally=tally,
        partition=place,
        partitions=PARTITIONS,
        is_known=True,
        ended={ending: 12, everybody or "": 0},
        spending=spending,
        prices=stage.settings.sms_prices,
        spilled=marks[1] + marks[0],
    )
    # Of another user nothing of that counts.
    stranger = unique("zoe")
    nothing = await read_standing(stage.settings, said, stranger, specs)
    assert (nothing.profile, nothing.ledger, nothing.is_known) == (Profile(), Ledger(), False)
    assert nothing.ties == FollowFacts(frozenset(), {})
    assert set(nothing.ended.values()) == {0}
