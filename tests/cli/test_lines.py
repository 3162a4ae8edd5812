"""Records in lines: nothing is cut or broken, whatever the width."""

import pytest
from rich.text import Text

from cli.ids import the_only
from cli.lines import Row, aligned, wrapped
from schemas.errors import WrongUsage

ID = "90b7c12854cbd5478e08a06ddc4438ba"


@pytest.fixture(params=["80"])
def columns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", request.param)
    return str(request.param)


def plain(*rows: Row, indent: int = 0) -> list[str]:
    return [line.plain for line in aligned(rows, indent=indent)]


@pytest.mark.usefixtures("columns")
def test_cells_are_aligned_and_empty_columns_left_out() -> None:
    rows = Row(("a", "", "long one", "x")), Row(("bcd", "", "s", ""))
    assert plain(*rows) == ["a    long one  x", "bcd  s"]
    assert plain(*rows, indent=2) == ["  a    long one  x", "  bcd  s"]
    assert plain() == []


@pytest.mark.usefixtures("columns")
def test_numbers_stand_to_the_right() -> None:
    rows = [Row(("of", "1")), Row(("wrong", "1,000"))]
    lines = [line.plain for line in aligned(rows, right=frozenset({1}))]
    assert lines == ["of         1", "wrong  1,000"]


@pytest.mark.usefixtures("columns")
def test_a_note_that_does_not_fit_follows_beneath_and_the_others_stay() -> None:
    """28 characters and two blanks leave room for 50."""
    cells = "x" * 28
    assert plain(Row((cells,), "y" * 50)) == [f"{cells}  {'y' * 50}"]
    assert plain(Row((cells,), "y" * 51), Row(("z",), "w")) == [
        cells,
        f"    {'y' * 51}",
        f"z{' ' * 27}  w",
    ]


@pytest.mark.parametrize("columns", ["20", "33", "80"], indirect=True)
def test_an_id_stands_whole_at_any_width(columns: str) -> None:
    lines = plain(Row((ID, "2026-11-28", "sent"), f"see {ID} and {ID}, it says"))
    assert sum(line.count(ID) for line in lines) == 3
    for line in lines:
        assert len(line) <= int(columns) or len(line.split()) == 1 or line.startswith(ID)


def test_where_no_terminal_is_a_record_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.lines.width", lambda: None)
    assert plain(Row((ID,), "word " * 100)) == [f"{ID}  {'word ' * 100}"]


@pytest.mark.usefixtures("columns")
def test_wide_characters_count_as_two_columns() -> None:
    assert plain(Row(("日本", "x")), Row(("abcd", "y"))) == ["日本  x", "abcd  y"]


@pytest.mark.usefixtures("columns")
def test_what_steers_a_terminal_is_not_passed_on() -> None:
    """Ids and details are what producers wrote."""
    (line,) = plain(Row(("a\x1b[31m\nb",), "[bold]c\x9b2J"))
    assert line == "a [31m b  [bold]c 2J"


@pytest.mark.parametrize("columns", ["30"], indirect=True)
def test_a_text_is_broken_between_words_and_keeps_its_styles(columns: str) -> None:
    text = Text.assemble("one two three ", ("four five", "red"), " six seven")
    lines = list(wrapped(text, 4, "  - "))
    assert [line.plain for line in lines] == ["  - one two three four five", "    six seven"]
    assert [each.style for each in lines[0].spans].count("red") >= 1
    assert all(len(line.plain) <= int(columns) for line in lines)


def test_an_id_may_be_cut_to_what_no_other_begins_with() -> None:
    assert the_only([ID], ID[:6], "letter", "list") == ID
    assert the_only(["ab", "abc"], "ab", "letter", "list") == "ab"
    with pytest.raises(WrongUsage, match=r"There is no letter zz\. `list` lists them"):
        the_only([], "zz", "letter", "list")
    with pytest.raises(WrongUsage, match=r"several letters begin with 'a': ab, ac\. Give more"):
        the_only(["ab", "ac"], "a", "letter", "list")
    many = [f"a{number:02}" for number in range(11)]
    with pytest.raises(WrongUsage, match=r"a00, .*, a09, and others\."):
        the_only(many, "a", "letter", "list")
