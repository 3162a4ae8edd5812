"""Segments: whose attributes fit, which one an event is for, and what of one that can't be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.audience.membership import FollowFacts, membership
from policy.audience.segment import belongs, compile_segment, segment_of
from policy.catalogue.catalogue import parse
from schemas.errors import BadRecord
from schemas.vocabulary import Reason
from tests.policy.refusals import problems
from tests.policy.samples import TYPE, happened

ANN = {
    "plan": "pro",
    "age": "41",
    "country": "DE",
    "since": "2024-11-30",
    "tags": "beta,early",
    "spent": "99.50",
}
SEGMENTS = """
[segments.adults]
where = "user.age | int >= 18"
[segments.german]
where = "user.country == 'DE'"
"""
TO_ADULTS = TYPE.replace('users = "who"', 'segment = "adults"') + SEGMENTS
CHOSEN = TYPE.replace('users = "who"', 'segment_at = "to.segment"') + SEGMENTS


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("user.plan == 'pro' and user.country == 'DE'", True),
        ("user.plan == 'free' or user.country == 'DE'", True),
        ("user.plan == 'free' or user.country == 'FR'", False),
        ("not user.plan == 'free'", True),
        ("not (user.plan == 'pro' or user.age | int < 18)", False),
        ("user.country in ['DE', 'AT', 'CH']", True),
        ("user.country not in ['DE', 'AT', 'CH']", False),
        ("user.age | int >= 18 and user.age | int < 65", True),
        ("user.age | int > 41", False),
        # As numbers, not as texts: '41' comes after '100'.
        ("user.age | int < 100", True),
        ("user.spent | float > 99.4", True),
        ("user.since < '2025-01-01'", True),
        ("'2024-12-01' <= user.since", False),
        ("'beta' in user.tags.split(',')", True),
        ("'bet' in user.tags.split(',')", False),
        ("user.id in ['ann', 'bob']", True),
        ("user.plan | default('free') == 'pro'", True),
        # What is not there.
        ("user.city == 'Bonn'", False),
        ("user.city != 'Bonn'", False),
        ("not user.city == 'Bonn'", False),
        ("user.city | default('') != 'Bonn'", True),
        ("user.city is defined", False),
        ("user.plan == 'pro' or user.city == 'Bonn'", True),
        ("user.city == 'Bonn' or user.plan == 'pro'", False),
        # What can't be compared.
        ("user.age > user.plan | int", False),
        ("user.plan | int > 0", False),
    ],
)
def test_who_belongs_is_by_their_attributes(where: str, expected: bool) -> None:
    assert belongs(compile_segment(where), "ann", ANN) is expected


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["and", "or"]),
            st.booleans(),
            st.sampled_from("abc"),
            st.sampled_from([["x"], ["x", "y"], ["z"]]),
        ),
        min_size=1,
        max_size=5,
    ),
    st.fixed_dictionaries({name: st.sampled_from("xyz") for name in "abc"}),
)
def test_it_is_as_python_would_have_it(
    terms: list[tuple[str, bool, str, list[str]]], attributes: dict[str, str]
) -> None:
    """And, or, not and lists in any order, by their precedence."""
    where, python = "", ""
    for joint, is_not, name, values in terms:
        before = f" {joint} " if where else ""
        where += f"{before}{'not ' * is_not}user.{name} in {values}"
        python += f"{before}{'not ' * is_not}attributes[{name!r}] in {values}"
    expected = eval(python, {"attributes": attributes})  # noqa: S307 - made above
    assert belongs(compile_segment(where), "ann", attributes) is expected


def test_an_event_says_which_segment_it_is_for() -> None:
    spec = parse({"a.toml": CHOSEN}).types["thing"]
    for name in ("adults", "german"):
        chosen = segment_of(happened("thing.happened", data={"to": {"segment": name}}), spec)
        assert chosen is not None
        assert (chosen.name, chosen.condition) == (name, spec.segments[name])
    for data, said in (
        ({}, "is missing"),
        ({"to": {"segment": None}}, "is missing"),
        ({"to": {"segment": "minors"}}, "names no segment"),
        ({"to": {"segment": ["adults"]}}, "names no segment"),
    ):
        with pytest.raises(BadRecord) as caught:
            segment_of(happened("thing.happened", data=data), spec)
        assert caught.value.reason is Reason.INVALID
        assert caught.value.detail == f"data.to.segment {said} of adults, german, see thing"


def test_a_type_has_the_segment_that_it_names_alone() -> None:
    spec = parse(
        {"a.toml": TO_ADULTS, "b.toml": CHOSEN.partition("\n[segments")[0].replace("thing", "o")}
    )
    assert set(spec.types["thing"].segments) == {"adults"}
    assert set(spec.types["o"].segments) == {"adults", "german"}
    chosen = segment_of(happened("thing.happened"), spec.types["thing"])
    assert chosen is not None
    assert chosen.name == "adults"


def test_it_is_explained() -> None:
    spec = parse(
        {"a.toml": TO_ADULTS, "b.toml": CHOSEN.partition("\n[segments")[0].replace("thing", "o")}
    ).types["thing"]
    event = happened("thing.happened")
    for age, is_in, verb in (("41", True, "is"), ("7", False, "is not")):
        found = membership(event, spec, "ann", FollowFacts(), {"age": age}, 1)
        assert (found.is_in, found.why) == (
            is_in,
            f"ann {verb} in adults, those with user.age | int >= 18",
        )


@pytest.mark.parametrize(
    ("where", "complaint"),
    [
        ("user.age >", "unexpected 'end of template' on its line 1."),
        ("user.age > 1 }}{{ 1", "has more than one expression, see '}}'."),
        ("data.age == 1", "'data' is not one of user."),
        ("user.age | shell", "No filter named 'shell'. on its line 1."),
        ("True and\\nuser.age |\\n| int", "expected token 'name', got '|' on its line 3."),
        ("user.age = 1", "has more than one expression, see '='."),
    ],
)
def test_what_is_no_expression_is_told_with_its_line(where: str, complaint: str) -> None:
    text = TO_ADULTS.replace("user.age | int >= 18", where)
    (found,) = [each for each in problems(a=text) if "segments.adults" in each]
    line = text.splitlines().index(f'where = "{where}"') + 1
    assert found.startswith(f"a.toml:{line}: segments.adults.where: {complaint.rstrip('.')}"), found


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            TO_ADULTS.replace('"adults"', '"minors"'),
            "8: types.thing.segment: 'minors' is no segment of the catalogue: it has adults, "
            "german.",
        ),
        (
            TO_ADULTS.partition("\n[segments")[0],
            "8: types.thing.segment: 'adults' is no segment of the catalogue: it has none.",
        ),
        (
            CHOSEN.partition("\n[segments")[0],
            "8: types.thing.segment_at: needs segments, of which the catalogue has none.",
        ),
        (TO_ADULTS, "19: segments.german: is the segment of no type."),
        (
            CHOSEN.replace("segment_at", 'segment = "adults"\nsegment_at'),
            "9: types.thing.segment_at: contradicts segment: only one of them can name the "
            "recipients.",
        ),
    ],
)
def test_what_does_not_agree_is_told_with_its_line(text: str, complaint: str) -> None:
    assert f"a.toml:{complaint}" in problems(a=text)


def test_nothing_harmful_is_run() -> None:
    for where in (
        "user.__class__ is defined",
        "user.id.__class__.__mro__ is defined",
        "user.id.format_map({}) == ''",
        "'x' * 10000000000 == ''",
    ):
        assert belongs(compile_segment(where), "ann", ANN) is False
