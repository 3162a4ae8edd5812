"""Limits at their edges: how many, in which span, counted for whom, and what then."""

import pytest
from msgspec.structs import replace

from policy.decision.builder import draft_of
from policy.decision.decide import decide
from policy.limits.limits import ACTOR, MOST_WINDOWS, shown_limits
from policy.limits.rate_limit import LATENESS_MS, TenantLimit, Window, count_in
from policy.user.ledger import Ledger
from policy.user.profile import Profile
from policy.user.state import Quota, UserState
from schemas.request import Origin
from tests.policy.person import NIGHT, ONE, Person, kind, told
from tests.policy.samples import HOUR, NOON, request

SECOND = 1000


def phone(special: str, channels: str = "push", **profile: object) -> Person:
    return Person(kind(special, channels), Profile(("phone",), **profile))  # type: ignore[arg-type]


def meet(person: Person, after: int, actor: str = "bob") -> str:
    """What becomes of the push of an event so many ms after noon."""
    number = len(person.ledger.marks) + after
    asked = request(
        at=NOON + after,
        event_id=f"e{number}",
        origin=Origin("events", 0, number),
        data={"text": "t", "key": "k"},
    )
    asked = replace(asked, event=replace(asked.event, actor=actor))
    return told(person.meet(asked, NOON + after))["push"]


OVER = "suppressed rate_limited"


@pytest.mark.parametrize(
    ("count", "after", "expected"),
    [
        (1, [0, 59_999], ["sent", OVER]),
        (1, [0, 60_000], ["sent", "sent"]),
        (2, [0, 1, 59_999, 60_000, 60_001], ["sent", "sent", OVER, "sent", "sent"]),
        # What is refused counts in nothing.
        (1, [0, 30_000, 60_000], ["sent", OVER, "sent"]),
        (10, list(range(11)), ["sent"] * 10 + [OVER]),
        # An event that is told late falls into its own span, and the next is within that of both.
        (1, [90_000, 30_000, 31_000], ["sent", "sent", OVER]),
        (1, [90_000, 30_001], ["sent", OVER]),
    ],
)
def test_as_many_in_any_span_as_the_limit_says(
    count: int, after: list[int], expected: list[str]
) -> None:
    ann = phone(f"rate_limit = {{ count = {count}, seconds = 60 }}")
    assert [meet(ann, each) for each in after] == expected


def test_the_reason_says_which_limit_it_is() -> None:
    ann = phone("rate_limit = { count = 1, seconds = 60 }")
    meet(ann, 0)
    decision = ann.meet(request(event_id="e9", origin=Origin("events", 0, 9)), NOON)
    (outcome,) = decision.outcomes
    (window,) = ann.ledger.windows
    assert outcome.detail == f"1 in 60 s ({window})"


def test_what_the_tenants_limit_refuses_counts_in_none() -> None:
    # Of one in all partitions, the second of eight has none.
    quota = Quota.of(TenantLimit(1, 60), None, 1, 8)
    refused = decide(request(), kind(""), UserState(Profile(("phone",)), quota=quota), NOON)
    assert told(refused) == {"push": OVER}
    assert refused.outcomes[0].detail == "the tenant's 0 in 60 s in this partition"
    assert refused.ledger.windows == {}
    assert refused.quota == quota


@pytest.mark.parametrize(("used", "expected"), [(0, "sent"), (1, "sent"), (2, OVER)])
def test_the_tenants_limit_counts_each_notification_once(used: int, expected: str) -> None:
    tally = None
    for _ in range(used):
        tally = count_in(tally, 2, 60, NOON)
    state = UserState(Profile(("phone",)), quota=Quota(2, 60, tally))
    decision = decide(request(), kind("", "push inapp"), state, NOON)
    assert told(decision) == {"push": expected, "inapp": expected}
    assert decision.quota is not None
    counts = decision.quota.tally.counts if decision.quota.tally else ()
    assert sum(counts) == min(2, used + 1)


def test_what_an_actors_limit_stops_does_not_name_them() -> None:
    """The row is that of who is told, and stays when the actor is forgotten."""
    ann = phone("actor_limit = { count = 1, seconds = 60 }")
    bob = "bob.victim@example.com"
    for number in range(2):
        asked = request(
            event_id=f"e{number}",
            origin=Origin("events", 0, number),
            data={"text": "t", "key": "k"},
        )
        decision = ann.meet(replace(asked, event=replace(asked.event, actor=bob)), NOON)
    (refused,) = decision.outcomes
    assert refused.detail == "1 in 60 s (actor.thing)"


