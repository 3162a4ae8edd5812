"""Whatever stands in an event's data, a text stays within its bounds, in length and in work."""

import time
from typing import Any

import pytest

from policy.rendering.sandbox.render_limits import MOST_BYTES, MOST_WORK, STEP, TooMuch
from schemas.errors import BadRecord
from tests.policy.templates import event, rendering, text

LIST = [0] * 100_000
TEXT = "x" * 500_000


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'x' * 10000000 }}",
        "{{ [0] * 10000000 }}",
        "{{ data.text * data.many }}",
        "{% for x in data.list %}{{ data.text }}{% endfor %}",
        "{% for x in data.list %}{% endfor %}",
        "{% for x in data.list %}{% for y in data.list %}{% endfor %}{% endfor %}",
        "{% set x %}{% for y in data.list %}{{ data.text }}{% endfor %}{% endset %}",
        "{% macro m() %}{% for y in data.list %}{{ data.text }}{% endfor %}{% endmacro %}{{ m() }}",
        "{% for x in data.list %}{% if data.text | upper | sort == 1 %}{% endif %}{% endfor %}",
        "{{ data.list | map('default', data.text, true) | join }}",
        "{{ data.list | join(data.text) }}",
        "{{ data.text | replace('', data.text) }}",
        "{{ data.text | trim }}",
        "{% for x in data.list %}{{ loop.length }}{% endfor %}",
    ],
)
def test_a_text_without_end_is_ended(source: str) -> None:
    started = time.thread_time()
    with pytest.raises(TooMuch, match=r"more than 196608 bytes|go on for too long"):
        text(source, {"list": LIST, "text": TEXT, "many": 10**12})
    # The processor's seconds, which no other program adds to; without an end these would be hours.
    assert time.thread_time() - started < 30


@pytest.mark.parametrize(
    "source",
    [
        "{{ 2 ** data.many }}",
        "{{ '%999999999d' % 3 }}",
        "{{ data.text.center(data.many) }}",
        "{{ data.text.format(1) }}",
        "{{ data.text.encode() }}",
        "{{ data.list.append(1) }}",
        "{{ data.text.__class__.__mro__ }}",
        "{{ actor.__init__.__globals__ }}",
        "{{ data() }}",
    ],
)
def test_what_could_harm_is_not_called(source: str) -> None:
    made = rendering(body=source + "{{ actor }}")
    with pytest.raises(
        BadRecord, match=r"^render_failed: thing.inapp: \w+: .*(can't be|safe)|unsafe"
    ):
        made.content(event(list=[], text="x", many=10**12), "en")


def test_as_many_steps_as_are_allowed_are_done() -> None:
    data: dict[str, Any] = {"list": [0] * (MOST_WORK // STEP)}
    source = "{% for x in data.list %}{{ x }}{% endfor %}"
    assert len(text(source, data)) == len(data["list"])
    with pytest.raises(TooMuch):
        text(source, {"list": [*data["list"], 0]})


def test_bytes_count_rather_than_characters() -> None:
    source = "{{ data.x | trim }}"
    assert len(text(source, {"x": "x" * MOST_BYTES})) == MOST_BYTES
    assert len(text(source, {"x": "é" * (MOST_BYTES // 2)})) == MOST_BYTES // 2
    with pytest.raises(TooMuch):
        text(source, {"x": "é" * (MOST_BYTES // 2 + 1)})
