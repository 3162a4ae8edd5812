"""Paths that are written as templates are, where they would lead nowhere."""

import pytest

from policy.catalogue.catalogue import parse
from tests.policy.refusals import problems
from tests.policy.samples import TYPE

IN_DATA = "begins within the data, and they have no data in them: write"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"who"', '"data.who"', f"8: types.thing.users: {IN_DATA} 'who'"),
        ('"who"', '"data.a.who"', f"8: types.thing.users: {IN_DATA} 'a.who'"),
        ('"who"', '"{{data.who}}"', "8: types.thing.users: is a path and no template: write 'who'"),
        ("= 86400", '= 9\nreplaces = "data.x"', f"10: types.thing.replaces: {IN_DATA} 'x'"),
        ("= 86400", '= 9\ntopic = "data.x"', f"10: types.thing.topic: {IN_DATA} 'x'"),
        (
            "= 86400",
            '= 9\nuntil = { event = "e", match = "data.x" }',
            f"10: types.thing.until.match: {IN_DATA} 'x'",
        ),
        (
            "= 86400",
            '= 9\ndigests = [{ channels = ["push"], every = "1h", key = "data.x" }]',
            f"10: types.thing.digests[0].key: {IN_DATA} 'x'",
        ),
        (
            "= 86400",
            '= 9\nholdout = { share = "5%", name = "a" }\n'
            'goal = { event = "e", within = "1d", match = "x", user = "data.y" }',
            f"11: types.thing.goal.user: {IN_DATA} 'y'",
        ),
        (
            "= 86400",
            '= 9\nholdout = { share = "5%", name = "a" }\n'
            'goal = { event = "e", within = "1d", match = "data.y" }',
            f"11: types.thing.goal.match: {IN_DATA} 'y'",
        ),
        (
            "= 86400",
            '= 9\nuntil = { event = "e", match = "x" }\npriority = "critical"\n'
            'repeat = { every = "5m", times = 2, then = ["data.next"] }',
            f"12: types.thing.repeat.then[0]: {IN_DATA} 'next'",
        ),
        ('["text"]', '["data.text"]', f"12: types.thing.templates.push.data[0]: {IN_DATA} 'text'"),
        ('users = "who"', 'subscribers = "data.t"', f"8: types.thing.subscribers: {IN_DATA} 't'"),
    ],
)
def test_a_path_begins_in_the_data(old: str, new: str, complaint: str) -> None:
    thing = TYPE.replace('priority = "normal"\n', "") if 'priority = "crit' in new else TYPE
    assert old in thing
    at = int(complaint.partition(":")[0]) - (thing is not TYPE)
    expected = f"thing.toml:{at}:{complaint.partition(':')[2]}."
    assert expected in problems(thing=thing.replace(old, new))


@pytest.mark.parametrize(
    "says_so",
    ["{{ data.data.text }}", "{{ data['data'].text }}", "{{ data [ 'data' ] }}"],
)
def test_where_a_text_speaks_of_data_in_the_data_a_path_may_too(says_so: str) -> None:
    thing = TYPE.replace('"who"', '"data.who"')
    parse({"thing.toml": thing.replace("{{ data.text }}", says_so)})
    # What is called something else is something else.
    assert problems(thing=thing.replace("{{ data.text }}", "{{ data.database }}"))
