import re
import tomllib
from typing import Any

import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from policy.catalogue.catalogue import parse
from schemas.errors import BadCatalogue
from tests.policy.samples import TYPE

FULL = (
    TYPE.replace(
        "= 86400",
        """= 86400
topic = "key"
delay = "5m"
rate_limit = { count = 3, seconds = 60, over = "digest" }
actor_limit = { count = 1, seconds = 60 }
quiet_hours = "drop"
online = "inapp"
online_grace = "30s"
fallback = { email = ["push", "inapp"] }
""",
    ).replace('"sms", "inapp"]', '"inapp"]')
    + """
[[types.thing.escalation]]
after = "1h"
channels = ["sms"]
unless = "opened"
[[types.thing.digests]]
channels = ["email"]
key = "post_id"
at = ["09:00", "18:00"]
days = ["mon"]
[types.thing.experiment]
name = "words"
variants.plain = {}
variants.warm = { weight = 2, templates = { sms = { body = "{{ data.text }}!" } } }
[categories.things]
rate_limit = { count = 100, seconds = 3600 }
[tenants.acme]
zone = "Europe/Berlin"
locale = "de-DE"
quiet_hours = [{ start = "22:00", end = "07:00", days = ["sat", "sun"] }]
categories.things = { sms = true }
frequency = { "*" = "daily" }
"""
)
LINES = FULL.splitlines()
PIECES = [
    *("1", "-1", "1.5", '""', '"push"', '["push"]', "[]", "{}", "true", "09:00:00", "1979-05-27"),
    *("{ a = 1 }", '[{ channels = ["sms"] }]', '"9999d"', "nan", '"{{ x"', "'", "[", '"""', "\\"),
]


@given(st.data())
def test_a_mutated_catalogue_is_either_used_or_refused_with_file_and_line(
    data: st.DataObject,
) -> None:
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["delete", "repeat", "value", "swap", "cut"])):
            case "delete":
                del lines[at]
            case "repeat":
                lines.insert(at, lines[data.draw(st.integers(0, len(lines) - 1))])
            case "value":
                name, _, _ = lines[at].partition(" = ")
                lines[at] = f"{name} = {data.draw(st.sampled_from(PIECES))}"
            case "swap":
                lines[at], lines[0] = lines[0], lines[at]
            case "cut":
                lines[at] = lines[at][: data.draw(st.integers(0, len(lines[at])))]
    text = "\n".join(lines)
    try:
        parse({"full.toml": text})
    except BadCatalogue as error:
        for problem in error.problems:
            found = re.match(r"full\.toml:(\d+): .+\.$", problem)
            assert found, problem
            assert 1 <= int(found[1]) <= text.count("\n") + 1


NAMES = st.sampled_from(
    ["event", "types", "thing", "channels", "tenants", "a.b", "templates", "push", "digests", ""]
)
TREES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([0, -1, 1.5, True, "", "push", "1h", "{{", "thing", "\x00"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(path=st.lists(st.integers(0, 20), max_size=4), value=TREES)
def test_anything_in_place_of_anything_is_refused_with_file_and_line(
    path: list[int], value: Any
) -> None:
    table = tomllib.loads(FULL)
    node: Any = table
    for step in path:
        keys = list(node) if isinstance(node, dict) else range(len(node))
        key = keys[step % len(keys)]
        if not isinstance(node[key], dict | list) or not node[key]:
            break
        parent, node = node, node[key]
        last = key
    else:
        if path:
            parent[last] = value
    try:
        parse({"full.toml": tomli_w.dumps(table)})
    except BadCatalogue as error:
        assert all(re.match(r"full\.toml:\d+: .+\.$", each) for each in error.problems)
