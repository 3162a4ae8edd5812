"""A function's code is exchanged wherever the function is held."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.mutation.exchange import exchange, functions_below

SOURCE = """
def double(a):
    return a * 2

HELD = {"double": double}

class Price:
    def of(self, a):
        def inner(b):
            return a + b
        return inner

    @property
    def unit(self):
        return 1

    @unit.setter
    def unit(self, value):
        self.value = value
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ModuleType]:
    file = tmp_path / "shop_to_change.py"
    file.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("shop_to_change", file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["shop_to_change"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["shop_to_change"]


def change(shop: ModuleType, before: str, after: str, where: str) -> bool:
    file = str(shop.__file__)
    functions = functions_below(str(Path(file).parent))
    return exchange(file, SOURCE.replace(before, after), where, functions)


def test_whoever_holds_the_function_has_the_change(shop: ModuleType) -> None:
    assert change(shop, "a * 2", "a * 3", "double")
    assert (shop.double(5), shop.HELD["double"](5)) == (15, 15)


def test_a_function_within_a_method_also_where_it_was_made_before(shop: ModuleType) -> None:
    before = shop.Price().of(3)
    assert change(shop, "a + b", "a - b", "Price.of.inner")
    assert shop.Price().of(3)(2) == 1
    assert before(2) == 1


def test_two_of_one_name_are_not_exchanged(shop: ModuleType) -> None:
    assert not change(shop, "return 1", "return 2", "Price.unit")
    assert shop.Price().unit == 1


def test_what_is_not_imported_is_not_exchanged(shop: ModuleType) -> None:
    assert not exchange(f"{shop.__file__}.other", SOURCE, "double", {})
