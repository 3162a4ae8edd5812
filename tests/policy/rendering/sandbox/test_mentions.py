"""A template that may read a field of an event is known; the others can do without it."""

import pytest

from policy.rendering.sandbox.mentions import mentions

USERS, MEMBERS = ("users",), ("trip", "members")


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("{{ data.users | length }} people", USERS),
        ("{{ data['users'] }}", USERS),
        ("{% for one in data.users %}{{ one }}{% endfor %}", USERS),
        ("{% if data.users %}x{% endif %}", USERS),
        ("{{ data.names[data.users[0]] }}", USERS),
        ("{{ data.trip.members[0].name }}", MEMBERS),
        # What holds it is handed on, or has another name from there on.
        ("{{ data }}", USERS),
        ("{{ data.trip | listing }}", MEMBERS),
        ("{% set all = data %}{{ all.users }}", USERS),
        # The name is computed.
        ("{{ data[data.field] }}", USERS),
        ("{{ data.trip[data.field] }}", MEMBERS),
        # In digests.
        ("{% for each in events %}{{ each.data.users }}{% endfor %}", USERS),
        ("{{ events[0]['data'].users }}", USERS),
        ("{{ events | map(attribute='data.users') | listing }}", USERS),
    ],
)
def test_what_may_read_it_mentions_it(source: str, path: tuple[str, ...]) -> None:
    assert mentions(source, path)


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("Hello, users", USERS),
        ("{{ data.order }} of {{ actor }}, {{ occurred_at | date }}", USERS),
        ("{{ data.order.users }}", USERS),
        ("{{ data['order'] }}", USERS),
        ("{{ data.trip.name }}", MEMBERS),
        ("{{ data.members }}", MEMBERS),
        ("{% for each in events %}{{ each.data.order }}{% endfor %}, {{ count }}", USERS),
    ],
)
def test_what_reads_other_fields_does_not(source: str, path: tuple[str, ...]) -> None:
    assert not mentions(source, path)
