"""The timer table: everything in order of time, and each kind up to its own horizon."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policy.digest.windows import HOURLY
from policy.user.ledger import Gathering, Ledger, Waiting
from schemas.vocabulary import Channel
from tables.storage.memory_store import MemoryStore
from tables.storage.table import View
from tables.timers import TIMERS, Horizon, Timer, Timers, is_waiting, together

LAST = 1 << 62
"""A time by which all is due, so that the next one is looked for."""

moments = st.integers(1, 50)
ledgers = st.builds(
    lambda waiting, gathering: Ledger(
        waiting={f"n{name}.0": Waiting(at) for name, at in waiting.items()},
        gathering={
            f"g{name}": Gathering("type", Channel.PUSH, HOURLY, due_at=at)
            for name, at in gathering.items()
        },
    ),
    st.dictionaries(st.integers(0, 5), moments, max_size=4),
    st.dictionaries(st.integers(0, 5), st.integers(0, 50), max_size=4),
)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), ledgers), max_size=12),
    moments,
    moments,
    moments,
    st.integers(1, 5),
)
async def test_the_table_says_what_the_ledgers_say(
    changes: list[tuple[str, Ledger]], waiting: int, gathering: int, looked_at: int, most: int
) -> None:
    store = MemoryStore()
    timers, now = Timers(store), dict[str, Ledger]()
    for user, after in changes:
        view = View(TIMERS, store)
        timers.move(view, "t", user, now.get(user, Ledger()), after, looked_at)
        await store.write(view.changes())
        now[user] = after
        timers.next_due(looked_at)  # from where the next search begins
    every = sorted((at, user, name) for user, each in now.items() for name, at in each.timers())
    first = timers.next_due(looked_at)
    if not every:
        assert first is None or first > looked_at  # one that was there before
    elif every[0][0] <= looked_at:
        assert first == every[0][0]
    else:
        assert first is not None
        assert looked_at < first <= every[0][0]
    found = [(t.user, t.name) for _, t in timers.due(Horizon(waiting, gathering), most)]
    due = {
        kind: [(user, name) for at, user, name in every if at <= until and name[0] == kind]
        for kind, until in (("n", waiting), ("g", gathering))
    }
    assert len(found) == sum(min(most, len(each)) for each in due.values())
    assert set(found) <= {*due["n"], *due["g"]}
    times = {(user, name): at for at, user, name in every}
    for kind in "ng":
        of = [times[each] for each in found if each[1][0] == kind]
        assert of == sorted(of)


WAITS = Timer("t", "ann", "n.0")
DIGEST = Timer("t", "ann", "gathered")
ADDRESS = Timer("t", "ann", "n.0.contacts")
ROLE = Timer("", "", "sweep")
RETRIED = Timer("t", "", "id.contacts")


def table(*timers: tuple[int, Timer]) -> tuple[MemoryStore, Timers, View[Timer]]:
    """A table with these, at these times."""
    empty = MemoryStore()
    found, view = Timers(empty), View(TIMERS, empty)
    for at, timer in timers:
        found.add(view, at, timer)
    store = MemoryStore({key: value for key, value in view.changes().items() if value})
    found = Timers(store)
    return store, found, View(TIMERS, store)


def due(timers: Timers, horizon: Horizon, most: int = 10) -> list[Timer]:
    return [timer for _, timer in timers.due(horizon, most)]


def test_each_kind_fires_up_to_its_own_horizon() -> None:
    _, timers, _ = table((50, WAITS), (50, DIGEST), (50, ADDRESS), (50, ROLE), (50, RETRIED))
    assert due(timers, Horizon(49, 49, 49)) == []
    # What has no user waits for its moment, whatever it is called.
    assert set(due(timers, Horizon(50, 49, 49))) == {WAITS, ROLE, RETRIED}
    assert due(timers, Horizon(0, 50, 49)) == [DIGEST]
    assert due(timers, Horizon(0, 49, 50)) == [ADDRESS]
    # Where nothing is said of addresses, what waits for one goes on to wait.
    assert due(timers, Horizon(0, 60)) == [DIGEST]
    assert len(due(timers, Horizon(50, 50, 50))) == 5
    assert [is_waiting(each) for each in (WAITS, DIGEST, ADDRESS, ROLE)] == [
        True,
        False,
        True,
        True,
    ]


def test_of_each_kind_so_many_are_found_however_many_of_another_there_are() -> None:
    many = [(at, Timer("t", f"u{at}", "n.0")) for at in range(5)]
    digests = [(at, Timer("t", f"u{at}", "g")) for at in range(5)]
    _, timers, _ = table(*many, *digests, (7, ADDRESS))
    found = due(timers, Horizon(9, 9, 9), 3)
    assert found == [each for _, each in (*many[:3], *digests[:3])] + [ADDRESS]
    assert due(timers, Horizon(9, 0, 9), 0) == []


@pytest.mark.parametrize("at", [0, -1, -(10**15)])
def test_what_was_due_before_all_times_is_due_at_once(at: int) -> None:
    store, timers, view = table((at, WAITS))
    assert timers.next_due(LAST) == 0
    assert due(timers, Horizon(0, 0)) == [WAITS]
    timers.drop(view, at, WAITS)
    assert [value for value in view.changes().values() if value] == []
    assert len(view.changes()) == len(store.stored) == 1


def test_the_next_is_the_first_of_any_kind() -> None:
    _, timers, _ = table((70, WAITS), (60, DIGEST), (50, ADDRESS), (2**60, ROLE))
    assert timers.next_due(LAST) == 50
    _, timers, _ = table((60, WAITS), (70, DIGEST))
    assert timers.next_due(LAST) == 60
    assert table()[1].next_due(LAST) is None


async def test_what_is_set_before_all_others_is_found_though_a_search_began_behind_it() -> None:
    store, timers, _ = table((100, WAITS))
    assert timers.next_due(LAST) == 100
    view = View(TIMERS, store)
    timers.add(view, 99, Timer("t", "bob", "n.0"))
    timers.add(view, 101, Timer("t", "cy", "n.0"))
    await store.write(view.changes())
    assert [each.user for each in due(timers, Horizon(200, 0))] == ["bob", "ann", "cy"]
    assert timers.next_due(LAST) == 99


def test_what_is_due_for_one_user_at_one_moment_is_worked_on_together() -> None:
    _, timers, _ = table(
        (50, WAITS), (50, DIGEST), (50, Timer("t", "anna", "n.0")), (51, Timer("t", "ann", "m.0"))
    )
    found = timers.due(Horizon(99, 99), 10)
    assert sorted(map(together, found)) == [
        (50, "t", "ann"),
        (50, "t", "ann"),
        (50, "t", "anna"),
        (51, "t", "ann"),
    ]


async def test_all_of_every_kind_are_counted() -> None:
    _, timers, _ = table((50, WAITS), (60, WAITS), (50, DIGEST), (50, ADDRESS), (0, ROLE))
    assert await timers.count() == 5
    timers.next_due(LAST)
    assert await timers.count() == 5
    assert await table()[1].count() == 0


async def test_while_many_are_counted_others_get_their_turn() -> None:
    """A million take a second or two, in which a process must not seem to be dead."""
    _, timers, _ = table(*((at, WAITS) for at in range(10_000)))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    assert await timers.count() == 10_000
    beside.cancel()
    assert turns == 1


def test_a_timer_is_stored_as_the_last_release_stores_it() -> None:
    store, _, _ = table((258, WAITS), (258, ADDRESS))
    names = b"\x00\x01t\x00\x03ann"
    assert store.stored == {
        b"t0" + bytes(6) + b"\x01\x02" + names + b"\x00\x03n.0": b"\x93\xa1t\xa3ann\xa3n.0",
        b"t2" + bytes(6) + b"\x01\x02" + names + b"\x00\x0cn.0.contacts": (
            b"\x93\xa1t\xa3ann\xacn.0.contacts"
        ),
    }


async def test_between_slices_nothing_is_read_before_something_is_due() -> None:
    store = Counted()
    timers, view = Timers(store), View(TIMERS, store)
    timers.move(view, "t", "a", Ledger(), Ledger(waiting={"n.0": Waiting(40)}), 0)
    await store.write(view.changes())
    assert timers.next_due(10) == 40
    store.reads = 0
    for now in range(11, 40):
        assert timers.due(Horizon(now, now, now), 9) == []
        assert timers.next_due(now) == 40
    assert store.reads == 0
    assert [timer.user for _, timer in timers.due(Horizon(40, 40), 9)] == ["a"]
    timers.move(view, "t", "b", Ledger(), Ledger(waiting={"n.0": Waiting(20)}), 0)
    await store.write(view.changes())
    assert timers.next_due(15) == 20


async def test_what_changed_and_was_due_is_in_the_table_though_its_timer_was_taken_off() -> None:
    """As the timer is that fired, and as versions until 0.5.0 left some behind."""
    store = MemoryStore()
    timers, view = Timers(store), View(TIMERS, store)
    gathering = Gathering("type", Channel.PUSH, HOURLY, due_at=20, count=1)
    before = Ledger(gathering={"g": gathering}, waiting={"n.0": Waiting(20)})
    after = Ledger(gathering={"g": replace(gathering, count=2)}, waiting=before.waiting)
    for now, found in ((19, []), (20, ["g"])):
        timers.move(view, "t", "a", before, after, now)
        await store.write(view.changes())
        assert [timer.name for _, timer in timers.due(Horizon(20, 20), 9)] == found


class Counted(MemoryStore):
    """A store that counts how often it is searched."""

    reads = 0

    def scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """As it does."""
        self.reads += 1
        return super().scan(prefix, start)
