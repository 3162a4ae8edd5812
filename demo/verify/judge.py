"""The verdict: what the model says should have become of everything, against what was seen.

Tocsin's own rows are heard only for why something was not sent, and only a reason that the model
gives as well excuses it.
"""

from collections.abc import Iterator, Mapping
from itertools import product

from demo.producer_log import Claims
from demo.verify.comparison import OVERDUE_MS, Difference, Kind, differences
from demo.verify.dead_letters import judge_dead_letters
from demo.verify.digests import digests_of
from demo.verify.evidence import Evidence
from demo.verify.findings import Findings
from demo.verify.limits import Limits
from demo.verify.model import Circumstances, Model
from demo.verify.notification import Notification, notifications
from demo.verify.observed import Observed, Seen
from demo.verify.outcome import WHOLE, Held, Outcome, Send
from demo.verify.presence import Presence
from demo.verify.texts import digest_text_of
from demo.verify.type_spec import TypeSpec
from demo.world import World

LIMITED = "rate_limited"


def judge(
    world: World, specs: Mapping[str, TypeSpec], claims: Claims, evidence: Evidence
) -> Findings:
    """Find for every channel of every expected notification whether it ended as it should; pure."""
    findings = Findings(events=len(claims.events))
    expected = {it.id: it for it in expected_of(world, specs, claims)}
    findings.decisions = len(expected)
    _Judge(world, claims, evidence, expected, findings).run()
    judge_dead_letters(claims, evidence, findings)
    return findings


def expected_of(
    world: World, specs: Mapping[str, TypeSpec], claims: Claims
) -> Iterator[Notification]:
    """Every notification that the producer's events should lead to a decision on."""
    for claim in claims.events.values():
        yield from notifications(claim, specs, world)


