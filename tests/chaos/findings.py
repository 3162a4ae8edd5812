"""What a flow came to, once everything has settled: the witness fed from the logs."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from embedded.house import House
from embedded.simulators.accept_log import Accepted, read_accept_log
from tests.chaos.flow import Flow
from tests.chaos.observe import decided, ended, wait_until_read
from tests.chaos.script import Script, proof
from tests.chaos.witness import Acceptance, Collapsed, Key, Verdict, collapse, judge


@dataclass(frozen=True)
class Finding:
    """The verdict on a flow, with what it was made from."""

    events: int
    expected: dict[str, tuple[Key, str]]
    accepted: list[Accepted]
    suppressed: set[Key]
    dead: set[Key]
    verdict: Verdict
    outputs: Collapsed
    slowest: dict[str, float]

    def without_line(self, number: int) -> Verdict:
        """The verdict had this line of the accept log been lost: the planted fault."""
        rest = [line for at, line in enumerate(self.accepted) if at != number]
        return judge_lines(self.expected, rest, self.suppressed, self.dead)

    def summary(self) -> str:
        """One line of figures."""
        v, o = self.verdict, self.outputs
        slowest = " ".join(f"{channel} {wait:.1f} s" for channel, wait in self.slowest.items())
        return (
            f"{self.events} events, {len(self.expected)} messages: lost {len(v.lost)}, "
            f"excused {len(v.excused)}, unexpected {len(v.unexpected)}, duplicate calls "
            f"{v.duplicate_calls} ({v.duplicate_messages} messages), decider repeats {o.repeats}, "
            f"altered {len(o.altered)}, doubled {len(o.doubled)}; slowest: {slowest}"
        )

    def assert_all_arrived(self) -> None:
        """Nothing lost, nothing excused, nothing to the wrong person, one content an id."""
        v, o = self.verdict, self.outputs
        assert not v.lost, f"{self.summary()}\n{_some(v.lost)}"
        assert not v.excused, f"{self.summary()}\n{_some(v.excused)}"
        assert not v.unexpected, f"{self.summary()}\n{_some(v.unexpected)}"
        assert not o.doubled and not o.altered, f"{self.summary()}\n{_some(o.doubled)}"
        assert o.ids == len(self.expected), self.summary()


async def settle(house: House, flow: Flow[Script], within: float = 240.0) -> Finding:
    """Wait until all is read, then judge the flow."""
    begin = time.monotonic()
    await wait_until_read(house, within)
    accepted_at = flow.accepted()
    script = flow.script
    expected = {name: (key, text) for n in accepted_at for name, key, text in script.expected(n)}
    events = {script.event_id(n): at for n, at in accepted_at.items()}
    lines = [line for line in read_accept_log(house.accept_log) if _belongs(line, expected, flow)]
    suppressed, dead = await ended(house, script.name)
    return Finding(
        events=len(events),
        expected=expected,
        accepted=lines,
        suppressed=suppressed,
        dead=dead,
        verdict=judge_lines(expected, lines, suppressed, dead),
        outputs=collapse(await decided(house, script.name)),
        slowest=_slowest(lines, expected, events) | {"to settle": time.monotonic() - begin},
    )


def judge_lines(
    expected: dict[str, tuple[Key, str]],
    lines: Iterable[Accepted],
    suppressed: set[Key],
    dead: set[Key],
) -> Verdict:
    """Judge lines of the accept log; one with another text or address is not the expected one."""
    accepted = [Acceptance(_key(line, expected), line.reference) for line in lines]
    return judge([key for key, _ in expected.values()], accepted, suppressed, dead)


def _key(line: Accepted, expected: dict[str, tuple[Key, str]]) -> Key:
    key, text = expected.get(line.delivery_id, (Key("?", line.delivery_id, "?"), ""))
    if proof(line) != text:
        return key._replace(event=f"{key.event} with another text")
    return key._replace(channel=str(line.channel), address=line.address)


def _belongs(line: Accepted, expected: dict[str, tuple[Key, str]], flow: Flow[Script]) -> bool:
    return line.delivery_id in expected or f"{flow.script.name}-" in line.address


def _slowest(
    lines: list[Accepted], expected: dict[str, tuple[Key, str]], events: dict[str, float]
) -> dict[str, float]:
    slowest: dict[str, float] = {}
    for line in lines:
        if line.delivery_id in expected:
            wait = line.at - events[expected[line.delivery_id][0].event]
            slowest[line.channel] = max(wait, slowest.get(line.channel, 0.0))
    return slowest


def _some(keys: Iterable[Key]) -> str:
    return "\n".join(map(str, sorted(keys)[:10]))
