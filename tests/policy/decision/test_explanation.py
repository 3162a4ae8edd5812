"""An explanation tells what `decide` decides, rule by rule, in words, whatever the state is."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policy.audience.membership import FollowFacts, Membership, membership
from policy.catalogue.catalogue import parse
from policy.contact.masking import masked
from policy.decision.decide import decide
from policy.decision.explanation import Explanation, explain
from policy.dedupe import NO_MARKS, Mark, mark_key, remember
from policy.identity import notification_id
from policy.limits.rate_limit import Tally, Window
from policy.notification_type import NotificationType
from policy.user.ledger import Ledger
from policy.user.profile import MOST_DEVICES, Profile, quiet_span
from policy.user.state import Quota, UserState
from policy.user.tenant import Tenant
from schemas.profile import QuietHours
from schemas.request import Origin, Request
from schemas.vocabulary import Channel, Frequency, Reason, Weekday
from tests.policy.person import MINUTE, NIGHT, ONE, kind
from tests.policy.samples import EVERYWHERE, HOUR, NOON, request, variant

IN = Membership(True, "data.who names ann")
NEW = Origin("events", -1, -1)
THING = variant()


def told(
    state: UserState | Profile = EVERYWHERE,
    spec: NotificationType = THING,
    asked: Request | None = None,
    now: int = NOON,
) -> Explanation:
    if isinstance(state, Profile):
        state = UserState(state)
    return explain(asked or request(origin=NEW), spec, IN, state, now)


def line(found: Explanation, rule: str, channel: Channel | None = None) -> tuple[str, str]:
    """What a rule looked at, and what it said."""
    (each,) = [each for each in found.asked if (each.rule, each.channel) == (rule, channel)]
    return each.looked_at, each.said


def test_every_rule_is_told_with_what_it_looked_at() -> None:
    found = told()
    assert [each.rule for each in found.asked if each.channel is Channel.PUSH] == [
        "suppressed", "preferences", "address", "digest", "quiet hours", "limits",
    ]  # fmt: skip
    assert line(found, "address", Channel.PUSH) == ("2 devices", "")
    assert line(found, "preferences", Channel.SMS) == (
        "not set; off by default",
        "not sent, opted_out: by default",
    )
    assert line(found, "told before") == ("nothing under this id", "")
    assert [(each.channel, each.addresses) for each in found.sent] == [
        (Channel.PUSH, ("…ne", "…let")),
        (Channel.EMAIL, ("a***@example.com",)),
        (Channel.INAPP, ("ann",)),
    ]
    assert [(each.channel, each.reason) for each in found.silent] == [
        (Channel.SMS, Reason.OPTED_OUT)
    ]


def test_nobody_outside_the_audience_is_decided_on() -> None:
    out = Membership(False, "data.who names bob, not ann")
    found = explain(request(), THING, out, UserState(EVERYWHERE), NOON)
    assert found == Explanation(type="thing", catalogue=THING.catalogue, membership=out)


def test_quiet_hours_are_told_by_the_clock_on_the_wall() -> None:
    found = told(replace(EVERYWHERE, quiet_hours=NIGHT, zone="Europe/Berlin"))
    assert line(found, "quiet hours", Channel.PUSH)[0] == (
        "Sun 13:00 in Europe/Berlin; quiet 11:00 to 13:00"
    )
    found = told(replace(EVERYWHERE, quiet_hours=NIGHT, zone="Mars/Olympus"))
    shown, said = line(found, "quiet hours", Channel.PUSH)
    assert shown == "Sun 12:00 in UTC, as 'Mars/Olympus' is no known zone; quiet 11:00 to 13:00"
    assert said.startswith("waits until 2026-03-01T13:00:00Z, quiet_hours: ")
    assert [(each.channel, each.until) for each in found.waits] == [
        (Channel.PUSH, ONE),
        (Channel.EMAIL, ONE),
    ]


def test_weekdays_snoozes_and_the_tenants_hours_are_told() -> None:
    weekend = quiet_span(QuietHours(start="22:00", end="07:30", days=(Weekday.SAT, Weekday.SUN)))
    tenant = Tenant(quiet_hours=(weekend,))
    snoozing = replace(EVERYWHERE, snoozed_until=ONE)
    shown, said = line(told(UserState(snoozing, tenant=tenant)), "quiet hours", Channel.EMAIL)
    assert shown == (
        "Sun 12:00 in UTC; quiet 22:00 to 07:30 on Sat Sun by the tenant; "
        "snoozed until 2026-03-01T13:00:00Z"
    )
    assert "snoozed" in said


def test_wishes_of_user_and_tenant_are_told_apart() -> None:
    profile = replace(
        EVERYWHERE, channels={Channel.PUSH: True}, categories={"things": {Channel.PUSH: False}}
    )
    tenant = Tenant(channels={Channel.SMS: True})
    found = told(UserState(profile, tenant=tenant))
    assert line(found, "preferences", Channel.PUSH) == (
        "user: off for things and on for the channel; on by default",
        "not sent, opted_out: by user, category and channel",
    )
    assert line(found, "preferences", Channel.SMS)[0] == (
        "tenant: on for the channel; off by default"
    )


def test_limits_are_told_as_they_were_before_this_one() -> None:
    ledger = Ledger(NO_MARKS, {"push": Window(3600, (NOON - 2 * HOUR, NOON - 5, NOON - 1))})
    quota = Quota(100, 3600, Tally(3600, NOON // 60_000, (7,)))
    found = told(UserState(EVERYWHERE, ledger, quota=quota))
    assert line(found, "limits", Channel.PUSH)[0] == (
        "all by push: 2 of 10 in 1h; tenant default, this partition: 7 of 100 in 1h"
    )
    special = "rate_limit = { count = 1, seconds = 90 }\nactor_limit = { count = 2, seconds = 60 }"
    found = told(spec=kind(special, "push email"))
    assert line(found, "limits", Channel.PUSH)[0] == (
        "thing by push: 0 of 1 in 1m 30s; thing from bob: 0 of 2 in 1m"
    )
    assert line(found, "limits", Channel.EMAIL)[0].endswith("1 of 2 in 1m, counted already")


def test_what_is_gathered_is_told_with_how_many_and_until_when() -> None:
    gathering = kind('digests = [{ channels = ["push"], key = "key", every = "7m" }]', "push")
    data = {"text": "x", "key": "k"}
    first = request(data=data, event_id="e0", origin=Origin("events", 0, 1))
    ledger = decide(first, gathering, UserState(EVERYWHERE), NOON).ledger
    found = told(UserState(EVERYWHERE, ledger), gathering, request(data=data, origin=NEW))
    (waits,) = found.waits
    assert (waits.until, waits.reason, waits.gathered) == (NOON + 425_000, Reason.DIGEST, 2)
    assert line(found, "digest", Channel.PUSH) == (
        "things wanted instantly; the type gathers for 7m, by key",
        "gathered, digest",
    )


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ('pause = "3m", longest = "10m"', "until nothing comes for 3m, 10m at most"),
        ('at = ["08:00", "18:30"], days = ["mon"]', "until 08:00 or 18:30 on Mon"),
    ],
)
def test_windows_are_told_in_words(window: str, words: str) -> None:
    spec = kind(f'digests = [{{ channels = ["push"], {window} }}]', "push")
    shown, _ = line(told(spec=spec), "digest", Channel.PUSH)
    assert shown == f"things wanted instantly; the type gathers {words}"
    daily = replace(EVERYWHERE, frequency={"*": Frequency.DAILY})
    shown, said = line(told(daily, spec=spec), "digest", Channel.PUSH)
    assert shown.startswith("things wanted daily, all of it in one message; the type gathers")
    assert said == "gathered, digest: the user wants all of things daily"


def test_steps_that_are_to_come_are_told() -> None:
    special = 'escalation = [{ after = "5m", channels = ["sms"] }]'
    (waits,) = told(spec=kind(special, "inapp")).waits
    assert (waits.channel, waits.until) == (Channel.SMS, NOON + 5 * MINUTE)
    assert waits.reason is Reason.ESCALATION
    found = told(replace(EVERYWHERE, devices=()), kind(special, "push"))
    assert {each.step for each in found.asked if each.channel is Channel.SMS} == {1}


def test_presence_is_told_where_it_matters() -> None:
    spec = kind('online = "inapp"', "push inapp")
    shown, _ = line(told(spec=spec), "presence")
    assert shown == "unknown: push comes first"
    assert [each.step for each in told(spec=spec).asked if each.rule == "presence"] == [0]
    online = replace(EVERYWHERE, online={"phone": NOON + 1000})
    assert line(told(online, spec), "presence")[0].startswith("online, 2026-03-01T12:00:01Z")
    assert line(told(online, spec), "other channel", Channel.PUSH)[0] == "stands by: inapp goes out"
    left = replace(EVERYWHERE, left_at=NOON - HOUR)
    assert line(told(left, spec), "presence")[0] == "offline: push comes first"


def test_what_was_told_before_is_said_and_then_left_aside() -> None:
    key = mark_key(notification_id("default", "e1", "ann", "thing"))
    state = UserState(EVERYWHERE, Ledger(remember(NO_MARKS, key, Mark(3, 41, NOON, 24))))
    found = told(state)
    assert found.told_before is not None
    assert (found.told_before.reason, found.told_before.detail) == (
        Reason.DUPLICATE,
        "of events/3/41",
    )
    assert len(found.sent) == 3
    # The rest is as if it were not.
    assert line(found, "told before") == ("nothing under this id", "")
    assert line(found, "address", Channel.PUSH) == ("2 devices", "")
    other = replace(state, ledger=Ledger(remember(NO_MARKS, key, Mark(3, 41, NOON, 24, "body"))))
    asked = request(origin=replace(NEW, body="another"))
    before = told(other, asked=asked).told_before
    assert before is not None
    assert before.reason is Reason.CONFLICT


def test_what_is_too_old_or_cancelled_ends_there() -> None:
    found = told(now=NOON + 25 * HOUR)
    assert line(found, "time to live") == (
        "1d, until 2026-03-02T12:00:00Z; now 2026-03-02T13:00:00Z",
        "not sent, expired",
    )
    assert [each.rule for each in found.asked] == ["event time", "told before", "time to live"]
    asked = request(origin=NEW)
    asked = replace(asked, event=replace(asked.event, cancel_key="c"))
    assert line(told(asked=asked), "cancellation") == ("key c, never cancelled", "")
    state = UserState(EVERYWHERE, cancelled_at=NOON)
    assert line(told(state, asked=asked), "cancellation") == (
        "key c, cancelled at 2026-03-01T12:00:00Z",
        "not sent, cancelled: c",
    )


def test_an_event_from_the_future_counts_as_of_when_it_was_taken() -> None:
    found = told(asked=request(at=NOON + 26 * HOUR, accepted_at=NOON, origin=NEW))
    assert line(found, "event time")[0] == (
        "2026-03-02T14:00:00Z, 1d 2h ahead of when it was taken: counts as 2026-03-01T12:00:00Z"
    )
    assert found.sent


def test_delays_are_told() -> None:
    asked = request(origin=NEW, data={"text": "x", "key": "k"})
    event = replace(asked.event, deliver_at=request(at=NOON + HOUR).event.occurred_at)
    found = told(spec=kind('delay = "20m"', "push"), asked=replace(asked, event=event))
    assert line(found, "event time")[0] == (
        "2026-03-01T12:00:00Z; to be delivered at 2026-03-01T13:00:00Z; the type waits 20m"
    )
    assert [(each.until, each.reason) for each in found.waits] == [(ONE, Reason.SCHEDULED)]


def test_a_dead_letter_is_told_with_its_path() -> None:
    found = told(asked=request(data={"nothing": 1}, origin=NEW))
    assert "render_failed" in found.refused
    assert found.asked
    assert not found.sent
    far = request(origin=NEW)
    event = replace(far.event, deliver_at=request(at=NOON + 400 * 24 * HOUR).event.occurred_at)
    assert "over a year ahead" in told(asked=replace(far, event=event)).refused


def test_a_hundred_devices_are_all_there() -> None:
    devices = tuple(f"token-{number:04}" for number in range(MOST_DEVICES))
    suppressed = devices[:2]
    found = told(replace(EVERYWHERE, devices=devices, suppressed=suppressed))
    assert line(found, "address", Channel.PUSH)[0] == "100 devices, 2 suppressed"
    assert len(found.sent[0].addresses) == 98


@pytest.mark.parametrize(
    ("channel", "address", "shown"),
    [
        (Channel.EMAIL, "ann.lee@example.com", "a***@example.com"),
        (Channel.EMAIL, "nonsense", "…ense"),
        (Channel.EMAIL, "@", "***@"),
        (Channel.SMS, "+491511234567", "…4567"),
        (Channel.PUSH, "abc", "…c"),
        (Channel.PUSH, "", "…"),
        (Channel.INAPP, "ann", "ann"),
    ],
)
def test_addresses_are_masked(channel: Channel, address: str, shown: str) -> None:
    assert masked(channel, address) == shown


def audience(how: str, **data: Any) -> tuple[Any, NotificationType]:
    text = how if "\n" in how else f"{how}\n"
    spec = parse({"t.toml": TYPE_FOR.replace("WHOM", text)}).types["thing"]
    return request(data=data).event, spec


TYPE_FOR = """
event = "thing.happened"
[types.thing]
category = "things"
priority = "normal"
channels = ["inapp"]
time_to_live = "1d"
WHOM
[types.thing.templates]
inapp = { body = "x" }
"""


@pytest.mark.parametrize(
    ("how", "data", "ties", "is_in", "why"),
    [
        ('users = "who"', {"who": "ann"}, FollowFacts(), True, "data.who names ann"),
        ('users = "who"', {"who": []}, FollowFacts(), False, "data.who names nobody, not ann"),
        (
            'users = "who"',
            {"who": ["a", "b", "c", "d", "e"]},
            FollowFacts(),
            False,
            "data.who names a, b, c and 2 more, not ann",
        ),
        ("followers = true", {}, FollowFacts(), None, "as a follower of bob, if ann is one"),
        ("followers = true", {}, FollowFacts({"bob"}, {0: 1}), True, "ann follows bob"),
        ("followers = true", {}, FollowFacts(set()), False, "ann does not follow bob"),
        (
            "followers = true",
            {},
            FollowFacts({"bob"}, {0: 7, 1: 3}),
            False,
            "feeds read it: bob has 10 followers; from 10 on, posts aren't fanned out",
        ),
        (
            'subscribers = "about"',
            {"about": ["x", "y"]},
            FollowFacts({"topic:y"}),
            True,
            "ann follows the topic y",
        ),
        (
            'segment = { plan = "pro" }',
            {},
            FollowFacts(),
            True,
            "ann has plan = pro",
        ),
        ('segment = { plan = "free" }', {}, FollowFacts(), False, "ann does not have plan = free"),
    ],
)
def test_the_audience_is_told(
    how: str, data: dict[str, Any], ties: FollowFacts, is_in: bool | None, why: str
) -> None:
    event, spec = audience(how, **data)
    found = membership(event, spec, "ann", ties, {"plan": "pro"}, 10)
    assert found == Membership(is_in, why)


texts = st.text(max_size=8)
channels = st.sampled_from(Channel)
profiles = st.builds(
    Profile,
    devices=st.lists(texts, max_size=4).map(tuple),
    email=texts,
    phone=texts,
    zone=st.sampled_from(["", "Europe/Berlin", "Mars/Olympus", "\x00"]),
    locale=texts,
    suppressed=st.lists(texts, max_size=2).map(tuple),
    channels=st.dictionaries(channels, st.booleans()),
    categories=st.dictionaries(st.just("things"), st.dictionaries(channels, st.booleans())),
    quiet_hours=st.lists(
        st.tuples(st.integers(0, 127), st.integers(0, 1439), st.integers(0, 1439)), max_size=3
    ).map(tuple),
    online=st.dictionaries(texts, st.integers(NOON - HOUR, NOON + HOUR), max_size=2),
    left_at=st.integers(0, NOON),
    mutes=st.dictionaries(texts, st.integers(0, NOON + HOUR), max_size=2),
    snoozed_until=st.integers(0, NOON + HOUR),
    frequency=st.dictionaries(st.sampled_from(["things", "*"]), st.sampled_from(Frequency)),
    digest_at=st.none() | st.integers(0, 1439),
)
SPECS = (
    THING,
    variant(("= 86400", "= 86400\ntransactional = true")),
    kind('online = "inapp"', "push inapp"),
    kind('fallback = { sms = ["push"] }', "push sms"),
    kind('rate_limit = { count = 1, seconds = 60, over = "digest" }', "push"),
    kind('digests = [{ channels = ["push"], every = "7m" }]', "push"),
    kind('escalation = [{ after = "5m", channels = ["sms"] }]', "inapp push"),
)


@given(profiles, st.sampled_from(SPECS), st.integers(NOON - HOUR, NOON + 30 * HOUR))
def test_explained_is_what_is_decided_and_no_state_is_too_odd(
    profile: Profile, spec: NotificationType, now: int
) -> None:
    asked = request(origin=NEW, data={"text": "x", "key": "k"})
    state = UserState(profile)
    found = explain(asked, spec, IN, state, now)
    decision = decide(asked, spec, state, now)
    sent = [str(each.channel) for each in found.sent for _ in each.addresses]
    assert sent == [str(each.channel) for each in decision.deliveries]
    assert len(found.waits) + len(found.silent) == len(decision.outcomes)
    for each in found.asked:
        assert each.looked_at
        assert not re.search(r"<\w+\.|\{|\bNone\b|\\x", each.looked_at.replace("'\\x00'", ""))
