"""Exporting never waits, fails or grows, whatever the collector does."""

import asyncio

import pytest
from pydantic import SecretStr

from pipeline.monitoring.metrics import SPANS_DROPPED
from pipeline.tracing import export
from pipeline.tracing.export import MOST_WAITING, Exporter
from pipeline.tracing.span import INTERNAL, Span
from schemas.trace import TraceContext
from tests.collector import collecting

SPAN = Span("x", INTERNAL, TraceContext("a" * 32, "b" * 16), None, 1, 2, {"of": "this test"})


def dropped() -> float:
    value: float = SPANS_DROPPED._value.get()
    return value


async def test_what_is_added_arrives_in_order_in_few_requests() -> None:
    async with collecting() as collector:
        exporter = Exporter(f"{collector.url}/v1/traces", SecretStr(""), "one")
        for number in range(700):
            exporter.add(Span("x", INTERNAL, SPAN.context, None, number, number, {}))
        await asyncio.to_thread(exporter.close)
        starts = [each.start_time_unix_nano for each in collector.spans]
        assert starts == [number * 1_000_000 for number in range(700)]
        assert len(collector.requests) <= 3


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1/traces", "http://nobody.invalid/", "none"])
async def test_a_collector_that_is_away_costs_spans_and_nothing_else(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = dropped()
    exporter = Exporter(url, SecretStr("hush"), "one")
    for _ in range(3):
        exporter.add(SPAN)
    await asyncio.to_thread(exporter.close)
    assert dropped() == before + 3
    assert "can't be sent" in caplog.text
    assert "hush" not in caplog.text
    assert url not in caplog.text


def test_more_than_can_wait_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "EVERY_SECONDS", 3600.0)
    exporter, before = Exporter("http://127.0.0.1:1/", SecretStr(""), "one"), dropped()
    for _ in range(MOST_WAITING + 5):
        exporter.add(SPAN)
    assert dropped() == before + 5
    exporter.close()
