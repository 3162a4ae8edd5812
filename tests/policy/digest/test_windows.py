from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from policy.catalogue.entry import DigestEntry
from policy.digest.windows import HOURLY, LATENESS_MS, DigestWindow, compiled, daily, fixed
from policy.time.wall_clock import EVERY_DAY
from tests.policy.clocks import epoch

NOON = epoch("2026-03-01T12:00Z")
MINUTE = 60_000

events = st.lists(st.integers(0, 60 * MINUTE), min_size=1, max_size=20).map(
    lambda offsets: sorted(NOON + offset for offset in offsets)
)


def entry(**fields: Any) -> DigestEntry:
    return msgspec.convert({"channels": ["push"]} | fields, DigestEntry)


@given(events, st.integers(1, 10 * MINUTE), st.integers(1, 6))
def test_a_session_ends_after_its_first_pause(times: list[int], pause: int, pauses: int) -> None:
    longest = pauses * pause
    end = DigestWindow(pause=pause, longest=longest).end(times, "UTC")
    members = [time for time in times if time < end]
    gaps = [later - earlier for earlier, later in pairwise(members)]
    assert all(gap < pause for gap in gaps)
    assert end == min(members[-1] + pause, times[0] + longest)


@given(events, st.integers(1, 10 * MINUTE))
def test_only_members_of_a_window_move_its_end(times: list[int], pause: int) -> None:
    for window in (
        DigestWindow(pause=pause, longest=3 * pause),
        DigestWindow(length=pause),
        daily(NOON % 86_400_000 // MINUTE + 30),
    ):
        end = window.end(times, "UTC")
        assert end > times[0]
        assert window.end([time for time in times if time < end], "UTC") == end


@pytest.mark.parametrize(
    ("window", "minutes", "end"),
    [
        (DigestWindow(length=7 * MINUTE), (0, 3, 6, 7, 20), 7),
        (DigestWindow(pause=3 * MINUTE, longest=10 * MINUTE), (0,), 3),
        (DigestWindow(pause=3 * MINUTE, longest=10 * MINUTE), (0, 2, 4), 7),
        # An event just at the end is not in it.
        (DigestWindow(pause=3 * MINUTE, longest=10 * MINUTE), (0, 3), 3),
        (DigestWindow(pause=3 * MINUTE, longest=10 * MINUTE), (0, 0, 0), 3),
        (DigestWindow(pause=3 * MINUTE, longest=10 * MINUTE), (0, 2, 4, 6, 8, 9, 10, 12), 10),
        (DigestWindow(times=(725, 735)), (0, 4, 6), 5),
        (DigestWindow(times=(725, 735)), (5, 6), 15),
        (HOURLY, (0, 59, 60), 60),
        (fixed(90 * MINUTE), (1, 2), 91),
    ],
)
def test_ends(window: DigestWindow, minutes: tuple[int, ...], end: int) -> None:
    times = [NOON + minute * MINUTE for minute in minutes]
    assert window.end(times, "UTC") == NOON + end * MINUTE


@pytest.mark.parametrize(
    ("fields", "minutes"),
    [
        ({"every": "7m"}, 7),
        ({"pause": "3m"}, 72),
        ({"pause": "3m", "longest": "10m"}, 10),
        ({"at": ["09:00"]}, 24 * 60),
        ({"at": ["08:00", "18:30"]}, 13 * 60 + 30),
        ({"at": ["18:00"], "days": ["wed"]}, 7 * 24 * 60),
        ({"at": ["08:00", "18:00"], "days": ["mon", "wed"]}, (5 * 24 - 10) * 60),
    ],
)
def test_how_long_a_window_lasts_at_most(fields: dict[str, Any], minutes: int) -> None:
    assert compiled(entry(**fields)).longest_ms == minutes * MINUTE


@given(events, st.lists(st.integers(0, 90 * MINUTE), min_size=20, max_size=20))
def test_a_window_is_over_by_the_latest_moment_of_what_is_in_it(
    times: list[int], ahead: list[int]
) -> None:
    latest = [time + more for time, more in zip(times, ahead, strict=False)]
    end = HOURLY.end(times, "UTC", latest)
    inside = [(time, moment) for time, moment in zip(times, latest, strict=True) if time < end]
    assert end <= times[0] + 60 * MINUTE
    assert all(end <= max(moment, time + 1) for time, moment in inside)
    assert end == HOURLY.end(times, "UTC") or any(end == max(m, t + 1) for t, m in inside)


def test_a_daily_window_ends_by_the_users_clock() -> None:
    eve = epoch("2026-03-28T20:00Z")
    assert daily(540).end([eve], "America/New_York") == epoch("2026-03-29T13:00Z")
    assert daily(540).end([eve], "Asia/Kathmandu") == epoch("2026-03-29T03:15Z")
    # 02:30 is skipped in Berlin that night.
    assert daily(150).end([eve], "Europe/Berlin") == epoch("2026-03-29T01:00Z")
    assert daily(540) is daily(540)


def test_a_window_survives_encoding() -> None:
    for window in (HOURLY, daily(540), fixed(1), DigestWindow(1, 0, 2, 3, (), 4)):
        assert msgpack.decode(msgpack.encode(window), type=DigestWindow) == window


@pytest.mark.parametrize(
    ("fields", "window"),
    [
        ({"every": "7m"}, DigestWindow(length=7 * MINUTE)),
        ({"every": 90, "lateness": 0}, DigestWindow(lateness=0, length=90_000)),
        (
            {"pause": "3m", "longest": "10m", "lateness": "1s"},
            DigestWindow(lateness=1000, pause=3 * MINUTE, longest=10 * MINUTE),
        ),
        ({"pause": "3m"}, DigestWindow(pause=3 * MINUTE, longest=72 * MINUTE)),
        ({"pause": "3m", "longest": "180s"}, DigestWindow(pause=3 * MINUTE, longest=3 * MINUTE)),
        ({"pause": "20d"}, DigestWindow(pause=20 * 1440 * MINUTE, longest=31 * 1440 * MINUTE)),
        ({"at": ["18:30", "08:00", "18:30"]}, DigestWindow(times=(480, 1110), days=EVERY_DAY)),
        ({"at": ["08:00"], "days": ["fri", "mon"]}, DigestWindow(times=(480,), days=0b1_0001)),
    ],
)
def test_an_entry_becomes_a_window(fields: dict[str, Any], window: DigestWindow) -> None:
    assert compiled(entry(**fields)) == window
    assert compiled(entry(every="1m")).lateness == LATENESS_MS


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "every"),
        ({"every": "5m", "pause": "1m"}, "every"),
        ({"every": "5m", "at": ["08:00"]}, "every"),
        ({"pause": "5m", "at": ["08:00"]}, "every"),
        ({"every": 0}, "every"),
        ({"every": "32d"}, "every"),
        ({"every": "999999999d"}, "every"),
        ({"pause": "0m"}, "pause"),
        ({"pause": "5m", "longest": 0}, "longest"),
        ({"pause": "5m", "longest": "4m"}, "longest"),
        ({"every": "5m", "longest": "10m"}, "longest"),
        ({"at": ["08:00"], "longest": "10m"}, "longest"),
        ({"every": "5m", "days": ["mon"]}, "days"),
        ({"pause": "5m", "days": ["mon"]}, "days"),
        ({"every": "5m", "lateness": "32d"}, "lateness"),
    ],
)
def test_contradictions_are_refused_with_their_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ValueError, match=r"is|needs") as refused:
        compiled(entry(**fields))
    assert refused.value.args[0] == field
