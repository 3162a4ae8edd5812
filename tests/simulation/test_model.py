"""The same workers, driven by hypothesis one step at a time, and held to the same promises."""

import asyncio
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agents.replay.in_memory_pipeline import HeldClock
from pipeline.producing.memory_log import MemoryLog
from pipeline.producing.write_queue import Entry
from schemas.encoding import encode
from schemas.topics import CANCELLATIONS, EVENTS, FEEDBACK, PREFERENCES
from tests.simulation.play import Crash, Fate, MortalStore, TownLog, rehearse
from tests.simulation.script import CHANNELS, MINUTE, START, TYPES, Act, Script, contacts, iso
from tests.simulation.witness import broken, broken_so_far, notification_of, see

USERS = ("ann", "bob")
users = st.sampled_from(USERS)
kinds = st.sampled_from(sorted(TYPES))


class Town(RuleBasedStateMachine):
    """Two people, their wishes, and a clock that passes by whole seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = HeldClock(START)
        self.fate = Fate()
        self.log = TownLog(self.clock, self.fate)
        self.changelogs: tuple[list[Entry], list[Entry]] = ([], [])
        self.acts: list[Act] = []
        self.events: dict[str, dict[str, Any]] = {}
        self.restart()
        for user in USERS:
            self._write(contacts(user, START, devices=1, zone="Europe/Berlin"))

    def restart(self) -> None:
        """The process ends, and another begins with what is stored."""
        router, decider = (MortalStore(each, self.fate) for each in self.changelogs)
        self.town = rehearse(self.log, self.clock, router, decider)

    @rule(kind=kinds, user=users, key=st.sampled_from("ab"), ahead=st.sampled_from([0, 0, 30]))
    def happen(self, kind: str, user: str, key: str, ahead: int) -> None:
        value: dict[str, Any] = {
            "id": f"e{len(self.events):03}",
            "type": f"{kind}.happened",
            "actor": "zoe",
            "occurred_at": iso(self.clock.at),
            "data": {"who": user, "key": key, "text": f"{kind} {len(self.events)}"},
            "cancel_key": f"c{len(self.events)}",
        }
        if ahead:
            value["deliver_at"] = iso(self.clock.at + ahead * MINUTE)
        self.events[value["id"]] = value
        self._write(Act(self.clock.at, EVENTS, "zoe", value))

    @precondition(lambda self: self._repeatable())
    @rule(data=st.data())
    def happen_again(self, data: st.DataObject) -> None:
        value = self.events[data.draw(st.sampled_from(self._repeatable()))]
        self._write(Act(self.clock.at, EVENTS, "zoe", value))

    @rule(
        user=users,
        category=kinds,
        channel=st.sampled_from(CHANNELS),
        quiet=st.sampled_from([(), ("12:00", "15:00"), ("14:30", "13:30")]),
    )
    def wish(self, user: str, category: str, channel: str, quiet: tuple[str, ...]) -> None:
        wishes: dict[str, Any] = {"user": user, "categories": {category: {channel: False}}}
        if quiet:
            wishes["quiet_hours"] = [dict(zip(("start", "end"), quiet, strict=True))]
        self._write(Act(self.clock.at, PREFERENCES, user, wishes))

    @precondition(lambda self: self.events)
    @rule(data=st.data(), stage=st.sampled_from(["seen", "opened"]))
    def notice(self, data: st.DataObject, stage: str) -> None:
        event = self.events[data.draw(st.sampled_from(sorted(self.events)))]
        user, at = event["data"]["who"], iso(self.clock.at)
        name = notification_of(event)
        value = {"user": user, "notification_id": name, "stage": stage, "at": at}
        self._write(Act(self.clock.at, FEEDBACK, user, value))

    @precondition(lambda self: self.events)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        event = self.events[data.draw(st.sampled_from(sorted(self.events)))]
        value = {"cancel_key": event["cancel_key"], "actor": "zoe", "at": iso(self.clock.at)}
        self._write(Act(self.clock.at, CANCELLATIONS, "zoe", value))

    @rule(seconds=st.sampled_from([1, 7, 60, 300, 1800, 7200, 40_000]))
    def wait(self, seconds: int) -> None:
        self._work_until(self.clock.at + seconds * 1000)

    @rule(steps=st.integers(1, 9))
    def crash(self, steps: int) -> None:
        self.fate.crashes = [self.fate.steps + steps]

    @invariant()
    def promises_are_kept(self) -> None:
        assert not broken_so_far(Script(0, tuple(self.acts), 0), see(self.log))

    def teardown(self) -> None:
        self._work_until(self.clock.at + 5 * 24 * 60 * MINUTE)
        seen = see(self.log)
        self.runner.close()
        assert not broken(Script(0, tuple(self.acts), 0, self.events), seen)

    def _repeatable(self) -> list[str]:
        """Events within the window in which a repeat is known for one."""
        since = iso(self.clock.at - 23 * 60 * MINUTE)
        return [name for name, event in self.events.items() if event["occurred_at"] > since]

    def _write(self, act: Act) -> None:
        self.acts.append(act)
        entry = (act.key.encode(), encode(act.value))
        self.runner.run(MemoryLog.write(self.log, act.topic.name, 0, [entry]))
        # A second passes with every record, so that two never come at the same moment.
        self._work_until(self.clock.at + 1000)

    def _work_until(self, at: int) -> None:
        while True:
            try:
                self.runner.run(self.town.advance(at))
                self.runner.run(self.log.flush())
                return
            except Crash:
                self.log.lose_gathered()
                self.restart()


TestTown = Town.TestCase
TestTown.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
