"""Where a Python source is changed, how, and where it is left alone."""

from tests.mutation.mutant import Mutant
from tests.mutation.python import compiles, mutants_of


def changes(source: str) -> list[tuple[str, str]]:
    """What is changed to what, in the order of the text."""
    return [(mutant.before, mutant.after) for mutant in mutants_of("shop/price.py", source)]


def only(source: str, before: str) -> Mutant:
    """The one mutant that changes this."""
    (found,) = (m for m in mutants_of("shop/price.py", source) if m.before == before)
    return found


def test_a_comparison_becomes_its_neighbour() -> None:
    source = "def is_late(took):\n    return took > 5\n"
    assert changes(source) == [("> 5", ">= 5"), ("5", "6")]


def test_a_mutant_is_the_whole_file_with_the_change() -> None:
    source = "# Prices.\n\ndef is_late(took):\n    return took > 5  # s\n"
    mutant = only(source, "5")
    assert mutant.source == "# Prices.\n\ndef is_late(took):\n    return took > 6  # s\n"
    assert mutant.lines == (4, 4)


def test_a_change_over_several_lines_leaves_the_rest_as_it_is() -> None:
    source = "def f(a):\n    return g(\n        a,\n        1,\n    )\n"
    after = [m.source for m in mutants_of("x.py", source)]
    assert "def f(a):\n    return g(\n        None,\n        1,\n    )\n" in after
    assert all(text.startswith("def f(a):\n    return g(\n") for text in after)


CLASS = """
class Price:
    unit = 1

    def of(self):
        def inner():
            return 2
"""


def test_a_place_is_named_by_class_and_function() -> None:
    places = [(m.where, m.after, m.in_body) for m in mutants_of("x.py", CLASS)]
    assert places[1:] == [("Price", "2", False), ("Price.of.inner", "3", True)]


def test_a_default_of_a_parameter_acts_at_import() -> None:
    (mutant,) = mutants_of("x.py", "def f(a=1):\n    return a\n")
    assert (mutant.where, mutant.in_body) == ("f", False)


def test_shifted_lines_leave_the_name_of_a_mutant_alone() -> None:
    source = "def f(a):\n    return a + 1\n"
    shifted = "# A line.\n\n" + source
    before = [mutant.key for mutant in mutants_of("x.py", source)]
    assert before == [mutant.key for mutant in mutants_of("x.py", shifted)]
    assert len(set(before)) == len(before) == 2


def test_equal_changes_of_one_place_are_told_apart() -> None:
    keys = [m.key for m in mutants_of("x.py", "def f(a):\n    return a == 1 or a == 1\n")]
    assert len(set(keys)) == len(keys)


def test_what_no_test_should_notice_is_left_alone() -> None:
    for source in (
        '"""Prices."""\n',
        'def f():\n    """Do it."""\n',
        "def f(a: int | None) -> bool | None: ...\n",
        "from a import b\n",
        "log = logging.getLogger(__name__)\n",
        "def f():\n    log.warning('gone', 1)\n",
        "@dataclass(frozen=True)\nclass A: ...\n",
        "class A(Struct, frozen=True, kw_only=True): ...\n",
        "def f(a):\n    raise Wrong('too late')\n",
        "def f(a):\n    g('this is only prose')\n".replace("g(", "len("),
        "def f(a):\n    return cast('A', a)\n",
        "Names = dict[str, int]\n",
        "Value = TypeVar('Value')\n",
        "class A:\n    def f(self, a):\n        return paired(strict=True)\n",
        "if TYPE_CHECKING:\n    x = 1\n",
        "if __name__ == '__main__':\n    main()\n",
    ):
        assert changes(source) == [], source


def test_a_word_is_changed_and_prose_is_not() -> None:
    assert changes("def f():\n    return 'sent'\n") == [("'sent'", "'XXsentXX'")]
    assert changes("def f():\n    return 'It was sent.'\n") == []


def test_that_the_high_byte_is_first_is_not_left_out_but_changed() -> None:
    source = 'def f(a):\n    return a.to_bytes(b, "big")\n'
    after = [after for _, after in changes(source)]
    assert "a.to_bytes(b, )" not in after
    assert after[:3] == ['a.to_bytes(None, "big")', "a.to_bytes(b, None)", 'a.to_bytes("big")']


def test_what_is_no_program_is_known() -> None:
    source = "for a in b:\n    if a:\n        break\n"
    assert not compiles(only(source, "break"))
    assert compiles(only("def f(a):\n    return a > 5\n", "5"))


def test_a_diff_shows_the_change() -> None:
    source = "def is_late(took):\n    return took > 5\n"
    lines = only(source, "5").diff(source).splitlines()
    assert lines[-2:] == ["-    return took > 5", "+    return took > 6"]
