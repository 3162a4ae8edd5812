"""The contest of one provider: first what is sent is compared, then the contestants take turns."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from bench.pairs import ITSELF, Progress, Rounds, Run, Turn, take_turns
from bench.sinks.stub_server import CHECKED, REPEATED, Tell
from bench.sinks.witness import Witness, check_alike

AT_ONCE = 64
"""Calls in flight."""
OURS, BARE, VENDOR = "ours", "bare", "vendor"

Send = Callable[[int], Awaitable[None]]
"""Makes the call of this number; raises where it was not accepted."""


class Contestant(NamedTuple):
    """How to make a call, how many deliveries it carries, and what share of the calls it makes."""

    send: Send
    deliveries: int
    share: float = 1.0


class Contest(NamedTuple):
    """One provider, how many calls a round has and how many rounds there are."""

    provider: str
    calls: int
    pairs: int
    tell: Tell
    witness: Witness
    progress: Progress

    async def check(self, contestants: Mapping[str, Contestant]) -> int:
        """Have the simulators check each one's first calls, unmeasured.

        Returns how many messages ours and the SDK's were alike in, 0 where there is no SDK;
        raises RuntimeError where they were not. The bare client repeats one of our calls.
        """
        await self.tell(CHECKED)
        most = AT_ONCE * max(each.deliveries for each in contestants.values())
        self.witness.news()
        sent = {}
        for name, each in contestants.items():
            await send_all(each.send, range(most // each.deliveries))
            sent[name] = self.witness.news()
        if VENDOR not in sent:
            return 0
        return check_alike(self.provider, sent[OURS], sent[VENDOR])

    async def measure(self, contestants: Mapping[str, Contestant]) -> Rounds:
        """The rounds, in which the simulators' replies are repeated."""
        await self.tell(REPEATED)

        @asynccontextmanager
        async def open_round(number: int) -> AsyncIterator[Turn]:
            async def turn(name: str) -> Run:
                return await self._turn(contestants[name], number)

            yield turn

        def progress(said: str) -> None:
            self.progress(f"{self.provider}: {said}")

        return await take_turns(list(contestants), self.pairs, open_round, progress)

    async def _turn(self, contestant: Contestant, number: int) -> Run:
        calls = max(1, int(self.calls * contestant.share) // self.pairs)
        begin, begin_cpu = time.perf_counter(), time.process_time()
        await send_all(contestant.send, range(number * calls, (number + 1) * calls))
        wall, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
        sent = calls * contestant.deliveries
        return Run(sent / wall, {ITSELF: cpu / sent * 1e6})


async def send_all(send: Send, numbers: Sequence[int]) -> None:
    """Make the calls of these numbers, so many at once."""
    left = iter(numbers)

    async def work() -> None:
        for number in left:
            await send(number)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
