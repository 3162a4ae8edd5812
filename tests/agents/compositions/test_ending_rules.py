"""What holds of everything that another event may end, in whatever order both are read."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agents.compositions.endings import LATER, ordered
from tests.agents.compositions.flow import Flow, event, play

MINUTES = st.integers(0, 5)


@settings(max_examples=30, deadline=None)
@given(
    left=st.lists(MINUTES, min_size=1, max_size=4),
    bought=st.lists(MINUTES, max_size=3),
    is_first=st.booleans(),
    times=st.integers(1, 2),
)
def test_a_cart_is_told_of_unless_it_was_ordered_since(
    left: list[int], bought: list[int], is_first: bool, times: int
) -> None:
    """Each is ended by an order at its time or later, read before it or after, once or twice."""
    at, read_at = "2 12:{:02}", "2 12:10"
    orders = [ordered(read_at, happened=at.format(minute)) for minute in bought] * times
    carts = [
        event(f"e{number}", at.format(minute), cart="c1") for number, minute in enumerate(left)
    ]
    carts = [type(each)(read_at, each.topic, each.key, each.value) for each in carts]
    acts = (*orders, *carts) if is_first else (*carts, *orders)
    played = play(Flow(name="", catalogue=LATER, acts=acts, sent=()))
    last = max(bought, default=-1)
    told = {f"e{number}" for number, minute in enumerate(left) if minute > last}
    ended = {f"e{number}" for number in range(len(left))} - {*told}
    assert sorted(line.split()[-1] for line in played.sent) == sorted(told)
    assert {line.split()[0] for line in played.silent} == ended
    assert len(played.silent) == len(ended)
    assert {line.split()[-1] for line in played.silent} <= {"cancelled"}
