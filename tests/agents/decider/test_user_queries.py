"""What the decider answers of a user: as it would decide, and what it knows."""

from dataclasses import replace
from typing import Any, TypeVar

import msgspec
import pytest
from msgspec import Struct

from agents.decider.agent import Decider
from pipeline.catalogue_folder import FixedCatalogue
from policy.catalogue.catalogue import parse
from policy.decision.explanation import Explanation
from policy.time.timestamps import moment
from policy.user.user_view import Known
from schemas.event import Cancellation, Event
from schemas.feedback import Suppression
from schemas.profile import Contacts, Preferences, Presence
from schemas.question import Explain, ReadUser
from schemas.topics import (
    CANCELLATIONS,
    CONTACTS,
    PREFERENCES,
    PRESENCE,
    SUPPRESSIONS,
)
from schemas.vocabulary import Channel, Reason, SuppressionReason
from tests.agents.decider.test_decisions import (
    CATALOGUE,
    MINUTE,
    happened,
    happens,
    limited,
    roles_of,
    sent,
)
from tests.simulation.roles import NOW, POSTS, Roles

Answer = TypeVar("Answer")


async def ask(roles: Roles, question: Struct, kind: type[Answer]) -> Answer:
    """What is answered; that it was asked changes nothing."""
    before = dict(roles.decider_store.stored)
    answer = await roles.decider.answer(msgspec.json.encode(question))
    assert roles.decider_store.stored == before
    return msgspec.json.decode(answer, type=kind)


async def explained(roles: Roles, event: Event, user: str = "ann") -> Any:
    (found,) = await ask(roles, Explain(event=event, user=user), list[Explanation])
    return found


def reasons(found: Explanation) -> list[tuple[Channel | None, Reason]]:
    return [(each.channel, each.reason) for each in found.silent]


async def test_what_would_be_sent_and_is_not() -> None:
    roles = await roles_of()
    found = await explained(roles, happened(1))
    assert (found.type, found.membership.is_in) == ("plain", True)
    assert [(each.channel, each.addresses) for each in found.sent] == [
        (Channel.EMAIL, ("a***@x.org",))
    ]
    assert sent(roles) == []
    elsewhere = await explained(roles, happened(1), "bob")
    assert (elsewhere.membership.is_in, elsewhere.sent) == (False, ())


async def test_it_goes_by_what_the_user_said_and_by_the_time() -> None:
    roles = await roles_of()
    await roles.say(PREFERENCES, Preferences(user="ann", channels={Channel.EMAIL: False}))
    await roles.settle()
    assert reasons(await explained(roles, happened(1))) == [(Channel.EMAIL, Reason.OPTED_OUT)]
    late = happened(2, occurred_at=moment(NOW - 72 * 60 * MINUTE))
    assert reasons(await explained(roles, late)) == [(None, Reason.EXPIRED)]


async def test_it_goes_by_what_was_cancelled() -> None:
    roles = await roles_of()
    said = Cancellation(cancel_key="trip", actor="shop", at=moment(NOW + 5))
    await roles.say(CANCELLATIONS, said)
    await roles.settle()
    for key, number, reason in (
        ("trip", 1, [(None, Reason.CANCELLED)]),
        ("trip", 9, []),
        ("other", 1, []),
        (None, 1, []),
    ):
        assert reasons(await explained(roles, happened(number, cancel_key=key))) == reason


async def test_it_goes_by_what_ended_it() -> None:
    ending = 'until = { event = "plain.over", match = "text" }'
    text = CATALOGUE["plain.toml"].replace("templates.email", f"{ending}\ntemplates.email")
    roles = await roles_of({**CATALOGUE, "plain.toml": text})
    over = Event(
        id="over", type="plain.over", actor="shop", occurred_at=moment(NOW + 50),
        data={"who": "ann", "text": "text 1"},
    )  # fmt: skip
    await happens(roles, over)
    assert reasons(await explained(roles, happened(1))) == [(None, Reason.CANCELLED)]
    assert reasons(await explained(roles, happened(2))) == []


async def test_it_goes_by_what_the_tenant_has_left() -> None:
    roles = await roles_of(limited(1))
    assert reasons(await explained(roles, happened(1))) == []
    await happens(roles, happened(1))
    assert reasons(await explained(roles, happened(2))) == [(Channel.EMAIL, Reason.RATE_LIMITED)]
    assert (await explained(roles, happened(1))).told_before is not None


@pytest.mark.parametrize(("number", "is_over"), [(0, False), (1, True)])
async def test_it_goes_by_the_share_of_the_partition_that_it_is_asked_of(
    number: int, is_over: bool
) -> None:
    """Of one in two partitions the first has one, and the other none."""
    roles, catalogue = await roles_of(limited(1)), FixedCatalogue(parse(limited(1)))
    settings = roles.runtime.settings.model_copy(update={"partitions": 2})
    runtime = replace(roles.runtime, settings=settings)
    roles.decider = Decider(catalogue, runtime, number, roles.decider_store)
    expected = [(Channel.EMAIL, Reason.RATE_LIMITED)] if is_over else []
    assert reasons(await explained(roles, happened(1))) == expected


async def test_who_is_online_is_so_until_the_moment_that_was_said() -> None:
    roles = await roles_of()
    until = moment(NOW + MINUTE)
    await roles.say(PRESENCE, Presence(user="ann", online=True, until=until))
    await roles.settle()
    for ahead, online in ((0, True), (MINUTE - 1, True), (MINUTE, False)):
        roles.clock.at = NOW + ahead
        assert (await ask(roles, ReadUser(tenant="default", user="ann"), Known)).online is online


async def test_it_goes_by_whom_the_user_follows() -> None:
    roles = Roles(catalogue=POSTS, fan_out_threshold=500)
    await roles.follow("ann", "eve")
    await roles.settle()
    post = Event(
        id="p", type="post.published", actor="eve", occurred_at=moment(NOW), data={"text": "hi"}
    )
    assert (await explained(roles, post)).membership.is_in is True
    assert (await explained(roles, post, "bob")).membership.is_in is False


@pytest.mark.parametrize("tenant", ["default", "acme"])
async def test_what_is_known_of_a_user(tenant: str) -> None:
    roles = await roles_of()
    await roles.say(CONTACTS, Contacts(user="ann", email="a@acme.org", tenant="acme"))
    at = moment(NOW)
    barred = Suppression(
        user="ann",
        channel=Channel.EMAIL,
        reason=SuppressionReason.COMPLAINT,
        at=at,
        address="ann@x.org",
    )
    await happens(roles, happened(1, deliver_at=moment(NOW + MINUTE)), happened(2, "gathered"))
    await roles.say(SUPPRESSIONS, barred)
    await roles.settle()
    found = await ask(roles, ReadUser(tenant=tenant, user="ann"), Known)
    ours = tenant == "default"
    assert found.contacts.email == ("ann@x.org" if ours else "a@acme.org")
    assert found.contacts.user == "ann"
    assert found.contacts.tenant == tenant
    assert [each.address for each in found.suppressions] == (["ann@x.org"] if ours else [])
    assert found.waiting == (2 if ours else 0)


async def test_of_a_stranger_nothing_is_known() -> None:
    roles = await roles_of()
    found = await ask(roles, ReadUser(tenant="default", user="zoe"), Known)
    assert (found.contacts.email, found.waiting, found.online) == (None, 0, False)
    assert (await explained(roles, happened(1, who="zoe"), "zoe")).membership.is_in is True
