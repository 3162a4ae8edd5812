"""What one tenant cancels or has erased leaves room for what others send."""

from agents.decider.agent import decider
from agents.router.agent import router
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.processing.slices import RECORDS
from policy.catalogue.catalogue import parse
from policy.time.timestamps import moment
from schemas.event import Cancellation
from schemas.topics import (
    CANCELLATIONS,
    EVENTS,
    FOLLOWS,
    REQUESTS,
    SUPPRESSIONS,
)
from schemas.vocabulary import Priority
from tables.pending import CANCELLED as CANCELLED_KEYS
from tables.storage.table import key_of
from tests.agents.lane import Waiting, runtime
from tests.simulation.roles import NOW, Roles


def cancellation(tenant: str, number: int) -> Cancellation:
    return Cancellation(cancel_key=f"k{number}", actor="shop", at=moment(NOW), tenant=tenant)


async def test_what_a_tenant_cancels_beyond_its_share_waits_behind_what_others_send() -> None:
    roles = Roles(tenant_share=1)  # a record a second, and five at once
    await roles.say(CANCELLATIONS, *(cancellation("mallory", number) for number in range(8)))
    await roles.say(CANCELLATIONS, cancellation("acme", 0))
    await roles.route()
    prompt = roles.read(SUPPRESSIONS, Cancellation)
    assert [each.tenant for each in prompt] == ["mallory"] * 5 + ["acme"]
    assert [each.cancel_key for each in roles.read(REQUESTS[Priority.BULK], Cancellation)] == [
        "k5", "k6", "k7",
    ]  # fmt: skip
    await roles.settle()
    for number in range(8):
        key = CANCELLED_KEYS.prefix + key_of("mallory", f"k{number}")
        assert key in roles.decider_store.stored


def test_events_do_not_wait_for_all_cancellations_but_for_follows() -> None:
    found = Waiting(router(FixedCatalogue(parse({})), runtime()))
    found.add(EVENTS, 3 * RECORDS)
    found.add(CANCELLATIONS, 3 * RECORDS)
    found.add(FOLLOWS, 1)
    first, *others = found.taken(7)
    assert first == FOLLOWS.name
    assert sorted(others[:2]) == sorted(others[2:4]) == [CANCELLATIONS.name, EVENTS.name]


def test_in_the_decider_only_what_is_within_a_share_precedes_what_is_critical() -> None:
    found = Waiting(decider(FixedCatalogue(parse({})), runtime()))
    found.add(REQUESTS[Priority.BULK], RECORDS)
    found.add(REQUESTS[Priority.HIGH], RECORDS)
    found.add(REQUESTS[Priority.CRITICAL], 1)
    found.add(SUPPRESSIONS, 1)
    assert found.taken(2) == [SUPPRESSIONS.name, REQUESTS[Priority.CRITICAL].name]
