"""Workers in Grafana: `python -m pipeline.monitoring.grafana > grafana/dashboards/…`."""

import json
import sys
from typing import Any

SOURCE = {"type": "prometheus", "uid": "${source}"}
_WIDTH, _HEIGHT = 12, 8
_SLICES = 'sum by (role, le) (rate(tocsin_slice_seconds_bucket{role=~"$role"}[$__rate_interval]))'
PANELS = (
    ("Records done a second, by role",
     'sum by (role) (rate(tocsin_records_total{role=~"$role"}[$__rate_interval]))', "{{role}}"),
    ("Records to be done, by role and topic",
     'sum by (role, topic) (tocsin_lag{role=~"$role"}) > 0', "{{role}}: {{topic}}"),
    ("99 of 100 slices take at most, by role (s)",
     f"histogram_quantile(0.99, {_SLICES})", "{{role}}"),
    ("Deliveries that providers answered a second",
     "sum by (provider, outcome) (rate(tocsin_provider_calls_total[$__rate_interval]))",
     "{{provider}}: {{outcome}}"),
    ("Errors of providers a second, by reason",
     "sum by (provider, reason) (rate(tocsin_provider_errors_total[$__rate_interval]))",
     "{{provider}}: {{reason}}"),
    ("Circuits: 0 closed, 1 half-open, 2 open", "max by (provider) (tocsin_circuit)",
     "{{provider}}"),
    ("Deliveries that wait to be tried again", "sum(tocsin_retries_waiting)", "waiting"),
    ("Dead letters in an hour, by role and reason",
     'sum by (role, reason) (increase(tocsin_dead_letters_total{role=~"$role"}[1h])) > 0',
     "{{role}}: {{reason}}"),
    ("Requests to Kafka a second, by API",
     "sum by (api) (rate(tocsin_kafka_requests_total[$__rate_interval]))", "{{api}}"),
    ("Processor time, by process", "rate(process_cpu_seconds_total[$__rate_interval])",
     "{{instance}}"),
    ("Memory, by process (bytes)", "process_resident_memory_bytes", "{{instance}}"),
    ("Processes by version of the catalogue", "count by (version) (tocsin_catalogue_info)",
     "{{version}}"),
)  # fmt: skip
"""A title, what Prometheus is asked, and what a line is called."""


def dashboard() -> dict[str, Any]:
    """What Grafana provisions from a file."""
    return {
        "uid": "tocsin-workers",
        "title": "Tocsin: workers",
        "timezone": "utc",
        "schemaVersion": 39,
        "refresh": "15s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": _variables()},
        "panels": [_panel(at, *panel) for at, panel in enumerate(PANELS)],
    }


def _panel(at: int, title: str, asked: str, legend: str) -> dict[str, Any]:
    return {
        "id": at + 1,
        "title": title,
        "type": "timeseries",
        "datasource": SOURCE,
        "gridPos": {"x": at % 2 * _WIDTH, "y": at // 2 * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "targets": [{"refId": "A", "datasource": SOURCE, "expr": asked, "legendFormat": legend}],
    }


def _variables() -> list[dict[str, Any]]:
    return [
        {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
        {
            "name": "role",
            "type": "query",
            "datasource": SOURCE,
            "query": "label_values(tocsin_records_total, role)",
            "refresh": 2,
            "includeAll": True,
            "multi": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
        },
    ]


def text() -> str:
    """The file."""
    return json.dumps(dashboard(), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
