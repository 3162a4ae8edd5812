"""A text compared with what is no text, which holds of nobody, is refused where it is written."""

import pytest

from policy.audience.segment import belongs, compile_segment
from policy.condition import compile_condition
from policy.rendering.sandbox.template import compile_template
from tests.policy.refusals import problems
from tests.policy.samples import TYPE


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("user.age > 18", "user.age is a text and can't be compared by > 18: user.age | int is"),
        ("user.age == 18", "user.age is a text and can't be compared by == 18"),
        ("user.age != 1.5", "can't be compared by != 1.5"),
        ("user['age'] >= -1", r"user\['age'\] is a text and can't be compared by >= -1"),
        ("18 <= user.age | int and 65 > user.age", "can't be compared by 65 >"),
        ("'1' < user.age < 65", "can't be compared by < 65"),
        ("user.vip == true", "can't be compared by == true"),
        ("user.age in [18, 19]", r"can't be compared by in \[18, 19\]"),
        ("user.age not in (1, 2)", r"can't be compared by not in \[1, 2\]"),
        ("7 in user.groups", "user.groups is a text and can't be compared by 7 in"),
        ("user.age | default('0') | trim < 18", "can't be compared by < 18"),
        ("user.age | default(0) < 18", "can't be compared by < 18"),
        ("user.age + 1 > 18", "user.age is a text and can't be reckoned with 1"),
        ("100 / user.age > 18", "user.age is a text and can't be reckoned with 100"),
        ("user.id == 7", "user.id is a text and can't be compared by == 7"),
        ("(user.a == 'x') or not (user.b == 2)", "user.b is a text"),
    ],
)
def test_what_would_hold_of_nobody_is_refused(where: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        compile_segment(where)


@pytest.mark.parametrize(
    ("where", "attributes"),
    [
        ("user.age | int > 18", {"age": "19"}),
        ("user.age | default('0') | float >= 1.5", {"age": "1.5"}),
        ("user.age == '18'", {"age": "18"}),
        ("user.age in ['18', 19]", {"age": "18"}),
        ("user.age > '18'", {"age": "19"}),
        ("user.name | length > 3", {"name": "Anna"}),
        ("user.age | int + 1 == 20", {"age": "19"}),
        ("'7' in user.groups", {"groups": "6,7"}),
        ("user.first == user.last", {"first": "a", "last": "a"}),
        ("user.plan in 'pro, max'", {"plan": "pro"}),
    ],
)
def test_what_may_hold_is_taken(where: str, attributes: dict[str, str]) -> None:
    assert belongs(compile_segment(where), "ann", attributes)


def test_of_events_only_the_actor_is_known_to_be_a_text() -> None:
    with pytest.raises(ValueError, match="actor is a text and can't be compared by == 7"):
        compile_condition("actor == 7")
    for source in ("data.amount > 7", "data.actor == 7", "actor in data.list", "actor == '7'"):
        compile_condition(source)


def test_a_template_is_held_to_the_same_but_for_names_of_its_own() -> None:
    source = "\n{% if user.age|default('0') > 18 %}x{% endif %}"
    with pytest.raises(ValueError, match="see its line 2"):
        compile_template(source)
    compile_template("{% for actor in data.scores %}{{ actor > 7 }}{% endfor %}")
    compile_template("{% set user = data.account %}{{ user.age|default(0) + 1 }}")


def test_the_check_names_the_segment() -> None:
    thing = TYPE.replace('users = "who"', 'segment = "adults"')
    assert problems(thing=thing, segments='[segments.adults]\nwhere = "user.age > 18"') == [
        "segments.toml:2: segments.adults.where: user.age is a text and can't be compared by > 18: "
        "user.age | int is a number, and what is in quotes a text, see its line 1."
    ]
