"""The contest of one provider, against the simulators: what an SDK sends is compared first."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from bench.pairs import ITSELF, Run
from bench.sinks.contest import AT_ONCE, BARE, OURS, VENDOR, Contest, Contestant
from bench.sinks.witness import Witness
from bench.vendors import VENDORS
from bench.vendors.client import Outside
from bench.vendors.message import mailbox
from embedded.simulators.accept_log import Accepted, AcceptLog, digest_of, read_accept_log
from embedded.simulators.faults import Fault
from embedded.simulators.server import Serving, serving
from pipeline.variables import settings_of
from schemas.vocabulary import Channel

BATCHED = {"mailgun": 1000, "postmark": 500, "resend": 100, "sendgrid": 1000, "ses": 50}
"""Messages that a call of each can carry, by the provider's documentation."""
FIRST_ID, SECOND_ID = f"{2**64 + 41:032x}", f"{2**64 + 42:032x}"


class Sending(NamedTuple):
    """Simulators, how to reach them, and their log."""

    running: Serving
    outside: Outside
    log: Path


@pytest.fixture
async def sending(tmp_path: Path) -> AsyncIterator[Sending]:
    log = tmp_path / "accepted.jsonl"
    async with serving(0, log, tmp_path) as running:
        settings = settings_of(running.environment)
        outside = Outside(settings, running.credentials, running.base_url)
        yield Sending(running, outside, log)


def test_an_sdk_carries_as_many_as_its_api_takes_or_says_why_one() -> None:
    carried = {name: each.batch_size for name, each in VENDORS.items() if each.batch_size > 1}
    assert carried == BATCHED


@pytest.mark.parametrize("name", BATCHED)
async def test_one_call_of_an_sdk_carries_different_texts_to_different_people(
    sending: Sending, name: str
) -> None:
    sending.running.simulators.faults.set(name, Fault())
    client = VENDORS[name].open(sending.outside)
    await client.send(range(41, 43))
    await client.close()
    assert sending.running.simulators.faults.requests(name) == 1
    found = {
        (each.address, each.title, each.digest, each.notification_id, each.delivery_id)
        for each in read_accept_log(sending.log)
    }
    assert found == {
        (
            f"user{number}@example.com",
            f"Order {number}",
            digest_of(f"Order {number} is on its way."),
            notification,
            f"{number:032x}",
        )
        for number, notification in ((41, FIRST_ID), (42, SECOND_ID))
    }


@pytest.mark.parametrize("name", ["postmark", "resend", "ses"])
async def test_an_sdk_fails_where_one_message_of_a_call_is_refused(
    sending: Sending, name: str
) -> None:
    sending.running.simulators.faults.set(name, Fault(dead=frozenset({mailbox(42)})))
    client = VENDORS[name].open(sending.outside)
    with pytest.raises(RuntimeError, match="failed"):
        await client.send(range(41, 43))
    await client.close()


class Fake:
    """A contestant whose calls only say in the accept log what was accepted."""

    def __init__(self, log: AcceptLog, carried: int, text: str) -> None:
        self.calls: list[int] = []
        self._log = log
        self._carried = carried
        self._text = text

    async def send(self, number: int) -> None:
        self.calls.append(number)
        first = number * self._carried
        self._log.append(map(self._accepted, range(first, first + self._carried)))

    def _accepted(self, number: int) -> Accepted:
        return Accepted(
            at=1.0,
            provider="sendgrid",
            channel=Channel.EMAIL,
            notification_id=f"n{number}",
            delivery_id=f"d{number}",
            address=mailbox(number),
            title="",
            digest=digest_of(self._text),
            reference="",
        )


class Contested(NamedTuple):
    """A contest of fakes, what the stand-in was told, and the fakes."""

    contest: Contest
    told: list[bytes]
    contestants: dict[str, Contestant]
    fakes: dict[str, Fake]


def contested(folder: Path, vendor_text: str = "same") -> Contested:
    path, told = folder / "accepted.jsonl", list[bytes]()
    log = AcceptLog(path)

    async def tell(line: bytes) -> None:
        told.append(line)

    fakes = {
        OURS: Fake(log, 2, "same"),
        BARE: Fake(log, 2, "whatever"),
        VENDOR: Fake(log, 4, vendor_text),
    }
    contestants = {name: Contestant(fake.send, fake._carried) for name, fake in fakes.items()}
    contestants[VENDOR] = Contestant(fakes[VENDOR].send, 4, share=0.5)
    contest = Contest("sendgrid", 40, 2, tell, Witness(path), lambda _: None)
    return Contested(contest, told, contestants, fakes)


async def test_messages_are_compared_however_many_a_call_carries(tmp_path: Path) -> None:
    found = contested(tmp_path)
    assert await found.contest.check(found.contestants) == AT_ONCE * 4
    assert found.told == [b"checked\n"]
    # As many messages of each: ours in twice as many calls.
    assert len(found.fakes[OURS].calls) == 2 * AT_ONCE
    assert len(found.fakes[VENDOR].calls) == AT_ONCE


async def test_an_sdk_that_sends_another_text_fails_the_bench(tmp_path: Path) -> None:
    found = contested(tmp_path, vendor_text="other")
    with pytest.raises(RuntimeError, match="sendgrid: 512 messages of ours and the SDK's differ"):
        await found.contest.check(found.contestants)


async def test_a_provider_without_an_sdk_is_not_compared(tmp_path: Path) -> None:
    found = contested(tmp_path)
    del found.contestants[VENDOR]
    assert await found.contest.check(found.contestants) == 0


class Clock:
    """At every look one second later, of which the processor took two on two threads."""

    def __init__(self) -> None:
        self._looks = {"perf_counter": 0, "process_time": 0}

    def perf_counter(self) -> float:
        self._looks["perf_counter"] += 1
        return float(self._looks["perf_counter"])

    def process_time(self) -> float:
        self._looks["process_time"] += 1
        return 2.0 * self._looks["process_time"]


async def test_each_round_makes_its_share_of_the_calls_and_counts_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.sinks.contest.time", Clock())
    found = contested(tmp_path)
    rounds = await found.contest.measure(found.contestants)
    assert found.told == [b"repeated\n"]
    assert sorted(found.fakes[OURS].calls) == list(range(40))  # 20 in each of 2 rounds
    assert sorted(found.fakes[VENDOR].calls) == list(range(20))  # half of that
    # In one second 20 calls with 2 messages, or 10 with 4; each message took 2 s / 40.
    run = Run(40.0, {ITSELF: 50_000.0})
    assert rounds == [{OURS: run, BARE: run, VENDOR: run}] * 2
