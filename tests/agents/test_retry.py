"""The retry role: a delivery goes back to its channel when it is due, whatever waits beside it."""

import random
from typing import Any

import msgspec
import pytest
from prometheus_client import REGISTRY, generate_latest

from agents.retry import Retries
from embedded.retries import NAME, waiting_of
from pipeline.process.runtime import Runtime
from pipeline.processing.lanes import all_read
from pipeline.producing.memory_log import MemoryLog
from pipeline.settings import Settings
from policy.retry import Attempt, next_attempt
from schemas.delivery import Delivery
from schemas.encoding import encode
from schemas.topics import DELIVER, RETRY
from schemas.vocabulary import Channel, Priority, Reason
from sinks.http.client import Reply
from sinks.webhook.standard import outcome_of
from tables.storage.memory_store import MemoryStore
from tables.storage.store import FRONTIER
from tables.waiting import WAITING
from tests.agents.samples import delivery
from tests.agents.shifted_clock import ShiftedClock
from tests.agents.stage import Stage

PUSH = DELIVER[Channel.PUSH, Priority.HIGH]
SMS = DELIVER[Channel.SMS, Priority.CRITICAL]
USER = "ann"
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


class Line:
    """The role over a log and a store in memory, at a time that stands still."""

    def __init__(self) -> None:
        self.clock = ShiftedClock()
        self.clock.stand_still()
        self.log, self.store = MemoryLog(self.clock), MemoryStore()
        self.runtime = Runtime(Settings(partitions=1), self.log, self.clock)
        self.handler = Retries(self.runtime, self.store, 0)

    def delivery(self, **fields: Any) -> Delivery:
        """A push that is due now."""
        return delivery(self.clock, **{"due_at": self.clock.now(), "attempt": 1, **fields})

    async def say(self, *values: Delivery | bytes) -> None:
        """Have sinks write these, and the role read them."""
        start = len(self.log.topics[RETRY.name])
        for value in values:
            record = value if isinstance(value, bytes) else encode(value)
            key = USER.encode() if isinstance(value, bytes) else value.user.encode()
            await self.log.write(RETRY.name, 0, [(key, record)])
        slice_ = self.log.slice_from(RETRY.name, start)
        assert slice_ is not None
        await self.handler.handle(slice_)

    async def wait(self, milliseconds: int = 0) -> float | None:
        """Let time pass and what is due go; the seconds until the next is due."""
        self.clock.ahead += milliseconds
        while (seconds := await self.handler.on_timer(all_read)) == 0:
            pass
        return seconds

    def restart(self) -> None:
        """Go on with what was stored."""
        self.handler = Retries(self.runtime, self.store, 0)

    def waiting(self) -> tuple[int, int]:
        """How many wait, by the metric and by the state."""
        metric = REGISTRY.get_sample_value(NAME, {"partition": "0"})
        assert metric is not None
        return round(metric), sum(1 for _ in self.store.scan(WAITING.prefix))

    def back(self) -> list[Delivery]:
        """All that was put back, channel by channel, in order."""
        found = [self.log.topics[topic.name] for topic in DELIVER.values()]
        return [
            msgspec.json.decode(record.value or b"", type=Delivery)
            for records in found
            for record in records
        ]


async def test_each_goes_back_in_its_partition_with_its_users_key(stage: Stage) -> None:
    """On a real broker and a real store, through a restart."""
    stage.clock.stand_still()
    now = stage.clock.now()
    due = [delivery(stage.clock, user="one", attempt=1, due_at=now + ms) for ms in (0, 400, 300)]
    text = delivery(stage.clock, channel=Channel.SMS, priority=Priority.CRITICAL)
    await stage.say(RETRY, *due, text)
    stage.clock.ahead -= 1000  # nothing of `due` is due
    await stage.work(stage.retry)
    assert await stage.read(PUSH, Delivery) == []
    assert await stage.read(SMS, Delivery) == [text]
    await stage.restart()
    stage.clock.ahead += 1000 + 300
    await stage.work(stage.retry)
    stage.clock.ahead += 100
    await stage.work(stage.retry)
    assert await stage.read(PUSH, Delivery) == [due[0], due[2], due[1]]
    assert {record.key for record in await stage.raw(PUSH)} == {b"one"}


async def test_a_strangers_retry_after_of_a_day_holds_up_nobody() -> None:
    """Their webhook was tried before, waits longer, and stands first in the topic."""
    line = Line()
    now = line.clock.now()
    reply = Reply(503, {"retry-after": "86400"}, b"", now / 1000)
    said = outcome_of(reply, "https://receiver.example/")
    hook = line.delivery(channel=Channel.WEBHOOK, expires_at=now + 2 * DAY)
    step = next_attempt(hook, said.reason, after=said.after, now=now, jitter=0.5)  # type: ignore[union-attr]
    mail = line.delivery(channel=Channel.EMAIL, attempt=4, expires_at=now + 6 * HOUR)
    other = next_attempt(mail, Reason.PROVIDER_ERROR, after=None, now=now, jitter=0.3)
    assert step == Attempt(now + DAY)
    assert other == Attempt(now + 36 * MINUTE)
    hook = msgspec.structs.replace(hook, due_at=now + DAY)
    mail = msgspec.structs.replace(mail, due_at=now + 36 * MINUTE)
    await line.say(hook, mail)
    assert await line.wait(36 * MINUTE - 1) == 0.001
    assert line.back() == []
    assert await line.wait(1) == (DAY - 36 * MINUTE) / 1000
    assert line.back() == [mail]
    assert await line.wait(DAY - 36 * MINUTE) is None
    assert line.back() == [mail, hook]


