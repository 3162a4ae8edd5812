from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import msgpack
from msgspec.structs import replace

from policy.decision.decide import decide as decide_for
from policy.decision.decision import Decision, Outcome
from policy.dedupe import MARKS_KEPT, NO_MARKS, Mark, all_marks, mark_of, remember
from policy.identity import delivery_id, notification_id
from policy.limits.rate_limit import Window
from policy.notification_type import NotificationType
from policy.user.ledger import Ledger
from policy.user.profile import Profile
from policy.user.state import UserState
from schemas.errors import BadRecord
from schemas.request import Origin, Request
from schemas.vocabulary import Channel, Priority, Reason
from tests.policy.samples import EVERYWHERE, HOUR, NOON, ORIGIN, request, shipped_catalogue, variant

THING = variant()
TRANSACTIONAL = variant(("= 86400", "= 86400\ntransactional = true"))
CRITICAL = variant(('"normal"', '"critical"'))
CHAT = shipped_catalogue().types["chat_message"]
CHAT_DATA = {"conversation_id": "c", "sender_name": "Bob", "text": "x" * 200}
OTHER = Origin("events", 3, 42)
NIGHT = ((127, 11 * 60, 13 * 60),)
WINDOWS = [name for channel in Channel for name in (channel.value, f"transactional.{channel}")]
FULL = Ledger(NO_MARKS, {name: Window(3600, (NOON - 1,) * 10) for name in WINDOWS})


def decide(
    request: Request, spec: NotificationType, profile: Profile, ledger: Ledger, now: int
) -> Decision:
    """Decide for a user of a tenant that says nothing."""
    return decide_for(request, spec, UserState(profile, ledger), now)


def outcomes(decision: Decision) -> dict[str, str]:
    """Reason by channel; a channel that goes out has an empty one."""
    sent = {delivery.channel.value: "" for delivery in decision.deliveries}
    return sent | {each.channel or "all": each.reason.value for each in decision.outcomes}


def test_one_delivery_a_channel_and_device_with_everything_filled_in() -> None:
    decision = decide(request(accepted_at=NOON + 5), THING, EVERYWHERE, Ledger(), NOON + 9)
    name = notification_id("default", "e1", "ann", "thing")
    assert decision.notification_id == name
    assert [(d.channel, d.address) for d in decision.deliveries] == [
        (Channel.PUSH, "phone"),
        (Channel.PUSH, "tablet"),
        (Channel.EMAIL, "ann@example.com"),
        (Channel.INAPP, "ann"),
    ]
    assert decision.outcomes == (Outcome(Channel.SMS, Reason.OPTED_OUT, "by default"),)
    first = decision.deliveries[0]
    assert first.delivery_id == delivery_id(name, Channel.PUSH, "phone")
    assert (first.occurred_at, first.accepted_at) == (NOON, NOON + 5)
    assert first.expires_at == NOON + 24 * HOUR
    assert first.catalogue == THING.catalogue
    assert first.priority is Priority.NORMAL
    assert (first.content.title, first.content.data) == ("Hi", {"text": "hello"})
    assert decision.deliveries[2].content.html == "<p>hello</p>"


BAD = ("phone", "tablet", "ann@example.com", "+4915112345")
DEAF = dict.fromkeys(Channel, False)


@pytest.mark.parametrize(
    ("profile", "ledger", "reason"),
    [
        # Each row takes away what the row above stopped at, so the next step shows.
        (Profile(BAD[:2], suppressed=BAD, channels=DEAF), FULL, "suppressed_address"),
        (Profile((), channels=DEAF, quiet_hours=NIGHT), FULL, "opted_out"),
        (Profile((), quiet_hours=NIGHT), FULL, "no_address"),
        (Profile(BAD[:2], quiet_hours=NIGHT), FULL, "quiet_hours"),
        (Profile(BAD[:2]), FULL, "rate_limited"),
        (Profile(BAD[:2]), Ledger(), ""),
    ],
)
def test_the_order_of_steps(profile: Profile, ledger: Ledger, reason: str) -> None:
    assert outcomes(decide(request(), THING, profile, ledger, NOON))["push"] == reason


