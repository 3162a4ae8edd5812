"""The model and the real decisions agree on days of the demo's town, in virtual time.

And where a rule is broken on purpose, the judge says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from demo.dataset.world import World, make_world
from demo.verify.alarms import CALLED, WAITING
from demo.verify.findings import Findings
from policy import quiet_hours
from policy.audience import actor
from policy.decision import decide, rules, steps
from policy.decision.builder import Draft
from policy.decision.ending import Ending
from policy.digest import digest, windows
from policy.digest.windows import DigestWindow
from policy.limits import limits
from policy.limits.rate_limit import RateLimit, Window, admit
from policy.quiet_hours import Quiet
from policy.rendering.rendering import Rendering
from policy.time.wall_clock import EVERY_DAY, next_time
from policy.user import preferences
from schemas.delivery import Content
from schemas.event import Event
from schemas.vocabulary import Priority
from tests.demo.verify.rehearsed import rehearse

PEOPLE, EVENTS, FEWER = 300, 1500, 1000
FEWEST = 250
"""In which most broken rules show."""
MINUTE = timedelta(minutes=1)
NIGHT = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
"""Half an hour before the clocks of Europe jump."""

MORNING = datetime(2026, 3, 2, 6, 45, tzinfo=UTC)
"""Before nine o'clock in Europe."""


@pytest.fixture(scope="module")
def world() -> World:
    """A small town, in which everybody gets much."""
    return make_world(count=PEOPLE)


async def _day(
    world: World, start: datetime, lasting: timedelta = 2 * MINUTE, events: int = EVENTS
) -> Findings:
    return await rehearse(world, events, lasting, start, seed=start.hour, then=20 * MINUTE)


@pytest.mark.parametrize(
    ("start", "lasting"),
    [
        (datetime(2026, 3, 1, 12, tzinfo=UTC), 2 * MINUTE),
        (datetime(2026, 7, 31, 21, 50, tzinfo=UTC), 30 * MINUTE),
        (NIGHT, 120 * MINUTE),
    ],
)
async def test_what_is_decided_is_what_the_rules_give(
    world: World, start: datetime, lasting: timedelta
) -> None:
    found = await _day(world, start, lasting)
    assert found.is_right, found.faults()
    for end in (
        *("sent", "held", "opted_out", "no_address", "suppressed_address", "rate_limited"),
        *("expired", "online", "offline", "fall_back", "blocked", "cancelled", "holdout"),
    ):
        assert found.slots[end], f"nobody was {end}: {found.slots}"
    assert found.checked["digests: the right events, at the right time"] > 5
    assert found.checked["events written twice: notified once"] > 5
    assert found.checked[CALLED] > 50
    if lasting < 20 * MINUTE:
        assert found.checked[WAITING]


@pytest.fixture(scope="module")
def patient(world: World) -> World:
    """The same people, who want posts hourly and comments daily."""
    often = {"social": "hourly", "comments": "daily"}
    wanted = {
        user: {"user": user} | world.preferences.get(user, {}) | {"frequency": often}
        for user in world.users
    }
    return replace(world, preferences=wanted)


async def test_what_is_wanted_hourly_or_daily_comes_as_one_message(patient: World) -> None:
    found = await _day(patient, MORNING, 150 * MINUTE, FEWER)
    assert found.is_right, found.faults()
    assert found.checked["digests: the right events, at the right time"] > 100


