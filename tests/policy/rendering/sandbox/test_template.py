from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from policy.rendering.sandbox.template import compile_template
from tests.policy.templates import text


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ actor }}: {{ data.x }}", "bob: 1"),
        ("{{ data.items }} {{ data.keys }}", "3 4"),
        ("{{ data['x'] }}{{ data.nested.y }}", "12"),
        ("{% if data.none is defined %}a{% else %}b{% endif %}", "b"),
        ("{{ data.missing | default('?') }}", "?"),
        ("{{ data.long | truncate(10, true, '…') }}", "012345678…"),
        ("{{ data.long[:3] }}{{ data.long.upper() }}", "0120123456789X"),
        ("{% set x = data.x %}{% macro m(y) %}{{ x }}{{ y }}{% endmacro %}{{ m(2) }}", "12"),
        ("{% for x in data.list %}{{ loop.index }}/{{ loop.length }} {% endfor %}", "1/2 2/2 "),
        ("{% for x in data.list %}{{ loop.cycle('a', 'b') }}{% endfor %}", "ab"),
        ("{{ data.list | join(', ') | upper | replace('A', 'o') }}", "o, B"),
        ("{{ data.rows | sum('n') }}{{ data.rows | map(attribute='n') | max }}", "32"),
        ("{{ occurred_at | date }}, {{ locale }}", "Mar 1, 2026, en"),
        ("{{ '-' * 3 }}{{ 7 % 4 }}", "---3"),
    ],
)
def test_templates(source: str, expected: str) -> None:
    data = {"x": 1, "items": 3, "keys": 4, "none": None, "nested": {"y": 2}, "long": "0123456789x"}
    lists = {"list": ["a", "b"], "rows": [{"n": 1}, {"n": 2}]}
    assert text(source, data | lists) == expected


@pytest.mark.parametrize("length", [99, 100, 101, 105, 5000])
def test_a_preview_is_never_longer_than_100_characters(length: int) -> None:
    preview = text("{{ data.text | truncate(100, true, '…') }}", {"text": "x" * length})
    assert len(preview) == min(length, 100)
    assert preview.endswith("…") is (length > 100)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("truncate(5)", "ab..."),
        ("truncate(9)", "ab cde..."),
        ("truncate(8)", "ab..."),
        ("truncate(8, true)", "ab cd..."),
        ("truncate(10, end='')", "ab cde"),
        ("truncate(10, true, '')", "ab cde 🇩🇪"),
        ("truncate(11, true, '')", "ab cde 🇩🇪🇫🇷"),
        ("truncate(99)", "ab cde 🇩🇪🇫🇷"),
    ],
)
def test_a_truncated_text_is_whole_words_and_whole_signs(source: str, expected: str) -> None:
    found = text(f"{{{{ data.x | {source} }}}}", {"x": "ab cde 🇩🇪🇫🇷"})
    assert found == expected


NULLS = {"list": ["a", None], "rows": [{"n": None}], "pair": {"k": None}}


@pytest.mark.parametrize(
    "source",
    [
        "{% for x in data.list %}{{ x }}{% endfor %}",
        "{{ data.list[1] }}",
        "{{ data.list | last }}",
        "{{ data.list | reverse | first }}",
        "{{ data.list | join(', ') }}",
        "{{ data.list | map('upper') | join }}",
        "{{ data.list | listing }}",
        "{% for k, v in data.pair | dictsort %}{{ v }}{% endfor %}",
        "{{ none }}",
    ],
)
def test_a_null_is_as_absent_as_a_missing_field_wherever_it_stands(source: str) -> None:
    with pytest.raises(UndefinedError, match=r"null|missing"):
        text(source, NULLS)


def test_there_may_be_something_instead_of_a_null() -> None:
    source = "{% for x in data.list %}{{ x | default('?') }}{% endfor %}{{ data.list[1] | d('!') }}"
    assert text(source, NULLS) == "a?!"
    assert text("{{ data.list | map('default', '-') | join }}", NULLS) == "a-"


def test_only_html_is_escaped() -> None:
    data = {"x": "<b>&"}
    assert text("<i>{{ data.x }}", data) == "<i><b>&"
    assert text("<i>{{ data.x }}", data, html=True) == "<i>&lt;b&gt;&amp;"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("{{ data.x", "on its line 1"),
        ("\n{{ data.x | nosuch }}", "No filter named 'nosuch'.* on its line 2"),
        ("{{ usr }}", "'usr' is not one of actor, data, locale, occurred_at"),
        ("{{ events }}", "'events' is not one of"),
        ("{{ range(9) }}", "'range' is not one of"),
        ("{% include 'x' %}", "a template stands alone"),
        ("{% block x %}{% endblock %}", "a template stands alone"),
        ("{% autoescape false %}{{ data.x }}{% endautoescape %}", "a template stands alone"),
        ("{{ data.x | safe }}", "No filter named 'safe'"),
        ("{{ data.x | random }}", "No filter named 'random'"),
        ("{% for x in data.x recursive %}{% endfor %}", "a loop can't be recursive"),
        ("{% macro m() %}{{ m() }}{% endmacro %}", "a macro calls only those before it"),
        ("\n{{ data.n | plural(one='x') }}", "plural needs other=… .*its line 2"),
        ("{{ data.n | plural(other='x', lots='y') }}", "may have few, many, one, two, zero"),
    ],
)
def test_a_template_that_can_not_work_is_refused(source: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint.replace("… ", "….*")):
        compile_template(source)


@given(
    st.dictionaries(
        st.sampled_from(("x", "y")),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    )
)
def test_a_text_of_plain_fields_reads_as_the_engine_would_have_it(data: dict[str, Any]) -> None:
    def outcome(source: str) -> str:
        try:
            return text(source, data)
        except UndefinedError as error:
            return str(error)

    assert outcome("{{ data.x }}: 100 % {{data.y}}") == outcome(
        "{{ data['x'] }}: 100 % {{ data['y'] }}"
    )