def test_presence_comes_after_the_address_and_before_quiet_hours() -> None:
    event = request(data=CHAT_DATA)
    online = Profile(("phone",), online={"app": NOON + 1}, quiet_hours=NIGHT)
    assert outcomes(decide(event, CHAT, online, Ledger(), NOON)) == {"inapp": "", "push": "online"}
    nowhere = replace(online, devices=())
    assert outcomes(decide(event, CHAT, nowhere, Ledger(), NOON))["push"] == "no_address"


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (Profile(("phone",)), {"push": "", "inapp": "offline"}),
        (Profile(("phone",), online={"app": NOON}), {"push": "", "inapp": "offline"}),
        (Profile(("phone",), online={"app": NOON + 1}), {"inapp": "", "push": "online"}),
        # What can't go stands in for nothing.
        (Profile(), {"push": "no_address", "inapp": ""}),
        (Profile(("phone",), quiet_hours=NIGHT), {"push": "quiet_hours", "inapp": ""}),
        (
            Profile(("phone",), channels={Channel.INAPP: False}, online={"app": NOON + 1}),
            {"inapp": "opted_out", "push": ""},
        ),
    ],
)
def test_presence(profile: Profile, expected: dict[str, str]) -> None:
    decision = decide(request(data=CHAT_DATA), CHAT, profile, Ledger(), NOON)
    assert outcomes(decision) == expected
    bodies = {each.channel: each.content.body for each in decision.deliveries}
    assert bodies.get(Channel.PUSH, "x" * 99 + "…") == "x" * 99 + "…"
    assert bodies.get(Channel.INAPP, "x" * 200) == "x" * 200


@pytest.mark.parametrize(("late", "reason"), [(-1, None), (0, "expired"), (1, "expired")])
def test_expiry_at_the_millisecond(late: int, reason: str | None) -> None:
    decision = decide(request(), THING, EVERYWHERE, Ledger(), NOON + 24 * HOUR + late)
    assert outcomes(decision).get("all") == reason
    if reason:
        assert not decision.deliveries
        assert decision.ledger == Ledger()


@given(st.integers(0, 48 * HOUR))
def test_the_same_origin_again_emits_nothing(later: int) -> None:
    first = decide(request(), THING, EVERYWHERE, Ledger(), NOON)
    again = decide(request(), THING, EVERYWHERE, first.ledger, NOON + later)
    assert again == Decision(first.notification_id, (), (), first.ledger, replay=True)


@given(st.sampled_from([Origin("events", 4, 41), OTHER]))
def test_another_origin_is_a_duplicate_and_says_of_what(origin: Origin) -> None:
    first = decide(request(), THING, EVERYWHERE, Ledger(), NOON)
    again = decide(request(origin=origin), THING, EVERYWHERE, first.ledger, NOON)
    assert again.outcomes == (Outcome(None, Reason.DUPLICATE, "of events/3/41"),)
    assert not again.deliveries
    assert again.ledger is first.ledger


@pytest.mark.parametrize("later", [0, 24 * HOUR - 1, 24 * HOUR, 23 * HOUR + 24 * HOUR])
def test_what_was_told_in_time_is_a_duplicate_however_late_it_comes_again(later: int) -> None:
    """Its time to live is a day; what it says of the first time must not be denied."""
    first = decide(request(), THING, EVERYWHERE, Ledger(), NOON)
    again = decide(request(origin=OTHER), THING, EVERYWHERE, first.ledger, NOON + later)
    assert outcomes(again) == {"all": "duplicate"}


@pytest.mark.parametrize(("apart", "is_new"), [(HOUR - 1, False), (HOUR, True), (-HOUR, True)])
def test_the_dedupe_window_ends(apart: int, is_new: bool) -> None:
    spec = variant(("= 86400", "= 86400\ndedupe_hours = 1"))
    first = decide(request(key="k"), spec, EVERYWHERE, Ledger(), NOON)
    second = request(key="k", event_id="e2", origin=OTHER, at=NOON + apart)
    again = decide(second, spec, EVERYWHERE, first.ledger, NOON)
    assert bool(again.deliveries) is is_new


