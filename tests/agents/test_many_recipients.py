"""An event to many users: what each request holds, and how much is written in one step."""

from collections import Counter, defaultdict
from functools import cache
from random import Random

import msgspec
import pytest

from agents.replay.in_memory_pipeline import HeldClock
from agents.router import unrouted
from agents.router.agent import Router
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.process.runtime import Runtime
from pipeline.processing.slices import BYTES
from pipeline.producing.memory_log import MemoryLog
from pipeline.producing.write_queue import Entry
from pipeline.settings import Settings
from policy.catalogue.catalogue import Catalogue, parse
from policy.time.timestamps import moment
from schemas.dead_letter import DeadLetter
from schemas.encoding import encode
from schemas.event import Event, Notify
from schemas.request import Request
from schemas.topics import DEAD_LETTERS, EVENTS, REQUESTS
from schemas.vocabulary import Priority, Reason
from tables.storage.transaction import TRANSACTION_BYTES
from tables.unrouted import UNROUTED
from tests.simulation.play import Crash, Fate, MortalLog, MortalStore
from tests.simulation.roles import NOW, Roles

TYPES = """
event = "group.invited"
[types.invited]
category = "social"
priority = "high"
channels = ["inapp"]
users = "group.members"
time_to_live = "20d"
templates.inapp.body = "{{ data.group.name }}"
[types.counted]
category = "social"
priority = "normal"
channels = ["inapp"]
users = "group.members"
time_to_live = "20d"
templates.inapp.body = "{{ data.group.members | length }}"
[types.urgent]
category = "social"
priority = "critical"
channels = ["inapp"]
segment = { plan = "none" }
time_to_live = "20d"
templates.inapp.body = "hello"
"""
USERS = tuple(f"user-{number:031d}" for number in range(1000))
"""As long as UUIDs are."""
INVITED, COUNTED = REQUESTS[Priority.HIGH], REQUESTS[Priority.NORMAL]


def notify(number: int, users: tuple[str, ...] = USERS, size: int = 0) -> Event:
    """What the API makes of one notification to many."""
    data = {"group": {"name": "readers"}, "text": "x" * size}
    return Event(
        id=f"e{number}",
        type="notify.invited",
        actor="api",
        occurred_at=moment(NOW),
        data=data,
        notify=Notify(type="invited", users=users),
    )


def invited(users: tuple[str, ...] = USERS) -> Event:
    """An event whose data lists whom it concerns."""
    data = {"group": {"name": "readers", "members": list(users)}}
    return Event(id="i", type="group.invited", actor="a", occurred_at=moment(NOW), data=data)


async def routed(event: Event, *more: Event) -> Roles:
    roles = Roles(catalogue=TYPES, tenant_share=1_000_000)
    await roles.say(EVENTS, event, *more)
    await roles.route()
    while await roles.on_timer():
        pass
    return roles


@pytest.mark.parametrize("calls", [1, 27])
async def test_what_is_written_grows_with_what_is_read(calls: int) -> None:
    """One call, and a slice full of them: bytes of requests for each byte of events.

    A call is 40 kB, mostly names of 36 characters; a request without its user's names 370 bytes,
    and 92 for a name that stands in it twice: under 12 times the call for 1,000 users.
    """
    roles = await routed(*(notify(number) for number in range(calls)))
    read = sum(len(record.value or b"") for record in roles.log.topics[EVENTS.name])
    written = [len(record.value or b"") for record in roles.log.topics[INVITED.name]]
    assert len(written) == 1000 * calls
    assert calls == 1 or read > BYTES
    assert sum(written) < 12 * read


async def test_no_request_names_anybody_else() -> None:
    roles = await routed(notify(1), invited())
    for record in roles.log.topics[INVITED.name]:
        key, value = (record.key or b"").decode(), (record.value or b"").decode()
        assert key in USERS
        assert value.count("user-0") == value.count(key) == 2
    assert len(roles.log.topics[INVITED.name]) == 2000


async def test_a_type_whose_texts_speak_of_the_list_has_all_of_it() -> None:
    roles = await routed(invited(USERS[:3]))
    for request in roles.read(COUNTED, Request):
        assert request.event == invited(USERS[:3])
    for request in roles.read(INVITED, Request):
        members = request.event.data["group"]["members"]
        assert (members, request.event.data["group"]["name"]) == ([request.user], "readers")
    assert len(roles.log.topics[COUNTED.name]) == len(roles.log.topics[INVITED.name]) == 3


class Metered(MortalLog):
    """Counts what is written to topics of requests between two looks."""

    written = 0

    async def write(self, topic: str, partition: int, entries: list[Entry]) -> int:
        if topic.startswith("requests."):
            self.written += sum(len(value or b"") for _, value in entries)
        return await super().write(topic, partition, entries)


@cache
def parsed(types: str) -> Catalogue:
    """The catalogue of these types."""
    return parse({"types.toml": types})


