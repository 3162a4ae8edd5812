"""What another catalogue makes different: each kind of change, and none where it is the same."""

from collections.abc import AsyncIterator, Iterable
from random import Random

import msgspec
import pytest
from aiokafka import ConsumerRecord

from agents.replay.comparison import Change, Comparison, Kind, Outcome, compare
from agents.replay.in_memory_pipeline import HeldClock, Rehearsal
from agents.replay.notification_outcomes import Fate, Place, Text
from agents.replay.replay import TOPICS, Replay, batches, is_of, is_replayed
from agents.replay.state_snapshot import Population
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.producing.memory_log import MemoryLog
from pipeline.settings import Settings
from policy.catalogue.catalogue import Catalogue, parse
from policy.time.timestamps import moment
from policy.user.profile import Profile
from schemas.encoding import encode
from schemas.feedback import Receipt, Stop
from schemas.kinds import encode_in
from schemas.topics import EVENTS, SUPPRESSIONS
from schemas.vocabulary import Channel, Reason, Stage
from tables.followers import FOLLOWER_COUNTS, FOLLOWERS, SEGMENTS
from tables.storage.memory_store import MemoryStore
from tables.storage.table import key_of
from tables.users import PROFILES, user_key
from tests.simulation.script import START, Act, Script, catalogue_files, iso, script

SETTINGS = Settings()
FILES = catalogue_files()
CATALOGUE = parse(FILES)
HOUR = 3_600_000
SEEDS = range(12)
ANN = Profile(devices=("phone", "tablet"), email="ann@example.com", phone="+4915112345")

THING = """
event = "thing.happened"
[types.thing]
category = "things"
priority = "normal"
channels = ["push", "email"]
users = "who"
time_to_live = "1d"
[types.thing.templates]
push = { title = "Hi", body = "{{ data.text }}" }
email = { title = "Hi", body = "{{ data.text }}" }
"""


def catalogue(*changes: tuple[str, str]) -> Catalogue:
    """The type above, with pieces of its text replaced."""
    text = THING
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse({"thing.toml": text})


def record(topic: str, offset: int, at: int, key: str, value: object) -> ConsumerRecord:
    raw = value if isinstance(value, bytes) else encode(value)
    return ConsumerRecord(topic, 0, offset, at, 1, key.encode(), raw, None, 0, len(raw), ())


def event(number: int, at: int, **data: object) -> ConsumerRecord:
    """Something happened to ann at `at` (epoch ms)."""
    said = {"who": "ann", "text": f"text {number}", **data}
    value = {"id": f"e{number}", "type": "thing.happened", "actor": "bob", "occurred_at": iso(at)}
    return record(EVENTS.name, number, at, "bob", {**value, "data": said})


def town(*people: str, profile: Profile = ANN) -> Population:
    names = people or ("ann",)
    stored = {PROFILES.prefix + user_key("default", name): profile for name in names}
    return Population({}, {key: PROFILES.encode(value) for key, value in stored.items()})


async def stream(records: Iterable[ConsumerRecord]) -> AsyncIterator[ConsumerRecord]:
    for each in records:
        yield each


async def replayed(
    before: Catalogue,
    after: Catalogue,
    records: Iterable[ConsumerRecord],
    population: Population | None = None,
    begin: int = 0,
) -> Comparison:
    replay = Replay(before, after, SETTINGS, population or town(), begin)
    async for batch in batches(stream(records)):
        await replay.play(batch)
    return await replay.finish()


def seen(comparison: Comparison) -> list[tuple[str, str, tuple[Kind, ...]]]:
    return [(each.place.event_id, each.place.channel, each.kinds) for each in comparison.changes]


