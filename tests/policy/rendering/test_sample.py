from typing import Any

import pytest

from policy.rendering.sample import sample_data

NOON = "2026-03-01T12:00:00+01:00"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ data.carrier }} {{ actor }}", {"carrier": "carrier"}),
        ("{{ data['a'].b.c }}", {"a": {"b": {"c": "c"}}}),
        (
            "{% for i in data.items %}{{ i.n | number }}{% endfor %}",
            {"items": [{"n": 3}, {"n": 3}]},
        ),
        ("{% for i in data.items %}{{ i }}{% endfor %}", {"items": ["items 1", "items 2"]}),
        ("{{ data.items | join(', ') }}", {"items": ["items 1", "items 2"]}),
        ("{{ data.items[0].x }}", {"items": [{"x": "x"}, {"x": "x"}]}),
        (
            "{{ data.x | default('') | trim | date(zone=data.z) }}",
            {"x": NOON, "z": "Europe/Berlin"},
        ),
        ("{{ data.n | currency(data.c) }}", {"n": 3, "c": "EUR"}),
        ("{% if data.n > 1 %}{{ 2 * data.m }}{% endif %}", {"n": 3, "m": 3}),
        ("{% if data.u is link %}{{ data.u | link }}{% endif %}", {"u": "https://example.com/"}),
        ("{% if data.x is defined %}{{ data.t[:9] }}{% endif %}", {"x": "x", "t": "t"}),
        ("{% set x = data.y %}{{ x.z }}", {"y": {"z": "z"}}),
        ("{% for e in events %}{{ e.data.x }}{{ e.actor }}{% endfor %}", {"x": "x"}),
        ("nothing", {}),
    ],
)
def test_samples(source: str, expected: dict[str, Any]) -> None:
    assert sample_data([source]) == expected


def test_fields_beside_are_there_too() -> None:
    assert sample_data(["{{ data.x }}", "{{ data.y }}"], ["z"]) == {"x": "x", "y": "y", "z": "z"}
