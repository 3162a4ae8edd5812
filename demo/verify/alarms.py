"""Whether alarms called whom they should, when they should, and stopped when they were answered."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from demo.verify.comparison import OVERDUE_MS, ROUNDING_MS
from demo.verify.evidence import Evidence
from demo.verify.expected.alarms import Alarm
from demo.verify.expected.model import Model
from demo.verify.expected.texts import text_of
from demo.verify.findings import Findings
from demo.verify.observed import Arrival, wrong_row

LATER = "scheduled"
"""Why somebody waits whose turn comes after others'."""
HELD, SILENT = {"escalation"}, {"cancelled", "no_address", "suppressed_address", "duplicate"}
"""Reasons that the rules of an alarm know, on which nobody presses anything."""
CALLED = "calls of alarms: right person, address, text and time, none after the answer"
WAITING = "calls that are still to come: stored, and due at the right time"


def without(evidence: Evidence, notifications: Collection[str]) -> Evidence:
    """The evidence of all others."""
    return replace(
        evidence,
        accepted=[each for each in evidence.accepted if each.notification_id not in notifications],
        excuses=[each for each in evidence.excuses if each.notification_id not in notifications],
        held={place: due for place, due in evidence.held.items() if place[0] not in notifications},
    )


def judge_alarms(
    alarms: Iterable[Alarm], model: Model, evidence: Evidence, findings: Findings
) -> None:
    """Compare each call that is due with each that came."""
    by_id = {alarm.it.id: alarm for alarm in alarms}
    came: defaultdict[tuple[str, str], list[tuple[str, Arrival]]] = defaultdict(list)
    known = set[str]()
    for line in evidence.accepted:
        if line.notification_id in by_id:
            findings.sent[line.channel] += 1
            known.add(line.notification_id)
            arrival = Arrival(line.at * 1000, line.title, line.digest, line.data)
            came[line.notification_id, line.channel].append((line.address, arrival))
    for row in evidence.excuses:
        if (alarm := by_id.get(row.notification_id)) is not None:
            findings.suppressed[row.reason] += 1
            known.add(row.notification_id)
            allowed = HELD if row.stage == "held" else SILENT
            if row.stage == "held" and alarm.begins > alarm.it.claim.happened_at:
                allowed = HELD | {LATER}
            wrong = wrong_row(row, alarm.it)
            if wrong or row.reason not in allowed:
                said = wrong or "no rule of an alarm gives that"
                findings.unexcused.append(f"{alarm.it}: reported as {row.reason}, and {said}")
    findings.decisions += len(known)
    for name, alarm in by_id.items():
        if name not in known and model.ended_at(alarm.it) is None:
            findings.lost.append(f"{alarm.it}: nothing says what became of it")
        _Judge(alarm, model, evidence, findings).run(came)


class _Judge:
    def __init__(self, alarm: Alarm, model: Model, evidence: Evidence, findings: Findings) -> None:
        self._it = alarm.it
        self._alarm = alarm
        self._model = model
        self._evidence = evidence
        self._ended_at = evidence.ended_at
        self._findings = findings
        self._answered = model.ended_at(alarm.it)

    def run(self, came: Mapping[tuple[str, str], list[tuple[str, Arrival]]]) -> None:
        spec, channels = self._it.spec, dict[str, list[int]]()
        for step in (spec.channels, *(step.channels for step in spec.escalation)):
            channels |= {channel: [] for channel in step}
        for call in self._alarm.calls:
            channels[call.channel].append(call.due)
        for channel, dues in channels.items():
            arrivals = defaultdict[str, list[Arrival]](list)
            for address, arrival in came.get((self._it.id, channel), ()):
                arrivals[address].append(arrival)
            for address in self._model.usable(self._it.user, channel) | arrivals.keys():
                is_usable = address in self._model.usable(self._it.user, channel)
                self._compare(channel, address, dues if is_usable else [], arrivals[address])
        self._judge_stored({due for dues in channels.values() for due in dues})

    def _compare(self, channel: str, address: str, dues: list[int], came: list[Arrival]) -> None:
        left, name = sorted(came, key=lambda arrival: arrival.at), f"{self._it} by {channel}"
        for due in dues:
            found = [a for a in left if due - ROUNDING_MS <= a.at <= due + OVERDUE_MS]
            if not found:
                if self._must_have_come(due):
                    self._findings.lost.append(f"{name}: no call to {address} of {due}")
                continue
            arrival = found[0]
            left.remove(arrival)
            text = text_of(self._it, channel, self._model.locale(self._it.user))
            if wrong := arrival.says(text):
                sentence = f"{name}: the call to {address} has another {wrong}"
                self._findings.wrong_content.append(sentence)
            elif self._answered is not None and due > self._answered + OVERDUE_MS:
                sentence = f"{name}: {address} is called after it was answered"
                self._findings.unexpected.append(sentence)
            else:
                self._findings.slots["sent"] += 1
                self._findings.checked[CALLED] += 1
                if due == self._it.claim.happened_at:
                    waited = self._findings.latencies.setdefault(self._it.spec.priority, [])
                    waited.append(arrival.at - self._it.claim.at)
        for arrival in left:
            self._findings.unexpected.append(f"{name}: {address} is called at {arrival.at}")

    def _must_have_come(self, due: int) -> bool:
        """Whether it was due before anything ended it, and long enough ago."""
        before = self._ended_at if self._answered is None else self._answered
        return due + OVERDUE_MS < min(before, self._ended_at)

    def _judge_stored(self, dues: set[int]) -> None:
        """What is to come is stored for then, and nothing else is."""
        stored = {
            due
            for (notification, _), found in self._evidence.held.items()
            if notification == self._it.id
            for due in found
        }
        if self._answered is not None:
            if stored and self._ended_at > self._answered + OVERDUE_MS:
                self._findings.unexpected.append(f"{self._it}: still waits, though it was answered")
            return
        for due in stored:
            if not any(
                abs(due - each) <= ROUNDING_MS
                for each in (*self._alarm.moments, self._alarm.begins)
            ):
                self._findings.unexpected.append(f"{self._it}: is stored to call at {due}")
        if any(due > self._ended_at + OVERDUE_MS for due in dues):
            if not stored:
                self._findings.lost.append(f"{self._it}: calls are to come, and nothing is stored")
            self._findings.checked[WAITING] += 1
