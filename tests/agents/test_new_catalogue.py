"""A catalogue that changes while router and decider work, in memory."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from agents.replay.in_memory_pipeline import HeldClock, Rehearsal
from agents.roles import builders_of
from pipeline.catalogue_reload import CatalogueFolder
from pipeline.process.runtime import Runtime
from pipeline.producing.memory_log import MemoryLog
from pipeline.settings import Settings
from schemas.dead_letter import DeadLetter
from schemas.delivery_event import DeliveryEvent
from schemas.encoding import encode
from schemas.event import Event
from schemas.profile import Contacts, Device
from schemas.topics import CONTACTS, DEAD_LETTERS, DELIVERY_EVENTS, EVENTS, REQUESTS, Topic
from schemas.vocabulary import Priority, Reason
from schemas.vocabulary import Stage as Happened
from tables.storage.memory_store import MemoryStore
from tests.policy.samples import NOON, TYPE, request

DELAYED = TYPE.replace("= 86400", '= 86400\ndelay = "10m"')
MINUTE = 60_000


@dataclass
class Town:
    """Router and decider on the files of a folder."""

    folder: Path
    catalogues: CatalogueFolder
    clock: HeldClock
    log: MemoryLog
    workers: Rehearsal

    async def write(self, topic: Topic, key: str, value: msgspec.Struct) -> None:
        await self.log.write(topic.name, 0, [(key.encode(), encode(value))])

    async def happen(self, event_type: str, event_id: str = "e1") -> None:
        at = datetime.fromtimestamp(self.clock.at / 1000, UTC)
        data = {"who": "ann", "text": "hello"}
        event = Event(id=event_id, type=event_type, actor="bob", occurred_at=at, data=data)
        await self.write(EVENTS, "bob", event)
        await self.workers.settle()

    def told(self) -> list[DeliveryEvent]:
        records = self.log.topics[DELIVERY_EVENTS.name]
        decode = msgspec.json.Decoder(DeliveryEvent).decode_lines
        return [event for record in records for event in decode(record.value)]

    def dead(self) -> list[DeadLetter]:
        records = self.log.topics[DEAD_LETTERS.name]
        return [msgspec.json.decode(record.value, type=DeadLetter) for record in records]


@pytest.fixture
async def town(tmp_path: Path) -> Town:
    (tmp_path / "thing.toml").write_text(DELAYED)
    catalogues = CatalogueFolder(tmp_path, settle=0.01)
    clock = HeldClock(NOON)
    log = MemoryLog(clock)
    workers = Rehearsal(catalogues, Settings(), log, clock, MemoryStore({}), MemoryStore({}))
    town = Town(tmp_path, catalogues, clock, log, workers)
    contacts = Contacts(user="ann", devices=(Device(token="phone"),))
    await town.write(CONTACTS, "ann", contacts)
    return town


async def test_a_type_that_is_newer_than_the_last_look_is_no_dead_letter(town: Town) -> None:
    (town.folder / "new.toml").write_text(TYPE.replace("thing", "new"))
    await town.happen("new.happened")
    assert town.dead() == []
    queued = [told for told in town.told() if told.stage is Happened.QUEUED]
    assert {told.type for told in queued} == {"new"}
    assert {told.catalogue for told in queued} == {town.catalogues.current.version}


async def test_the_decider_too_looks_before_it_refuses(town: Town) -> None:
    (town.folder / "new.toml").write_text(TYPE.replace("thing", "new"))
    asked = replace(request(), type="new")
    await town.write(REQUESTS[Priority.NORMAL], "ann", asked)
    await town.workers.settle()
    assert town.dead() == []
    assert Happened.QUEUED in {told.stage for told in town.told()}


@pytest.mark.parametrize("name", ["router", "decider"])
async def test_the_role_looks_at_the_files_from_its_start_to_its_end(
    town: Town, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing_is_left(settings: Settings, role: str) -> None:
        """A town has no Kafka with topics of before."""

    monkeypatch.setattr("agents.decider.agent.refuse_unread", nothing_is_left)
    runtime = Runtime(Settings(catalogue=town.folder), town.log, town.clock)
    role = builders_of([name])[name](runtime)
    assert role.check is not None
    assert role.close is not None
    await role.check()
    await role.close()


async def test_what_no_file_declares_is_a_dead_letter(town: Town) -> None:
    await town.happen("no.such")
    (letter,) = town.dead()
    assert letter.reason is Reason.UNKNOWN_TYPE


async def test_what_waited_records_the_version_that_decided_it(town: Town) -> None:
    before = town.catalogues.current.version
    await town.happen("thing.happened")
    (town.folder / "thing.toml").write_text(DELAYED + "# newer")
    await town.catalogues.refresh()
    await town.workers.advance(NOON + 10 * MINUTE)
    after = town.catalogues.current.version
    assert before != after
    assert {(told.stage, told.catalogue) for told in town.told() if told.channel == "push"} == {
        (Happened.HELD, before),
        (Happened.QUEUED, after),
    }


async def test_what_waited_for_a_type_that_is_gone_records_the_version_without_it(
    town: Town,
) -> None:
    await town.happen("thing.happened")
    (town.folder / "other.toml").write_text(TYPE.replace("thing", "other"))
    (town.folder / "thing.toml").unlink()
    await town.catalogues.refresh()
    await town.workers.advance(NOON + 10 * MINUTE)
    last = town.told()[-1]
    assert (last.stage, last.reason) == (Happened.SUPPRESSED, Reason.UNKNOWN_TYPE)
    assert last.catalogue == town.catalogues.current.version
