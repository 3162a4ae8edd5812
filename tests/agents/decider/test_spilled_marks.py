"""A repeated id notifies nobody again within its window, however much else a user gets."""

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.decision.explanation import Explanation
from policy.dedupe import HOUR_MS, MARKS_KEPT
from policy.identity import user_digest
from policy.time.timestamps import moment
from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.erasure import Erasure
from schemas.event import Event
from schemas.profile import Contacts
from schemas.question import Explain
from schemas.topics import CONTACTS, DELIVER, DELIVERY_EVENTS, ERASURES, EVENTS
from schemas.vocabulary import Channel, Priority, Reason
from tables.spilled_marks import FORGETTING, SPILLED
from tables.storage.memory_store import MemoryStore
from tables.users import LEDGERS, user_key
from tests.agents.decider.test_user_queries import ask
from tests.simulation.measured import Measured
from tests.simulation.planted import ENTRY_BYTES
from tests.simulation.roles import NOW, Roles

MINUTE = 60_000
ROOM = 3
"""Marks in a ledger, where a test does not say so."""
TYPE = """
event = "{name}.happened"
[types.{name}]
category = "things"
priority = "normal"
channels = ["email"]
users = "who"
time_to_live = "20d"
rate_limit = {{ count = 1000, seconds = 60 }}
{special}
templates.email = {{ title = "Hi", body = "{{{{ data.text }}}}" }}
"""
HELD_OUT = 'holdout = { share = "50%", name = "a" }'
CATALOGUE = {
    f"{name}.toml": TYPE.format(name=name, special=special)
    for name, special in (
        ("plain", ""),
        ("week", "dedupe_hours = 168"),
        ("hour", "dedupe_hours = 1"),
        ("held", HELD_OUT),
    )
}


class Heard(NamedTuple):
    """An event that Kafka takes so many minutes after the one before it."""

    after: int
    name: str
    kind: str = "plain"
    late: int = 0
    """Minutes before that it happened."""
    key: str | None = None
    who: str = "ann"


@pytest.fixture
def _little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    make_room(monkeypatch, ROOM)


def make_room(patch: pytest.MonkeyPatch, marks: int) -> None:
    """Have ledgers keep so many marks, the one included that is written."""
    patch.setattr("policy.dedupe._ROOM", (marks - 1) * ENTRY_BYTES)


async def roles_of(store: MemoryStore | None = None) -> Roles:
    roles = Roles(catalogue=CATALOGUE, decider_store=store)
    who = (Contacts(user=name, email=f"{name}@x.org") for name in ("ann", "bob"))
    await roles.say(CONTACTS, *who)
    await roles.settle()
    return roles


def event_of(said: Heard, at: int) -> Event:
    """The event as it is said at `at` (epoch ms)."""
    return Event(
        id=said.name,
        type=f"{said.kind}.happened",
        actor="shop",
        occurred_at=moment(at - said.late * MINUTE),
        data={"who": said.who, "text": said.name},
        idempotency_key=said.key,
    )


async def hear(roles: Roles, *heard: Heard) -> None:
    for each in heard:
        roles.clock.at += each.after * MINUTE
        await roles.say(EVENTS, event_of(each, roles.clock.at))
        await roles.settle()


def told(roles: Roles) -> list[str]:
    """The names of all that was sent, as often as it was."""
    return [
        each.content.body
        for priority in Priority
        for each in roles.read(DELIVER[Channel.EMAIL, priority], Delivery)
    ]


def duplicates(roles: Roles) -> list[str]:
    rows = roles.read(DELIVERY_EVENTS, DeliveryEvent)
    return [each.event_id for each in rows if each.reason is Reason.DUPLICATE]


def spilled(store: MemoryStore, user: str = "ann") -> int:
    """How many marks of a user are spilled."""
    owner = user_digest("default", user)
    return sum(owner in key for key, _ in store.scan(SPILLED.prefix))


