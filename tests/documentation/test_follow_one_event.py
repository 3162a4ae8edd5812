"""The page that follows one event names files, and what is in them, that are there."""

import re
from pathlib import Path

import pytest

from tests.documentation.site_hook import links_of, target_of

ROOT = Path(__file__).parents[2]
PAGE = "docs/follow-one-event.md"
TEXT = (ROOT / PAGE).read_text("utf-8")
STEPS = re.findall(r"^\*\*(\d+)\. (\[.+?)(?=\n\n)", TEXT, re.MULTILINE | re.DOTALL)
QUESTIONS = (
    *("the rule for quiet hours", "the FCM error table", "the commit order"),
    *("what a restore reads", "the SMS segment count", 'the query behind "why not sent"'),
)
ROWS = dict(re.findall(r"^\| (.+?) \| (.+)$", TEXT, re.MULTILINE))
_CALLED = re.compile(r"`(\w+)\(\)`")
_CLASS = re.compile(r"`([A-Z]\w*[a-z]\w*)`")


def files_of(text: str) -> list[str]:
    """The files that a paragraph links to."""
    return [target_of(PAGE, link[1])[0] for link in links_of(text)]


def lacking(text: str) -> list[str]:
    """Functions and classes that a paragraph names and none of its files defines."""
    sources = "\n".join((ROOT / name).read_text("utf-8") for name in files_of(text))
    names = [*_CALLED.findall(text), *_CLASS.findall(text)]
    return [name for name in names if not re.search(rf"\b(def|class) {name}\b", sources)]


def test_the_way_is_numbered_and_takes_some_twenty_files() -> None:
    assert [int(number) for number, _ in STEPS] == list(range(1, len(STEPS) + 1))
    assert 20 <= len(STEPS) <= 25


@pytest.mark.parametrize(("number", "text"), STEPS)
def test_each_step_names_what_its_files_define(number: str, text: str) -> None:
    assert all((ROOT / name).is_file() for name in files_of(text)), number
    assert not lacking(text), number


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_usual_question_has_a_path(question: str) -> None:
    row = ROWS[question]
    assert files_of(row), question
    assert not lacking(row), question


def test_a_name_that_moved_is_found() -> None:
    assert lacking(
        "[policy/decision/decide.py](../policy/decision/decide.py) has `decide()` and `gone()`"
    ) == ["gone"]
