"""When somebody is to be told of a metric: rules for Prometheus, in the words of the metrics."""

import json
from collections.abc import Iterator

from msgspec import Struct
from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase

from pipeline.monitoring import metrics

CRITICAL, WARNING, INFO = "critical", "warning", "info"
NO_ALERT = (metrics.KAFKA_REQUESTS, metrics.FRONTIER, metrics.KAFKA)
"""What is looked at only when something else says that it should be."""


class Alert(Struct, frozen=True):
    """A rule: when it holds for so long, it tells what the metric's own text says."""

    name: str
    metric: MetricWrapperBase
    when: str
    lasting: str
    severity: str

    @property
    def is_seen(self) -> str:
        """What the metric counts."""
        return self._texts[0]

    @property
    def to_do(self) -> str:
        """What it should make an operator do."""
        return self._texts[1]

    @property
    def _texts(self) -> tuple[str, str]:
        said, _, todo = self.metric._documentation.partition(". ")  # noqa: SLF001 - it has no other
        return f"{said}.", todo


def alerts(lag: int = 10_000) -> Iterator[Alert]:
    """All of them; `lag` is how many records a role may have before it for long."""
    has_lag = "sum by (role) (tocsin_lag) > 0"
    stands = "sum by (role) (rate(tocsin_records_total[5m])) == 0"
    slow = "sum by (role, le) (rate(tocsin_slice_seconds_bucket[5m]))"
    calls = "sum by (provider) (rate(tocsin_provider_calls_total{}[10m]))"
    retried = calls.replace("{}", '{outcome="retry"}')
    all_calls = calls.replace("{}", "")
    versions = "count(count by (version) (tocsin_catalogue_info)) > 1"
    yield Alert(
        "TocsinRoleStandsStill", metrics.RECORDS, f"({has_lag}) and ({stands})", "5m", CRITICAL
    )
    yield Alert("TocsinLag", metrics.LAG, f"sum by (role) (tocsin_lag) > {lag}", "15m", WARNING)
    yield Alert(
        "TocsinSlow", metrics.SLICE_SECONDS, f"histogram_quantile(0.99, {slow}) > 5", "10m", WARNING
    )
    yield _any("TocsinKafkaThrottles", metrics.KAFKA_THROTTLED, WARNING, "15m", least=60)
    yield Alert(
        "TocsinSecretStale",
        metrics.STALE_SECRETS,
        "max by (setting) (tocsin_stale_secrets) == 1",
        "5m",
        WARNING,
    )
    yield _any("TocsinSlicesDropped", metrics.DROPPED_SLICES, WARNING, "10m", least=20)
    yield _any("TocsinRecordsExpired", metrics.RETENTION_PASSED, CRITICAL, "0m")
    yield _any("TocsinDeadLetters", metrics.DEAD_LETTERS, WARNING, "0m")
    yield _any("TocsinRecordsMoved", metrics.MOVED, INFO, "30m", least=10_000)
    dead = '{outcome="dead"}'
    yield _any("TocsinSourceRecordsDead", metrics.SOURCE_RECORDS, WARNING, "0m", where=dead)
    yield Alert(
        "TocsinSourceLag",
        metrics.SOURCE_LAG,
        f"sum by (source) (tocsin_source_lag) > {lag}",
        "15m",
        WARNING,
    )
    yield Alert(
        "TocsinSourceWaits",
        metrics.SOURCE_WAITING,
        "max by (source) (tocsin_source_waiting) == 1",
        "5m",
        CRITICAL,
    )
    yield _any("TocsinDailyLimit", metrics.DAILY_LIMITED, WARNING, "0m")
    yield _any("TocsinUnprocessable", metrics.UNPROCESSABLE, WARNING, "0m")
    yield Alert(
        "TocsinProviderRetries",
        metrics.PROVIDER_CALLS,
        f"{retried} / {all_calls} > 0.2",
        "10m",
        WARNING,
    )
    yield Alert(
        "TocsinRetriesWaiting",
        metrics.RETRIES_WAITING,
        "sum(tocsin_retries_waiting) > 0 and sum(deriv(tocsin_retries_waiting[30m])) > 0",
        "30m",
        WARNING,
    )
    yield _any("TocsinProviderErrors", metrics.PROVIDER_ERRORS, WARNING, "10m", least=10)
    yield Alert(
        "TocsinProviderFails",
        metrics.FAILING_SINCE,
        "max by (provider) (time() - (tocsin_provider_failing_since_seconds > 0)) > 300",
        "0m",
        CRITICAL,
    )
    yield _any("TocsinReportsUnreadable", metrics.UNREADABLE_EVENTS, WARNING, "0m")
    yield _any("TocsinSpansDropped", metrics.SPANS_DROPPED, INFO, "15m", least=100)
    yield Alert(
        "TocsinCircuitOpen",
        metrics.CIRCUIT,
        "max by (provider) (tocsin_circuit) == 2",
        "10m",
        WARNING,
    )
    yield Alert("TocsinCataloguesDiffer", metrics.CATALOGUE, versions, "15m", WARNING)
    yield _any("TocsinCatalogueRefused", metrics.CATALOGUES_REFUSED, WARNING, "0m")


def _any(
    name: str, metric: Counter, severity: str, lasting: str, least: int = 0, where: str = ""
) -> Alert:
    """Of a counter that rose by more than `least` within 15 minutes, `where` its labels match."""
    counted = f"{metric._name}_total{where}"  # noqa: SLF001 - as above
    by = ", ".join(metric._labelnames)  # noqa: SLF001
    total = f"sum by ({by}) " if by else "sum "
    when = f"{total}(increase({counted}[15m])) > {least}"
    if not least:
        # What is counted for the first time has no increase, as it was never 0.
        when += f" or {total}({counted} unless {counted} offset 15m) > 0"
    return Alert(name, metric, when, lasting, severity)


def rule_file(lag: int = 10_000) -> str:
    """All rules in the form of a file of Prometheus."""
    lines = ["groups:", "  - name: tocsin", "    rules:"]
    for each in alerts(lag):
        lines += [
            f"      - alert: {each.name}",
            f"        expr: {json.dumps(each.when)}",
            *([f"        for: {each.lasting}"] if each.lasting != "0m" else []),
            f"        labels: {{severity: {each.severity}}}",
            "        annotations:",
            f"          summary: {json.dumps(each.is_seen)}",
            f"          description: {json.dumps(each.to_do)}",
        ]
    return "\n".join(lines) + "\n"
