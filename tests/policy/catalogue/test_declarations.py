import pytest

from policy.catalogue.catalogue import parse
from policy.limits.rate_limit import RateLimit
from policy.notification_type import Limited
from policy.user.tenant import DEFAULT_TENANT
from schemas.vocabulary import Channel
from tests.policy.refusals import problems
from tests.policy.samples import TYPE

LAYOUT = """[layouts.letter]
html = "<p>{{ content }}</p>"
"""
IN_LETTER = TYPE.replace('email = { title = "Hi"', 'email = { layout = "letter", title = "Hi"')


@pytest.mark.parametrize("section", ["types.thing", "categories.a", "tenants.a", "layouts.a"])
def test_each_thing_is_declared_once_over_all_files(section: str) -> None:
    text = {
        "types.thing": TYPE,
        "categories.a": "[categories.a]\nrate_limit = { count = 1, seconds = 1 }",
        "tenants.a": "[tenants.a]",
        "layouts.a": '[layouts.a]\nhtml = ""',
    }[section]
    line = 4 if section == "types.thing" else 1
    expected = f"z.toml:{line}: {section}: is declared in b.toml as well."
    assert expected in problems(z=text, b=text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "1: the file declares nothing"),
        ("# [types.thing]\n", "1: the file declares nothing"),
        ('\nevent = "a"', "2: event: sets off no types"),
        (
            "[categories.none]\nrate_limit = { count = 1, seconds = 1 }",
            "1: categories.none: is the",
        ),
        ("[categories.things]\n", "1: categories.things: says nothing"),
        ("[tenants.a]\n[tenants.a.categories]\nnone.push = true", "3: tenants.a.categories.none: "),
        ('[tenants.a]\nfrequency = { none = "daily" }', "2: tenants.a.frequency.none: is the cat"),
        ('[tenants.a]\nfrequency = { things = "monthly" }', "2: tenants.a.frequency.things: Inva"),
        ("[tenants.a]\ncategories.things.fax = true", "2: tenants.a.categories.things.fax: Inval"),
        ('[tenants.a]\nzone = "local"', "2: tenants.a.zone: 'local' is not an IANA time zone"),
        ('[tenants.a]\nlocale = "tlh-QQ"', "2: tenants.a.locale: 'tlh-QQ' is not a locale"),
        ('[tenants.a]\nlocale = "?"', '2: tenants.a.locale: not a locale such as "en"'),
        ('[tenants.a]\ndigest_at = "9:00"', "2: tenants.a.digest_at: not a time of day such as"),
        (
            '[tenants.a]\nquiet_hours = [\n{ start = "22:00", end = "07:00" },\n'
            '{ start = "12:00", end = "12:00" },\n]',
            "4: tenants.a.quiet_hours[1].end: is the start as well",
        ),
        (
            '[[tenants.a.quiet_hours]]\nstart = "22:00"\nend = "07:00"\ndays = ["mon", "mon"]',
            "4: tenants.a.quiet_hours[0].days: names mon more than once",
        ),
        ("[tenants.a]\nrate_limit = { count = 0, seconds = 1 }", "2: tenants.a.rate_limit.count: "),
        (LAYOUT, "1: layouts.letter: is used by no templates"),
        ("[layouts.letter]\nhtm = 1", "2: layouts.letter: Object contains unknown field `htm`"),
    ],
)
def test_what_all_files_share_is_checked(text: str, complaint: str) -> None:
    (problem,) = problems(shared=text, thing=TYPE)
    assert problem.startswith(f"shared.toml:{complaint}")


def test_a_limit_for_a_category_of_critical_types_has_no_effect() -> None:
    category = "[categories.things]\nrate_limit = { count = 1, seconds = 1 }"
    (problem,) = problems(shared=category, thing=TYPE.replace("normal", "critical"))
    assert problem.startswith("shared.toml:1: categories.things: has no effect, as what is crit")


def test_a_layout_is_for_the_templates_of_all_files() -> None:
    spec = parse({"layouts.toml": LAYOUT, "thing.toml": IN_LETTER}).types["thing"]
    assert spec.plan_of(Channel.EMAIL) is not None
    (unknown,) = problems(thing=IN_LETTER)
    assert unknown.startswith("thing.toml:13: types.thing.templates.email.layout: 'letter' is not")


def test_of_a_broken_layout_only_that_is_told() -> None:
    (problem,) = problems(layouts="[layouts.letter]\nhtml = 3", thing=IN_LETTER)
    assert problem == "layouts.toml:2: layouts.letter.html: Expected `str | null`, got `int`."


def test_tenants_and_categories_may_stand_in_any_file() -> None:
    catalogue = parse(
        {
            "thing.toml": TYPE + '\n[tenants.acme]\nzone = "Asia/Tokyo"\n',
            "shared.toml": "[categories.things]\nrate_limit = { count = 3, seconds = 60 }\n"
            '[tenants.other]\nfrequency = { "*" = "daily" }',
        }
    )
    assert catalogue.tenant("acme").zone == "Asia/Tokyo"
    assert catalogue.tenant("nobody") == DEFAULT_TENANT
    limit = Limited("category.things", RateLimit(3, 60), once=True)
    assert all(limit in plan.limits for plan in catalogue.types["thing"].steps[0].plans)


LABELLED = """
[categories.things]
label = "Things"
labels = { de = "Dinge", pt = "Coisas" }
"""


@pytest.mark.parametrize(
    ("category", "language", "label"),
    [
        ("things", "en", "Things"),
        ("things", "de", "Dinge"),
        ("things", "de-AT", "Dinge"),
        ("things", "pt-BR", "Coisas"),
        ("things", "", "Things"),
        ("messages", "de", None),
        ("none", "de", None),
    ],
)
def test_a_category_has_a_name_for_people_and_no_limit_by_that(
    category: str, language: str, label: str | None
) -> None:
    found = parse({"shared.toml": LABELLED, "thing.toml": TYPE})
    assert found.label(category, language) == label
    bare = parse({"thing.toml": TYPE}).types["thing"]
    plans = zip(found.types["thing"].steps[0].plans, bare.steps[0].plans, strict=True)
    assert all(one.limits == other.limits for one, other in plans)
