"""When a worker is alive, and when it is ready."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import Hashable
from dataclasses import dataclass, field

import pytest

from embedded.kafka import Kafka
from embedded.process import free_port
from pipeline.monitoring.metrics_server import serve_metrics
from pipeline.monitoring.probes import LOOP_SECONDS, Probes
from pipeline.processing.slices import Slice
from pipeline.producing.fencing import CHANGELOG
from pipeline.producing.lease import Lease
from pipeline.producing.leased_log import LeasedLog
from schemas.errors import PortTaken
from tests.patience import PATIENCE, until
from tests.pipeline.recorder import Recorder


@dataclass
class Role:
    """One whose partitions a test moves."""

    name: str = "decider"
    is_ready: bool = True
    signs: dict[int, Hashable] = field(default_factory=dict)

    def progress(self) -> dict[int, Hashable]:
        return dict(self.signs)


class Clock:
    """Seconds, as a test sets them."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def watching(*roles: Role, stall: float = 100.0) -> tuple[Probes, Clock]:
    clock = Clock()
    probes = Probes(stall, clock)
    probes.watch(roles)
    return probes, clock


def pass_seconds(probes: Probes, clock: Clock, seconds: int) -> None:
    for _ in range(seconds):
        clock.now += 1
        probes.look()


def test_a_partition_with_work_that_does_not_get_on_is_not_alive() -> None:
    role = Role(signs={0: 5, 1: 7})
    probes, clock = watching(role)
    pass_seconds(probes, clock, 100)
    assert probes.live().is_so
    role.signs[1] = 8
    pass_seconds(probes, clock, 1)
    assert not probes.live().is_so
    assert probes.live().why == "decider-0 has not got on for 101 s"
    role.signs[0] = 6
    pass_seconds(probes, clock, 1)
    assert probes.live().is_so


def test_one_without_work_may_stand_still() -> None:
    role = Role(signs={0: 5})
    probes, clock = watching(role)
    pass_seconds(probes, clock, 90)
    role.signs.clear()
    pass_seconds(probes, clock, 500)
    assert probes.live().is_so
    role.signs[0] = 5
    pass_seconds(probes, clock, 90)
    assert probes.live().is_so, "what came just now was not waiting before"


def test_a_loop_that_stands_still_is_not_alive() -> None:
    probes, clock = watching(Role())
    clock.now += LOOP_SECONDS + 1
    assert probes.live().why == "the loop has stood still for 31 s"


def test_it_is_ready_once_all_roles_are_and_no_more_when_it_stops() -> None:
    router, decider = Role("router"), Role("decider", is_ready=False)
    probes = Probes()
    assert (probes.ready().is_so, probes.live().is_so) == (False, True)
    probes.watch([router, decider])
    assert probes.ready().why == "waiting for decider"
    decider.is_ready = True
    probes.look()
    assert probes.ready().is_so
    probes.stop()
    assert probes.ready().why == "it is stopping"


class Held(Recorder):
    """Handles nothing until it may."""

    def __init__(self, kafka: str) -> None:
        super().__init__(kafka)
        self.may = asyncio.Event()

    async def handle(self, slice_: Slice) -> None:
        await self.may.wait()
        await super().handle(slice_)


async def test_what_partitions_say_of_their_work(kafka: Kafka) -> None:
    held = Held(kafka.address)
    await held.fill(3)
    async with held.worker() as app:
        partitions = app.partitions
        await until(lambda: len(partitions.at_work()) == 3)
        assert partitions.is_ready
        assert partitions.at_work() == {0: 0, 1: 0, 2: 0}
        await until(lambda: partitions.lag() == {held.topic.name: 9})
        held.may.set()
        await until(lambda: partitions.at_work() == {})
        assert held.count() == 9
        assert partitions.lag() == {held.topic.name: 0}


async def test_writes_to_changelogs_are_signs_and_outputs_are_not() -> None:
    class Producer:
        async def write(self, *_: object) -> int:
            return 1

    log = LeasedLog(Producer(), Lease(6.0))  # type: ignore[arg-type]
    await log.write(f"decider{CHANGELOG}", 3, [])
    await log.write("deliver.push.normal", 5, [])
    assert dict(log.written) == {3: 1}


def get(port: int, path: str, host: str = "127.0.0.1") -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_both_are_told_where_metrics_are() -> None:
    probes, _ = watching(role := Role())
    port = free_port()
    serve_metrics("127.0.0.1", port, probes)
    assert get(port, "/ready") == (200, "its partitions are restored\n")
    assert get(port, "/live")[0] == 200
    role.is_ready = False
    probes.look()
    assert get(port, "/ready") == (503, "waiting for decider\n")
    assert "tocsin_frontier" in get(port, "/metrics")[1]
    with pytest.raises(PortTaken, match="TOCSIN_METRICS_HOST"):
        serve_metrics("127.0.0.1", port, probes)


def test_an_address_of_ipv6_is_one_too() -> None:
    port = free_port()
    serve_metrics("::1", port, Probes())
    assert get(port, "/live", "[::1]")[0] == 200
