"""What holds of every category that a user wants to hear of hourly or daily, whatever happens."""

import re
from datetime import timedelta
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.agents.compositions.flow import Act, Flow, event, kind, moment, play, wishes

TYPES = ("like", "mention", "thing")
LONGER = (
    ("hourly", 'every = "2h"'),
    ("hourly", 'pause = "40m"'),
    ("hourly", 'pause = "70m", longest = "5h"'),
    ("hourly", 'at = ["18:00"]'),
    ("hourly", 'at = ["08:00", "08:20", "18:00"]'),
    ("daily", 'every = "30h"'),
    ("daily", 'pause = "9h"'),
    ("daily", 'at = ["08:00", "18:00"], days = ["mon", "wed"]'),
)
"""Wishes, and digests of a type that may last longer than that."""
minutes = st.lists(st.integers(0, 3 * 24 * 60), min_size=1, max_size=12, unique=True).map(sorted)


def messages(types: list[str], acts: list[Act], often: str) -> tuple[list[str], tuple[str, ...]]:
    """What is sent by push, and what is not sent, to a user who wants it so often."""
    first, *others = types
    before = wishes("1 12:00", frequency={"things": often})
    played = play(Flow(name="", catalogue=first, others=(*others,), acts=(before, *acts), sent=()))
    return list(played.sent), played.silent


def happen(minute: int, number: int, name: str) -> Act:
    return event(f"e{number:02}", _clock(minute), name, key=f"k{number % 3}")


def _clock(minute: int) -> str:
    return f"{2 + minute // 1440} {minute // 60 % 24:02}:{minute % 60:02}"


def told_in(sent: list[str]) -> list[str]:
    """All events that were told, in order."""
    return sorted(name for line in sent for name in re.findall(r"\be\d\d\b", line))


@given(minutes, st.randoms(use_true_random=False), st.sampled_from(["hourly", "daily"]))
def test_a_user_has_one_message_of_a_category_at_a_time_and_every_event_once(
    times: list[int], random: Random, often: str
) -> None:
    own = 'digests = [{ channels = ["push"], key = "key", pause = "10m" }]'
    types = [kind(own if name == "thing" else "", name=name, ttl="4d") for name in TYPES]
    acts = [happen(at, number, random.choice(TYPES)) for number, at in enumerate(times)]
    sent, silent = messages(types, acts, often)
    assert silent == ()
    assert told_in(sent) == [f"e{number:02}" for number in range(len(times))]
    came = [" ".join(line.split()[:2]) for line in sent]
    if often == "daily":
        assert {at.split()[1] for at in came} == {"09:00"}
        assert len({*came}) == len(came)
    gaps = [moment(after) - moment(before) for before, after in pairwise(came)]
    assert all(gap >= timedelta(hours=1) for gap in gaps)


@given(minutes, st.sampled_from(LONGER))
def test_no_wish_makes_digests_come_more_often_than_those_of_the_type(
    times: list[int], case: tuple[str, str]
) -> None:
    often, window = case
    types = [kind(f'digests = [{{ channels = ["push"], {window} }}]', ttl="30d")]
    acts = [happen(at, number, "thing") for number, at in enumerate(times)]
    wished, _ = messages(types, acts, often)
    own, _ = messages(types, acts, "instantly")
    assert len(wished) <= len(own)
    assert told_in(wished) == told_in(own)


@given(
    minutes, st.sampled_from(["10m", "1h", "6h", "1d", "25h"]), st.sampled_from(["hourly", "daily"])
)
def test_a_message_comes_before_one_of_its_events_is_too_old(
    times: list[int], ttl: str, often: str
) -> None:
    types = [kind(), kind(name="chat", ttl=ttl)]
    acts = [happen(at, number, ("thing", "chat")[number % 2]) for number, at in enumerate(times)]
    sent, silent = messages(types, acts, often)
    assert silent == ()
    assert len(told_in(sent)) == len(times)


@given(
    minutes,
    st.dictionaries(
        st.integers(0, 3 * 24 * 60), st.sampled_from(["instantly", "hourly", "daily"]), max_size=4
    ),
    st.sampled_from(["", *(window for _, window in LONGER)]),
)
def test_every_event_is_told_once_however_often_a_user_changes_their_mind(
    times: list[int], changes: dict[int, str], window: str
) -> None:
    own = f'digests = [{{ channels = ["push"], {window} }}]' if window else ""
    types = [kind(own, ttl="30d"), kind(name="like", ttl="30d")]
    dated = [
        (at, happen(at, number, ("thing", "like")[number % 2])) for number, at in enumerate(times)
    ]
    dated += [
        (at, wishes(_clock(at), frequency={"things": often})) for at, often in changes.items()
    ]
    sent, silent = messages(
        types, [act for _, act in sorted(dated, key=lambda each: each[0])], "daily"
    )
    assert silent == ()
    assert told_in(sent) == [f"e{number:02}" for number in range(len(times))]