def test_an_idempotency_key_takes_the_place_of_the_id() -> None:
    first = decide(request(key="k"), THING, EVERYWHERE, Ledger(), NOON)
    other = request(key="k", event_id="e2", origin=OTHER)
    assert outcomes(decide(other, THING, EVERYWHERE, first.ledger, NOON)) == {"all": "duplicate"}
    fresh = request(key="j", event_id="e1", origin=OTHER)
    assert decide(fresh, THING, EVERYWHERE, first.ledger, NOON).deliveries


choices = st.dictionaries(st.sampled_from(Channel), st.booleans())
profiles = st.builds(
    Profile,
    devices=st.sampled_from([(), ("phone",), ("phone", "tablet")]),
    email=st.sampled_from(["", "ann@example.com"]),
    phone=st.sampled_from(["", "+4915112345"]),
    zone=st.sampled_from(["UTC", "Asia/Tokyo", "Mars/Base"]),
    suppressed=st.lists(st.sampled_from(BAD), unique=True).map(tuple),
    channels=choices,
    categories=st.dictionaries(st.sampled_from(["things", "chat"]), choices),
    quiet_hours=st.sampled_from([(), NIGHT, ((127, 1200, 1320),)]),
    online=st.sampled_from([{}, {"app": NOON}, {"app": NOON + 1}]),
)


@given(profiles, st.sampled_from([THING, TRANSACTIONAL, CRITICAL, CHAT]))
def test_every_channel_has_one_outcome_and_no_rule_is_broken(
    profile: Profile, spec: NotificationType
) -> None:
    event = request(data=CHAT_DATA)
    decision = decide(event, spec, profile, Ledger(), NOON)
    sent = {delivery.channel for delivery in decision.deliveries}
    silent = [each.channel for each in decision.outcomes]
    plans = spec.steps[0].plans
    assert len(sent) + len(silent) == len(plans)
    assert sent | set(silent) == {plan.channel for plan in plans}
    for each in decision.deliveries:
        assert each.address not in profile.suppressed
        by_default = each.channel is not Channel.SMS
        wanted = profile.channels.get(each.channel, by_default)
        wanted = profile.categories.get(spec.category, {}).get(each.channel, wanted)
        assert wanted or spec.transactional
        assert each.transactional is spec.transactional
        if profile.quiet_hours == NIGHT and profile.zone != "Asia/Tokyo":
            assert each.channel is Channel.INAPP or spec.priority is Priority.CRITICAL
    if spec.transactional:
        assert Reason.OPTED_OUT not in {each.reason for each in decision.outcomes}
    assert decide(event, spec, profile, Ledger(), NOON) == decision


@pytest.mark.parametrize("profile", [Profile(BAD[:2], suppressed=BAD), Profile()])
def test_transactional_skips_nothing_but_the_opt_out(profile: Profile) -> None:
    assert outcomes(decide(request(), TRANSACTIONAL, profile, Ledger(), NOON))["push"]
    limited = decide(request(), TRANSACTIONAL, EVERYWHERE, FULL, NOON)
    assert set(outcomes(limited).values()) == {"rate_limited"}
    asleep = decide(request(), TRANSACTIONAL, replace(EVERYWHERE, quiet_hours=NIGHT), FULL, NOON)
    assert outcomes(asleep)["sms"] == "quiet_hours"
    assert "sms" in outcomes(decide(request(), TRANSACTIONAL, EVERYWHERE, Ledger(), NOON))


def test_critical_skips_quiet_hours_and_limits_and_counts_in_none_but_heeds_opt_outs() -> None:
    profile = replace(EVERYWHERE, quiet_hours=NIGHT, channels={Channel.EMAIL: False})
    decision = decide(request(), CRITICAL, profile, FULL, NOON)
    expected = {"push": "", "email": "opted_out", "sms": "opted_out", "inapp": ""}
    assert outcomes(decision) == expected
    assert decision.ledger.windows == FULL.windows


def test_a_dead_device_among_living_ones_is_passed_over() -> None:
    profile = replace(EVERYWHERE, suppressed=("phone",))
    decision = decide(request(), THING, profile, Ledger(), NOON)
    assert [d.address for d in decision.deliveries if d.channel is Channel.PUSH] == ["tablet"]
    assert outcomes(decision)["push"] == ""


