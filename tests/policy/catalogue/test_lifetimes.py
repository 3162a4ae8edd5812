"""What comes only when its event is too old is told, as a mistake or as a warning."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.catalogue.entry import Entry
from policy.catalogue.lifetimes import at_times_too_late, too_late
from policy.catalogue.problem import shown
from policy.decision.decision import Decision
from policy.quiet_hours import longest_closed, opens_at
from policy.time.wall_clock import DAY, EVERY_DAY
from policy.user.profile import Profile
from tests.policy.person import MINUTE, Person, at, kind
from tests.policy.samples import NOON

WEEK = 7 * DAY * MINUTE

EVENING = {"channels": ["push"], "at": ["18:00"]}
LATER = [{"after": "2h", "channels": ["email"]}]
OVER = "ends when the time_to_live is over already"
GOAL = {"event": "order.placed", "within": "4h"}
WEEKDAYS = {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "09:00", "end": "18:00"}
NIGHTS = {"start": "20:00", "end": "06:00"}


def entry(ttl: str, **fields: object) -> Entry:
    return msgspec.convert(
        {
            "category": "things",
            "priority": "normal",
            "channels": ["push"],
            "users": "who",
            "templates": {"push": {"body": "x"}},
            "time_to_live": ttl,
            **fields,
        },
        Entry,
    )


def every(span: str, channel: str = "push", **fields: object) -> dict[str, object]:
    return {"digests": [{"channels": [channel], "every": span, **fields}]}


def pause(span: str, **fields: object) -> dict[str, object]:
    return {"digests": [{"channels": ["push"], "pause": span, **fields}]}


@pytest.mark.parametrize(
    ("ttl", "fields", "problems"),
    [
        ("1d", every("20d"), [f"digests[0].every: {OVER}, with its lateness of 5s"]),
        ("1d", every("1d"), [f"digests[0].every: {OVER}, with its lateness of 5s"]),
        ("1d", every("86395s"), [f"digests[0].every: {OVER}, with its lateness of 5s"]),
        ("1d", every("86394s"), []),
        ("1d", every("1d", lateness=0), [f"digests[0].every: {OVER}"]),
        ("1d", every("23h"), []),
        ("1d", pause("1d"), [f"digests[0].pause: {OVER}, with its lateness of 5s"]),
        ("1d", pause("12h"), []),  # it ends before what opened it is too old
        (
            "3h",
            every("1h", "email") | {"escalation": LATER},
            [f"digests[0].every: {OVER}, with its lateness of 5s and the 2h until its step"],
        ),
        ("4h", every("1h", "email") | {"escalation": LATER}, []),
        ("1h", {"delay": "30d"}, []),  # it lives from then on
        ("1h", every("30m") | {"delay": "30d"}, []),
        ("1d", {"delay": "4h", "goal": GOAL}, ["goal.within: is over before the delay of 4h is"]),
        ("1d", {"delay": "3h", "goal": GOAL}, []),
    ],
)
def test_what_is_too_late_whenever_it_comes(
    ttl: str, fields: dict[str, object], problems: list[str]
) -> None:
    assert [f"{shown(path)}: {said}" for path, said in too_late(entry(ttl, **fields))] == problems


@pytest.mark.parametrize(
    ("ttl", "fields", "said"),
    [
        ("1d", {"digests": [EVENING]}, "digests[0].at: come up to 1d after"),
        ("25h", {"digests": [EVENING]}, ""),
        ("7d", {"digests": [EVENING | {"days": ["mon"]}]}, "digests[0].at: come up to 7d after"),
        ("8d", {"digests": [EVENING | {"days": ["mon"]}]}, ""),
        ("13h", {"digests": [EVENING | {"at": ["06:00", "18:00"]}]}, ""),
        (
            "13h",
            {"digests": [EVENING | {"at": ["08:00", "18:00"]}]},
            "digests[0].at: come up to",
        ),
        ("1h", pause("10m", longest="2h"), "digests[0].longest: ends up to 2h after an event"),
        ("1h", pause("10m"), ""),
        ("3h", pause("10m", longest="2h"), ""),
        ("1d", {"send_within": [WEEKDAYS]}, "send_within: does not open for up to 2d 15h"),
        ("3d", {"send_within": [WEEKDAYS]}, ""),
        ("14h", {"send_within": [NIGHTS]}, "send_within: does not open for up to 14h"),
        ("15h", {"send_within": [NIGHTS]}, ""),
    ],
)
def test_what_is_too_late_at_times(ttl: str, fields: dict[str, object], said: str) -> None:
    found = [f"{shown(path)}: {why}" for path, why in at_times_too_late(entry(ttl, **fields))]
    old = f", and with a time_to_live of {ttl} some events are too old by then"
    assert len(found) == bool(said)
    assert all(each.startswith(said) and each.endswith(old) for each in found)


@given(
    st.lists(
        st.tuples(st.integers(1, EVERY_DAY), st.integers(0, 1439), st.integers(1, 1439)),
        min_size=1,
        max_size=4,
    )
)
def test_nothing_is_closed_for_longer_than_is_said(given: list[tuple[int, int, int]]) -> None:
    """Nearly every hour of a week: how long it takes until a window opens."""
    spans = tuple((days, start, (start + length) % DAY) for days, start, length in given)
    moments = range(NOON, NOON + WEEK, 61 * MINUTE)
    waits = [(opens_at("UTC", spans, moment) or moment) - moment for moment in moments]
    assert max(waits) <= longest_closed(spans) < max(waits) + 61 * MINUTE


def test_nothing_is_closed_without_spans() -> None:
    assert longest_closed(()) == 0


@given(
    pause=st.integers(1, 60),
    ttl=st.integers(62, 1500),
    gaps=st.lists(st.integers(1, 60), min_size=1, max_size=60),
)
def test_a_busy_digest_without_an_end_of_its_own_leaves_nothing_out(
    pause: int, ttl: int, gaps: list[int]
) -> None:
    """However long the events go on, and however little time they live beyond a pause."""
    digest = f'digests = [{{ channels = ["push"], pause = "{pause}m" }}]\n'
    limit = "rate_limit = { count = 1000, seconds = 60 }"
    ann = Person(kind(digest + limit, ttl=f"{ttl}m"), Profile(("phone",)))
    now, decisions = NOON, list[Decision]()
    for number, gap in enumerate(gaps):
        decisions.append(ann.meet(at((now - NOON) / MINUTE, f"e{number}"), now))
        then = now + gap * MINUTE
        decisions += timers(ann, then)
        now = then
    decisions += timers(ann, now + 3 * DAY * MINUTE)
    notices = [notice for each in decisions for notice in each.notices]
    assert [str(notice.outcome.stage) for notice in notices] == ["digested"] * len(gaps)


def timers(ann: Person, until: int) -> list[Decision]:
    """All that becomes due by then, each at its time and one second."""
    decisions = list[Decision]()
    while due := [when for _, when in ann.ledger.timers() if when + 1000 <= until]:
        decisions += ann.on_timer(min(due) + 1000)
    return decisions
