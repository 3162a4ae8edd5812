"""The verdict: what the model says should have become of everything, against what was seen.

Tocsin's own rows are heard only for why something was not sent, and only a reason that the model
gives as well excuses it.
"""

from collections.abc import Iterator, Mapping
from itertools import product

from demo.dataset.world import World
from demo.produce.producer_log import Claims
from demo.verify.alarms import judge_alarms, without
from demo.verify.comparison import Difference, differences
from demo.verify.dead_letters import judge_dead_letters
from demo.verify.evidence import Evidence
from demo.verify.expected.alarms import alarms
from demo.verify.expected.digests import digests_of
from demo.verify.expected.limits import Limits
from demo.verify.expected.model import Circumstances, Model
from demo.verify.expected.notification import Notification, notifications
from demo.verify.expected.outcome import WHOLE, Held, Outcome, Send
from demo.verify.expected.presence import UNCERTAIN_MS, Presence
from demo.verify.expected.type_spec import TypeSpec
from demo.verify.expected.unread import waited_for_contacts
from demo.verify.findings import Findings
from demo.verify.observed import Observed, Seen
from demo.verify.outbox import judge_outbox
from demo.verify.sent_digests import judge_digests

LIMITED = "rate_limited"


def judge(
    world: World, specs: Mapping[str, TypeSpec], claims: Claims, evidence: Evidence
) -> Findings:
    """Find for every channel of every expected notification whether it ended as it should; pure."""
    findings = Findings(events=len(claims.events))
    expected = {it.id: it for it in expected_of(world, specs, claims)}
    findings.decisions = len(expected)
    model = Model(world, claims.events.values())
    called = [
        alarm
        for claim in claims.events.values()
        for spec in specs.values()
        for alarm in alarms(claim, spec, model)
    ]
    judge_alarms(called, model, evidence, findings)
    evidence = without(evidence, {alarm.it.id for alarm in called})
    _Judge(world, claims, evidence, expected, findings).run()
    judge_outbox(expected, claims.repeats, evidence, findings)
    judge_dead_letters(claims, evidence, findings)
    return findings


def expected_of(
    world: World, specs: Mapping[str, TypeSpec], claims: Claims
) -> Iterator[Notification]:
    """Every notification that the producer's events should lead to a decision on, but alarms."""
    once = {name: spec for name, spec in specs.items() if spec.repeat is None}
    for claim in claims.events.values():
        yield from notifications(claim, once, world)


