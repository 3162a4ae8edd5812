from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from pipeline.errors import BadRecord
from policy.rendering import Rendering
from policy.template import Variables, compile_template
from schemas.delivery import Content
from schemas.vocabulary import Reason
from tests.policy.samples import request, shipped_catalogue


def text(source: str, data: dict[str, Any], *, html: bool = False) -> str:
    values = {"data": data, "actor": "bob"}
    return compile_template(source, html=html)(Variables(values, html=html))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ actor }}: {{ data.x }}", "bob: 1"),
        ("{{ data.items }} {{ data.keys }}", "3 4"),
        ("{{ data['x'] }}{{ data.nested.y }}", "12"),
        ("{% if data.none is defined %}a{% else %}b{% endif %}", "b"),
        ("{{ data.missing | default('?') }}", "?"),
        ("{{ data.long | truncate(10, true, '…') }}", "012345678…"),
        ("{{ data.long[:3] }}", "012"),
        ("{% set x = data.x %}{% macro m(y) %}{{ x }}{{ y }}{% endmacro %}{{ m(2) }}", "12"),
    ],
)
def test_templates(source: str, expected: str) -> None:
    data = {"x": 1, "items": 3, "keys": 4, "none": None, "nested": {"y": 2}, "long": "0123456789x"}
    assert text(source, data) == expected


@pytest.mark.parametrize("length", [99, 100, 101, 105, 5000])
def test_a_preview_is_never_longer_than_100_characters(length: int) -> None:
    preview = text("{{ data.text | truncate(100, true, '…') }}", {"text": "x" * length})
    assert len(preview) == min(length, 100)
    assert preview.endswith("…") is (length > 100)


def test_only_html_is_escaped() -> None:
    data = {"x": "<b>&"}
    assert text("<i>{{ data.x }}", data) == "<i><b>&"
    assert text("<i>{{ data.x }}", data, html=True) == "<i>&lt;b&gt;&amp;"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("{{ data.x", "on its line 1"),
        ("\n{{ data.x | nosuch }}", "No filter named 'nosuch'.* on its line 2"),
        ("{{ usr }}", "'usr' is not one of actor, data"),
        ("{{ range(9) }}", "'range' is not one of"),
        ("{% include 'x' %}", "a template stands alone"),
        ("{% block x %}{% endblock %}", "a template stands alone"),
    ],
)
def test_a_template_that_can_not_work_is_refused(source: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        compile_template(source)


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        ("{{ data.price }}", "the variable 'price' is missing"),
        ("{{ data['price'] }}", "the variable 'price' is missing"),
        ("{{ data.none }}", "the variable 'none' is missing"),
        ("{{ data.price.amount }}", "the variable 'price' is missing"),
        ("{{ data.x.amount }}", "has no attribute 'amount'"),
        ("{{ data.x + 1 }}", "TypeError"),
        ("{{ data.x.__class__.__mro__ }}", "unsafe"),
    ],
)
def test_a_record_that_lacks_a_variable_is_bad(source: str, detail: str) -> None:
    rendering = Rendering(subject="thing.push", body=compile_template(source))
    with pytest.raises(BadRecord, match=detail) as caught:
        rendering.content(request(data={"x": "1", "none": None}).event)
    assert caught.value.reason is Reason.RENDER_FAILED
    assert caught.value.detail.startswith("thing.push: ")


def test_a_field_to_send_beside_is_needed_too() -> None:
    rendering = Rendering(subject="thing.push", body=compile_template("x"), data=("order_id",))
    with pytest.raises(BadRecord, match="'order_id' is missing"):
        rendering.content(request().event)


def test_a_title_is_one_line_and_what_it_sets_stays_there() -> None:
    rendering = Rendering(
        subject="thing.email",
        body=compile_template("{{ data.x }}"),
        title=compile_template("{% set data = {'x': 'no'} %}Hi\r\nBcc: all👩‍🚀"),
    )
    content = rendering.content(request(data={"x": "yes"}).event)
    assert content == Content(title="Hi Bcc: all👩‍🚀", body="yes")


def test_html_of_the_shipped_mail_escapes_and_links_only_to_https() -> None:
    email = shipped_catalogue().types["order_shipped"].plans[1].rendering
    data = {"order_id": "<A>", "carrier": "DHL", "tracking_number": "1", "items": ["<i>"]}
    html = email.content(request(data=data | {"tracking_url": "https://x/?a&b"}).event).html
    assert "&lt;A&gt;" in html
    assert "<li>&lt;i&gt;</li>" in html
    assert 'href="https://x/?a&amp;b"' in html
    evil = email.content(request(data=data | {"tracking_url": "javascript:x"}).event).html
    assert "href" not in evil


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
