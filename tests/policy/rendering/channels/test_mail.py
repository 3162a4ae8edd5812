"""HTML mails: from html or MJML, alone or within a layout."""

import pytest

from policy.catalogue.entry import Layout
from policy.rendering.channels.mjml import html_of
from policy.rendering.rendering import BadTemplate
from tests.policy.templates import mail

SECTION = "<mj-section><mj-column>{}</mj-column></mj-section>"
PAGE = "<mjml lang='{{{{ locale }}}}'><mj-body>{}</mj-body></mjml>"
LAYOUTS = {
    "brand": Layout(
        html="<html><p>{{ actor }}</p>{{ content }}</html>",
        mjml=PAGE.format("{{ content }}" + SECTION.format("<mj-text>{{ actor }}</mj-text>")),
    ),
    "plain": Layout(html="<html>{{ content }}</html>"),
    "empty": Layout(html="<html></html>"),
    "broken": Layout(mjml="<mjml>{{ content }}"),
    "wrong": Layout(html="{{ usr }}{{ content }}"),
    "leaky": Layout(html="<a href='{{ data.x }}'>{{ content }}</a>"),
}


def mjml(inside: str) -> str:
    return PAGE.format(SECTION.format(inside))


def test_mjml_is_html_with_its_values_escaped() -> None:
    html = mail(mjml("<mj-text>Hi {{ data.x }} &amp; you</mj-text>"), {"x": "<b>"}, field="mjml")
    assert html.startswith("<!doctype html>")
    assert "Hi &lt;b&gt; &amp; you" in html
    assert 'lang="en"' in html
    assert "mj-text" not in html
    assert "fonts.googleapis" not in html


@pytest.mark.parametrize(
    "source",
    [
        mjml("{% for x in data.all %}<mj-text>{{ x }}</mj-text>{% endfor %}"),
        mjml(
            "<mj-raw>{% for x in data.all %}</mj-raw><mj-text>{{ x }}</mj-text>"
            "<mj-raw>{% endfor %}</mj-raw>"
        ),
        mjml("<mj-text>{% for x in data.all %}<b>{{ x }}</b>{% endfor %}</mj-text>"),
        mjml("<mj-table>{% for x in data.all %}<tr><td>{{ x }}</td></tr>{% endfor %}</mj-table>"),
        PAGE.format(
            "{% for x in data.all %}"
            + SECTION.format("<mj-button>{{ x }}</mj-button>")
            + "{% endfor %}"
        ),
        PAGE.format(
            "<mj-section>{% for x in data.all %}<mj-column><mj-text>{{ x }}</mj-text></mj-column>"
            "{% endfor %}</mj-section>"
        ),
    ],
)
def test_loops_go_around_elements(source: str) -> None:
    html = mail(source, {"all": ["first", "second", "third"]}, field="mjml")
    assert [html.count(each) for each in ("first", "second", "third", "{%")] == [1, 1, 1, 0]
    assert html.count("<td") == html.count("</td")
    assert html.count("<div") == html.count("</div")


def test_expressions_may_hold_what_is_markup_elsewhere() -> None:
    source = mjml(
        '{# <mj-text> #}<mj-text css-class="{% if data.n < 3 and data.n > 1 %}few{% endif %}">'
        '{{ data.x | default("<none>") }}</mj-text>'
        "<mj-button href=\"{{ data.url | default('https://x') | link }}\">Go</mj-button>"
    )
    html = mail(source, {"n": 2}, field="mjml")
    assert "&lt;none&gt;" in html
    assert 'href="https://x"' in html
    assert 'class="few"' in html


def test_titles_are_text() -> None:
    source = (
        "<mjml><mj-head><mj-title>{% if data.x %}{{ data.x }}{% endif %}</mj-title>"
        "<mj-preview>{% if data.x %}{{ data.x }}{% endif %}</mj-preview></mj-head>"
        "<mj-body></mj-body></mjml>"
    )
    html = mail(source, {"x": "Hello"}, field="mjml")
    assert "<title>Hello</title>" in html
    assert "display:none" in html.partition("Hello</div>")[0]


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("<mjml><mj-body><mj-section></mj-body></mjml>", "MJML can't read it"),
        ("hello", "MJML can't read it"),
        ("", "MJML can't read it"),
        ("<mjml><mj-body><mj-nosuch></mj-nosuch></mj-body></mjml>", "MJML has no <mj-nosuch>"),
        ("<mjml><mj-body><mj-include path='/etc/passwd'/></mj-body></mjml>", "can't read it"),
        (mjml("\n<mj-text>{{ data. }}</mj-text>"), "on its line 2"),
        (mjml("<mj-text>{{ usr }}</mj-text>"), "'usr' is not one of"),
        (mjml("<mj-button href='{{ data.x }}'>x</mj-button>"), "needs the filter 'link'"),
        (mjml("<mj-text color='{{ data.x }}'>x</mj-text>"), "the attribute 'style'"),
    ],
)
def test_mjml_that_can_not_work_is_refused(source: str, complaint: str) -> None:
    with pytest.raises(BadTemplate, match=complaint) as caught:
        mail(source, {}, field="mjml")
    assert caught.value.field == "mjml"


def test_a_text_may_look_like_what_stands_in_for_expressions() -> None:
    html = html_of(mjml("<mj-text>tocsin0q tocsinx9q {{ data.x }}</mj-text>"))
    assert ">tocsin0q tocsinx9q {{ data.x }}<" in html


@pytest.mark.parametrize("field", ["html", "mjml"])
def test_a_layout_goes_around_and_values_are_escaped_once(field: str) -> None:
    inside = "<p>{{ data.x }}</p>"
    if field == "mjml":
        inside = SECTION.format(f"<mj-text>{inside}</mj-text>")
    html = mail(
        inside, {"x": "<b>{{ content }}{{ actor }}"}, field=field, layout="brand", layouts=LAYOUTS
    )
    assert "<p>&lt;b&gt;{{ content }}{{ actor }}</p>" in html
    assert html.count("bob") == 1
    assert html.rstrip().endswith("</html>")


@pytest.mark.parametrize(
    ("layout", "field", "where", "complaint"),
    [
        ("nosuch", "html", "layout", "'nosuch' is not among the layouts"),
        ("plain", "mjml", "layout", "'plain' has no mjml, and the mail is mjml"),
        ("empty", "html", "layout", "'empty' needs {{ content }}, and once"),
        ("broken", "mjml", "layout", "'broken' can't be used: MJML can't read it"),
        ("wrong", "html", "layout", "'wrong' can't be used: 'usr' is not one of"),
        ("leaky", "html", "layout", "'leaky' can't be used: a value in the attribute 'href'"),
        ("brand", "mjml", "mjml", "MJML can't read it"),
    ],
)
def test_a_layout_that_can_not_work_is_refused(
    layout: str, field: str, where: str, complaint: str
) -> None:
    with pytest.raises(BadTemplate, match=complaint) as caught:
        mail("<p>", {}, field=field, layout=layout, layouts=LAYOUTS)
    assert caught.value.field == where
