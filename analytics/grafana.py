"""Grafana's dashboard of the same panels: `python -m analytics.grafana > grafana/dashboards/…`."""

import json
import sys
from typing import Any

from analytics.panels import PANELS, Chart, Panel
from schemas.vocabulary import Channel, Priority

SOURCE = {"type": "grafana-clickhouse-datasource", "uid": "tocsin-clickhouse"}
_DRAWN = {Chart.BARS: "barchart", Chart.LINES: "timeseries", Chart.TABLE: "table"}
_WIDTH, _HEIGHT = 12, 9
TENANTS = "SELECT DISTINCT tenant FROM by_hour ORDER BY tenant"
TYPES = "SELECT DISTINCT type FROM by_hour WHERE tenant = ${tenant:singlequote} ORDER BY type"
ALL = "''"
"""What stands for all values: put into queries as it is, it is the empty text, which narrows
nothing. Grafana takes an empty value for none given, and would list all that there are."""


def dashboard() -> dict[str, Any]:
    """What Grafana provisions from a file."""
    return {
        "uid": "tocsin",
        "title": "Tocsin",
        "timezone": "utc",
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": _variables()},
        "panels": [_panel(at, panel) for at, panel in enumerate(PANELS)],
    }


def _panel(at: int, panel: Panel) -> dict[str, Any]:
    lines = panel.chart is Chart.LINES
    return {
        "id": at + 1,
        "title": panel.title,
        "type": _DRAWN[panel.chart],
        "datasource": SOURCE,
        "gridPos": {"x": at % 2 * _WIDTH, "y": at // 2 * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
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


if __name__ == "__main__":
    sys.stdout.write(text())
