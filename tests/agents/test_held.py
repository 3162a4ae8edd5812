"""Deliveries that may have gone out, where the channel is to hold them: called once, ever."""

import asyncio
from collections import Counter

import msgspec
import pytest

from agents.sink.agent import Sink, sink
from pipeline.process.runtime import Runtime
from pipeline.processing.slices import Slice
from pipeline.producing.memory_log import MemoryLog
from pipeline.settings import Settings
from schemas.dead_letter import DeadLetter
from schemas.delivery import Delivery
from schemas.encoding import encode
from schemas.errors import Abandoned
from schemas.topics import DEAD_LETTERS, DELIVER
from schemas.vocabulary import Channel, Priority, Reason
from sinks.provider import Outcome, Sent, TransientFailure
from sinks.registry import Weighted
from sinks.single_message import SingleMessageProvider
from tables.sent import SentLedger
from tables.storage.memory_store import MemoryStore
from tests.agents.samples import delivery
from tests.agents.shifted_clock import ShiftedClock
from tests.patience import ended, until

TOPIC = DELIVER[Channel.SMS, Priority.HIGH]
LOST = TransientFailure(Reason.TIMEOUT, "no reply within 10 s", uncertain=True)


class Texts(SingleMessageProvider):
    """Takes amy's text and loses its reply; answers others when it is let."""

    name, channel, scheme = "texts", Channel.SMS, ""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.go = asyncio.Event()
        self.loses = True

    async def check(self) -> None:
        """Nothing to check."""

    async def send_one(self, delivery: Delivery) -> Outcome:
        """One call."""
        self.calls[delivery.user] += 1
        if delivery.user == "amy":
            return LOST if self.loses else Sent("1")
        await self.go.wait()
        return Sent("2")


class Stuck:
    """Outcomes that nobody comes to write."""

    async def submit(self, _: object) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()


class Line:
    """The SMS sink over topics and state in memory, as often as it is started."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, uncertain: str) -> None:
        self.clock, self.holds = ShiftedClock(), uncertain == "hold"
        self.log, self.store, self.texts = MemoryLog(self.clock), MemoryStore(), Texts()
        monkeypatch.setattr("agents.sink.agent.open_store", lambda *_: self.store)
        settings = Settings(partitions=1).model_copy(update={"sms_uncertain": uncertain})
        self.runtime = Runtime(settings, self.log, self.clock)
        self.closing = asyncio.Event()

    async def write(self, *deliveries: Delivery) -> None:
        """Have them in the topic."""
        for each in deliveries:
            await self.log.write(TOPIC.name, 0, [(each.user.encode(), encode(each))])

    def start(self) -> Sink:
        """A process of the sink."""
        self.closing = asyncio.Event()
        role = sink(Channel.SMS, [Weighted(self.texts, 1)], self.runtime)
        found = role.open_handler(0, self.closing)
        assert isinstance(found, Sink)
        return found

    def rest(self) -> Slice:
        """What is not handled yet."""
        found = self.log.slice_from(TOPIC.name, self.store.frontier(TOPIC.name))
        assert found is not None
        return found

    def letters(self) -> list[tuple[Reason, str]]:
        """The dead letters."""
        values = [record.value or b"" for record in self.log.topics[DEAD_LETTERS.name]]
        letters = [msgspec.json.decode(value, type=DeadLetter) for value in values]
        return [(letter.reason, letter.detail) for letter in letters]


def text(line: Line, user: str) -> Delivery:
    return delivery(
        line.clock, user=user, channel=Channel.SMS, address="+4930123456", priority=Priority.HIGH
    )


async def stop_in_the_middle(line: Line) -> None:
    """Amy's call ended, and bob's is under way, when the process is told to stop."""
    amy = text(line, "amy")
    await line.write(amy, text(line, "bob"), text(line, "cem"))
    first = line.start()
    # It ends before any outcome of the slice is written: marks are all that is durable.
    first._outcomes._writes = Stuck()  # type: ignore[assignment]
    handling = asyncio.create_task(first.handle(line.rest()))
    await until(lambda: line.texts.calls.total() == 3)
    if line.holds:
        await until(lambda: bool(SentLedger(line.store).find([amy])))
    handling.cancel()
    with pytest.raises((asyncio.CancelledError, Abandoned)):
        await handling
    line.texts.go.set()


SAID = (Reason.UNCERTAIN, "it may have been sent: timeout: no reply within 10 s")


async def test_what_is_held_is_called_once_though_its_slice_is_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = Line(monkeypatch, "hold")
    await stop_in_the_middle(line)
    await ended(line.start().handle(line.rest()))
    assert line.texts.calls["amy"] == 1
    assert line.letters() == [SAID]


async def test_what_is_sent_again_by_choice_is_called_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = Line(monkeypatch, "resend")
    await stop_in_the_middle(line)
    await ended(line.start().handle(line.rest()))
    assert line.texts.calls["amy"] == 2
    assert line.letters() == []


async def test_an_operators_replay_of_what_was_held_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = Line(monkeypatch, "hold")
    held = text(line, "amy")
    await line.write(held)
    await ended(line.start().handle(line.rest()))
    assert line.letters() == [SAID]
    line.texts.loses = False
    await line.write(held)
    await ended(line.start().handle(line.rest()))
    assert line.texts.calls["amy"] == 2
    assert line.letters() == [SAID]
