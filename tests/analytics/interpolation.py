"""What Grafana puts in for its variables, and its ClickHouse data source for its macros.

Written after what both document; `interpolated.json` has what their own code made of some texts.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

ALL = "$__all"
_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)")


def interpolated(
    text: str,
    variables: Sequence[Mapping[str, Any]],
    chosen: Mapping[str, Any],
    options: Sequence[str] = (),
) -> str:
    """The text with what was chosen of each variable, or stands in the dashboard; `options` are
    what there is to choose from."""
    known = {variable["name"]: variable for variable in variables}

    def put(match: re.Match[str]) -> str:
        name, form = match[1] or match[3], match[2]
        if name not in known:
            return match[0]
        variable = known[name]
        value = chosen.get(name, variable.get("current", {}).get("value", ""))
        if value in (ALL, [ALL]):
            if variable.get("allValue"):
                return str(variable["allValue"])
            value = list(options)
        return _formatted(value, form)

    return _VARIABLE.sub(put, text)


def _formatted(value: Any, form: str | None) -> str:
    many = isinstance(value, list)
    if form == "singlequote":
        return ",".join(
            "'" + each.replace("'", "\\'") + "'" for each in (value if many else [value])
        )
    assert form is None
    return "'" + "','".join(value) + "'" if many else str(value)


def expanded(sql: str, start: int, end: int, interval: int) -> str:
    """The macros of the data source, for a span from `start` to `end` (Unix seconds)."""
    for macro, put in (
        ("$__fromTime", f"toDateTime({start})"),
        ("$__toTime", f"toDateTime({end})"),
        ("$__interval_s", str(interval)),
    ):
        sql = sql.replace(macro, put)
    return sql
