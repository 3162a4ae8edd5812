import os
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.scrape import Work, scrape, work_of
from bench.whole.end_to_end import step_of
from bench.whole.event_load import load
from bench.whole.kafka_folder import Kept, disk_of, kept_in
from bench.whole.receipts import Latency, Sent
from bench.whole.soak import by_time, drift
from bench.whole.whole import Loaded, Reading
from demo.dataset.world import make_world
from schemas.errors import Unavailable

METRICS = """\
# HELP tocsin_slice_seconds Time a slice took.
# TYPE tocsin_slice_seconds histogram
tocsin_slice_seconds_bucket{le="+Inf",role="router",topic="events"} 4.0
tocsin_slice_seconds_count{role="router",topic="events"} 4.0
tocsin_slice_seconds_sum{role="router",topic="events"} 0.5
# TYPE tocsin_records_total counter
tocsin_records_total{role="router",topic="events"} 10.0
# TYPE tocsin_kafka_requests_total counter
tocsin_kafka_requests_total{api="Fetch"} 7.0
"""


def test_work_is_summed_over_processes_and_roles() -> None:
    more = 'tocsin_kafka_requests_total{api="Fetch"} 2.0\n'
    more += 'tocsin_records_total{role="decider",topic="erasures"} 1.0\n'
    more += 'tocsin_records_total{role="router",topic="erasures"} 3.0\n'
    assert work_of([METRICS, more]) == Work(
        Counter(router=4), Counter(router=13, decider=1), Counter(Fetch=9)
    )


async def test_a_process_without_metrics_is_named() -> None:
    with pytest.raises(Unavailable, match=r"^The process router did not answer"):
        await scrape({"router": 1})


def test_logs_are_counted_by_topic_and_indexes_are_not(tmp_path: Path) -> None:
    for name, size in {
        "a-topic-0/00.log": 100,
        "a-topic-0/50.log": 30,
        "a-topic-1/00.log": 7,
        "a-topic-1/00.index": 1000,
        "__cluster_metadata-0/00.log": 5000,
        "kafka.log": 5000,
    }.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"x" * size)
    assert kept_in(tmp_path) == Kept(Counter({"a-topic": 137}), Counter({"a-topic": 2}))


@pytest.mark.parametrize("look", [disk_of, kept_in])
def test_a_folder_that_is_deleted_while_it_is_looked_at_counts_nothing(
    look: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "tmp_insert" / "a-0"
    gone.mkdir(parents=True)
    (gone / "00.log").write_bytes(b"x")
    scandir = os.scandir

    def merged_before(path: str | int) -> object:
        if str(path) == str(gone):
            shutil.rmtree(gone)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", merged_before)
    assert look(tmp_path) in (0, Kept(Counter(), Counter()))


def test_a_steps_figures_are_of_what_changed_and_of_the_windows_events() -> None:
    start = Reading(
        99.0,
        {"router": 0.5, "push": 2.0, "kafka": 4.4, "clickhouse": 1.0, "provider stub": 0.0},
        Work(Counter(), Counter(), Counter()),
        Kept(Counter(), Counter(events=8)),
    )
    before = Reading(
        100.0,
        {"router": 1.0, "push": 2.0, "kafka": 5.0, "clickhouse": 1.0, "provider stub": 0.0},
        Work(Counter(router=10), Counter(router=100), Counter(Fetch=50)),
        Kept(Counter(events=1000), Counter(events=8)),
    )
    after = Reading(
        110.0,
        {"router": 1.5, "push": 2.1, "kafka": 5.4, "clickhouse": 1.2, "provider stub": 1.0},
        Work(Counter(router=30), Counter(router=150), Counter(Fetch=250)),
        Kept(Counter(events=21_000), Counter(events=8)),
    )
    loaded = Loaded(0, 1000, 6000, start, before, after, 0.1, 4.0)
    sent = [
        Sent("a", "n-a", "critical", "push", 1000),
        Sent("b", "n-b", "critical", "email", 1000),
    ]
    step = step_of(20, 5, loaded, sent, {"a": 1010.0, "b": 1900.0}, 0.25, 0)
    assert (step.events, step.messages, step.ours_us_per_event) == (100, 2, 6000.0)
    assert step.ours_us_per_message == 300_000.0
    assert step.cpu_us_per_event["kafka"] == 4000.0
    assert step.cores["clickhouse"] == 0.02
    assert step.urgency_ms == {"critical": Latency(2, 10.0, 900.0)}
    assert step.slices_per_second == {"router": 2.0}
    assert step.records_per_slice == {"router": 2.5}
    assert step.requests_per_second == {"Fetch": 20.0}
    assert step.bytes_per_event == {"events": 200.0}
    assert step.held
    late = step_of(20, 5, loaded, sent, {"a": 1010.0, "b": 2000.1}, 0.25, 0)
    assert not late.held  # its p99 is 1,000.1 ms
    assert not step_of(20, 5, loaded._replace(behind=None), [], {}, 0.25, 0).held


def test_where_the_warm_up_left_something_all_that_came_counts() -> None:
    """A fifth more events than in the window, and a message of the first of them."""
    cpu = {"push": 0.0, "kafka": 0.0, "clickhouse": 0.0, "provider stub": 0.0}
    work, kept = Work(Counter(), Counter(), Counter()), Kept(Counter(), Counter())
    start, before, after = (
        Reading(at, cpu | {"push": spent, "kafka": 2 * spent}, work, kept)
        for at, spent in ((99.0, 1.0), (100.0, 1.2), (120.0, 2.2))
    )
    sent = [Sent(name, f"n-{name}", "high", "push", at) for name, at in (("a", 500), ("b", 1500))]
    for behind in (14.0, None):
        loaded = Loaded(0, 1000, 6000, start, before, after, 0.1, behind)
        step = step_of(20, 5, loaded, sent, {"a": 9000.0, "b": 9500.0}, 0.0, 0)
        assert (step.events, step.messages) == (100, 1)
        assert step.ours_us_per_event == 10_000.0
        assert step.ours_us_per_message == 600_000.0
        assert step.cpu_us_per_event["kafka"] == 20_000.0
        assert step.cores["push"] == round(1.2 / 21, 3)


def test_a_load_is_the_demos_under_ids_of_its_own() -> None:
    world, start = make_world(count=500), datetime(2026, 6, 1, tzinfo=UTC)
    first, second = (load(world, name, 200, 10, start) for name in ("one", "two"))
    assert not any(happening.bad for happening in first)
    ids = [
        {h.value["id"] for h in each if h.topic == "events" and isinstance(h.value, dict)}
        for each in (first, second)
    ]
    # Orders that end what is said of carts come on top.
    assert all(200 <= len(each) < 220 for each in ids)
    assert ids[0].isdisjoint(ids[1])


def test_drift_is_the_last_p99_less_the_first() -> None:
    sent = [Sent(str(at), "n", "high", "push", at) for at in (1000, 1999, 2000, 2100)]
    took = by_time(
        sent, {str(each.accepted_at): each.accepted_at + 5.0 for each in sent}, 1000, 3000, 1000
    )
    assert took == [{"high": Latency(2, 5.0, 5.0)}, {"high": Latency(2, 5.0, 5.0)}]
    took[1] = {"high": Latency(2, 5.0, 12.0), "low": Latency(1, 1.0, 1.0)}
    assert drift(took) == {"high": 7.0}
    assert drift([]) == {}
