"""Rules and the dashboard of workers: Prometheus can read them, and they go by what there is."""

import json
import re
from pathlib import Path

import promql_parser
import pytest
import yaml
from click.testing import CliRunner
from prometheus_client.metrics import MetricWrapperBase

from cli.main import tocsin
from pipeline.monitoring import grafana, metrics
from pipeline.monitoring.alerts import NO_ALERT, Alert, alerts, rule_file

ROOT = Path(__file__).parents[3]
ALL = [each for each in vars(metrics).values() if isinstance(each, MetricWrapperBase)]
SAMPLES = {
    name
    for each in ALL
    for family in each.describe()
    for name in (
        *(family.name, f"{family.name}_total", f"{family.name}_info", f"{family.name}_bucket"),
    )
}


def names_in(asked: str) -> set[str]:
    return set(re.findall(r"\btocsin_\w+", asked))


def labels_in(asked: str) -> set[str]:
    return {
        label.strip()
        for group in re.findall(r"by \(([^)]*)\)", asked)
        for label in group.split(",")
    }


@pytest.mark.parametrize("each", list(alerts()), ids=lambda each: str(each.name))
def test_a_rule_can_be_read_and_goes_by_what_is_counted(each: Alert) -> None:
    promql_parser.parse(each.when)
    assert names_in(each.when) <= SAMPLES
    known = {label for metric in ALL for label in metric._labelnames} | {"le", "version"}
    assert labels_in(each.when) <= known
    assert each.is_seen.endswith(".")
    assert each.to_do, "it says what to do"


def test_of_each_metric_it_is_decided_whether_anybody_is_told() -> None:
    told = {each.metric for each in alerts()}
    assert told | set(NO_ALERT) == set(ALL)
    assert not told & set(NO_ALERT)


def test_the_file_is_one_of_prometheus() -> None:
    (group,) = yaml.safe_load(rule_file(500))["groups"]
    assert [rule["alert"] for rule in group["rules"]] == [each.name for each in alerts()]
    by_name = {rule["alert"]: rule for rule in group["rules"]}
    lag = by_name["TocsinLag"]
    assert (lag["expr"], lag["for"]) == ("sum by (role) (tocsin_lag) > 500", "15m")
    dead = by_name["TocsinDeadLetters"]
    assert dead["annotations"] == {
        "summary": "Records set aside.",
        "description": "Any: `tocsin dead-letters list`.",
    }
    assert "for" not in dead
    # What is counted for the first time has no increase.
    for name in ("TocsinDeadLetters", "TocsinSourceRecordsDead"):
        assert " unless " in by_name[name]["expr"]


def test_as_json_it_is_the_same() -> None:
    lines = CliRunner().invoke(tocsin, ["alerts", "--json"]).stdout.splitlines()
    (group,) = yaml.safe_load(rule_file())["groups"]
    found = [json.loads(line) for line in lines]
    assert [(each["alert"], each["expr"]) for each in found] == [
        (rule["alert"], rule["expr"]) for rule in group["rules"]
    ]
    assert {each["severity"] for each in found} == {"critical", "warning", "info"}


def test_what_the_chart_and_grafana_ship_is_what_is_made() -> None:
    assert (ROOT / "deploy/helm/alerts.yaml").read_text() == rule_file()
    assert (ROOT / "grafana/dashboards/workers.json").read_text() == grafana.text()


@pytest.mark.parametrize("panel", grafana.PANELS, ids=lambda panel: panel[0])
def test_a_panel_can_be_read_and_shows_what_is_counted(panel: tuple[str, str, str]) -> None:
    _, asked, legend = panel
    promql_parser.parse(asked.replace("$__rate_interval", "5m"))
    assert names_in(asked) <= SAMPLES
    named = set(re.findall(r"{{(\w+)}}", legend))
    assert named - {"instance"} <= labels_in(asked)
