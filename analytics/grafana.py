"""Grafana's dashboard of the same panels: `python -m analytics.grafana > grafana/dashboards/…`."""

import json
import sys
from typing import Any

from analytics.panels import PANELS, Chart, Panel, for_grafana
from schemas.vocabulary import Channel, Priority

SOURCE = {"type": "grafana-clickhouse-datasource", "uid": "tocsin-clickhouse"}
_DRAWN = {Chart.BARS: "barchart", Chart.LINES: "timeseries", Chart.TABLE: "table"}
_WIDTH, _HEIGHT = 12, 9
TENANTS = "SELECT DISTINCT tenant FROM by_hour ORDER BY tenant"
TYPES = "SELECT DISTINCT type FROM by_hour WHERE tenant = '${tenant}' ORDER BY type"


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
                "rawSql": for_grafana(panel),
            }
        ],
    }


def _variables() -> list[dict[str, Any]]:
    return [
        _asked("tenant", TENANTS, all_of_them=False),
        _asked("type", TYPES, all_of_them=True),
        _listed("channel", ["", *Channel]),
        _listed("priority", ["", *Priority]),
        # By the minute for 14 days back, by the hour for 13 months.
        _listed("bucket", ["hour", "minute"]),
    ]


def _asked(name: str, sql: str, *, all_of_them: bool) -> dict[str, Any]:
    return {
        "name": name,
        "type": "query",
        "datasource": SOURCE,
        "query": sql,
        "refresh": 2,
        "includeAll": all_of_them,
        # "All" is the empty value, which narrows nothing.
        **({"allValue": ""} if all_of_them else {}),
    }


def _listed(name: str, values: list[str]) -> dict[str, Any]:
    options = [
        {"text": value or "all", "value": value, "selected": not at}
        for at, value in enumerate(values)
    ]
    query = ",".join(value or "all : " for value in values)
    return {
        "name": name,
        "type": "custom",
        "query": query,
        "options": options,
        "current": options[0],
    }


def text() -> str:
    """The file."""
    return json.dumps(dashboard(), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