def test_a_limit_of_an_actor_is_apart_for_each() -> None:
    ann = phone("actor_limit = { count = 1, seconds = 60 }")
    said = [meet(ann, n, actor) for n, actor in enumerate(("bob", "cyd", "bob", "cyd", "dan"))]
    assert said == ["sent", "sent", OVER, OVER, "sent"]
    actors = {f"{ACTOR}thing.{name}" for name in ("bob", "cyd", "dan")}
    assert set(ann.ledger.windows) == {"push", *actors}


@pytest.mark.parametrize(("windows", "left"), [(MOST_WINDOWS - 1, True), (MOST_WINDOWS, False)])
def test_of_very_many_actors_who_was_silent_longest_is_forgotten(windows: int, left: bool) -> None:
    assert MOST_WINDOWS == 256
    ann = phone("actor_limit = { count = 1, seconds = 60 }")
    ann.ledger = Ledger(
        windows={
            # Older than any actor's, and not forgotten for that.
            "push": Window(3600, (NOON - windows,)),
            "category.things": Window(3600, (NOON - windows,)),
            **{f"{ACTOR}x.{n}": Window(60, (NOON - n,)) for n in range(1, windows - 1)},
        }
    )
    assert meet(ann, 0) == "sent"
    assert (f"{ACTOR}x.{windows - 2}" in ann.ledger.windows) is left
    kept = {"push", "category.things", f"{ACTOR}x.1", f"{ACTOR}x.{windows - 3}"}
    assert kept < set(ann.ledger.windows)
    assert len(ann.ledger.windows) == 256


def test_windows_that_are_long_over_go() -> None:
    over = NOON - 60 * SECOND - LATENESS_MS
    ann = phone("rate_limit = { count = 1, seconds = 60 }")
    ann.ledger = Ledger(windows={"a": Window(60, (over,)), "b": Window(60, (over + 1,))})
    meet(ann, 0)
    assert "a" not in ann.ledger.windows
    assert "b" in ann.ledger.windows


def test_what_waited_counts_as_of_when_it_was_due() -> None:
    """Sent in the morning, at which the hour that counts begins anew."""
    ann = phone("rate_limit = { count = 1, seconds = 3600 }", quiet_hours=NIGHT)
    assert meet(ann, 0) == "held quiet_hours"
    assert [told(decision) for decision in ann.on_timer(ONE + 5)] == [{"push": "sent"}]
    (window,) = ann.ledger.windows.values()
    assert window.times == (ONE,)
    assert ONE == NOON + HOUR


def test_a_notification_counts_once_on_however_many_channels_it_goes_out() -> None:
    spec = kind("rate_limit = { count = 1, seconds = 60 }", "push email")
    ann = Person(spec, Profile(("phone",), email="ann@example.com"))
    first = told(ann.meet(request(), NOON))
    again = told(ann.meet(request(event_id="e2", origin=Origin("events", 0, 7)), NOON))
    assert first == {"push": "sent", "email": "sent"}
    assert again == {"push": OVER, "email": OVER}


def looked_at(special: str, windows: dict[str, Window], tenant: Quota | None = None) -> str:
    """What an explanation says of the limits of a push at noon."""
    spec = kind(special)
    state = UserState(Profile(("phone",)), Ledger(windows=windows), quota=tenant)
    made = draft_of("n", request(), spec, state, NOON, NOON, NOON, NOON + HOUR)
    made.look_at(spec.steps[0].plans[0])
    return shown_limits(made)


def test_how_much_is_used_is_of_the_span_that_ends_now() -> None:
    """After the span's begin, up to and with this moment."""
    minute = {"push.thing": Window(60, (NOON - 60_000, NOON - 59_999, NOON, NOON + 1))}
    special = "rate_limit = { count = 9, seconds = 60 }"
    assert looked_at(special, minute) == "thing by push: 2 of 9 in 1m"
    assert looked_at(special, {}) == "thing by push: 0 of 9 in 1m"
    actor = {"actor.thing.bob": Window(60, (NOON,))}
    special = "actor_limit = { count = 9, seconds = 60 }"
    assert looked_at(special, actor) == "all by push: 0 of 10 in 1h; thing from bob: 1 of 9 in 1m"


def test_what_a_tenant_used_is_of_this_partition() -> None:
    special = "rate_limit = { count = 9, seconds = 60 }"
    quota = Quota(5, 60, count_in(None, 5, 60, NOON))
    assert looked_at(special, {}, quota) == (
        "thing by push: 0 of 9 in 1m; tenant default, this partition: 1 of 5 in 1m"
    )
