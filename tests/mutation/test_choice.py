"""Which tests are chosen for a mutant, from what was recorded."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.mutation.choice import choose, runs_at_import
from tests.mutation.mutant import Mutant
from tests.mutation.recording import Recording

TESTS = ["tests/shop/test_cart.py::test_cart", "tests/shop/test_price.py::test_price",
         "tests/shop/test_price.py::test_slow", "tests/shop/test_till.py::test_till"]  # fmt: skip
LINES = {"shop/price.py": {1: [-1], 4: [0, 1, 2], 5: [1], 8: [0, -1], 9: []}}


def recording(**fields: Any) -> Recording:
    """The first test is the quickest, the others take longer and longer."""
    values = {
        "tests": TESTS,
        "seconds": [0.1, 0.2, 0.3, 0.4],
        "cpu_seconds": [0.1, 0.2, 0.3, 0.4],
        "lines": LINES,
        "failed": [],
        "modules": [],
    }
    return Recording(**{**values, **fields})


def mutant(first: int, last: int, *, in_body: bool = True, path: str = "shop/price.py") -> Mutant:
    return Mutant(
        path=path, where="f", before="1", after="2", number=1, lines=(first, last), source="",
        in_body=in_body,
    )  # fmt: skip


def chosen(mutant: Mutant, **fields: Any) -> list[int]:
    found = choose(mutant, recording(**fields), str)
    return [TESTS.index(test) for test in found.tests]


def test_those_of_the_modules_own_file_come_first_and_then_the_quickest() -> None:
    assert chosen(mutant(4, 4)) == [1, 2, 0]
    assert chosen(mutant(4, 4), seconds=[0.1, 0.9, 0.3, 0.4]) == [2, 1, 0]


def test_only_those_that_execute_the_statement() -> None:
    assert chosen(mutant(5, 5)) == [1]
    assert chosen(mutant(4, 5)) == [1, 2, 0]


def test_what_no_test_executes_has_none() -> None:
    assert chosen(mutant(9, 9)) == []
    assert chosen(mutant(4, 4, path="shop/other.py")) == []


def test_what_acts_at_import_concerns_all_that_enter_the_module() -> None:
    for changed in (mutant(1, 1, in_body=False), mutant(5, 5, in_body=False), mutant(8, 8)):
        assert runs_at_import(changed, recording())
        assert chosen(changed) == [1, 2, 0]
    assert not runs_at_import(mutant(4, 5), recording())


def test_what_acts_at_import_also_concerns_test_files_that_import_from_the_module() -> None:
    texts = {"tests/shop/test_till.py": "from shop.price import VAT\n"}
    changed = mutant(1, 1, in_body=False)
    found = choose(changed, recording(), lambda path: texts.get(path, ""))
    assert found.tests == [TESTS[1], TESTS[2], TESTS[0], TESTS[3]]
    in_function = choose(mutant(5, 5), recording(), lambda path: texts.get(path, ""))
    assert in_function.tests == [TESTS[1]]


@pytest.mark.parametrize(
    ("line", "is_judge"),
    [
        ("from shop.price import VAT", True),
        ("from shop import price", True),
        ("from shop import cart, price, till", True),
        ("    import shop.price", True),
        ("from shop import prices", False),
        ("from shop.prices import VAT", False),
        ("from other import price", False),
    ],
)
def test_a_module_is_imported_in_several_ways(line: str, is_judge: bool) -> None:
    texts = {"tests/shop/test_till.py": f"import os\n{line}\n"}
    changed = mutant(1, 1, in_body=False)
    found = choose(changed, recording(), lambda path: texts.get(path, ""))
    assert (TESTS[3] in found.tests) == is_judge


def test_values_are_judged_by_the_tests_of_who_imports_them() -> None:
    lines = {**LINES, "shop/rates.py": {1: [-1]}, "shop/other.py": {1: [3]}}
    texts = {"shop/price.py": "from shop.rates import RATE\n", "shop/other.py": "import rates\n"}
    changed = mutant(1, 1, in_body=False, path="shop/rates.py")
    found = choose(changed, recording(lines=lines), lambda path: texts.get(path, ""))
    assert found.tests == TESTS[:3]


def test_so_much_is_run_at_most() -> None:
    assert chosen(mutant(4, 4), cpu_seconds=[1.0, 9.5, 0.5, 1.0]) == [1, 2]
    assert chosen(mutant(4, 4), cpu_seconds=[1.0, 99.0, 0.5, 1.0]) == [1]
    assert chosen(mutant(4, 4), seconds=[45.0, 35.0, 4.0, 1.0]) == [2, 1]
    assert chosen(mutant(4, 4), seconds=[45.0, 99.0, 98.0, 1.0]) == [2]


def test_time_is_allowed_for_what_they_took() -> None:
    choice = choose(mutant(5, 5), recording(cpu_seconds=[0.0, 1.0, 0.0, 0.0]), str)
    assert (choice.cpu, choice.seconds) == (14, 61.6)


def test_a_view_is_judged_by_the_tests_that_name_it() -> None:
    view = mutant(3, 3, path="analytics/migrations/0004_views.sql")
    texts = {TESTS[3]: "SELECT f FROM f"}
    assert choose(view, recording(), lambda name: texts.get(name, "")).tests == [TESTS[3]]
    assert choose(view, recording(), lambda _: "").tests == TESTS


def test_a_view_is_judged_by_tests_beside_those_that_name_it_too() -> None:
    """A table of what each panel shows names them for all tests of its file."""
    view = mutant(3, 3, path="analytics/panels/f.sql")
    texts = {TESTS[3]: "SELECT f FROM f", "tests/shop/test_price.py": "OF_EACH = {'f': 1}"}
    found = choose(view, recording(), lambda name: texts.get(name, ""))
    assert found.tests == [TESTS[3], TESTS[1], TESTS[2]]


def test_a_view_is_judged_first_by_tests_that_bear_its_name() -> None:
    view = replace(mutant(3, 3, path="analytics/panels/till.sql"), where="till")
    found = choose(view, recording(), lambda name: "till" if "::" in name else "")
    assert found.tests == [TESTS[3], *TESTS[:3]]


def test_what_fills_a_table_is_judged_by_the_tests_that_name_the_table() -> None:
    view = replace(mutant(3, 3, path="analytics/migrations/2.sql"), where="sales_from_events")
    texts = {TESTS[2]: "SELECT * FROM sales"}
    assert choose(view, recording(), lambda name: texts.get(name, "")).tests == [TESTS[2]]