def others(count: int, after: int = 1, kind: str = "plain") -> tuple[Heard, ...]:
    """So many other events, so many minutes apart."""
    return tuple(Heard(after, f"o{number}", kind) for number in range(count))


FLOWS = {
    "after a few others": ((Heard(0, "a"), *others(2), Heard(1, "a")), 1),
    "after more than there is room for": ((Heard(0, "a"), *others(9), Heard(1, "a")), 1),
    "each of them, in any order": (
        (*others(9), *(Heard(1, f"o{number}") for number in (8, 0, 5, 2, 3, 7, 1, 4, 6))),
        0,
    ),
    "to the minute before a day": ((Heard(0, "a"), *others(9, 10), Heard(1349, "a")), 1),
    # Its mark is a day old then, as it was with no others in between.
    "after a day": ((Heard(0, "a"), *others(9, 10), Heard(1350, "a")), 2),
    "again and again": ((Heard(0, "a"), *others(9), *[Heard(200, "a")] * 7), 1),
    "one that is told again after its window is not told a third time": (
        (Heard(0, "a"), *others(9), Heard(24 * 60, "a"), *others(9, kind="week"), Heard(1, "a")),
        2,
    ),
    "a week where its type says so": (
        (Heard(0, "a", "week"), *others(6, 24 * 60), Heard(1, "a", "week")),
        1,
    ),
    "six days later where its type says a week": (
        (Heard(0, "a", "week"), *others(9, 60), Heard(6 * 24 * 60, "a", "week")),
        1,
    ),
    "eight days later where its type says a week": (
        (Heard(0, "a", "week"), *others(9, 60), Heard(8 * 24 * 60, "a", "week")),
        2,
    ),
    "within the hour where its type says so": (
        (Heard(0, "a", "hour"), *others(9), Heard(50, "a", "hour")),
        1,
    ),
    "after the hour where its type says so": (
        (Heard(0, "a", "hour"), *others(9), Heard(51, "a", "hour")),
        2,
    ),
    "what happened two days ago, with others of now in between": (
        (Heard(0, "a", late=2880), *others(1), Heard(1, "a", late=2882)),
        1,
    ),
    "what happened two days ago, with more than there is room for": (
        (Heard(0, "a", late=2880), *others(9), Heard(1000, "a", late=2880 + 1009)),
        1,
    ),
    "what happened two days ago and comes again a day later": (
        (Heard(0, "a", late=2880), *others(1), Heard(24 * 60, "a", late=2880 + 24 * 60)),
        2,
    ),
    "by its idempotency key": (
        (Heard(0, "a", key="k"), *others(9), Heard(1, "a", key="k")),
        1,
    ),
    "to another user": ((Heard(0, "a"), *others(9), Heard(1, "a", who="bob")), 2),
    "by another type": ((Heard(0, "a"), *others(9), Heard(1, "a", "week")), 2),
}


@pytest.mark.usefixtures("_little_room")
@pytest.mark.parametrize("name", FLOWS)
async def test_how_often_a_repeated_id_is_sent(name: str) -> None:
    heard, times = FLOWS[name]
    roles = await roles_of()
    await hear(roles, *heard)
    assert told(roles).count("a") == times
    again = sum(each.name == "a" for each in heard) - times
    assert duplicates(roles).count("a") == max(0, again)
    others = [name for name in told(roles) if name != "a"]
    assert len(others) == len({(each.name, each.kind) for each in heard if each.name != "a"})


@pytest.mark.usefixtures("_little_room")
async def test_who_is_held_out_is_so_once() -> None:
    roles = await roles_of()
    await hear(roles, Heard(0, "a", "held"), *others(9, kind="held"), Heard(1, "a", "held"))
    assert duplicates(roles) == ["a"]


