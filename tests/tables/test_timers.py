"""The timer table: everything in order of time, and each kind up to its own horizon."""

from hypothesis import given
from hypothesis import strategies as st

from policy.digest_window import HOURLY
from policy.user.ledger import Gathering, Ledger, Waiting
from schemas.vocabulary import Channel
from tables.memory import MemoryStore
from tables.table import View
from tables.timers import TIMERS, Horizon, Timers

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
    st.integers(1, 5),
)
async def test_the_table_says_what_the_ledgers_say(
    changes: list[tuple[str, Ledger]], waiting: int, gathering: int, most: int
) -> None:
    store = MemoryStore()
    timers, now = Timers(store), dict[str, Ledger]()
    for user, after in changes:
        view = View(TIMERS, store)
        timers.move(view, "t", user, now.get(user, Ledger()), after)
        await store.write(view.changes())
        now[user] = after
        timers.next_due()  # from where the next search begins
    every = sorted((at, user, name) for user, each in now.items() for name, at in each.timers())
    first = timers.next_due()
    assert first == (every[0][0] if every else None)
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