class Town:
    """A router over a log and a state that may die at any of these steps."""

    def __init__(self, *crashes: int) -> None:
        self.fate = Fate(list(crashes))
        self.clock = HeldClock(NOW)
        self.log = Metered(self.clock, self.fate)
        self.changelog: list[Entry] = []
        self.catalogue = TYPES
        self.start()

    def start(self) -> None:
        """Begin, or begin anew with what was stored."""
        catalogue = FixedCatalogue(parsed(self.catalogue))
        settings = Settings(partitions=1, tenant_share=1_000_000)
        self.store = MortalStore(self.changelog, self.fate)
        self.router = Router(catalogue, Runtime(settings, self.log, self.clock), self.store)
        self._is_restored = False

    async def say(self, *events: Event) -> None:
        """Write events, at no risk."""
        entries: list[Entry] = [(event.actor.encode(), encode(event)) for event in events]
        await MemoryLog.write(self.log, EVENTS.name, 0, entries)

    async def step(self) -> bool:
        """What a lane does next; whether there was anything to do."""
        if not self._is_restored:
            self._is_restored = True
            await self.router.restore()
        is_more = await self.router.on_timer(lambda _: 0) == 0
        slice_ = self.log.slice_from(EVENTS.name, self.store.frontier(EVENTS.name))
        if slice_ is not None:
            await self.router.handle(slice_)
        return is_more or slice_ is not None

    async def run(self) -> None:
        """Work until nothing is left, whatever happens to the process."""
        while True:
            try:
                if not await self.step():
                    return
            except Crash:
                self.start()

    def asked(self) -> dict[tuple[str, int], list[str]]:
        """By event and offset of it, the users that requests name, in order."""
        found = defaultdict(list)
        for topic in REQUESTS.values():
            for record in self.log.topics[topic.name]:
                request = msgspec.json.decode(record.value or b"", type=Request)
                found[request.event.id, request.origin.offset].append(request.user)
        return found


async def test_large_events_to_many_are_written_in_steps_of_a_bounded_size() -> None:
    """Three times 1,000 requests of 20 kB are 60 MB; no step writes more than 8 and a request of
    each event's few; and what is urgent waits for none of it."""
    town = Town()
    urgent = Event(
        id="u", type="notify.urgent", actor="a", occurred_at=moment(NOW), data={},
        notify=Notify(type="urgent", users=USERS[:1]),
    )  # fmt: skip
    await town.say(*(notify(number, size=20_000) for number in range(3)), urgent)
    steps = list[int]()
    while await town.step():
        steps.append(town.log.written)
        town.log.written = 0
        assert town.log.topics[REQUESTS[Priority.CRITICAL].name]
    assert sum(steps) > 60_000_000
    assert max(steps) < TRANSACTION_BYTES + 3 * unrouted.FEW * 21_000
    assert {key: Counter(users) for key, users in town.asked().items()} == {
        **{(f"e{number}", number): Counter(USERS) for number in range(3)},
        ("u", 3): Counter(USERS[:1]),
    }
    assert not any(town.store.scan(UNROUTED.prefix))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some five requests a step, so that events need several."""
    monkeypatch.setattr("agents.router.unrouted.TRANSACTION_BYTES", 2_000)
    monkeypatch.setattr("agents.router.unrouted.FEW", 2)


@pytest.mark.usefixtures("few")
async def test_wherever_it_dies_everybody_is_asked_for_and_nobody_as_of_another_event() -> None:
    """Asked for again is not told again: a request of the same origin is known by it."""
    for seed in range(60):
        draw = Random(seed)
        town = Town(*sorted(draw.randrange(1, 60) for _ in range(draw.randrange(4))))
        wanted = {}
        for number in range(draw.randrange(1, 5)):
            users = tuple(draw.sample(USERS, draw.randrange(1, 30)))
            wanted[f"e{number}", number] = set(users)
            await town.say(notify(number, users))
        await town.run()
        found = town.asked()
        assert {key: set(users) for key, users in found.items()} == wanted
        assert not any(town.store.scan(UNROUTED.prefix))
    quiet = Town()
    await quiet.say(notify(0, USERS[:30]))
    await quiet.run()
    assert quiet.asked() == {("e0", 0): list(USERS[:30])}


@pytest.mark.usefixtures("few")
async def test_the_rest_of_an_event_whose_type_is_gone_is_a_dead_letter() -> None:
    town = Town()
    await town.say(notify(0, USERS[:30]))
    assert await town.step()
    told = town.asked()["e0", 0]
    assert 0 < len(told) < 30
    await town.store.note_sent(0)
    town.catalogue = TYPES.replace("[types.invited]", "[types.welcomed]")
    town.start()
    await town.run()
    assert town.asked()["e0", 0] == told
    (record,) = town.log.topics[DEAD_LETTERS.name]
    letter = msgspec.json.decode(record.value or b"", type=DeadLetter)
    assert (letter.topic, letter.offset, letter.reason) == ("events", 0, Reason.UNKNOWN_TYPE)
    # Sent again once the type is back, it reaches the others as well.
    await town.store.note_sent(0)
    town.catalogue = TYPES
    town.start()
    await MemoryLog.write(town.log, EVENTS.name, 0, [(letter.key, letter.value)])
    await town.run()
    assert town.asked()["e0", 1] == list(USERS[:30])
