"""A worker that is told to stop ends, whatever its group and its client of Kafka are about."""

from embedded.kafka import Kafka
from tests.kafka_proxy import GROUP, of, proxy_to
from tests.patience import PATIENCE, until
from tests.pipeline.recorder import PARTITIONS, Recorder
from tests.pipeline.worker_processes import Workers


async def test_who_is_told_to_stop_amid_a_rebalance_hands_over_and_ends(
    kafka: Kafka, workers: Workers
) -> None:
    """Its slice in hand holds up the rebalance, and its session would outlast it by far."""
    recorder = Recorder(kafka.address)
    await recorder.fill(100)
    first = await workers.start(recorder, pause=1.0)
    async with recorder.worker() as app:
        await until(lambda: "rebalancing" in workers.log.read_text())
        await first.stop(PATIENCE)
        assert first.returncode == 0
        await until(lambda: app.partitions.numbers == list(range(PARTITIONS)))
    assert "could not leave" not in workers.log.read_text()


async def test_a_group_that_never_answers_holds_up_no_stop(kafka: Kafka, workers: Workers) -> None:
    """Kafka's client would send the commit again for ever."""
    recorder = Recorder(kafka.address)
    await recorder.fill(100)
    async with proxy_to(kafka.port) as proxy:
        worker = await workers.start(recorder, pause=1.0, how="hasty", kafka=proxy.address)
        proxy.hold(of(*GROUP))
        await until(lambda: bool(proxy.held))
        await worker.stop(PATIENCE)
        proxy.let_go()
    assert worker.returncode == 0
    assert "All that it finished is kept" in workers.log.read_text()