class _Judge:
    def __init__(
        self,
        world: World,
        claims: Claims,
        evidence: Evidence,
        expected: Mapping[str, Notification],
        findings: Findings,
    ) -> None:
        self._model = Model(world, claims.events.values())
        self._presence = Presence(claims.presence)
        self._repeats = claims.repeats
        self._ended_at = evidence.ended_at
        self._expected = expected
        self._findings = findings
        self._limits = Limits()
        self._observed = Observed(evidence, expected, self._model, findings)
        self._digests = list(digests_of(expected.values(), self._model))
        self._waits = {
            (it.id, digest.channel): waits
            for digest in self._digests
            for it, waits in digest.waited_for()
        }

    def run(self) -> None:
        """Go through all notifications, then through what they counted in together."""
        findings = self._findings
        for it in self._expected.values():
            seen = self._observed.of(it)
            self._judge_repeats(it, seen)
            outcomes, found = self._best(it, seen)
            for difference in found:
                by = f" by {difference.channel}" if difference.channel else ""
                findings.of(difference.kind).append(f"{it}{by}: {difference.sentence}")
            for channel, outcome in outcomes.items():
                self._count(it, channel, outcome, seen.get(channel, Seen()))
        judge_digests(self._digests, self._observed.unknown, self._model, self._ended_at, findings)
        findings.unexpected += self._limits.exceeded()
        findings.unexcused += self._limits.unfounded()
        name = "rate limits: none exceeded, none applied without need"
        findings.checked[name] = len(self._limits)

    def _best(
        self, it: Notification, seen: Mapping[str, Seen]
    ) -> tuple[Mapping[str, Outcome], list[Difference]]:
        """Of what the model says for each possible circumstance, what fits best."""
        fits = []
        for now in self._circumstances(it, seen):
            outcomes = waited_for_contacts(it, self._model.outcomes(it, now), seen)
            found = list(differences(it, outcomes, seen, self._ended_at))
            if not found:
                return outcomes, found
            fits.append((outcomes, found))
        return min(fits, key=lambda fit: len(fit[1]))

    def _circumstances(self, it: Notification, seen: Mapping[str, Seen]) -> Iterator[Circumstances]:
        """All that may have been the case when it was decided."""
        if it.is_read:
            yield Circumstances(False, None, it.claim.at, frozenset(), {})
            return
        limited = frozenset(channel for channel, each in seen.items() if LIMITED in each.suppressed)
        arrived = [arrival.at for each in seen.values() for arrival in each.arrivals.values()]
        # Whatever came of it first, it was decided before that.
        decided_by = max(it.claim.at, min(arrived, default=self._ended_at))
        quiet = list(self._model.quiet_hours(it.user).between(it.claim.at, int(decided_by)))
        free = next((at for at, until in quiet if until is None), self._ended_at)
        digests = {
            channel: waits
            for channel in it.spec.templates
            if (waits := self._waits.get((it.id, channel)))
        }
        is_ended = (False,) if self._model.ended_at(it) is None else (False, True)
        online = self._presence.possible(it.user, it.claim.at, decided_by)
        for is_online, (_, until) in product(online, quiet):
            due = self._ended_at if until is None else until
            for then in self._presence.possible(it.user, due, due + UNCERTAIN_MS):
                for is_over in is_ended:
                    yield Circumstances(is_online, until, free, limited, digests, then, is_over)

    def _count(self, it: Notification, channel: str, outcome: Outcome, seen: Seen) -> None:
        findings, checked = self._findings, self._findings.checked
        at = it.claim.happened_at
        is_over = seen.arrivals or seen.suppressed
        while isinstance(outcome, Held):
            at = outcome.due
            if not (outcome.then and is_over):
                break
            outcome = outcome.then
        if seen.arrivals:
            findings.slots["sent"] += 1
            self._limits.passed(it, channel, at)
            name = "messages: right person, address, text, language, priority and time"
            checked[name] += len(seen.arrivals)
        elif isinstance(outcome, Held):
            findings.slots["held"] += 1
            checked["messages that wait: still stored, and due at the right time"] += 1
        else:
            findings.slots["lost" if isinstance(outcome, Send) else outcome.reason] += 1
            checked["messages not sent: for the reason that the rules give"] += 1
            if LIMITED in seen.suppressed:
                self._limits.refused(it, channel, at)
        if seen.arrivals and isinstance(outcome, Send) and outcome.not_before == it.claim.at:
            first = min(arrival.at for arrival in seen.arrivals.values())
            findings.latencies.setdefault(it.spec.priority, []).append(first - it.claim.at)

    def _judge_repeats(self, it: Notification, seen: dict[str, Seen]) -> None:
        """An event that was written again must be recognised, and no other one."""
        whole = seen.get(WHOLE, Seen())
        said = "duplicate" in whole.suppressed
        whole.suppressed.discard("duplicate")
        if not whole.has_ended and not whole.stored:
            seen.pop(WHOLE, None)
        if said and not self._repeats[it.claim.id]:
            self._findings.unexcused.append(
                f"{it}: reported as a duplicate, but the producer wrote it once"
            )
        # What expired, ended before, or was not to be heard is not remembered, and found so again.
        refused = (
            it.claim.at >= it.expires_at
            or self._model.unheard(it)
            or self._model.ended_at(it) is not None
        )
        if self._repeats[it.claim.id] and not refused and not it.is_read:
            self._findings.checked["events written twice: notified once"] += 1
            if not said:
                self._findings.lost.append(f"{it}: written twice, and no row says duplicate")
