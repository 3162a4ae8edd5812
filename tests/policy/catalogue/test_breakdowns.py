"""What may stand as the attribute by which a type is broken down, and what is hardly meant."""

import pytest

from policy.catalogue.catalogue import parse
from tests.policy.refusals import problems
from tests.policy.samples import TYPE

SEGMENT = """
[segments.paying]
where = "user.plan in ['basic', 'pro'] and user.country | default('') != 'US'"
"""
KNOWN = TYPE.replace('users = "who"', 'segment = "paying"') + SEGMENT


def by(name: str, text: str = KNOWN) -> str:
    return text.replace("time_to_live", f'breakdown = "{name}"\ntime_to_live', 1)


@pytest.mark.parametrize("name", ["plan", "country", "tariff", "signed up in", "x" * 64, "zones"])
def test_any_other_attribute_is_taken(name: str) -> None:
    found = parse({"thing.toml": by(name)})
    assert found.types["thing"].breakdown == name
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        *((name, "names one user each, and no class") for name in ("id", "email", "Phone", "name")),
        ("zone", "is a field of contacts"),
        *((name, "") for name in ("", "a=b", " plan", "plan ", "x" * 65)),
    ],
)
def test_what_can_be_no_class_is_a_mistake(name: str, complaint: str) -> None:
    (found,) = problems(thing=by(name))
    assert found.startswith(f"thing.toml:{_line(by(name))}: types.thing.breakdown: ")
    assert complaint in found


@pytest.mark.parametrize(
    ("name", "meant"), [("plann", "plan"), ("Plan", "plan"), ("cuontry", "country")]
)
def test_what_is_nearly_the_name_of_another_is_doubted(name: str, meant: str) -> None:
    assert parse({"thing.toml": by(name)}).warnings == (
        f"thing.toml:{_line(by(name))}: types.thing.breakdown: {name!r} is an attribute nowhere "
        f"else in the catalogue (did you mean {meant}?).",
    )


def test_attributes_in_texts_and_in_tables_are_known() -> None:
    in_text = TYPE.replace("{{ data.text }}", "{{ user.tariff | default('') }}", 1)
    in_table = TYPE.replace('users = "who"', 'segment = { tariff = "gold" }')
    for text in (in_text, in_table):
        assert parse({"thing.toml": by("tariff", text)}).warnings == ()
        assert len(parse({"thing.toml": by("tarif", text)}).warnings) == 1


def _line(text: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if line.startswith("breakdown"))
