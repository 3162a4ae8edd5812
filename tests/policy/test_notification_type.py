import pytest

from policy.limits.rate_limit import RateLimit
from policy.notification_type import Limited
from schemas.vocabulary import Channel, Priority, Stage
from tests.policy.samples import variant


def test_defaults() -> None:
    spec = variant()
    assert spec.time_to_live == 86_400_000
    assert spec.dedupe_hours == 24
    (step,) = spec.steps
    assert [plan.limits for plan in step.plans] == [
        (Limited(channel, RateLimit(10, 3600)),) for channel in ("push", "email", "sms", "inapp")
    ]
    assert step.online_plans == step.plans


@pytest.mark.parametrize("priority", [each for each in Priority if each is not Priority.BULK])
def test_a_type_has_the_priority_that_it_says(priority: Priority) -> None:
    spec = variant(('priority = "normal"', f'priority = "{priority}"'))
    assert spec.priority is priority


def test_a_type_with_its_own_limit_is_counted_by_itself() -> None:
    spec = variant(("= 86400", "= 86400\nrate_limit = { count = 3, seconds = 60 }"))
    windows = [limit.window for plan in spec.steps[0].plans for limit in plan.limits]
    assert windows == ["push.thing", "email.thing", "sms.thing", "inapp.thing"]


def test_each_limit_says_for_itself_what_becomes_of_what_is_over_it() -> None:
    spec = variant(
        (
            "= 86400",
            '= 86400\nrate_limit = { count = 3, seconds = 60, over = "digest" }\n'
            "actor_limit = { count = 1, seconds = 60 }",
        )
    )
    plan = spec.steps[0].plans[0]
    assert plan.limits == (Limited("push.thing", RateLimit(3, 60), folds=True),)
    assert plan.actor_limit == Limited("actor.thing", RateLimit(1, 60), once=True)


def test_what_stands_by_is_decided_after_what_it_stands_by_for_in_every_step() -> None:
    fallback = 'fallback = { push = ["sms"], email = ["push"] }'
    spec = variant(
        ('["push", "email", "sms", "inapp"]', '["inapp"]'),
        (
            "= 86400",
            f'= 86400\n{fallback}\nescalation = [{{ after = "1h", '
            'channels = ["email", "push", "sms"], unless = "opened" }]',
        ),
    )
    step = spec.steps[1]
    assert [plan.channel for plan in step.plans] == [Channel.SMS, Channel.PUSH, Channel.EMAIL]
    assert (step.after, step.unless) == (3_600_000, Stage.OPENED)
