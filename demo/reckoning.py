"""The judge: what became of everything that was expected, from records that are not Tocsin's word.

Tocsin's own rows are heard only for why something was not sent, and not believed where the
producer's log knows better.
"""

from collections.abc import Iterator, Mapping

from demo.burials import Burials
from demo.deliveries import Deliveries, Place, collect
from demo.disproof import Knowledge, Slot
from demo.evidence import Evidence, Silence
from demo.findings import Findings
from demo.kinds import Kind
from demo.producer_log import Claims
from demo.world import World
from policy.identity import notification_id

TENANT = "default"
Silences = dict[tuple[str, str, str], list[Silence]]


def reckon(world: World, kinds: dict[str, Kind], claims: Claims, evidence: Evidence) -> Findings:
    """Find for every channel of every expected notification how it ended; pure.

    Lost is what has no end, an end that can't be true, or a bad record without a dead letter.
    """
    judge = _Judge(world, kinds, claims, evidence)
    judge.hear()
    return judge.findings


class _Judge:
    def __init__(
        self, world: World, kinds: dict[str, Kind], claims: Claims, evidence: Evidence
    ) -> None:
        self.findings = Findings(events=len(claims.events))
        self._know = Knowledge(world, kinds, claims)
        self._kinds, self._claims, self._evidence = kinds, claims, evidence
        self._slots = dict(_slots(claims, kinds))
        self._burials = Burials(evidence.letters)
        self._deliveries = Deliveries()

    def hear(self) -> None:
        """Go through all of it."""
        found = self.findings
        self._deliveries = collect(self._evidence, self._slots, self._know, found)
        found.dead = self._burials.count
        silences = self._hear_silences()
        for place, slot in self._slots.items():
            outcome, problem = self._outcome(place, slot, silences)
            found.slots[outcome] += 1
            if problem:
                found.lost.append(
                    f"{slot.kind.name} of {slot.claim.id} to {slot.user} by {slot.channel}: "
                    f"{problem}"
                )
            if place in self._deliveries.first:
                latency = self._deliveries.first[place] - slot.claim.at
                found.latencies.setdefault(slot.kind.priority, []).append(latency)
        found.decisions = len({name for name, _ in self._slots}) + self._hear_posts()
        found.lost += [
            f"the bad record ({bad.bad}) at {bad.topic}/{bad.partition}/{bad.offset}: "
            "not among the dead letters"
            for bad in self._claims.bad
            if not self._burials.holds(bad)
        ]

    def _hear_silences(self) -> Silences:
        by_person: Silences = {}
        for silence in self._evidence.silences:
            self.findings.suppressed[silence.reason] += 1
            person = (silence.event_id, silence.user, silence.type)
            by_person.setdefault(person, []).append(silence)
        return by_person

    def _hear_posts(self) -> int:
        """Posts left to feeds must be in the outbox; returns how many decisions they are."""
        followed = [kind.name for kind in self._kinds.values() if kind.followers]
        read = [claim for claim in self._claims.events.values() if claim.read]
        for claim in read:
            for kind in followed:
                if notification_id(TENANT, claim.id, "", kind) not in self._evidence.outbox:
                    self.findings.lost.append(f"{kind} of {claim.id}: not in the outbox")
        return len(read) * len(followed)

    def _outcome(
        self, place: Place, slot: Slot, silences: Mapping[tuple[str, str, str], list[Silence]]
    ) -> tuple[str, str]:
        reached = self._deliveries.reached.get(place, set())
        missing = self._know.usable(slot) - reached
        dead = {address for address in missing if self._burials.ended(slot, address)}
        if (reached or dead) and missing == dead:
            return ("dead" if dead else "sent"), ""
        said = silences.get((slot.claim.id, slot.user, slot.kind.name), [])
        told = [s for s in said if s.channel in (slot.channel, "") and s.reason != "duplicate"]
        if not told:
            return "lost", f"{len(missing) or 'no'} addresses unreached, and nothing was said"

        # If the stand-in is lost as well, that is one loss and counted there.
        silenced = {silence.channel for silence in said}
        doubts = [self._know.disproof(slot, silence, silenced) for silence in told]
        if all(doubts):
            return "lost", f"said to be {told[0].reason}, but {doubts[0]}"
        return told[doubts.index("")].reason, ""


def _slots(claims: Claims, kinds: dict[str, Kind]) -> Iterator[tuple[Place, Slot]]:
    for claim in claims.events.values():
        for name, user in claim.expected:
            notification = notification_id(TENANT, claim.id, user, name)
            for channel in kinds[name].channels:
                yield (notification, channel), Slot(claim, kinds[name], user, channel)
