"""A digest that is due and has no timer, as versions until 0.5.0 could leave it after an outage."""

import pytest

from agents.replay.in_memory_pipeline import HeldClock, Rehearsal
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.producing.memory_log import MemoryLog
from policy.catalogue.catalogue import parse
from schemas.encoding import encode
from schemas.topics import DELIVER
from schemas.vocabulary import Channel, Priority
from tables.pending import HELD
from tables.storage.memory_store import MemoryStore
from tables.timers import TIMERS
from tests.agents.compositions.flow import SETTINGS, Act, contacts, event, kind, moment

PUSH = DELIVER[Channel.PUSH, Priority.NORMAL].name
HOURLY = 'digests = [{ channels = ["push"], every = "1h" }]'
MOST = 3


class Town:
    """A router and a decider, and what they keep."""

    def __init__(self) -> None:
        self.clock = HeldClock(at("1 00:00"))
        self.log = MemoryLog(self.clock)
        self.store = MemoryStore()
        catalogue = FixedCatalogue(parse({"types.toml": kind(HOURLY)}))
        stores = MemoryStore(), self.store
        self.workers = Rehearsal(catalogue, SETTINGS, self.log, self.clock, *stores)

    async def say(self, act: Act) -> None:
        """It happens, and all that is due by then."""
        await self.workers.advance(at(act.at))
        await self.log.write(act.topic.name, 0, [(act.key.encode(), encode(act.value))])
        await self.workers.settle()

    async def lose_timers(self) -> None:
        """They are gone, and the clock is past them."""
        timers = [key for key, _ in self.store.scan(TIMERS.prefix)]
        assert timers
        await self.store.write(dict.fromkeys(timers))
        self.clock.at = at("2 12:00")


def at(when: str) -> int:
    return round(moment(when).timestamp() * 1000)


@pytest.mark.parametrize("count", [1, MOST])
async def test_it_goes_out_once_something_joins_it_or_would(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full one took nothing more, and so was never looked at again."""
    monkeypatch.setattr("policy.digest.digest.MOST_GATHERED", MOST)
    town = Town()
    await town.say(contacts("1 00:00"))
    for number in range(count):
        await town.say(event(f"e{number}", "2 10:00"))
    await town.lose_timers()
    await town.say(event("late", "2 12:30"))
    await town.say(event("later", "2 13:00"))
    await town.workers.advance(at("3 00:00"))
    assert len(town.log.topics[PUSH]) == 2
    assert not any(town.store.scan(HELD.prefix))