def test_the_limit_counts_channels_not_devices_and_only_what_goes_out() -> None:
    decision = decide(request(), THING, EVERYWHERE, Ledger(), NOON)
    counted = {name: window.times for name, window in decision.ledger.windows.items()}
    assert counted == {"push": (NOON,), "email": (NOON,), "inapp": (NOON,)}


@settings(max_examples=30)
@given(st.lists(st.integers(0, 3 * 60), min_size=1, max_size=40))
def test_never_more_than_ten_an_hour_in_any_order(minutes: list[int]) -> None:
    ledger, sent = Ledger(), []
    for number, minute in enumerate(minutes):
        at = NOON + minute * 60_000
        event = request(at=at, event_id=str(number), origin=Origin("events", 0, number))
        decision = decide(event, THING, EVERYWHERE, ledger, NOON + 3 * HOUR)
        ledger = decision.ledger
        sent += [at for each in decision.deliveries if each.channel is Channel.EMAIL]
    assert all(sum(t <= other < t + HOUR for other in sent) <= 10 for t in sent)
    assert len(sent) >= min(10, len(minutes))


def test_what_is_sent_does_not_hang_on_the_order_while_nothing_is_over_the_limit() -> None:
    events = [
        request(event_id=str(n), origin=Origin("events", 0, n), at=NOON + n) for n in range(4)
    ]
    seen = set()
    for order in permutations(events):
        ledger, ids = Ledger(), set()
        for event in order:
            decision = decide(event, THING, EVERYWHERE, ledger, NOON + 9)
            ledger = decision.ledger
            ids |= {each.delivery_id for each in decision.deliveries}
        seen.add(frozenset(ids))
    assert len(seen) == 1


def test_the_ledger_is_bounded_and_survives_encoding() -> None:
    ledger = Ledger()
    for number in range(3 * MARKS_KEPT):
        event = request(event_id=str(number), origin=Origin("events", 0, number), at=NOON + number)
        ledger = decide(event, THING, EVERYWHERE, ledger, NOON).ledger
    assert len(list(all_marks(ledger.marks))) == MARKS_KEPT
    assert max(len(window.times) for window in ledger.windows.values()) <= 20
    assert len(msgpack.encode(ledger)) < 25_000
    assert msgpack.decode(msgpack.encode(ledger), type=Ledger) == ledger


def test_an_event_from_the_future_counts_as_of_when_it_was_accepted() -> None:
    event = request(at=NOON + 900 * 24 * HOUR, accepted_at=NOON)
    before = Ledger(remember(NO_MARKS, b"12345678", Mark(0, 1, NOON - HOUR, 24)))
    decision = decide(event, THING, EVERYWHERE, before, NOON)
    assert mark_of(decision.ledger.marks, b"12345678") is not None
    assert decision.ledger.windows["push"].times == (NOON,)
    assert decision.deliveries[0].expires_at == NOON + 24 * HOUR
    assert decision.deliveries[0].occurred_at == NOON + 900 * 24 * HOUR


def test_a_missing_variable_is_a_bad_record_that_counts_for_nothing() -> None:
    ledger = Ledger()
    with pytest.raises(BadRecord, match=r"render_failed: thing\.push: .*'text' is missing"):
        decide(request(data={}), THING, EVERYWHERE, ledger, NOON)
    assert ledger == Ledger()


def test_an_unknown_zone_is_told() -> None:
    profile = replace(EVERYWHERE, zone="Mars/Base", quiet_hours=NIGHT)
    details = {e.channel: e.detail for e in decide(request(), THING, profile, FULL, NOON).outcomes}
    assert "'Mars/Base' is no known zone" in details[Channel.PUSH]


def test_the_origin_of_samples_is_what_marks_hold() -> None:
    ((_, mark),) = all_marks(decide(request(), THING, EVERYWHERE, Ledger(), NOON).ledger.marks)
    assert mark.is_from(ORIGIN)
    assert not mark.is_from(OTHER)
