"""`tocsin frontiers`: what can't be right is shown, and goes on where an operator says."""

import json

from aiokafka import TopicPartition

from embedded.kafka import Kafka
from pipeline.kafka.clients import reader
from schemas.topics import DELIVER, INPUTS, changelog
from schemas.vocabulary import Channel, Priority
from tables.storage.store import FRONTIER, OFFSET
from tests.agents.line import PARTITIONS, Line
from tests.cli.test_main import Ended, run
from tests.patience import until_told

ROLE = "chat"
TOPIC = DELIVER[Channel.CHAT, Priority.LOW].name
BEYOND = 1_000_000
GROUP = f"tocsin-{ROLE}"
TOTAL = PARTITIONS * len(INPUTS[ROLE])


async def frontiers(kafka: Kafka, *options: str) -> Ended:
    """Run it, with lines as long as they get."""
    return await run(
        "frontiers", ROLE, *options, COLUMNS=200, TOCSIN_KAFKA=kafka.address,
        TOCSIN_PARTITIONS=PARTITIONS,
    )  # fmt: skip


async def test_a_topic_made_anew_is_shown_and_gone_on_with_where_an_operator_says(
    line: Line, kafka: Kafka
) -> None:
    """The role was done up to offset 1,000,000 of what now has a few records, or none."""
    log, tp = changelog(ROLE).name, TopicPartition(TOPIC, 0)
    await line.producer.open(log, 0)
    await line.producer.write(log, 0, [(FRONTIER + TOPIC.encode(), OFFSET.pack(BEYOND))])
    async with reader(kafka.address, group_id=GROUP) as consumer:
        consumer.assign([tp])
        await consumer.commit({tp: BEYOND})
        end = (await consumer.end_offsets([tp]))[tp]

    shown = await frontiers(kafka)
    assert shown.code == 0
    place, said = shown.output.splitlines()
    assert place.split("  ") == [
        f"{TOPIC}-0", "beyond the end", f"log 0 to {end}", f"committed {BEYOND}",
        f"stored {BEYOND}",
    ]  # fmt: skip
    assert said.startswith(f"1 of {TOTAL} frontiers of chat can't be right. Nothing was changed;")

    tried = await frontiers(kafka, "--accept", "end", "--dry-run")
    assert f"continues at {end}" in tried.output
    assert "chat would continue there in 1 places. Nothing was changed." in tried.output
    refused = await frontiers(kafka, "--accept", "commit")
    assert refused.code != 0
    assert f"before what was committed ({BEYOND}); accept start or end." in refused.errors

    async with reader(kafka.address, TOPIC, group_id=GROUP) as member:
        await until_told(member.getmany, lambda _: bool(member.assignment()))
        running = await frontiers(kafka, "--accept", "end")
        assert running.code != 0
        assert "The role chat is running, or was a moment ago" in running.errors
    assert (await frontiers(kafka)).output == shown.output, "something was changed"

    done = await frontiers(kafka, "--accept", "end", "--json")
    rows = [json.loads(row) for row in done.output.splitlines()]
    assert len(rows) == TOTAL
    assert [row for row in rows if row["changed"]] == [
        {
            "topic": TOPIC,
            "partition": 0,
            "start": 0,
            "end": end,
            "committed": BEYOND,
            "stored": BEYOND,
            "finding": "beyond the end",
            "goes_on_at": end,
            "changed": True,
        }
    ]
    after = await frontiers(kafka)
    assert after.output == (
        f"All {TOTAL} frontiers of chat are where they can be. Nothing was changed.\n"
    )
    async with reader(kafka.address, group_id=GROUP) as consumer:
        assert await consumer.committed(tp) == end


async def test_a_dry_run_of_nothing_is_refused(kafka: Kafka) -> None:
    refused = await frontiers(kafka, "--dry-run")
    assert refused.code != 0
    assert "--dry-run goes with --accept" in refused.errors
