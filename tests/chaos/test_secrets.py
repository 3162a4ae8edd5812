"""Secrets stay where they are, whatever providers do with them: nothing that is kept shows one."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec

from analytics.clickhouse import ClickHouse
from embedded.local_stack import LocalStack
from embedded.simulators.credentials import Credentials
from embedded.simulators.faults import Fault
from schemas.topics import DEAD_LETTERS, DELIVERY_EVENTS, RETRY
from schemas.vocabulary import Channel, Priority
from tests.chaos.conftest import LATENCY, PROVIDERS, Tell
from tests.chaos.deliveries import Deliveries, producing, write
from tests.chaos.observe import read_all, set_fault, wait_until_read

SHOWS = (
    Fault(malformed_rate=1),  # its body repeats our credentials
    Fault(error_rate=1, status=401),
    Fault(error_rate=1, status=400),
    Fault(reset_rate=1),
)
KEPT = [topic.name for topic in (DEAD_LETTERS, DELIVERY_EVENTS, RETRY)]


async def test_no_secret_shows_in_anything_that_is_kept(house: LocalStack, tell: Tell) -> None:
    secrets = list(secrets_of(house))
    async with producing(house) as producer:
        for number, fault in enumerate(SHOWS):
            for provider in PROVIDERS:
                await set_fault(house, provider, fault)
            for channel in (Channel.PUSH, Channel.EMAIL, Channel.SMS):
                wanted = Deliveries(f"secret-{number}", channel, Priority.CRITICAL, 8)
                await write(house, producer, wanted, range(8))
            await asyncio.sleep(1.5)
    for provider in PROVIDERS:
        await set_fault(house, provider, LATENCY)
    await wait_until_read(house)
    kept = dict(logs(house.folder / "logs"))
    kept |= {"topics": [record.value or b"" async for record in read_all(house, KEPT)]}
    kept |= {"clickhouse": await rows(house)}
    size = sum(len(text) for texts in kept.values() for text in texts)
    tell(f"{size >> 10} KiB of logs, topics and rows were searched for {len(secrets)} secrets")
    assert size > 10_000
    found = [place for place, texts in kept.items() for text in texts for s in secrets if s in text]
    assert found == []


def secrets_of(house: LocalStack) -> Iterator[bytes]:
    """The accounts' secrets; of a key, a line of it."""
    accounts = (house.folder / "simulators" / "accounts.json").read_bytes()
    for secret in msgspec.json.decode(accounts, type=Credentials).secrets():
        lines = [line for line in secret.splitlines() if "KEY" not in line]
        yield lines[0].encode()


def logs(folder: Path) -> Iterator[tuple[str, list[bytes]]]:
    """Every worker's log."""
    yield from ((path.name, [path.read_bytes()]) for path in folder.glob("*.log"))


async def rows(house: LocalStack) -> list[bytes]:
    """All text that analysts can ask for."""
    clickhouse = ClickHouse(house.settings)
    found = await clickhouse.query("SELECT DISTINCT detail, provider, user FROM delivery_events")
    await clickhouse.close()
    return [" ".join(row).encode() for row in found]
