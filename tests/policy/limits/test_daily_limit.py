"""A tenant's day: its messages and its money for SMS, in shares of partitions."""

from collections import Counter, defaultdict
from datetime import UTC, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policy.audience.membership import Membership
from policy.catalogue.catalogue import parse
from policy.decision.builder import draft_of
from policy.decision.decide import decide
from policy.decision.explanation import explain
from policy.limits.daily_limit import KEPT_DAYS, Allowance, DailyLimit, Day, Spending
from policy.limits.limits import counts_of, spend
from policy.user.profile import Profile
from policy.user.state import UserState
from schemas.delivery import Content
from schemas.errors import BadCatalogue
from schemas.vocabulary import Reason
from tests.policy.person import kind, told
from tests.policy.samples import NOON, request

HOUR = 3_600_000
PRICES = {"DE": 0.07, "US": 0.0079, "*": 0.1}
NUMBERS = {"+4915112345678": "DE", "+12025550123": "US", "+33612345678": "FR"}
ZONES = ("UTC", "Asia/Tokyo", "America/St_Johns", "Pacific/Apia")


def allowance(limit: DailyLimit, zone: str = "UTC", number: int = 0, of: int = 1) -> Allowance:
    return Allowance.of(limit, zone, PRICES, None, (number, of))


def date_in(zone: str, at: int) -> str:
    """By the standard library, which the code does not ask."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)).date().isoformat()


SENDING = st.tuples(
    st.integers(0, 2),
    st.integers(-40 * HOUR, 40 * HOUR),
    st.sampled_from(["", "x" * 160, "x" * 161, "é€" * 40, "ж" * 71]),
    st.sampled_from(sorted(NUMBERS)),
)
SEGMENTS = {"": 1, "x" * 160: 1, "x" * 161: 2, "é€" * 40: 1, "ж" * 71: 2}
"""Worked out by hand by GSM 03.38: € takes two septets, 120 of them fit into one message."""


@given(
    st.integers(1, 12),
    st.integers(1, 900),
    st.sampled_from(ZONES),
    st.lists(SENDING, max_size=40),
)
def test_no_day_has_more_than_the_limit_and_nothing_is_refused_for_nothing(
    messages: int, cents: int, zone: str, sendings: list[tuple[int, int, str, str]]
) -> None:
    """Against a plain recount of all that was let through, by exact fractions."""
    limit = DailyLimit(messages=messages, sms_cost=cents / 1000)
    here = [allowance(limit, zone, number, 3) for number in range(3)]
    counts: Counter[tuple[int, str]] = Counter()
    money: defaultdict[tuple[int, str], Fraction] = defaultdict(Fraction)
    for number, ahead, body, phone in sendings:
        at = NOON + ahead
        cost = Fraction(str(PRICES.get(NUMBERS[phone], 0.1))) * SEGMENTS[body]
        spent, place = here[number].cost_of(body, [phone]), (number, date_in(zone, at))
        assert spent == cost * 1_000_000
        share = messages // 3 + (number < messages % 3)
        thousandths = cents * 1000
        affordable = Fraction(thousandths // 3 + (number < thousandths % 3), 1_000_000)
        fits = counts[place] + 1 <= share and money[place] + cost <= affordable
        assert (here[number].objection(1, spent, at) == "") is fits
        if fits:
            here[number] = here[number].using(1, spent, at)
            counts[place] += 1
            money[place] += cost
    for day in {day for _, day in counts}:
        assert sum(counts[number, day] for number in range(3)) <= messages
        assert sum(money[number, day] for number in range(3)) <= Fraction(cents, 1000)


@given(st.integers(1, 10**9), st.integers(1, 64))
def test_the_shares_of_all_partitions_add_up_to_the_limit(messages: int, partitions: int) -> None:
    limit = DailyLimit(messages=messages, sms_cost=messages / 100)
    parts = [allowance(limit, "UTC", number, partitions) for number in range(partitions)]
    assert sum(each.messages or 0 for each in parts) == messages
    assert sum(each.spent or 0 for each in parts) == messages * 10_000


def test_a_day_that_is_forgotten_lets_nothing_through() -> None:
    here = allowance(DailyLimit(messages=5))
    for number in range(KEPT_DAYS + 1):
        here = here.using(1, 0, NOON + number * 24 * HOUR)
    assert len(here.spending.days) == KEPT_DAYS
    assert here.objection(1, 0, NOON) == f"{date_in('UTC', NOON)} is too long ago to be counted"
    assert here.objection(1, 0, NOON + 24 * HOUR) == ""


def test_what_is_stored_is_a_list() -> None:
    value = Spending((Day(7, 2, 30),), 6)
    assert msgspec.json.encode(value) == b"[[[7,2,30]],6]"
    assert msgspec.json.decode(b"[[[7,2,30]],6]", type=Spending) == value


@pytest.mark.parametrize(
    ("priority", "critical", "expected"),
    [
        ("high", "false", "suppressed daily_limit"),
        ("critical", "false", "sent"),
        ("critical", "true", "suppressed daily_limit"),
    ],
)
def test_critical_messages_count_and_go_on_unless_the_limit_is_for_them(
    priority: str, critical: str, expected: str
) -> None:
    limit = DailyLimit(messages=1, critical=critical == "true")
    used = allowance(limit).using(1, 0, NOON)
    state = UserState(Profile(("phone",)), allowance=used)
    decision = decide(request(), kind("", priority=priority), state, NOON)
    assert told(decision) == {"push": expected}
    assert decision.allowance is not None
    (day,) = decision.allowance.spending.days
    assert day.messages == (2 if expected == "sent" else 1)


def test_each_address_is_a_message() -> None:
    state = UserState(Profile(("a", "b", "c")), allowance=allowance(DailyLimit(messages=2)))
    (outcome,) = decide(request(), kind(""), state, NOON).outcomes
    day = date_in("UTC", NOON)
    assert outcome.reason is Reason.DAILY_LIMIT
    assert outcome.detail == f"the tenant's 2 messages on {day} in this partition"


def test_money_is_counted_by_segments_and_said_in_the_reason() -> None:
    german = "+4915112345678"
    used = allowance(DailyLimit(sms_cost=0.2)).using(1, 140_000, NOON)
    state = UserState(Profile(phone=german), allowance=used)
    (outcome,) = decide(request(), kind("transactional = true", "sms"), state, NOON).outcomes
    day = date_in("UTC", NOON)
    assert outcome.detail == f"the tenant's 0.2 for SMS on {day} in this partition"
    first = UserState(Profile(phone=german), allowance=allowance(DailyLimit(sms_cost=0.2)))
    decision = decide(request(), kind("transactional = true", "sms"), first, NOON)
    assert decision.allowance is not None
    assert decision.allowance.spending.days[0].spent == 70_000


def test_what_is_refused_takes_back_what_limits_counted() -> None:
    used = allowance(DailyLimit(messages=1)).using(1, 0, NOON)
    state = UserState(Profile(("phone",)), allowance=used)
    draft = draft_of("n", request(), kind(""), state, NOON, NOON, NOON, NOON + HOUR)
    (plan,) = draft.spec.steps[0].plans
    draft.look_at(plan)
    before = counts_of(draft)
    assert draft.objection() is None
    assert counts_of(draft) != before
    assert spend(draft, Content(body="hi"), before) is not None
    assert counts_of(draft) == before
    assert draft.allowance == used


def test_the_explanation_shows_how_much_of_the_day_is_used() -> None:
    limit = DailyLimit(messages=3, sms_cost=1.5)
    state = UserState(Profile(("phone",)), allowance=allowance(limit).using(2, 250_000, NOON))
    spec, member = kind(""), Membership(is_in=True, why="")
    found = explain(request(), spec, member, state, NOON)
    (asked,) = (each for each in found.asked if each.rule == "daily limit")
    used = f"2 of 3 messages and 0.25 of 1.5 for SMS on {date_in('UTC', NOON)}, in this partition"
    assert (asked.looked_at, asked.said) == (used, "")
    full = replace(state, allowance=allowance(limit).using(3, 0, NOON))
    (silent,) = explain(request(), spec, member, full, NOON).silent
    assert silent.reason is Reason.DAILY_LIMIT


@pytest.mark.parametrize(
    ("limit", "complaint"),
    [
        ("critical = true", "limits nothing: it needs messages or sms_cost"),
        ("messages = 0", "Expected `int` >= 1"),
        ("sms_cost = 0", "Expected `float` > 0"),
        ("texts = 1", "texts"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(limit: str, complaint: str) -> None:
    with pytest.raises(BadCatalogue) as refused:
        parse({"t.toml": f"[tenants.acme]\ndaily_limit = {{ {limit} }}"})
    assert complaint in str(refused.value)
