"""A process that may have lost its partitions must write nothing more."""

import asyncio
import time

import pytest

from embedded.kafka import Kafka
from pipeline.consuming.app import SliceApp
from pipeline.producing.lease import Lease, seconds_since_boot
from schemas.errors import Unavailable
from tests.kafka_proxy import GROUP, HEARTBEAT, of, proxy_to
from tests.patience import ended, until
from tests.pipeline.gate import settled
from tests.pipeline.recorder import Recorder


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        """Its time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def held(clock: Clock) -> Lease:
    """A lease of 5 s, from a session of 6, that begins now."""
    lease = Lease(6.0, clock)
    lease.begin()
    lease.renew(clock.now)
    return lease


def test_it_lasts_for_less_than_the_session_from_when_the_answered_request_was_sent(
    clock: Clock,
) -> None:
    lease = held(clock)
    sent_at, clock.now = clock.now + 2, clock.now + 4.5
    lease.renew(sent_at)
    clock.now = sent_at + 4.9
    lease.check()
    clock.now = sent_at + 5.1
    with pytest.raises(Unavailable, match=r"answered nothing that was sent in the last 5\.1 s, so"):
        lease.check()


def test_an_answer_to_an_earlier_request_that_comes_later_takes_nothing_back(clock: Clock) -> None:
    lease = held(clock)
    lease.renew(clock.now - 4)
    clock.now += 4.9
    lease.check()


def test_who_is_told_to_be_no_member_has_no_lease_at_once(clock: Clock) -> None:
    lease = held(clock)
    lease.lose()
    with pytest.raises(Unavailable, match="no member of its group any more, so its partitions"):
        lease.check()


def test_without_partitions_there_is_nothing_to_lose(clock: Clock) -> None:
    """Starting, or waiting for others to join, may take as long as it takes."""
    lease = Lease(6.0, clock)
    clock.now += 60
    lease.check()
    lease = held(clock)
    lease.end()
    clock.now += 60
    lease.check()


async def test_partitions_are_opened_only_when_an_answer_is_recent_enough(clock: Clock) -> None:
    """Joining may have waited for others for longer than the lease lasts."""
    lease = Lease(6.0, clock)
    lease.renew(clock.now - 20)
    lease.begin()
    with pytest.raises(Unavailable):
        lease.check()
    keeping = asyncio.create_task(lease.keep())
    opening = asyncio.create_task(lease.held())
    await settled()
    assert not opening.done() and not keeping.done()
    lease.renew(clock.now)
    await ended(opening)
    lease.check()
    keeping.cancel()


async def test_who_has_lost_it_opens_nothing_and_is_told_by_whoever_watches(clock: Clock) -> None:
    lease = held(clock)
    lease.check()
    clock.now += 5.1
    for waiting in (lease.held(), lease.keep()):
        with pytest.raises(Unavailable):
            await ended(waiting)


def test_the_clock_counts_the_time_for_which_a_machine_is_suspended() -> None:
    """As far as the system has one that does."""
    counts = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert 0 <= seconds_since_boot() - counts < 60


async def test_answered_heartbeats_keep_it_and_held_ones_end_it(kafka: Kafka) -> None:
    """The connection that carries records and commits goes on; only the coordinator is silent."""
    async with proxy_to(kafka.port) as proxy:
        recorder = Recorder(proxy.address)
        expected = await recorder.fill(10)
        async with recorder.worker() as app:
            await until(lambda: recorder.handled == expected)
            beats = proxy.seen[HEARTBEAT]
            # Longer than it would last without them.
            await until(lambda: proxy.seen[HEARTBEAT] > beats + 8)
            app.lease.check()
            proxy.hold(of(*GROUP))
            await until(lambda: is_lost(app))
            proxy.let_go()


def is_lost(app: SliceApp) -> bool:
    """Whether the app's lease has ended."""
    try:
        app.lease.check()
    except Unavailable:
        return True
    return False