@pytest.mark.parametrize(("where", "name"), [(rules, "wish_window"), (digest, "wish_name")])
async def test_a_wish_that_is_not_kept_is_found(
    patient: World, where: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = _never if name == "wish_window" else (lambda *_: uuid4().hex)
    monkeypatch.setattr(where, name, broken)
    found = await _day(patient, MORNING, 90 * MINUTE, FEWEST)
    assert found.faults()["unexpected"], found.faults()


def _never(*_: object) -> None:
    return None


def _any_day(zone: str, times: Sequence[int], _: int, first: int) -> int:
    return next_time(zone, tuple(times), EVERY_DAY, first)


def _none(*_: object) -> tuple[str, ...]:
    return ()


def _no(*_: object) -> bool:
    return False


def _unlimited(window: Window | None, limit: RateLimit, at: int) -> Window | None:
    return admit(window, RateLimit(1000, limit.seconds), at)


def _one_less(window: Window | None, limit: RateLimit, at: int) -> Window | None:
    return admit(window, RateLimit(limit.count - 1, limit.seconds), at)


def _by_half(window: Window | None, limit: RateLimit, at: int) -> Window | None:
    return admit(window, RateLimit(limit.count, max(1, limit.seconds // 60)), at)


def _an_hour_more(*args: Any) -> Quiet | None:
    found = _QUIET(*args)
    return None if found is None else Quiet(found.until + 3_600_000, found.detail)


def _in_english(rendering: Rendering, event: Event, locale: str) -> Content:
    return _CONTENT(rendering, event, "en")


def _newest_alone(rendering: Rendering, events: Sequence[Event], locale: str) -> Content:
    return _DIGEST(rendering, events[-1:], locale)


def _without_data(rendering: Rendering, event: Event) -> dict[str, Any]:
    return {"order_id": "0"}


def _first_pause(
    window: DigestWindow, times: Sequence[int], zone: str, latest: Sequence[int] = ()
) -> int:
    return times[0] + window.pause


def _longer(*args: Any) -> int:
    return _START(*args) + 180_000


def _shorter(*args: Any) -> int:
    return _START(*args) - 240_000


def _all_low(draft: Draft, content: Content) -> None:
    _DELIVER(draft, content)
    draft.deliveries = tuple(
        msgspec.structs.replace(each, priority=Priority.LOW) for each in draft.deliveries
    )


def _first_device(draft: Draft, content: Content) -> None:
    usable, draft.usable = draft.usable, draft.usable[:1]
    _DELIVER(draft, content)
    draft.usable = usable


def _in_greenwich(*_: object) -> str:
    return "UTC"


def _one_for_all(*_: object) -> str:
    return ""


_START, _DELIVER = decide.starts_at, Draft.deliver
_QUIET, _CONTENT, _DIGEST = quiet_hours.quiet, Rendering.content, Rendering.digest
BROKEN: dict[str, tuple[object, str, Callable[..., Any], str]] = {
    "blocks": (actor, "is_blocked", _no, "unexpected"),
    "one click to unsubscribe": (preferences, "is_unsubscribed", _no, "unexpected"),
    "preferences": (rules, "opt_out", _never, "unexpected"),
    "quiet hours": (rules, "quiet", _never, "unexpected"),
    "the end of quiet hours": (rules, "quiet", _an_hour_more, "unexcused"),
    "a limit": (limits, "admit", _unlimited, "unexpected"),
    "a limit by one": (limits, "admit", _one_less, "unexcused"),
    "a limit's span": (limits, "admit", _by_half, "unexpected"),
    "languages": (Rendering, "content", _in_english, "wrong content"),
    "data beside a message": (Rendering, "_beside", _without_data, "wrong content"),
    "digests of more than one": (Rendering, "digest", _newest_alone, "lost"),
    "how long a digest lasts": (DigestWindow, "end", _first_pause, "unexpected"),
    "a longer time to live": (decide, "starts_at", _longer, "unexpected"),
    "a shorter time to live": (decide, "starts_at", _shorter, "unexcused"),
    "priorities": (Draft, "deliver", _all_low, "unexpected"),
    "every device": (Draft, "deliver", _first_device, "lost"),
    "the user's zone": (quiet_hours, "zone_of", _in_greenwich, "unexpected"),
    "a digest for each post": (digest, "text_at", _one_for_all, "unexpected"),
    "the next step": (steps, "time_step", _never, "unexcused"),
    "what another event ends": (Ending, "keys", _none, "unexcused"),
    "the days of a digest": (windows, "next_time", _any_day, "unexcused"),
}


@pytest.mark.parametrize("rule", BROKEN)
async def test_a_broken_rule_is_found(
    world: World, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, name, broken, kind = BROKEN[rule]
    monkeypatch.setattr(where, name, broken)
    for events in (FEWEST, FEWER):
        found = await _day(world, NIGHT, 30 * MINUTE, events)
        if found.faults()[kind]:
            return
    pytest.fail(f"nobody noticed: {found.faults()}")
