"""Digests, delays and escalations across kill -9 and rebalances, with providers as witness."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import msgspec
import pytest

from embedded.local_stack import LocalStack
from embedded.simulators.accept_log import read_accept_log
from tests.chaos.conftest import Tell
from tests.chaos.flow import Flow, playing
from tests.chaos.observe import (
    SENDING,
    read_all,
    ready_count,
    until_ready_again,
    wait_until_read,
)
from tests.chaos.waiting import (
    ESCALATION,
    LATENESS,
    WINDOW,
    Happening,
    Outcome,
    Sent,
    Told,
    Waiting,
    broken,
    happening,
)
from tests.chaos.workers import second, stop

RATE, BRIEF_RATE = 40, 15
"""Records a second, and in the default run, which has other tests beside."""
LONGEST = max(WINDOW + LATENESS, ESCALATION) / 1000
"""Seconds that anything waits."""


async def test_what_waits_survives_kills_and_rebalances(town: LocalStack, tell: Tell) -> None:
    await _survives(town, tell, "waits", seconds=60, kills=1, rate=BRIEF_RATE)


@pytest.mark.chaos
async def test_what_waits_survives_many_kills(town: LocalStack, tell: Tell) -> None:
    await _survives(town, tell, "waits-long", seconds=240, kills=20)


async def _survives(
    town: LocalStack, tell: Tell, name: str, *, seconds: float, kills: int, rate: int = RATE
) -> None:
    script = Waiting(name, int(seconds * rate))
    async with playing(town, script, rate) as flow:
        for _ in range(kills):
            await _kill(town)
            await _rebalance(town)
        await _outage(town)
        await asyncio.sleep(1)
    await asyncio.sleep(LONGEST + 1)
    await wait_until_read(town)
    outcome = await _outcome(town, flow)
    digests = {told.detail for told in outcome.told if told.stage == "digested"}
    repeats = len(outcome.sent) - len({push.notification_id for push in outcome.sent})
    problems = broken(outcome)
    tell(
        f"{kills} kills, {2 * kills} rebalances and an outage: {len(outcome.events)} events, "
        f"{len(digests)} digests, {len(outcome.sent)} pushes written, {repeats} of them repeats; "
        f"broken promises: {len(problems)}"
    )
    assert not problems, "\n".join(problems[:20])
    assert _lines(town, name) == len({push.notification_id for push in outcome.sent})
    _finds_planted_faults(outcome)


async def _kill(town: LocalStack) -> None:
    worker = town.workers["decider"]
    before = ready_count(worker)
    await worker.kill()
    await until_ready_again(worker, before)


async def _outage(town: LocalStack) -> None:
    """Away for so long that the windows of everything unread are over."""
    worker = town.workers["decider"]
    await stop(worker)
    await asyncio.sleep(LONGEST + 2)
    await worker.start()


async def _rebalance(town: LocalStack) -> None:
    async with second(town, "decider"):
        await asyncio.sleep(2)


async def _outcome(town: LocalStack, flow: Flow[Waiting]) -> Outcome:
    events: list[Happening] = []
    async for record in read_all(town, ["events"]):
        value = json.loads(record.value)
        if value["id"].startswith(f"{flow.script.name}-"):
            at = round(datetime.fromisoformat(value["occurred_at"]).timestamp() * 1000)
            events.append(happening(value, at))
    names = {record["notification_id"] async for record in _feedback(town)}
    told = [told async for told in _told(town, flow)]
    seen = {each.event_id for each in told if each.notification_id in names}
    accepted = {line.delivery_id for line in read_accept_log(town.accept_log)}
    sent = [
        Sent(push["notification_id"], push["content"]["body"], push["delivery_id"] in accepted)
        async for push in _pushes(town, flow)
    ]
    return Outcome(events, seen, told, sent)


async def _feedback(town: LocalStack) -> AsyncIterator[dict[str, str]]:
    async for record in read_all(town, ["feedback"]):
        yield json.loads(record.value)


async def _told(town: LocalStack, flow: Flow[Waiting]) -> AsyncIterator[Told]:
    async for record in read_all(town, ["delivery-events"]):
        for line in record.value.splitlines():
            value = {"channel": "", "reason": "", "detail": "", "delivery_id": ""}
            value |= json.loads(line)
            if value["event_id"].startswith(f"{flow.script.name}-"):
                yield msgspec.convert([value[name] for name in Told._fields], Told)


async def _pushes(town: LocalStack, flow: Flow[Waiting]) -> AsyncIterator[dict[str, Any]]:
    async for record in read_all(town, SENDING):
        value = json.loads(record.value)
        if value["channel"] == "push" and value["user"].startswith(f"{flow.script.name}-"):
            yield value


def _lines(town: LocalStack, name: str) -> int:
    lines = read_accept_log(town.accept_log)
    return sum(line.address.startswith(f"{name}-") for line in lines)


def _finds_planted_faults(outcome: Outcome) -> None:
    """Tests the test: one push less, one digest torn in two, one that came early."""
    lost = Outcome(outcome.events, outcome.seen, outcome.told, list(outcome.sent)[1:])
    digested = next(told for told in outcome.told if told.stage == "digested")
    torn = [*outcome.told, digested._replace(detail="in another")]
    queued = [t for t in outcome.told if t.stage == "queued" and t.event_id in _reminders(outcome)]
    early = [*outcome.told, queued[0]._replace(at=0)]
    for told in (torn, early):
        assert broken(Outcome(outcome.events, outcome.seen, told, outcome.sent))
    once = [p.notification_id for p in outcome.sent]
    if once.count(once[0]) == 1:
        assert broken(lost)


def _reminders(outcome: Outcome) -> set[str]:
    return {event.id for event in outcome.events if event.kind == "reminder"}
