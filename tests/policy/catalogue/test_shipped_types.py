from itertools import accumulate

import pytest

from policy.audience.audience import told_after
from policy.decision.ending import Ending
from policy.digest.windows import DigestWindow
from policy.experiments.holdout import Goal, Holdout
from policy.time.wall_clock import EVERY_DAY
from policy.user.tenant import DEFAULT_TENANT
from schemas.vocabulary import Channel, Priority, Reason, Stage
from tests.policy.person import MINUTE
from tests.policy.samples import HOUR, happened, shipped_catalogue

MARCH = 1_772_323_200_000  # 2026-03-01T00:00Z, a Sunday


@pytest.mark.parametrize(
    ("event", "name", "channels", "priority", "transactional", "audience"),
    [
        ("order.shipped", "order_shipped", "push email sms", "high", True, "customer_id"),
        ("ride.matched", "ride_matched_rider", "push sms", "critical", True, "rider_id"),
        ("ride.matched", "ride_matched_driver", "push", "critical", False, "driver_id"),
        ("chat.message", "chat_message", "push inapp", "high", False, "recipient_id"),
        ("post.published", "post_published", "push inapp", "normal", False, "followers"),
        ("comment.added", "comment_added", "inapp push", "low", False, "author_id"),
        ("invoice.due", "invoice_due", "push email sms", "normal", True, "customer_id"),
        ("code.requested", "one_time_code", "sms", "critical", True, "user_id"),
        ("activity.recorded", "weekly_summary", "email", "low", False, "user_id"),
        ("incident.opened", "on_call", "push", "critical", True, "on_call"),
        ("cart.left", "cart_reminder", "push", "low", False, "customer_id"),
        ("ride.approaching", "ride_approaching", "push inapp", "high", True, "rider_id"),
    ],
)
def test_the_types_that_are_shipped(
    event: str, name: str, channels: str, priority: str, transactional: bool, audience: str
) -> None:
    catalogue = shipped_catalogue()
    spec = catalogue.types[name]
    assert spec in catalogue.for_event(happened(event))
    first = [plan.channel for plan in spec.steps[0].plans]
    assert first == [Channel(each) for each in channels.split()]
    assert spec.priority is Priority(priority)
    assert spec.transactional is transactional
    assert (".".join(spec.users) or "followers") == audience
    assert spec.followers is (audience == "followers")


def test_the_shipped_default_tenant_is_as_one_of_which_nothing_is_said() -> None:
    assert shipped_catalogue().tenants == {"default": DEFAULT_TENANT}


def test_comments_are_shown_gathered_and_at_last_mailed() -> None:
    first, second = shipped_catalogue().types["comment_added"].steps
    inapp, push = first.plans
    assert inapp.digest is None
    assert push.digest == DigestWindow(pause=600_000, longest=7_200_000)
    assert second.after == 3 * 3_600_000
    (email,) = second.plans
    assert email.digest == DigestWindow(times=(18 * 60,))
    assert push.digest_key == email.digest_key == ("post_id",)


def test_an_invoice_comes_by_sms_only_where_push_can_not_go() -> None:
    spec = shipped_catalogue().types["invoice_due"]
    stands_by = {plan.channel: plan.instead_of for plan in spec.steps[0].plans}
    assert stands_by == {Channel.PUSH: (), Channel.EMAIL: (), Channel.SMS: (Channel.PUSH,)}


def test_chat_prefers_in_app_while_online_and_push_while_not() -> None:
    (step,) = shipped_catalogue().types["chat_message"].steps
    assert [(plan.channel, plan.needless) for plan in step.plans] == [
        (Channel.PUSH, Reason.FALL_BACK),
        (Channel.INAPP, Reason.OFFLINE),
    ]
    assert [(plan.channel, plan.instead_of, plan.needless) for plan in step.online_plans] == [
        (Channel.INAPP, (), Reason.FALL_BACK),
        (Channel.PUSH, (Channel.INAPP,), Reason.ONLINE),
    ]


def test_an_order_ends_the_reminders_of_its_cart() -> None:
    catalogue = shipped_catalogue()
    spec = catalogue.types["cart_reminder"]
    assert [step.after + spec.delay for step in spec.steps] == [4 * HOUR, 28 * HOUR]
    (ending,) = catalogue.ended_by(happened("order.placed"))
    assert ending == spec.until == Ending("order.placed", ("cart_id",), ("customer_id",))


def test_one_in_twenty_is_not_reminded_of_a_cart_to_see_how_many_order_all_the_same() -> None:
    catalogue = shipped_catalogue()
    spec = catalogue.types["cart_reminder"]
    assert spec.holdouts == (Holdout("2026", 500, "cart_reminder"),)
    assert spec.goal == Goal("order.placed", 72 * HOUR, ("cart_id",), ("customer_id",))
    ordered = happened("order.placed", data={"cart_id": "c1", "customer_id": "ann"})
    assert catalogue.aimed_at(ordered) == (spec,)
    assert spec.goal.about(ordered) == "c1"
    others = {name: each.holdouts for name, each in catalogue.types.items() if each is not spec}
    assert set(others.values()) == {()}


def test_a_code_comes_by_mail_too_unless_the_text_arrived() -> None:
    types = shipped_catalogue().types
    assert {name for name, spec in types.items() if spec.waits_for_receipts} == {"one_time_code"}
    _, second = types["one_time_code"].steps
    assert [plan.channel for plan in second.plans] == [Channel.EMAIL]
    assert (second.after, second.unless) == (60_000, Stage.DELIVERED)


def test_a_week_is_told_on_mondays_at_nine_by_the_clock_of_the_reader() -> None:
    spec = shipped_catalogue().types["weekly_summary"]
    (plan,) = spec.steps[0].plans
    assert plan.digest == DigestWindow(times=(9 * 60,), days=1)
    assert spec.own_events
    # The clock in Berlin is set forward on Sunday the 29th.
    for zone, end in (("UTC", 9), ("Europe/Berlin", 7), ("America/New_York", 13)):
        monday = plan.digest.end([MARCH + 23 * 24 * HOUR], zone)
        assert monday == MARCH + (29 * 24 + end) * HOUR
    assert plan.digest.longest_ms < spec.time_to_live


def test_a_cart_is_spoken_of_by_day() -> None:
    spec = shipped_catalogue().types["cart_reminder"]
    for step in spec.steps:
        assert [plan.within for plan in step.plans] == [((EVERY_DAY, 9 * 60, 20 * 60),)]


def test_an_incident_is_repeated_and_goes_to_the_next_person() -> None:
    catalogue = shipped_catalogue()
    spec = catalogue.types["on_call"]
    begins = list(accumulate(step.after // MINUTE for step in spec.steps))
    assert begins == [0, 2, 6, 10, 14]
    used = [[plan.channel for plan in step.plans] for step in spec.steps]
    assert used == [[Channel.PUSH], [Channel.SMS], *[[Channel.PUSH, Channel.SMS]] * 3]
    data = {"on_call": ["ann", "bea"], "manager": "ann", "backup": "cy"}
    told = told_after(happened("incident.opened", data=data), spec)
    assert told == {"ann": 0, "bea": 0, "cy": 18 * MINUTE}
    (ending,) = catalogue.ended_by(happened("incident.acknowledged"))
    assert ending == Ending("incident.acknowledged", ("incident_id",))
