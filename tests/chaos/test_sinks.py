"""Sinks under fire: two providers of a channel that fail in turn, and a sink that is killed."""

import asyncio
from collections.abc import AsyncIterator
from random import Random

import pytest

from embedded.local_stack import LocalStack
from embedded.simulators.accept_log import Accepted
from embedded.simulators.faults import Fault
from pipeline.producing.producer import Producer
from schemas.vocabulary import Channel, Priority
from tests.chaos.conftest import BRIEF_SESSION, CALLS_IN_FLIGHT, LATENCY, PARTITIONS, Tell
from tests.chaos.deliveries import Deliveries, accepted, by_provider, producing, write
from tests.chaos.observe import SETTLED, ready_count, set_fault, until_ready_again
from tests.chaos.workers import second, stop
from tests.patience import PATIENCE

PAIRS = {Channel.SMS: ("twilio", "plivo"), Channel.EMAIL: ("postmark", "ses")}
TROUBLE = (
    Fault(error_rate=1, status=503),
    Fault(reset_rate=1),
    Fault(error_rate=1, status=429, retry_after=1),
    Fault(hang_rate=1),
    Fault(error_rate=0.5, latency=0.02),
)
"""What happens to a provider; a hang and a reset leave it open whether it took a message."""
SEED = 20_262


@pytest.fixture(scope="module")
async def pairs(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalStack]:
    """E-mail and SMS with two providers each, Kafka and the simulators."""
    async with LocalStack(
        tmp_path_factory.mktemp("pairs"),
        roles=("email", "sms", "retry"),
        partitions=PARTITIONS,
        session_timeout=BRIEF_SESSION,
        calls_in_flight=CALLS_IN_FLIGHT,
        provider_timeout=1,
        email_providers=",".join(PAIRS[Channel.EMAIL]),
        sms_providers=",".join(PAIRS[Channel.SMS]),
    ) as house:
        yield house


@pytest.mark.parametrize(
    ("count", "kills"), [(1500, 2), pytest.param(60_000, 20, marks=pytest.mark.chaos)]
)
@pytest.mark.parametrize("channel", PAIRS)
async def test_one_of_two_fails_and_the_sink_is_killed(
    pairs: LocalStack, tell: Tell, channel: Channel, count: int, kills: int
) -> None:
    """While one is in trouble the other is well, so that nothing has to wait for minutes."""
    wanted = Deliveries(f"fire-{channel}-{count}", channel, Priority.CRITICAL, count)
    random = Random(f"{SEED}-{channel}")
    for name in PAIRS[channel]:
        await set_fault(pairs, name, LATENCY)
    async with producing(pairs) as producer:
        writing = asyncio.create_task(_trickle(pairs, producer, wanted))
        for number in range(kills):
            failing = PAIRS[channel][number % 2]
            await set_fault(pairs, failing, random.choice(TROUBLE))
            await asyncio.sleep(random.uniform(1, 2))
            worker = pairs.workers[channel]
            before = ready_count(worker)
            await worker.kill()
            await until_ready_again(worker, before)
            await set_fault(pairs, failing, LATENCY)
        await writing
    taken = await _until_all(pairs, wanted)
    lost = [name for name, lines in taken.items() if not lines]
    twice = sum(len(lines) - 1 for lines in taken.values() if lines)
    # A call may carry hundreds of mails, which the provider takes at one moment.
    repeated = {(line.provider, line.at) for lines in taken.values() for line in lines[:-1]}
    tell(
        f"{channel}: {kills} kills, {count} deliveries by {dict(by_provider(taken))}: "
        f"lost {len(lost)}, sent again {twice} in {len(repeated)} calls"
    )
    assert not lost
    # What was in flight at a kill, and what a provider took before it hung or cut us off.
    assert len(repeated) <= 2 * kills * CALLS_IN_FLIGHT
    assert len(by_provider(taken)) == 2


async def test_a_stop_and_a_change_of_scale_repeat_nothing(pairs: LocalStack, tell: Tell) -> None:
    """By workers that are patient: a call that times out may be made again."""
    wanted = Deliveries("scale", Channel.SMS, Priority.HIGH, 1500)
    for name in PAIRS[Channel.SMS]:
        await set_fault(pairs, name, LATENCY)
    await stop(pairs.workers["sms"])
    async with (
        producing(pairs) as producer,
        second(pairs, "sms", "first", provider_timeout=PATIENCE) as first,
    ):
        writing = asyncio.create_task(_trickle(pairs, producer, wanted))
        await asyncio.sleep(1)
        async with second(pairs, "sms", provider_timeout=PATIENCE):
            await asyncio.sleep(2)
        await stop(first)
        await first.start()
        await writing
        taken = await _until_all(pairs, wanted)
    await pairs.workers["sms"].start()
    tell(f"scale: {dict(by_provider(taken))}")
    assert all(len(lines) == 1 for lines in taken.values())


async def _trickle(house: LocalStack, producer: Producer, wanted: Deliveries) -> None:
    step = 100
    for start in range(0, wanted.count, step):
        numbers = range(start, min(start + step, wanted.count))
        await write(house, producer, wanted, numbers)
        await asyncio.sleep(0.2)


async def _until_all(
    house: LocalStack, wanted: Deliveries, within: float = SETTLED
) -> dict[str, list[Accepted]]:
    """What was accepted once nothing is missing, or when the time is over."""
    end = asyncio.get_running_loop().time() + within
    while True:
        taken = accepted(house, wanted.ids())
        if all(taken.values()) or asyncio.get_running_loop().time() > end:
            await asyncio.sleep(2)  # for what would come twice
            return accepted(house, wanted.ids())
        await asyncio.sleep(0.5)