async def test_with_as_much_room_as_there_is() -> None:
    """The first of 40 more than that is known after all the others."""
    roles, count = await roles_of(), MARKS_KEPT + 40
    many = [event_of(Heard(0, f"o{number}"), NOW) for number in range(count)]
    await roles.say(EVENTS, *many)
    await roles.settle()
    assert spilled(roles.decider_store) == 40
    roles.clock.at += 23 * HOUR_MS
    await roles.say(EVENTS, many[0], many[39], many[40], many[-1])
    await roles.settle()
    assert len(told(roles)) == count
    assert duplicates(roles) == ["o0", "o39", "o40", f"o{count - 1}"]


async def test_an_ordinary_user_has_none() -> None:
    roles = await roles_of()
    await hear(roles, *others(100, 30))
    store = roles.decider_store
    assert not list(store.scan(SPILLED.prefix))
    ledger = LEDGERS.decode(store.stored[LEDGERS.prefix + user_key("default", "ann")])
    assert ledger.spilled_until == 0


names = st.sampled_from("abcde")
kinds = st.sampled_from(("plain", "plain", "week", "hour"))
HOURS = {"plain": 24, "week": 168, "hour": 1}
heard_ = st.builds(
    Heard,
    st.sampled_from((0, 1, 1, 59, 60, 600, 1440)),
    names,
    kinds,
    st.sampled_from((0, 0, 59, 60, 4000)),
    st.none(),
    st.just("ann"),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(heard_, min_size=10, max_size=30))
async def test_what_was_told_within_the_window_is_not_told_again(heard: list[Heard]) -> None:
    """Against a dictionary; a repeat is the same record, and so of the same time."""
    with pytest.MonkeyPatch.context() as patch:
        make_room(patch, ROOM)
        roles = await roles_of()
        at, first = NOW, dict[tuple[str, str], int]()
        stamped, known = dict[tuple[str, str], Event](), 0
        for each in heard:
            at += each.after * MINUTE
            roles.clock.at = at
            place = (each.kind, each.name)
            event = stamped.setdefault(place, event_of(each, at))
            await roles.say(EVENTS, event)
            await roles.settle()
            before, known = known, len(duplicates(roles))
            if known == before:
                # A mark may be there for longer than it must be, but never for less.
                age = at - first.get(place, 0)
                assert age >= HOURS[each.kind] * HOUR_MS, each
                first[place] = at
            assert place in first
        # Nothing is kept for good: in a month all of it is over.
        roles.clock.at = at + 40 * 24 * 60 * MINUTE
        await hear(roles, Heard(0, "last"))
        assert spilled(roles.decider_store) == 0


@pytest.mark.usefixtures("_little_room")
async def test_a_restart_keeps_them() -> None:
    roles = await roles_of()
    await hear(roles, Heard(0, "a"), *others(9))
    await roles.restart_decider(MemoryStore(dict(roles.decider_store.stored)))
    await hear(roles, Heard(1, "a"))
    assert told(roles).count("a") == 1


@pytest.mark.usefixtures("_little_room")
async def test_a_worker_of_the_last_release_leaves_them() -> None:
    """It stores a ledger without the field; the next decision after it knows of them again."""
    roles = await roles_of()
    await hear(roles, Heard(0, "a"), *others(9))
    store, place = roles.decider_store, LEDGERS.prefix + user_key("default", "ann")
    ledger = LEDGERS.decode(store.stored[place])
    assert ledger.spilled_until > roles.clock.at
    stored = dict(store.stored)
    # Seven fields, of which it has six.
    encoded = LEDGERS.encode([getattr(ledger, name) for name in ledger.__struct_fields__[:6]])
    stored[place] = encoded
    assert LEDGERS.decode(encoded).spilled_until == 0
    await roles.restart_decider(MemoryStore(stored))
    await hear(roles, Heard(1, "b"), Heard(1, "a"))
    assert told(roles).count("a") == 1


