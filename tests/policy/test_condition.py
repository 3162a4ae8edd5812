"""Which events a type tells of, by what they hold; the oracle is Python's own evaluation."""

import contextlib
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policy.audience.membership import FollowFacts, Membership, membership
from policy.catalogue.catalogue import parse
from policy.condition import MOST_SHOWN, compile_condition
from policy.delivery_events import passed_over
from policy.identity import notification_id
from schemas.errors import BadCatalogue, BadRecord
from schemas.vocabulary import Reason, Stage
from tests.policy.samples import NOON, TYPE, request, variant

ORDER = {"amount": 150, "country": "DE", "items": [{"sku": "a"}, {"sku": "b"}], "gift": None}


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("data.amount > 100", True),
        ("data.amount > 150", False),
        ("data.amount > 100 and data.country in ['DE', 'AT']", True),
        ("data.amount > 100 and data.country not in ['DE', 'AT']", False),
        ("not (data.amount > 100)", False),
        ("data.country == 'AT' or data.country|lower == 'de'", True),
        ("data.items|length == 2", True),
        ("data.items|map(attribute='sku')|list == ['a', 'b']", True),
        ("data.gift is defined", False),  # a null is as absent as a missing field
        ("data.coupon is defined", False),
        ("(data.coupon|default(0)) > 5", False),
        ("actor == 'bob'", True),
        ("actor.startswith('b')", True),
        ("occurred_at.year == 2026", True),
        ("data.amount", True),
        ("data.amount - 150", False),
        ("data.note if data.note is defined else true", True),
        ("data.amount\n  > 100", True),
        ("'%}' != '{{'", True),
    ],
)
def test_what_holds_of_an_order(source: str, holds: bool) -> None:
    event = request(data=ORDER).event
    assert compile_condition(source).holds(event) is holds


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("data.amout > 100", "when: the variable 'amout' is missing"),
        ("data.gift > 100", "when: the variable 'gift' is missing"),
        ("data.country > 100", "when: TypeError: "),
        ("data.amount / (data.amount - 150) > 1", "when: ZeroDivisionError: "),
        ("data.country * 100000000 == ''", "when: "),
    ],
)
def test_what_an_event_lacks_for_it_is_said(source: str, said: str) -> None:
    event = request(data=ORDER).event
    with pytest.raises(BadRecord) as caught:
        compile_condition(source).holds(event)
    assert caught.value.reason is Reason.INVALID
    assert caught.value.detail.startswith(said)
    assert len(caught.value.detail) <= MOST_SHOWN + len("when: ")


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("data.amount >", "unexpected 'end of template' on its line 1"),
        ("data.amount > 100 %}x{% endif %}{% if true", "unexpected '}' on its line 1"),
        ("data.amount 100", "has more than one expression, see 100"),
        ("amount > 100", "'amount' is not one of actor, data, occurred_at"),
        ("locale == 'de'", "'locale' is not one of actor, data, occurred_at"),
        ("data.amount\n> )", "on its line 2"),
        ("data.name|tojson == ''", "No filter named 'tojson'"),
        ("data is nothing_like_it", "No test named"),
        ("''.__class__.mro()", None),
        ("range(1000000000)|list", "'range' is not one of"),
    ],
)
def test_what_is_no_condition_is_refused_with_its_line(source: str, complaint: str | None) -> None:
    if complaint is None:
        # Not by its form; the sandbox refuses it for every event.
        with pytest.raises(BadRecord):
            compile_condition(source).holds(request().event)
        return
    with pytest.raises(ValueError) as caught:
        compile_condition(source)
    assert complaint in str(caught.value)


def test_the_catalogue_names_its_place() -> None:
    with pytest.raises(BadCatalogue) as caught:
        parse({"thing.toml": TYPE.replace("[types.thing]\n", "[types.thing]\nwhen = 'data.x >'\n")})
    assert "thing.toml" in str(caught.value)
    assert "types.thing.when" in str(caught.value)


_VALUES = st.integers(-3, 3) | st.sampled_from(["", "DE", "AT"]) | st.booleans()
_COMPARED = st.tuples(
    st.sampled_from(["data.a", "data.b"]),
    st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
    st.sampled_from(["data.a", "data.b", "1", "0", "'DE'"]),
).map(" ".join)
_EXPRESSIONS = st.recursive(
    _COMPARED | st.just("data.a in ['DE', 1]"),
    lambda inner: (
        st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map(
            lambda parts: f"({''.join(parts)})"
        )
        | inner.map(lambda one: f"not ({one})")
    ),
    max_leaves=5,
)


@given(_EXPRESSIONS, st.fixed_dictionaries({"a": _VALUES, "b": _VALUES}))
def test_it_holds_when_python_says_so(source: str, data: Mapping[str, Any]) -> None:
    """Both languages agree on these; where Python raises, so does it, whatever came before."""
    condition, event = compile_condition(source), request(data=dict(data)).event
    expected: bool | None = None
    with contextlib.suppress(TypeError):
        expected = bool(eval(source, {"data": SimpleNamespace(**data)}))  # noqa: S307
    if expected is None:
        with pytest.raises(BadRecord):
            condition.holds(event)
    else:
        assert condition.holds(event) is expected


WHEN = ("[types.thing]\n", "[types.thing]\nwhen = 'data.amount > 100'\n")


def test_whom_it_would_tell_is_told_why_not() -> None:
    spec = variant(WHEN)
    assert spec.when is not None
    event = request(data={"who": "ann", "text": "x", "amount": 5}).event
    told = passed_over(event, spec, spec.when, NOON + 5, NOON + 9, "ann")
    assert (told.stage, told.reason, told.channel) == (Stage.SUPPRESSED, Reason.CONDITION, None)
    assert (told.user, told.detail) == ("ann", "not data.amount > 100")
    name = notification_id("default", "e1", "ann", "thing")
    assert (told.notification_id, told.id) == (name, f"{name}.all.suppressed.0")
    assert (told.at, told.accepted_at, told.occurred_at) == (NOON + 9, NOON + 5, NOON)
    everybody = passed_over(event, spec, spec.when, NOON + 5, NOON + 9)
    assert everybody.user == event.actor
    assert everybody.notification_id == notification_id("default", "e1", "", "thing")


def test_an_explanation_says_so_before_all_else() -> None:
    spec = variant(WHEN)
    event = request(data={"who": "ann", "text": "x", "amount": 5}).event
    found = membership(event, spec, "ann", FollowFacts(), {}, 10)
    assert found == Membership(False, "it is sent for an event only if data.amount > 100")
    more = replace(event, data=event.data | {"amount": 101})
    assert membership(more, spec, "ann", FollowFacts(), {}, 10).is_in