async def people_of(played: Script) -> Population:
    """Everyone as they are when all that they say of themselves was said."""
    clock = HeldClock(START)
    log, stores = MemoryLog(clock), (MemoryStore(), MemoryStore())
    rehearsal = Rehearsal(FixedCatalogue(CATALOGUE), SETTINGS, log, clock, *stores)
    for act in played.acts:
        if act.topic not in TOPICS:
            await log.write(act.topic.name, 0, [(act.key.encode(), encode(act.value))])
    await rehearsal.settle()
    kept = (PROFILES.prefix, FOLLOWERS.prefix, SEGMENTS.prefix)
    stored = stores[1].stored.items()
    return Population({}, {key: value for key, value in stored if key.startswith(kept)})


def records_of(played: Script) -> list[ConsumerRecord]:
    """What Kafka had of it, as it came in: some of it late, some of it twice."""
    random = Random(played.seed)
    came: list[tuple[int, Act]] = []
    for act in played.acts:
        if act.topic in TOPICS:
            came.append((act.at + act.late, act))
            if random.random() < 0.1:
                came.append((act.at + act.late + random.randrange(HOUR), act))
    came.sort(key=lambda each: each[0])
    return [
        record(act.topic.name, offset, at, act.key, act.value)
        for offset, (at, act) in enumerate(came)
    ]


def test_of_what_came_back_receipts_alone_are_replayed() -> None:
    at = moment(START)
    arrived = Receipt(user="ann", notification_id="0" * 32, channel=Channel.SMS, at=at)
    stop = Stop(phone="+15005550009", at=at)
    topic = SUPPRESSIONS.name
    found = [
        is_replayed(record(topic, 0, START, "ann", encode_in(topic, value)))
        for value in (arrived, stop)
    ]
    assert found == [True, False]
    assert SUPPRESSIONS in TOPICS


