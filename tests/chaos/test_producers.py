"""Producers with another partitioner, while the role that moves their records is killed."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import AsyncExitStack

import msgspec
import pytest

from embedded.local_stack import LocalStack
from embedded.simulators.accept_log import Accepted, read_accept_log
from schemas.request import Request
from schemas.topics import DEAD_LETTERS, REQUESTS
from schemas.vocabulary import Priority
from tests.chaos.conftest import Tell
from tests.chaos.foreign import ACTORS, DEVICES, TIMES, USERS, Company, company
from tests.chaos.observe import read_all, ready_count, until_ready_again, wait_until_read
from tests.placements import PLACEMENTS

KILLED = ("intake", "router", "decider")
"""Who hands records on."""
PAUSE = 0.1
"""Seconds between two rounds of users, so that who moves their records is killed among them."""
_request = msgspec.json.Decoder(Request).decode


@pytest.fixture(scope="module")
async def played(town: LocalStack) -> dict[str, Company]:
    """What a company of each placement wrote, all in one time, while their mover was killed."""
    names = {placement: placement.replace(" ", "-") for placement in PLACEMENTS}
    return await _play(town, names, killed=("intake",))


@pytest.mark.parametrize("placement", PLACEMENTS)
async def test_everybody_is_reached_once_and_in_order(
    town: LocalStack, tell: Tell, played: dict[str, Company], placement: str
) -> None:
    await _is_right(town, played[placement], tell)


@pytest.mark.chaos
@pytest.mark.parametrize("placement", PLACEMENTS)
async def test_the_same_with_many_kills_of_all_who_hand_records_on(
    town: LocalStack, tell: Tell, placement: str
) -> None:
    names = {placement: "long-" + placement.replace(" ", "-")}
    here = (await _play(town, names, killed=KILLED, kills=10))[placement]
    await _is_right(town, here, tell)


async def _play(
    town: LocalStack, names: Mapping[str, str], *, killed: tuple[str, ...], kills: int = 1
) -> dict[str, Company]:
    """Write what companies of these names have, while roles are killed; on return all is read."""
    async with AsyncExitStack() as stack:
        companies = {
            placement: await stack.enter_async_context(company(town, name, placement))
            for placement, name in names.items()
        }
        killing = asyncio.gather(*(_kill(town, role, kills) for role in killed))
        for change in range(DEVICES):
            await asyncio.gather(*(here.write_contacts(change) for here in companies.values()))
        await killing
        await wait_until_read(town)
        killing = asyncio.gather(*(_kill(town, role, kills) for role in killed))
        await asyncio.gather(*map(_write_events, companies.values()))
        await killing
    await wait_until_read(town)
    return companies


async def _write_events(here: Company) -> None:
    async for _ in here.write_events():
        await asyncio.sleep(PAUSE)


async def _is_right(town: LocalStack, here: Company, tell: Tell) -> None:
    calls = _calls(town, here)
    tell(f"{here.placement}: {len(here.written)} records, {len(calls)} pushes")
    reached = Counter(line.address for line in calls)
    newest = {here.device(user, DEVICES - 1): ACTORS * TIMES for user in here.users}
    assert reached == newest, "somebody was not reached, or at a device of before"
    assert len({line.delivery_id for line in calls}) == len(calls) == USERS * ACTORS * TIMES
    assert [record async for record in read_all(town, [DEAD_LETTERS.name])] == []
    await _is_in_order(town, here)


def _calls(town: LocalStack, here: Company) -> list[Accepted]:
    users = {*here.users}
    lines = read_accept_log(town.accept_log)
    return [line for line in lines if line.address.rpartition("-device-")[0] in users]


async def _kill(town: LocalStack, role: str, times: int) -> None:
    worker = town.workers[role]
    for _ in range(times):
        await asyncio.sleep(0.5)
        before = ready_count(worker)
        await worker.kill()
        await until_ready_again(worker, before)


async def _is_in_order(town: LocalStack, here: Company) -> None:
    """Of each key, what stood in one source partition was handled in the order it stood in."""
    handled: dict[str, list[int]] = defaultdict(list)
    async for record in read_all(town, [REQUESTS[Priority.HIGH].name]):
        request = _request(record.value)
        if request.event.actor.startswith(f"{here.name}-"):
            place = f"{request.event.actor}/{request.origin.partition}"
            handled[f"{place} to {request.user}"].append(request.origin.offset)
    for place, offsets in handled.items():
        # A slice may be written again by whoever goes on; then all of it comes again.
        firsts = list(dict.fromkeys(offsets))
        assert firsts == sorted(firsts), f"{place}: {firsts}"
    assert sum(len({*offsets}) for offsets in handled.values()) == USERS * ACTORS * TIMES
