"""A company's programs on the JVM: Kafka's own Java client, with its defaults."""

import asyncio
import subprocess

import msgspec
import orjson

from schemas.misplaced import Misplaced
from schemas.topics import PLACED
from tests.agents.company import Company
from tests.agents.kafka_tools import console_producer
from tests.agents.stage import Stage


async def produce(company: Company, lines: list[str], *options: str) -> None:
    """Have Kafka's console producer write each line; on return the broker has them."""
    argv = await console_producer(company.kafka, company.topic, *options)
    done = await asyncio.to_thread(
        subprocess.run,
        argv,
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


async def test_what_java_writes_is_read_with_a_key_and_without(stage: Stage) -> None:
    company = Company(stage)
    await company.create(3)
    orders = [
        {"order": number, "shop": number % 4, "customer": f"user-{number}", "status": "shipped"}
        for number in range(40)
    ]
    told = [orjson.dumps(each).decode() for each in orders]
    keyed = [f"order-{number}|{line}" for number, line in enumerate(told[:20])]
    async with company.reading():
        await produce(
            company,
            keyed,
            *("--reader-property", "parse.key=true", "--reader-property", "key.separator=|"),
        )
        await produce(company, told[20:])
        await company.caught_up()
    placed = await stage.read(PLACED["router"], Misplaced)
    found = {msgspec.json.decode(bytes(each.value))["data"]["order_id"]: each for each in placed}
    assert found.keys() == set(range(40))
    assert {found[number].key for number in range(20)} == {
        f"order-{number}".encode() for number in range(20)
    }
    assert {found[number].key for number in range(20, 40)} == {None}
    # By its murmur2 partitioner the keyed ones are in several; of the others a batch is in one.
    assert len({found[number].partition for number in range(20)}) > 1
    assert await stage.letters() == []
