"""The reference of Prometheus metrics."""

from prometheus_client import Counter, Gauge, Histogram, Info
from prometheus_client.metrics import MetricWrapperBase

from pipeline.monitoring import metrics
from tests.documentation.markdown import code, generated, table

KINDS = {Counter: "counter", Gauge: "gauge", Histogram: "histogram", Info: "info"}
SUFFIXES = {Counter: "_total", Info: "_info"}
"""What Prometheus' text form adds to a name."""


def declared() -> list[MetricWrapperBase]:
    """Every metric, in the order in which they are declared."""
    return [each for each in vars(metrics).values() if isinstance(each, MetricWrapperBase)]


def name_of(metric: MetricWrapperBase) -> str:
    """Its name as it is scraped; a histogram has `_bucket`, `_sum` and `_count` of it."""
    name: str = metric._name
    return name + SUFFIXES.get(type(metric), "")


def page() -> str:
    """A row for each metric."""
    rows = (
        (
            code(name_of(metric)),
            KINDS[type(metric)],
            ", ".join(map(code, metric._labelnames)),
            metric._documentation,
        )
        for metric in declared()
    )
    about = """
A worker serves these at `/metrics` of `TOCSIN_METRICS_HOST` and `TOCSIN_METRICS_PORT`, for all of
its roles. Each help text ends with what to do.
"""
    return generated("Metrics", about) + table(("name", "type", "labels", "help"), rows)