@pytest.mark.usefixtures("_little_room")
async def test_what_is_over_goes_in_steps_a_day_after_its_window(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tables.spilled_marks.AT_ONCE", 4)
    monkeypatch.setattr("tables.storage.step.Step.__init__.__defaults__", (10, 8 << 20))
    store = Measured()
    roles = await roles_of(store)
    await hear(roles, *others(63, 0), Heard(0, "w", "week"), *others(3, 0, "hour"))
    assert spilled(store) == 64
    # NOW is 20:26 of a day: their windows end on the next one, after which there is one more.
    await hear(roles, Heard(27 * 60, "y", "hour"), Heard(24 * 60, "z", "hour"))
    assert spilled(store) == 64
    store.most_written = 0
    roles.clock.at += 60 * MINUTE
    await roles.say(EVENTS, event_of(Heard(0, "x"), roles.clock.at))
    await roles.route()
    await roles.decide()
    steps = 0
    while await roles.on_timer():
        steps += 1
    assert spilled(store) == 1, "what counts for a week"
    assert steps >= 63 // 12
    assert store.most_written <= 12 + 3


@pytest.mark.usefixtures("_little_room")
async def test_an_erasure_takes_all_of_the_user_in_steps_and_nothing_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tables.spilled_marks.AT_ONCE", 4)
    monkeypatch.setattr("tables.storage.step.Step.__init__.__defaults__", (10, 8 << 20))
    store = Measured()
    roles = await roles_of(store)
    for day in range(3):
        more = (Heard(1, f"{day}-{number}", "week") for number in range(20))
        await hear(roles, *more, Heard(24 * 60, f"b{day}", "week", who="bob"))
    bobs = tuple(Heard(1, f"c{number}", who="bob") for number in range(9))
    await hear(roles, *bobs)
    assert spilled(store) == 57
    before = spilled(store, "bob")
    roles.clock.at += 1
    await roles.say(ERASURES, Erasure(user="ann"))
    store.most_written = 0
    await roles.decide(ERASURES)
    assert 0 < spilled(store) < 57
    await roles.restart_decider(store)
    while await roles.on_timer():
        pass
    assert store.most_written <= 20
    assert (spilled(store), spilled(store, "bob")) == (0, before)
    assert not list(store.scan(FORGETTING.prefix))
    await hear(roles, Heard(1, "c0", who="bob"))
    assert duplicates(roles) == ["c0"]


@pytest.mark.usefixtures("_little_room")
async def test_who_comes_back_while_their_marks_go_keeps_the_new_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    roles = await roles_of()
    await hear(roles, *others(9))
    roles.clock.at += 1
    monkeypatch.setattr("tables.storage.step.Step.__init__.__defaults__", (0, 8 << 20))
    await roles.say(ERASURES, Erasure(user="ann"))
    await roles.decide(ERASURES)
    assert spilled(roles.decider_store) == 6
    await roles.say(CONTACTS, Contacts(user="ann", email="ann@x.org"))
    roles.clock.at += 1
    news = [event_of(Heard(0, f"n{number}"), roles.clock.at) for number in range(9)]
    await roles.say(EVENTS, *news)
    await roles.route()
    await roles.decide()
    monkeypatch.undo()
    make_room(monkeypatch, ROOM)
    await roles.settle()
    assert spilled(roles.decider_store) == 6
    await hear(roles, Heard(0, "n0"))
    assert duplicates(roles) == ["n0"]


@pytest.mark.usefixtures("_little_room")
async def test_an_explanation_knows_of_them() -> None:
    roles = await roles_of()
    await hear(roles, Heard(0, "a"), *others(9))
    said = Explain(event=event_of(Heard(0, "a"), roles.clock.at), user="ann")
    (found,) = await ask(roles, said, list[Explanation])
    assert found.told_before is not None
    assert found.told_before.reason is Reason.DUPLICATE
    # The rest is as if it had not been told.
    assert [each.channel for each in found.sent] == [Channel.EMAIL]