class _Judge:
    def __init__(
        self,
        world: World,
        claims: Claims,
        evidence: Evidence,
        expected: Mapping[str, Notification],
        findings: Findings,
    ) -> None:
        self._model = Model(world)
        self._presence = Presence(claims.presence)
        self._repeats = claims.repeats
        self._evidence = evidence
        self._expected = expected
        self._findings = findings
        self._limits = Limits()
        self._observed = Observed(evidence, expected, self._model, findings)
        self._digests = list(digests_of(expected.values(), self._model))
        self._digest_of = {
            (it.id, digest.channel): digest for digest in self._digests for it in digest.members
        }

    def run(self) -> None:
        """Go through all notifications, then through what they counted in together."""
        for it in self._expected.values():
            seen = self._observed.of(it)
            self._judge_repeats(it, seen)
            outcomes, found = self._best(it, seen)
            for difference in found:
                self._note(it, difference)
            self._count(it, outcomes, seen)
            if it.is_read:
                self._judge_outbox(it)
        self._judge_digests()
        self._findings.unexpected += self._limits.exceeded()
        self._findings.unexcused += self._limits.unfounded()
        self._findings.checked["rate limits: none exceeded, none applied without need"] = len(
            self._limits
        )

    def _best(
        self, it: Notification, seen: Mapping[str, Seen]
    ) -> tuple[Mapping[str, Outcome], list[Difference]]:
        """Of what the model says for each possible circumstance, what fits best."""
        fits = []
        for now in self._circumstances(it, seen):
            outcomes = self._model.outcomes(it, now)
            found = list(differences(it, outcomes, seen, self._evidence))
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
        ended = self._evidence.ended_at
        quiet = list(self._model.quiet_hours(it.user).between(it.claim.at, ended))
        free = next((at for at, until in quiet if until is None), ended)
        digests = {
            channel: (digest.first_look, digest.due)
            for channel in it.spec.digests
            if (digest := self._digest_of.get((it.id, channel)))
        }
        decided_by = max(it.claim.at, min(arrived, default=ended))
        online = self._presence.possible(it.user, it.claim.at, decided_by)
        for is_online, (_, until) in product(online, quiet):
            yield Circumstances(is_online, until, free, limited, digests)

    def _note(self, it: Notification, difference: Difference) -> None:
        by = f" by {difference.channel}" if difference.channel else ""
        sentence = f"{it}{by}: {difference.sentence}"
        findings = self._findings
        match difference.kind:
            case Kind.LOST:
                findings.lost.append(sentence)
            case Kind.UNEXPECTED:
                findings.unexpected.append(sentence)
            case Kind.WRONG_CONTENT:
                findings.wrong_content.append(sentence)
            case Kind.LATE:
                findings.late.append(sentence)
            case Kind.UNEXCUSED:
                findings.unexcused.append(sentence)

    def _count(
        self, it: Notification, outcomes: Mapping[str, Outcome], seen: Mapping[str, Seen]
    ) -> None:
        findings, checked = self._findings, self._findings.checked
        for channel, outcome in outcomes.items():
            each = seen.get(channel, Seen())
            if each.arrivals:
                findings.slots["sent"] += 1
                at = outcome.due if isinstance(outcome, Held) else it.claim.happened_at
                self._limits.passed(it, channel, at)
                checked["messages: right person, address, text, language and time"] += len(
                    each.arrivals
                )
            elif isinstance(outcome, Held):
                findings.slots["held"] += 1
                checked["messages that wait: still stored, and due at the right time"] += 1
            else:
                reason = "lost" if isinstance(outcome, Send) else outcome.reason
                findings.slots[reason] += 1
                checked["messages not sent: for the reason that the rules give"] += 1
                if LIMITED in each.suppressed:
                    self._limits.refused(it, channel, it.claim.happened_at)
            if each.arrivals and isinstance(outcome, Send) and outcome.not_before == it.claim.at:
                first = min(arrival.at for arrival in each.arrivals.values())
                findings.latencies.setdefault(it.spec.priority, []).append(first - it.claim.at)

    def _judge_repeats(self, it: Notification, seen: dict[str, Seen]) -> None:
        """An event that was written again must be recognised, and no other one."""
        whole = seen.get(WHOLE, Seen())
        said = "duplicate" in whole.suppressed
        whole.suppressed.discard("duplicate")
        if whole.is_nothing:
            seen.pop(WHOLE, None)
        if said and not self._repeats[it.claim.id]:
            self._findings.unexcused.append(
                f"{it}: said to be a duplicate, but the producer wrote it once"
            )
        # What expired is not remembered, and is found to have expired again.
        if self._repeats[it.claim.id] and it.claim.at < it.expires_at and not it.is_read:
            self._findings.checked["events written twice: notified once"] += 1
            if not said:
                self._findings.lost.append(f"{it}: written twice, and no row says duplicate")

    def _judge_digests(self) -> None:
        """Each digest that was due came once to each address; and nothing else is unknown."""
        unknown = self._observed.unknown
        ended = self._evidence.ended_at
        for digest in self._digests:
            if digest.due > ended:
                continue
            text = digest_text_of(digest.members, digest.channel, self._model.locale(digest.user))
            for address in sorted(self._model.usable(digest.user, digest.channel)):
                arrivals = unknown[digest.channel, address]
                found = [each for each in arrivals if digest.due <= each.at and not each.says(text)]
                if found:
                    arrivals.remove(found[0])
                    checked = "digests: the right events, at the right time"
                    self._findings.checked[checked] += 1
                elif digest.due + OVERDUE_MS <= ended:
                    self._findings.lost.append(
                        f"a digest of {len(digest.members)} events, the first of them "
                        f"{digest.members[0]}, by {digest.channel}: {address} got none that says "
                        f"{text.body!r}"
                    )
        for (channel, address), arrivals in unknown.items():
            self._findings.unexpected += [
                f"{channel} to {address}: nobody expected it" for _ in arrivals
            ]

    def _judge_outbox(self, it: Notification) -> None:
        found = self._evidence.outbox.get(it.id, set())
        missing = self._evidence.partitions - len(found)
        if missing:
            self._findings.lost.append(f"{it}: {missing} partitions of the outbox lack the post")
        self._findings.checked["posts left to feeds: in every partition's outbox"] += 1
