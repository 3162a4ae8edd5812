"""What a worker shows to Prometheus: operators' alerts and dashboards name it."""

import pytest
from prometheus_client import REGISTRY

from pipeline.monitoring import metrics

SHOWN = {
    "tocsin_records_total": "role topic",
    "tocsin_slice_seconds_count": "role topic",
    "tocsin_kafka_requests_total": "api",
    "tocsin_kafka_throttled_seconds_total": "api",
    "tocsin_stale_secrets": "setting",
    "tocsin_frontier": "role topic partition",
    "tocsin_lag": "role topic",
    "tocsin_dropped_slices_total": "role topic",
    "tocsin_retention_passed_total": "role topic",
    "tocsin_dead_letters_total": "role topic reason",
    "tocsin_moved_records_total": "topic partitioner",
    "tocsin_source_records_total": "source outcome",
    "tocsin_source_lag": "source",
    "tocsin_source_waiting": "source",
    "tocsin_daily_limited_total": "tenant",
    "tocsin_unprocessable_total": "source",
    "tocsin_provider_calls_total": "provider outcome",
    "tocsin_retries_waiting": "partition",
    "tocsin_provider_errors_total": "provider reason",
    "tocsin_provider_failing_since_seconds": "provider",
    "tocsin_unreadable_report_events_total": "provider",
    "tocsin_spans_dropped_total": "",
    "tocsin_circuit": "provider",
    "tocsin_catalogues_refused_total": "",
}
"""By the name that stands in a query, the labels by which it is told apart."""
BY_LABELS = (
    *(metrics.RECORDS, metrics.SLICE_SECONDS, metrics.KAFKA_REQUESTS, metrics.FRONTIER),
    metrics.KAFKA_THROTTLED,
    metrics.STALE_SECRETS,
    *(metrics.DROPPED_SLICES, metrics.RETENTION_PASSED, metrics.DEAD_LETTERS, metrics.MOVED),
    *(
        metrics.DAILY_LIMITED,
        metrics.UNPROCESSABLE,
        metrics.PROVIDER_CALLS,
        metrics.RETRIES_WAITING,
    ),
    *(metrics.PROVIDER_ERRORS, metrics.FAILING_SINCE, metrics.UNREADABLE_EVENTS),
    *(
        metrics.CIRCUIT,
        metrics.SOURCE_RECORDS,
        metrics.SOURCE_LAG,
        metrics.SOURCE_WAITING,
        metrics.LAG,
    ),
)


@pytest.mark.parametrize("name", SHOWN)
def test_a_metric_is_found_by_its_name_and_labels(name: str) -> None:
    labels = dict.fromkeys(SHOWN[name].split(), "of-this-test")
    for metric in BY_LABELS:
        if name.startswith(metric._name):
            metric.labels(**labels)
    assert REGISTRY.get_sample_value(name, labels) is not None


def test_nothing_else_is_shown_of_ours() -> None:
    names = {family.name for family in REGISTRY.collect() if family.name.startswith("tocsin_")}
    known = {name.removesuffix("_total").removesuffix("_count") for name in SHOWN}
    assert names == {*known, "tocsin_catalogue", "tocsin_kafka"}


def test_the_catalogues_version_is_a_label_as_it_is_no_number() -> None:
    metrics.CATALOGUE.info({"version": "of-this-test"})
    assert REGISTRY.get_sample_value("tocsin_catalogue_info", {"version": "of-this-test"}) == 1


def test_how_long_slices_take_is_told_from_5_ms_to_half_a_minute() -> None:
    labels = {"role": "timed", "topic": "timed"}
    for seconds in (0.004, 0.3, 29.0, 31.0):
        metrics.SLICE_SECONDS.labels(**labels).observe(seconds)
    within = {
        bound: REGISTRY.get_sample_value("tocsin_slice_seconds_bucket", {**labels, "le": bound})
        for bound in ("0.005", "0.1", "0.25", "0.5", "10.0", "30.0", "+Inf")
    }
    assert within == {
        "0.005": 1,
        "0.1": 1,
        "0.25": 1,
        "0.5": 2,
        "10.0": 2,
        "30.0": 3,
        "+Inf": 4,
    }
