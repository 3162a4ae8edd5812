from io import StringIO

import msgspec
import pytest
from rich.console import Console

from bench.whole.end_to_end import EndToEnd
from bench.whole.report import WIDTH, end_to_end_tables, soak_tables
from bench.whole.soak import Soak
from bench.whole.whole import NOT_OURS
from tests.bench.test_benchmarks import bench


def widest(shown: object) -> int:
    out = StringIO()
    Console(file=out, width=200).print(shown)
    return max(map(len, out.getvalue().splitlines()))


@pytest.mark.chaos
def test_end_to_end_prints_its_figures() -> None:
    options = ("--rates", "0,20", "--seconds", "3", "--warm-up", "1", "--search", "0")
    found = msgspec.convert(bench("end_to_end", *options, "--users", "300"), EndToEnd)
    idle, loaded = found.steps
    assert (idle.rate, idle.events, idle.messages) == (0, 0, 0)
    assert (loaded.rate, loaded.events, loaded.restarts) == (20, 60, 0)
    channels = {name for took in loaded.took_ms.values() for name in took}
    assert channels >= {"push", "inapp"}
    assert not any(each.missing for took in loaded.took_ms.values() for each in took.values())
    assert loaded.cores.keys() > set(NOT_OURS)
    assert min(loaded.requests_per_second[api] for api in ("Fetch", "Produce")) > 0
    assert loaded.slices_per_second["router"] > 0
    assert loaded.bytes_per_event["events"] > 0
    assert found.partitions > found.topics > 20
    assert widest(end_to_end_tables(found)) <= WIDTH


@pytest.mark.chaos
def test_soak_prints_its_figures() -> None:
    options = ("--minutes", "0.1", "--every", "3", "--rate", "20", "--warm-up", "1")
    found = msgspec.convert(bench("soak", *options, "--users", "300"), Soak)
    assert len(found.looks) == 3
    assert len(found.took_ms) == 2
    for look in found.looks:
        assert min(look.memory.values()) > 0
        assert min(look.descriptors.values()) > 0
        assert min(look.disk.values()) > 0
    assert widest(soak_tables(found)) <= WIDTH