@pytest.mark.parametrize("seed", SEEDS)
async def test_the_same_catalogue_makes_no_difference(seed: int) -> None:
    played = script(seed)
    records = records_of(played)
    begin = records[len(records) // 3].timestamp
    same = parse({**FILES, "unused.toml": THING.replace("thing", "unused")})
    found = await replayed(CATALOGUE, same, records, await people_of(played), begin)
    assert found.changes == ()
    assert sum(now for _, now in found.sent.values()) > 10


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_change_to_one_type_leaves_the_others_alone(seed: int) -> None:
    played = script(seed)
    text = FILES["fixed.toml"].replace("{{ data.text }}", "{{ data.text }}!")
    other = parse({**FILES, "fixed.toml": text})
    found = await replayed(CATALOGUE, other, records_of(played), await people_of(played))
    assert {change.place.type for change in found.changes} == {"fixed"}
    assert {change.kinds for change in found.changes} == {(Kind.TEXT,)}
    assert len(found.changes) == found.sent["fixed", "inapp"][0]


async def test_a_channel_that_is_gone_is_no_longer_sent_and_said_why() -> None:
    without = catalogue(('["push", "email"]', '["push"]'), ("email = { title", "# { title"))
    found = await replayed(catalogue(), without, [event(1, START), event(2, START + HOUR)])
    assert seen(found) == [(name, "email", (Kind.NO_LONGER,)) for name in ("e1", "e2")]
    assert found.changes[0].after.detail == "thing does not use email"
    assert found.sent == {("thing", "email"): (2, 0), ("thing", "push"): (2, 2)}
    assert found.counts()["thing", "email"][Kind.NO_LONGER] == 2


async def test_a_channel_that_is_new_is_newly_sent() -> None:
    without = catalogue(('["push", "email"]', '["push"]'), ("email = { title", "# { title"))
    found = await replayed(without, catalogue(), [event(1, START)])
    (change,) = found.changes
    assert change.kinds == (Kind.NEWLY,)
    assert change.before.text is None
    assert change.after.text is not None
    assert change.after.text.body == "text 1"


async def test_a_digest_is_told_event_by_event() -> None:
    digests = '[types.thing]\ndigests = [{ channels = ["push"], every = "10m" }]'
    gathering = catalogue(("[types.thing]", digests))
    moments = [START, START + 60_000, START + 2 * HOUR]
    records = [event(number, at) for number, at in enumerate(moments)]
    found = await replayed(catalogue(), gathering, records)
    assert {each.place.event_id for each in found.changes} == {"e0", "e1", "e2"}
    assert {each.place.channel for each in found.changes} == {"push"}
    assert all(Kind.TIME in each.kinds for each in found.changes)
    first, second, third = (each.after for each in found.changes)
    assert first.digest == second.digest != third.digest
    assert third.at == START + 2 * HOUR + 605_000
    assert found.sent["thing", "push"] == (3, 3)


async def test_two_devices_are_one_notification_with_another_text() -> None:
    other = catalogue(('push = { title = "Hi"', 'push = { title = "Hello"'))
    found = await replayed(catalogue(), other, [event(1, START)])
    (change,) = found.changes
    assert change.kinds == (Kind.TEXT,)
    assert (change.before.text, change.after.text) != (None, None)
    assert change.before.at == change.after.at


async def test_what_is_due_within_32_days_is_waited_for_and_nothing_else() -> None:
    days, other = 24 * HOUR, catalogue(('push = { title = "Hi"', 'push = { title = "Hello"'))

    def scheduled(number: int, at: int) -> ConsumerRecord:
        said = event(number, START)
        value = msgspec.json.decode(said.value or b"")
        return record(EVENTS.name, number, START, "bob", {**value, "deliver_at": iso(at)})

    last = START + 32 * days
    found = await replayed(catalogue(), other, [scheduled(1, last), scheduled(2, last + HOUR)])
    (change,) = found.changes
    assert (change.place.event_id, change.after.at) == ("e1", last)


async def test_another_type_of_event_and_a_broken_template_are_dead_letters() -> None:
    elsewhere = catalogue(("thing.happened", "thing.else"))
    found = await replayed(catalogue(), elsewhere, [event(1, START)])
    assert {each.after.reason for each in found.changes} == {Reason.UNKNOWN_TYPE}
    broken = catalogue(('email = { title = "Hi"', 'email = { title = "{{ data.subject }}"'))
    found = await replayed(catalogue(), broken, [event(1, START)])
    assert seen(found) == [("e1", name, (Kind.NO_LONGER,)) for name in ("email", "push")]
    assert {(each.after.stage, each.after.reason) for each in found.changes} == {
        (Stage.FAILED, Reason.RENDER_FAILED)
    }


async def test_warming_up_fills_limits_and_is_left_out() -> None:
    limited = catalogue(
        ("[types.thing]", "[types.thing]\nrate_limit = { count = 2, seconds = 3600 }")
    )
    records = [event(number, START + number * 60_000) for number in range(4)]
    begin = START + 2 * 60_000
    found = await replayed(catalogue(), limited, records, begin=begin)
    assert {each.place.event_id for each in found.changes} == {"e2", "e3"}
    assert {each.after.reason for each in found.changes} == {Reason.RATE_LIMITED}
    found = await replayed(catalogue(), limited, records[2:], begin=begin)
    assert found.changes == ()


async def test_over_the_threshold_feeds_read_it() -> None:
    social = (("users =", "followers = true #"),)
    few = catalogue(*social, ("time_to_live", "fan_out_threshold = 1\ntime_to_live"))
    edge = key_of("default", "bob", "ann")
    people = town()
    followed = Population(
        {FOLLOWER_COUNTS.prefix + key_of("default", "bob"): FOLLOWER_COUNTS.encode({0: 1})},
        {**people.decider, FOLLOWERS.prefix + edge: FOLLOWERS.encode(True)},
    )
    found = await replayed(catalogue(*social), few, [event(1, START)], followed)
    assert {(each.place.user, each.after.reason) for each in found.changes} == {
        ("ann", Reason.FAN_OUT_ON_READ)
    }


async def test_a_condition_says_of_whom_it_keeps_a_type_from() -> None:
    """Of each that is named; of an audience of followers for each whom it told before."""
    when = "when = \"data.text == 'text 1'\""
    some = catalogue(("[types.thing]", f"[types.thing]\n{when}"))
    records = [event(1, START), event(2, START + 1000)]
    found = await replayed(catalogue(), some, records)
    assert seen(found) == [("e2", name, (Kind.NO_LONGER,)) for name in ("email", "push")]
    assert {(each.place.user, each.after.reason) for each in found.changes} == {
        ("ann", Reason.CONDITION)
    }
    social = ("users =", "followers = true #")
    followed = Population(
        {FOLLOWER_COUNTS.prefix + key_of("default", "bob"): FOLLOWER_COUNTS.encode({0: 1})},
        {**town().decider, FOLLOWERS.prefix + key_of("default", "bob", "ann"): b"\xc3"},
    )
    few = catalogue(social, ("[types.thing]", f"[types.thing]\n{when}"))
    found = await replayed(catalogue(social), few, records, followed)
    assert seen(found) == [("e2", name, (Kind.NO_LONGER,)) for name in ("email", "push")]
    assert {(each.place.user, each.after.reason) for each in found.changes} == {
        ("ann", Reason.CONDITION)
    }


async def test_records_that_nobody_can_use_are_counted_and_do_not_end_it() -> None:
    bad = [record(EVENTS.name, number, START + number, "k", b"{") for number in range(300)]
    replay = Replay(catalogue(), catalogue(), SETTINGS, town(), 0)
    await replay.play([*bad, event(300, START + 400)])
    found = await replay.finish()
    assert replay.unusable == 300
    assert found.sent["thing", "push"] == (1, 1)


def test_records_are_told_apart_by_tenant() -> None:
    assert is_of(event(1, START), "default")
    assert is_of(record("events", 0, 0, "k", {"tenant": "acme"}), "acme")
    assert not is_of(record("events", 0, 0, "k", b"{"), "default")


async def test_records_of_one_second_are_one_batch() -> None:
    records = [event(number, START + number * 400) for number in range(5)]
    found = [len(batch) async for batch in batches(stream(records))]
    assert found == [3, 2]


def test_a_second_is_one_time_and_the_text_is_compared_whole() -> None:
    place = Place("default", "e", "ann", "thing", "push")

    def outcome(at: int, mark: int) -> Outcome:
        return Outcome(catalogue(), {place: Fate(Stage.QUEUED, at, text=Text("", "same", mark))})

    assert compare(outcome(0, 1), outcome(999, 1)).changes == ()
    (change,) = compare(outcome(0, 1), outcome(1000, 2)).changes
    assert change == Change(
        place,
        (Kind.TIME, Kind.TEXT),
        Fate(Stage.QUEUED, 0, text=Text("", "same", 1)),
        Fate(Stage.QUEUED, 1000, text=Text("", "same", 2)),
    )


@pytest.mark.parametrize(
    ("special", "changes"),
    [
        ('holdout = { share = "50%", name = "a" }', {"e1": "holdout", "e2": "holdout"}),
        ('holdout = { share = "50%", name = "b" }\ngoal = { event = "x", within = "1d" }', {}),
        ('replaces = "ride"', {"e1": "cancelled"}),
    ],
)
async def test_who_would_be_held_out_and_what_replaced(
    special: str, changes: dict[str, str]
) -> None:
    """Of half of all users, `ann` is in the holdout "a" and not in "b"; both wait an hour."""
    ttl = 'time_to_live = "1d"'
    delayed = (ttl, f'{ttl}\ndelay = "1h"')
    records = [event(number, START + number * 60_000, ride="r1") for number in (1, 2)]
    after = catalogue(delayed, ('delay = "1h"', f'delay = "1h"\n{special}'))
    found = await replayed(catalogue(delayed), after, records)
    seen_of = {change.place.event_id: str(change.after.reason) for change in found.changes}
    assert seen_of == changes
    assert all(change.kinds == (Kind.NO_LONGER,) for change in found.changes)
    assert {change.place.channel for change in found.changes} == (
        {"push", "email"} if changes else set()
    )
