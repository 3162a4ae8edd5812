"""Experiments: who reads which variant, and what of one that can't be run is refused."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policy.audience.membership import Membership
from policy.catalogue.catalogue import parse
from policy.decision.explanation import explain
from policy.delivery_events import reached
from policy.experiments.experiment import Experiment
from policy.notification_type import NotificationType
from policy.user.state import UserState
from schemas.errors import BadCatalogue
from schemas.request import Request
from schemas.vocabulary import Stage
from tests.policy.person import Person
from tests.policy.refusals import problems
from tests.policy.samples import EVERYWHERE, HOUR, NOON, TYPE, request, variant

DIGEST = """
[[types.thing.digests]]
channels = ["push"]
every = "1h"
"""
EXPERIMENT = """
[types.thing.experiment]
name = "greeting"
variants.plain = {}
[types.thing.experiment.variants.warm]
weight = 3
[types.thing.experiment.variants.warm.templates]
push = { title = "Hello!", body = "{{ data.text }}", data = ["text"] }
"""
WARM = 'push = { title = "Hello!", body = "{{ data.text }}", data = ["text"] }'
NAMES = st.text(min_size=1, max_size=20)


def thing(*changes: tuple[str, str]) -> NotificationType:
    text = TYPE + EXPERIMENT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse({"thing.toml": text}).types["thing"]


THING = thing()


def experiment(spec: NotificationType = THING) -> Experiment:
    assert spec.experiment is not None
    return spec.experiment


def of(user: str) -> Request:
    return replace(request(), user=user)


def name_of(user: str, tenant: str = "default", spec: NotificationType = THING) -> str:
    return experiment(spec).assigned(tenant, user, spec.name).variant


def user_of(label: str) -> str:
    return next(user for user in map(str, range(1000)) if name_of(user) == label)


def test_a_type_without_an_experiment_is_what_it_was() -> None:
    assert variant().experiment is None
    (first, *_) = Person(variant()).meet(request(), NOON).deliveries
    assert first.variant == ""


@given(NAMES, NAMES)
def test_a_user_always_gets_the_same_variant(tenant: str, user: str) -> None:
    found = name_of(user, tenant)
    assert found in ("greeting/plain", "greeting/warm")
    # A catalogue that is read again, or has changed elsewhere, changes nothing.
    assert name_of(user, tenant, thing(("= 86400", "= 3600"))) == found


def test_users_fall_by_weight() -> None:
    found = Counter(name_of(f"user-{number}") for number in range(20_000))
    assert found.keys() == {"greeting/plain", "greeting/warm"}
    # Five standard deviations of a binomial of 20,000 and 3/4.
    assert abs(found["greeting/warm"] - 15_000) < 5 * 61.3


def test_a_variant_of_any_weight_is_reached_and_none_lies_beyond_the_last() -> None:
    lopsided = thing(("weight = 3", "weight = 4611686018427387904"))
    assert name_of("ann", spec=lopsided) == "greeting/warm"


@pytest.mark.parametrize(
    "change", [('name = "greeting"', 'name = "greeting-2"'), ("types.thing", "types.other")]
)
def test_another_name_shuffles_anew(change: tuple[str, str]) -> None:
    """Of two even variants, about half of the users are in the other one."""
    even = (("weight = 3", "weight = 1"),)
    text = TYPE + EXPERIMENT.replace(*even[0])
    (spec,) = parse({"thing.toml": text.replace(*change)}).types.values()
    users = [f"user-{number}" for number in range(4000)]
    first = thing(*even)
    ends = [[name_of(user, spec=each).endswith("warm") for user in users] for each in (first, spec)]
    moved = sum(was is not is_now for was, is_now in zip(*ends, strict=True))
    assert abs(moved - 2000) < 5 * 31.7
    others = [name_of(user, "globex", first).endswith("warm") for user in users]
    moved = sum(was is not is_now for was, is_now in zip(ends[0], others, strict=True))
    assert abs(moved - 2000) < 5 * 31.7


def test_assignment_is_the_same_for_ever() -> None:
    """Golden: another hash would show people another text in the midst of an experiment."""
    found = "".join(name_of(f"user-{number}")[9] for number in range(16))
    assert found == "wpwwwwwpwwwwppww"


@pytest.mark.parametrize(("label", "title"), [("plain", "Hi"), ("warm", "Hello!")])
def test_the_variants_texts_are_sent_and_told_of(label: str, title: str) -> None:
    label = f"greeting/{label}"
    person = Person(THING)
    deliveries = person.meet(of(user_of(label)), NOON).deliveries
    assert {each.variant for each in deliveries} == {label}
    titles = {str(each.channel): each.content.title for each in deliveries}
    # E-mail has no override, so it is the type's own.
    assert (titles["push"], titles["email"]) == (title, "Hi")
    assert {reached(each, Stage.SENT, NOON).variant for each in deliveries} == {label}


@pytest.mark.parametrize("label", ["greeting/plain", "greeting/warm"])
@pytest.mark.parametrize("special", ['delay = "5m"', DIGEST], ids=["delayed", "digest"])
def test_what_waits_comes_in_the_same_variant(label: str, special: str) -> None:
    spec = thing(("= 86400\n", f"= 86400\n{special}\n"))
    person, user = Person(spec, EVERYWHERE), user_of(label)
    person.meet(of(user), NOON)
    sent = [each for decision in person.on_timer(NOON + 2 * HOUR) for each in decision.deliveries]
    assert sent
    assert {each.variant for each in sent} == {label}


def test_an_explanation_names_the_variant_and_the_hash() -> None:
    member = Membership(True, "data.who")
    user = user_of("greeting/warm")
    found = explain(of(user), THING, member, UserState(profile=EVERYWHERE), NOON)
    assert found.variant == "greeting/warm"
    (asked,) = [each for each in found.asked if each.rule == "experiment"]
    assert asked.looked_at.startswith("warm of greeting: the hash of tenant, user, type and")
    assert asked.looked_at.endswith("%, and warm has 25.00% to 100.00%")
    plain = explain(request(), variant(), member, UserState(profile=EVERYWHERE), NOON)
    assert plain.variant == ""
    assert "experiment" not in {each.rule for each in plain.asked}


@given(st.lists(st.integers(1, 50), min_size=2, max_size=6), NAMES)
def test_the_place_that_is_shown_is_within_the_variants_share(
    weights: list[int], user: str
) -> None:
    tables = "\n".join(
        f"variants.v{number} = {{ weight = {weight}, "
        f'templates.push = {{ title = "{number}", body = "x", data = ["text"] }} }}'
        for number, weight in enumerate(weights)
    )
    text = f'{TYPE}[types.thing.experiment]\nname = "n"\n{tables}'
    found = experiment(parse({"thing.toml": text}).types["thing"])
    name = found.assigned("default", user, "thing").variant.removeprefix("n/")
    words = found.shown("default", user, "thing").replace(",", "").split()
    place, low, high = (float(word[:-1]) for word in words if word.endswith("%"))
    assert words[0] == name
    assert low - 0.01 <= place <= high + 0.01


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("variants.plain = {}\n", "", ":19: {}.variants: must be two at least, as one has nothing"),
        ("weight = 3", "weight = 0", ":21: {}.variants.warm.weight: Expected `int` >= 1"),
        ("weight = 3", "weight = -1", ":21: {}.variants.warm.weight: Expected `int` >= 1"),
        ("weight = 3", "weight = 0.5", ":21: {}.variants.warm.weight: Expected `int`, got `flo"),
        ("weight = 3", "share = 3", ":21: {}.variants.warm: Object contains unknown field `share"),
        ('name = "greeting"', "", ":17: {}: Object missing required field `name`"),
        ('name = "greeting"', 'name = "a/b"', ":18: {}.name: not of letters, digits, - and _ al"),
        ("variants.warm", 'variants."a/b"', ":20: {}.variants.'a/b': not of letters, digits"),
        ("variants.warm", "variants.plain", ":20: is not TOML: Cannot "),
        ("push = { title", "fax = { title", ":23: {}.variants.warm.templates: Object contains u"),
        ("push = { title", "chat = { title", ":23: {}.variants.warm.templates.chat: is for a ch"),
        ('body = "{{ data.text }}", data', "data", ":23: {}.variants.warm.templates.push: Object"),
        ('"{{ data.text }}", data', '"{{ dat }}", data', ":23: {}.variants.warm.templates.push.bo"),
        (', data = ["text"] }\n', " }\n", ":23: {}.variants.warm.templates.push.data: lacks tex"),
        (WARM, 'email = { body = "x" }', ":23: {}.variants.warm.templates.email.title: is miss"),
        (WARM, 'sms = { body = "x", title = "y" }', ":23: {}.variants.warm.templates.sms: has m"),
        (WARM, "", ":20: {}.variants.warm: has no effect, as it says the same as plain"),
        ('"Hello!"', '"Hi"', ":20: {}.variants.warm: has no effect, as it says the same as plain"),
    ],
)
def test_what_can_not_be_compared_is_refused(old: str, new: str, complaint: str) -> None:
    text = EXPERIMENT.replace(old, new)
    assert text != EXPERIMENT
    found = problems(thing=TYPE + text)
    expected = "thing.toml" + complaint.format("types.thing.experiment")
    assert found[0].startswith(expected), found


@pytest.mark.parametrize(
    ("own", "complaint"),
    [
        ('digest = { body = "{{ count }}" }', "digest: is missing, and the type's own templates"),
        (
            'locales.de = { title = "y", body = "x" }',
            "locales: lacks de, which the type's own templates have",
        ),
    ],
)
def test_variants_that_differ_in_more_than_words_are_refused(own: str, complaint: str) -> None:
    text = TYPE.replace('data = ["text"] }', f'data = ["text"], {own} }}')
    (problem,) = problems(thing=text + EXPERIMENT)
    place = "thing.toml:23: types.thing.experiment.variants.warm.templates.push."
    assert problem.startswith(place + complaint)
    parse({"thing.toml": text + EXPERIMENT.replace('["text"]', f'["text"], {own}')})


def test_a_layout_may_be_for_a_variant_alone() -> None:
    layouts = '[layouts.letter]\nhtml = "<p>{{ content }}</p>"\n'
    mail = 'email = { title = "x", body = "x", html = "<i>x</i>", layout = "letter" }'
    parse({"layouts.toml": layouts, "thing.toml": TYPE + EXPERIMENT.replace(WARM, mail)})
    with pytest.raises(BadCatalogue, match=r"23: .*warm.templates.email.layout: 'letter' is not"):
        parse({"thing.toml": TYPE + EXPERIMENT.replace(WARM, mail)})
