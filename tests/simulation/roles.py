"""Router, decider and in-app role over topics and state in memory, with one partition."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec
from msgspec import Struct

from agents.decider.agent import Decider
from agents.decider.topics import KINDS as DECIDER_TOPICS
from agents.inapp.agent import KINDS as INAPP_TOPICS
from agents.inapp.agent import InApp
from agents.replay.in_memory_pipeline import HeldClock
from agents.router.agent import KINDS as ROUTER_TOPICS
from agents.router.agent import Router
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.process.runtime import Runtime
from pipeline.processing.lanes import ALL_READ
from pipeline.processing.slices import RECORDS
from pipeline.producing.memory_log import MemoryLog
from pipeline.settings import Settings
from policy.catalogue.catalogue import parse
from policy.time.timestamps import moment
from schemas.follow import Follow
from schemas.kinds import encode_in, kind_of, name_in
from schemas.topics import FOLLOWS, Topic
from tables.storage.memory_store import MemoryStore

Value = TypeVar("Value")
NOW = 1_780_000_000_000
POSTS = """
event = "post.published"
[types.post]
category = "social"
priority = "normal"
channels = ["inapp"]
followers = true
time_to_live = "20d"
rate_limit = { count = 1000, seconds = 1 }
templates.inapp.body = "{{ data.text }}"
"""


class Roles:
    """The handlers that an event meets one after the other; each may be restarted."""

    def __init__(
        self,
        *,
        catalogue: str | Mapping[str, str] = POSTS,
        decider_store: MemoryStore | None = None,
        make_log: Callable[[HeldClock], MemoryLog] = MemoryLog,
        **settings: int,
    ) -> None:
        self.clock = HeldClock(NOW)
        self.log = make_log(self.clock)
        chosen = Settings(partitions=1, **settings)  # type: ignore[arg-type]
        self.runtime = Runtime(chosen, self.log, self.clock)
        files = {"types.toml": catalogue} if isinstance(catalogue, str) else catalogue
        self._catalogue = FixedCatalogue(parse(files))
        self.router_store, self.inapp_store = MemoryStore(), MemoryStore()
        self.decider_store = decider_store or MemoryStore()
        self.router = Router(self._catalogue, self.runtime, self.router_store)
        self.decider = self._decider()
        self.inapp = InApp(self.runtime, self.inapp_store, 0)

    async def say(self, topic: Topic, *values: Struct) -> None:
        """Write records to a topic."""
        for value in values:
            key = str(getattr(value, topic.key, "none")).encode()
            await self.log.write(topic.name, 0, [(key, encode_in(topic.name, value))])

    async def follow(self, follower: str, followee: str, *, following: bool = True) -> None:
        """Write that one follows the other, or no longer does."""
        at = moment(self.clock.at)
        said = Follow(follower=follower, followee=followee, at=at, following=following)
        await self.say(FOLLOWS, said)

    def read(self, topic: Topic, kind: type[Value]) -> list[Value]:
        """All that is in a topic, or all of this kind."""
        values = [record.value or b"" for record in self.log.topics[topic.name]]
        if topic.kinds:
            name = name_in(topic.name, kind)
            values = [value for value in values if kind_of(value) == name]
        decode = msgspec.json.Decoder(kind).decode
        return [decode(line) for value in values for line in value.split(b"\n")]

    async def route(self, *topics: Topic) -> bool:
        """Let the router handle all that is in these topics, or in any; whether there was any."""
        return await self._work(self.router, self.router_store, *(topics or ROUTER_TOPICS))

    async def decide(self, *topics: Topic, most: int = RECORDS) -> bool:
        """Let the decider handle all that is in these topics, or in any."""
        return await self._work(
            self.decider, self.decider_store, *(topics or DECIDER_TOPICS), most=most
        )

    async def store(self, *topics: Topic) -> bool:
        """Let the in-app role handle all that is in these topics, or in any."""
        return await self._work(self.inapp, self.inapp_store, *(topics or INAPP_TOPICS))

    async def on_timer(self) -> bool:
        """Let router and decider do what is due, one step; whether more may be."""
        due = [
            await handler.on_timer(lambda _: ALL_READ) for handler in (self.router, self.decider)
        ]
        return 0 in due

    async def settle(self) -> None:
        """Work until nothing is left."""
        while any(
            [await self.route(), await self.decide(), await self.on_timer(), await self.store()]
        ):
            pass

    async def restart_decider(self, store: MemoryStore) -> None:
        """Begin anew with what was stored."""
        self.decider_store = store
        self.decider = self._decider()
        await self.decider.restore()

    def _decider(self) -> Decider:
        return Decider(self._catalogue, self.runtime, 0, self.decider_store)

    async def _work(
        self,
        handler: Router | Decider | InApp,
        store: MemoryStore,
        *topics: Topic,
        most: int = RECORDS,
    ) -> bool:
        is_busy = False
        while True:
            for topic in topics:
                slice_ = self.log.slice_from(topic.name, store.frontier(topic.name), most)
                if slice_ is not None:
                    await handler.handle(slice_)
                    is_busy = True
                    break
            else:
                return is_busy