async def test_all_go_at_their_time_in_whatever_order_they_came() -> None:
    line, dice = Line(), random.Random(1)
    now = line.clock.now()
    waits = [dice.randrange(1, 2 * HOUR) for _ in range(500)]
    await line.say(*(line.delivery(due_at=now + wait) for wait in waits))
    for minutes in range(0, 121, 10):
        if minutes == 60:
            await line.handler.note_sent(0)
            line.restart()
            await line.handler.restore()
        await line.wait(now + minutes * MINUTE - line.clock.now())
        assert [each.due_at - now for each in line.back()] == [
            wait for wait in sorted(waits) if wait <= minutes * MINUTE
        ]
        left = sum(wait > minutes * MINUTE for wait in waits)
        assert line.waiting() == (left, left)
    assert len(line.back()) == 500
    assert [key for key, _ in line.store.scan(b"") if key[:1] in b"tw"] == []


@pytest.mark.parametrize(
    ("attempts", "left"),
    [
        ([1, 1], [0]),  # what a successor sent again: the first stays
        ([1, 2], [1]),
        ([2, 1], [0]),
        ([3, 1, 2, 3, 4, 4], [4]),
    ],
)
@pytest.mark.parametrize("together", [True, False])
async def test_one_delivery_waits_once_however_often_it_was_written(
    attempts: list[int], left: list[int], together: bool
) -> None:
    line = Line()
    one, now = line.delivery(), line.clock.now()
    written = [
        msgspec.structs.replace(one, attempt=attempt, due_at=now + 1000 * (number + 1))
        for number, attempt in enumerate(attempts)
    ]
    if together:
        await line.say(*written)
    else:
        for each in written:
            await line.say(each)
    assert line.waiting() == (1, 1)
    assert await line.wait(10_000) is None
    assert line.waiting() == (0, 0)
    assert line.back() == [written[place] for place in left]


async def test_the_same_id_of_another_user_waits_by_itself() -> None:
    line = Line()
    one = line.delivery()
    others = [msgspec.structs.replace(one, user="other"), msgspec.structs.replace(one, tenant="t")]
    await line.say(one, *others)
    await line.wait()
    assert sorted(line.back(), key=str) == sorted([one, *others], key=str)


async def test_what_only_a_later_version_knows_goes_on_with_the_record() -> None:
    line = Line()
    record = encode(line.delivery(user=USER))[:-1] + b',"to_come":{"in":["a","later","version"]}}'
    await line.say(record)
    await line.wait()
    (back,) = line.log.topics[PUSH.name]
    assert back.value == record


async def test_what_is_no_delivery_is_a_dead_letter_and_the_others_wait() -> None:
    line = Line()
    good = line.delivery(due_at=line.clock.now() + 5)
    await line.say(b"{}", good, b"not json")
    assert len(line.log.topics["dead-letters"]) == 2
    await line.wait(5)
    assert line.back() == [good]


async def test_a_kill_before_the_outputs_are_out_sends_them_again_and_nothing_else() -> None:
    """What is due leaves the state in the write that holds the outputs."""
    line = Line()
    await line.say(line.delivery(), line.delivery(due_at=line.clock.now() + MINUTE))
    copies = []

    class Broken(MemoryLog):
        async def write(self, topic: str, partition: int, entries: list[Any]) -> int:
            copies.append((topic, dict(line.store.stored)))
            raise ConnectionError

    line.handler = Retries(
        Runtime(Settings(partitions=1), Broken(line.clock), line.clock), line.store, 0
    )
    with pytest.raises(ConnectionError):
        await line.handler.on_timer(all_read)
    ((topic, stored),) = copies
    assert topic == PUSH.name
    line.store = MemoryStore(stored)
    line.restart()
    await line.handler.restore()
    await line.store.send_again(line.log)
    await line.wait(MINUTE)
    assert len(line.back()) == 2
    assert {each.delivery_id for each in line.back()} == set(map(_id, line.log.topics[RETRY.name]))
    assert any(key.startswith(FRONTIER) for key in stored)


async def test_what_was_let_go_is_counted_by_nobody() -> None:
    line = Line()
    await line.say(line.delivery(due_at=line.clock.now() + MINUTE))
    assert waiting_of(generate_latest().decode()) == 1
    await line.handler.close()
    assert waiting_of(generate_latest().decode()) == 0


def _id(record: Any) -> str:
    return str(msgspec.json.decode(record.value)["delivery_id"])
