import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.rendering.sandbox.template import compile_template
from tests.policy.templates import text

PAGE = """<p title="{{ data.x }}" class='{{ data.x }}'>{{ data.x }} {{ data.x | upper }}
{{ data.x | default('') | trim | truncate(300) | replace('a', data.x) }}
{% set y %}<i>{{ data.x }}</i>{% endset %}{{ y }}{{ [data.x, data.x] | join('<') }}
<a href="https://example.com/?q={{ data.x }}">{{ data.x | listing if data.x is iterable and
data.x is not string else data.x }}</a></p>"""


class Tags(HTMLParser):
    """Notes the tags with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, [name for name, _ in attrs]))


@given(st.text() | st.text(alphabet="<>\"'&/abp =!-[]{}%"))
def test_no_value_becomes_markup(value: str) -> None:
    tags = Tags()
    html = text(PAGE, {"x": value}, html=True)
    tags.feed(html)
    tags.close()
    assert tags.found == [("p", ["title", "class"]), ("i", []), ("a", ["href"])]
    assert len(re.findall("[<>]", html)) == 12


@pytest.mark.parametrize(
    "source",
    [
        '<a href="{{ data.x | link }}">',
        '<a href="{% if data.y %}{{ data.x | link }}{% endif %}">',
        '<a href="https://example.com/{{ data.x }}?{{ data.y }}">',
        '<a href="mailto:{{ data.x }}">',
        '<a href="{{ data.x | link }}?y={{ data.y }}">',
        '<p title="{{ data.x }}"{% if data.y %} class="a{{ data.y }}"{% endif %}>',
        '<p style="width:{{ data.x | int }}%">',
        "<td width={{ data.x | int }}>",
        "1 < {{ data.x }}",
        "<style>p { color: red }</style>{{ data.x }}",
        "<!-- {{ data.x }} -->",
        '<meta name="description" content="{{ data.x }}">',
        '<!--[if mso]><a href="{{ data.x | link }}"><![endif]-->',
    ],
)
def test_where_a_value_may_stand(source: str) -> None:
    compile_template(source, html=True)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("<{{ data.x }}>", "right after < would make a tag"),
        ("a</{{ data.x | upper }}>", "right after < would make a tag"),
        ("<!{{ data.x }}>", "right after < would make a tag"),
        ("<{% if data.y %}b{% endif %}>", "right after < would make a tag"),
        ('<a href="{{ data.x }}">', "'href' needs the filter 'link'"),
        ('<img src="{{ data.x | upper }}">', "'src' needs the filter 'link'"),
        ('<a href="{{ data.x | link | upper }}">', "'href' needs"),
        ('<a href="java{{ data.x }}">', "'href' needs"),
        ('<a href="{% if data.y %}https://x{% endif %}{{ data.x }}">', "'href' needs"),
        ('<a href="{% if data.y %}https://x{% else %}{{ data.x }}{% endif %}">', "'href' needs"),
        ("<a href={{ data.x | link }}>", "<a> needs quotes"),
        ("<p title={{ data.x }}>", "<p> needs quotes"),
        ("<p {{ data.x }}>", "<p> needs quotes"),
        ("<p {{ data.x }}='y'>", "<p> needs quotes"),
        ('<p onclick="{{ data.x }}">', "can't stand in the attribute 'onclick'"),
        ('<p style="{{ data.x }}">', "can't stand in the attribute 'style'"),
        ("<script>x = '{{ data.x }}'</script>", "can't stand in <script>"),
        ("<style>{{ data.x }}</style>", "can't stand in <style>"),
        (
            '<meta http-equiv="refresh" content="0;url={{ data.x }}">',
            "can't stand in <meta http-equiv>",
        ),
        (
            '<meta content="{{ data.x | link }}" http-equiv="refresh">',
            "can't stand in <meta http-equiv>",
        ),
        ('<!--[if mso]><a href="{{ data.x }}"><![endif]-->', "'href' needs"),
        ('{% macro m(x) %}<a href="{{ x }}">{% endmacro %}{{ m(data.x) }}', "'href' needs"),
    ],
)
def test_where_a_value_may_not_stand(source: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        compile_template(source, html=True)
