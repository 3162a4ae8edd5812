"""Grafana's dashboard of the same panels, and the account by which it reads.

`python -m analytics.grafana > grafana/dashboards/tocsin.json`, and with `account` the account,
which is `grafana/clickhouse/grafana.xml`.
"""

import json
import re
import sys
from typing import Any

from analytics.analyst import LIMITS, LONGEST
from analytics.migration import migrations
from analytics.panels import PANELS, Chart, Panel
from schemas.vocabulary import Channel, Priority

SOURCE = {"type": "grafana-clickhouse-datasource", "uid": "tocsin-clickhouse"}
_DRAWN = {Chart.BARS: "barchart", Chart.LINES: "timeseries", Chart.TABLE: "table"}
_WIDTH, _HEIGHT = 12, 9
_KEPT = "(SELECT tenant, type FROM hour_sets UNION ALL SELECT tenant, type FROM hour_counts)"
TENANTS = f"SELECT DISTINCT tenant FROM {_KEPT} ORDER BY tenant"  # noqa: S608 - ours
TYPES = (
    f"SELECT DISTINCT type FROM {_KEPT} "  # noqa: S608 - ours
    "WHERE tenant = ${tenant:singlequote} ORDER BY type"
)
ALL = "''"
"""What stands for all values: put into queries as it is, it is the empty text, which narrows
nothing. Grafana takes an empty value for none given, and would list all that there are."""


def dashboard() -> dict[str, Any]:
    """What Grafana provisions from a file."""
    shown = [panel for panel in PANELS if not panel.on_request]
    asked = [panel for panel in PANELS if panel.on_request]
    return {
        "uid": "tocsin",
        "title": "Tocsin",
        "timezone": "utc",
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": _variables()},
        "panels": [*_laid_out(shown), _folded(asked, len(PANELS) + 1, _bottom(shown))],
    }


def panels_of(made: dict[str, Any]) -> list[dict[str, Any]]:
    """The panels of a dashboard, those in a row that is folded too."""
    return [each for panel in made["panels"] for each in panel.get("panels", [panel])]


def _folded(panels: list[Panel], number: int, y: int) -> dict[str, Any]:
    """A row that Grafana asks nothing for until somebody opens it."""
    return {
        "id": number,
        "type": "row",
        "title": "Questions: asked once this row is opened",
        "collapsed": True,
        "gridPos": {"x": 0, "y": y, "w": 2 * _WIDTH, "h": 1},
        "panels": _laid_out(panels, number, y + 1),
    }


def _laid_out(panels: list[Panel], first: int = 0, y: int = 0) -> list[dict[str, Any]]:
    return [_panel(first + at, at, y, panel) for at, panel in enumerate(panels)]


def _bottom(panels: list[Panel]) -> int:
    return -(-len(panels) // 2) * _HEIGHT


def _panel(number: int, at: int, y: int, panel: Panel) -> dict[str, Any]:
    lines = panel.chart is Chart.LINES
    return {
        "id": number + 1,
        "title": panel.title,
        "type": _DRAWN[panel.chart],
        "datasource": SOURCE,
        "gridPos": {"x": at % 2 * _WIDTH, "y": y + at // 2 * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "targets": [
            {
                "refId": "A",
                "datasource": SOURCE,
                "editorType": "sql",
                "queryType": "timeseries" if lines else "table",
                "format": 0 if lines else 1,
                "rawSql": panel.for_grafana,
            }
        ],
    }


_ANY: dict[str, Any] = {
    "multi": True,
    "includeAll": True,
    "allValue": ALL,
    "current": {"text": ["All"], "value": ["$__all"]},
}


def _variables() -> list[dict[str, Any]]:
    return [
        _asked("tenant", TENANTS),
        {**_asked("type", TYPES), **_ANY},
        _listed("channel", list(Channel)),
        _listed("priority", list(Priority)),
    ]


def _asked(name: str, sql: str) -> dict[str, Any]:
    return {"name": name, "type": "query", "datasource": SOURCE, "query": sql, "refresh": 2}


def _listed(name: str, values: list[str]) -> dict[str, Any]:
    options = [{"text": value, "value": value, "selected": False} for value in values]
    return {
        "name": name,
        "type": "custom",
        "query": ",".join(values),
        "options": [{"text": "All", "value": "$__all", "selected": True}, *options],
        **_ANY,
    }


def text() -> str:
    """The file."""
    return json.dumps(dashboard(), indent=2) + "\n"


def account() -> str:
    """The same for an account in the folder users.d of a ClickHouse, whose password is that of the
    environment: it may do what analysts may."""
    limits = "".join(f"      <{name}>{most}</{name}>\n" for name, most in LIMITS.items())
    bounds = "".join(f"        <{name}>{_bound_of(name)}</{name}>\n" for name in LIMITS)
    grants = "".join(
        f"        <query>GRANT SELECT ON default.{name}</query>\n" for name in _readable()
    )
    return _ACCOUNT.format(limits=limits, bounds=bounds, grants=grants)


_ACCOUNT = """<clickhouse>
  <profiles>
    <tocsin_grafana>
      <readonly>2</readonly>
{limits}      <constraints>
{bounds}      </constraints>
    </tocsin_grafana>
  </profiles>
  <users>
    <grafana>
      <password from_env="TOCSIN_GRAFANA_PASSWORD"/>
      <networks><ip>::/0</ip></networks>
      <profile>tocsin_grafana</profile>
      <quota>default</quota>
      <default_database>default</default_database>
      <grants>
{grants}      </grants>
    </grafana>
  </users>
</clickhouse>
"""


def _bound_of(name: str) -> str:
    if name == "max_execution_time":
        return f"<min>1</min><max>{LONGEST}</max>"
    return "<readonly/>"


def _readable() -> list[str]:
    """All tables and views but that of who was erased."""
    made = re.compile(r"CREATE (?:OR REPLACE VIEW|TABLE IF NOT EXISTS) (\w+)")
    names = {name for file in migrations() for name in made.findall(file.sql)}
    return sorted(names - {"audit", "audit_trail", "erased"})


if __name__ == "__main__":
    sys.stdout.write(account() if sys.argv[1:] == ["account"] else text())
