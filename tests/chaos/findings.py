"""What a flow came to, once everything has settled: the judge of `demo.verify`, fed from logs."""

import time
from collections import Counter
from dataclasses import dataclass, replace

from demo.dataset.world import World
from demo.produce.producer_log import Claims
from demo.verify.evidence import Evidence
from demo.verify.expected.type_spec import read_type_specs
from demo.verify.findings import Findings, percentile
from demo.verify.judge import expected_of, judge
from embedded.local_stack import CATALOGUE, LocalStack
from schemas.vocabulary import Channel
from tests.chaos.evidence import gather
from tests.chaos.flow import Flow, claims_of
from tests.chaos.observe import SETTLED, decided, wait_until_read
from tests.chaos.script import Script
from tests.chaos.witness import Collapsed, collapse, wasted_calls

HEALED_WITHIN = 60.0
"""Seconds after healing in which 95 of 100 messages must be out that waited for it, and as many
seconds for each that comes later."""
DUPLICATES = "duplicates"


@dataclass(frozen=True)
class Finding:
    """The verdict on a flow, with what it was made from; `waits` are seconds, see _waits."""

    world: World
    claims: Claims
    evidence: Evidence
    findings: Findings
    wasted_calls: int
    outputs: Collapsed
    waits: list[float]
    settled_after: float

    def without_line(self, number: int) -> Findings:
        """The verdict had this line of the accept log been lost: the planted fault."""
        rest = [line for at, line in enumerate(self.evidence.accepted) if at != number]
        return judged(self.world, self.claims, replace(self.evidence, accepted=rest))

    def summary(self) -> str:
        """Figures, in two lines."""
        found, o = self.findings, self.outputs
        faults = ", ".join(f"{name} {len(cases)}" for name, cases in found.faults().items())
        ends = ", ".join(f"{name} {count}" for name, count in found.slots.most_common())
        late = " ".join(f"p{share} {percentile(self.waits, share):.1f} s" for share in (50, 95))
        return (
            f"{found.events} events: {faults}; wasted calls {self.wasted_calls}, decider repeats "
            f"{o.repeats}, altered {len(o.altered)}, doubled {len(o.doubled)}\n  {ends}; waited "
            f"since healing {late}; settled after {self.settled_after:.1f} s"
        )

    def assert_all_arrived(self) -> None:
        """No fault but calls repeated under one delivery id, which each test bounds."""
        found, o = self.findings, self.outputs
        for name, cases in found.faults().items():
            assert name == DUPLICATES or not cases, f"{self.summary()}\n{_some(cases)}"
        lines = self.evidence.accepted
        repeats = len(lines) - len({line.delivery_id for line in lines})
        assert len(found.duplicates) == repeats, f"{self.summary()}\n{_some(found.duplicates)}"
        assert not o.doubled and not o.altered, f"{self.summary()}\n{o}"
        sent = sum(count for channel, count in found.sent.items() if channel != Channel.INAPP)
        assert o.ids == sent, self.summary()
        self._assert_all_kinds()

    def assert_soon_after_healing(self) -> None:
        """What `make chaos` promises; the default run may be one of many on a busy machine."""
        assert percentile(self.waits, 95) <= HEALED_WITHIN, self.summary()

    def _assert_all_kinds(self) -> None:
        """Everybody whom a fault could hide behind was there."""
        ends = Counter(self.findings.slots)
        for name in ("sent", "opted_out", "held", "quiet_hours", "rate_limited", "offline"):
            assert ends[name], f"nobody was {name}: {self.summary()}"


async def settle(house: LocalStack, flow: Flow[Script], within: float = SETTLED) -> Finding:
    """Wait until all is read, then judge the flow."""
    begin = time.monotonic()
    await wait_until_read(house, within)
    settled_after = time.monotonic() - begin
    claims, world = claims_of(flow), flow.script.world
    evidence = await gather(house, flow.since)
    return Finding(
        world=world,
        claims=claims,
        evidence=evidence,
        findings=judged(world, claims, evidence),
        wasted_calls=wasted_calls(evidence.accepted),
        outputs=collapse(await decided(house, flow.script.name)),
        waits=_waits(evidence, claims, world, flow.healed_at),
        settled_after=settled_after,
    )


def judged(world: World, claims: Claims, evidence: Evidence) -> Findings:
    """The verdict by the catalogue that the house runs with."""
    return judge(world, read_type_specs(CATALOGUE), claims, evidence)


def _waits(evidence: Evidence, claims: Claims, world: World, healed_at: float) -> list[float]:
    """Seconds until each provider call, from the event on, or from healing where that was later."""
    expected = expected_of(world, read_type_specs(CATALOGUE), claims)
    taken = {it.id: it.claim.at / 1000 for it in expected}
    return [
        max(0.0, line.at - max(taken[line.notification_id], healed_at))
        for line in evidence.accepted
        if line.notification_id in taken
    ]


def _some(cases: list[str]) -> str:
    return "\n".join(cases[:10])
