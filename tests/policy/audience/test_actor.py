"""Nobody hears of what they did themselves, nor of whom they blocked, by whichever way it comes."""

from typing import Any

import pytest
from msgspec.structs import replace

from policy.audience.feed import item_for
from policy.audience.membership import Membership
from policy.catalogue.catalogue import parse
from policy.decision.decide import decide
from policy.decision.decision import Outcome
from policy.decision.explanation import explain
from policy.identity import notification_id
from policy.notification_type import NotificationType, unknown_type
from policy.user.profile import Profile
from policy.user.state import UserState
from schemas.feed import Post
from schemas.request import Request
from schemas.vocabulary import Reason
from tests.policy.person import MINUTE, ONE, Person, at, kind, told
from tests.policy.samples import HOUR, NOON, TYPE, request

PHONE = Profile(("phone",), zone="UTC")
BLOCKS_BOB = replace(PHONE, blocks={"bob": 7})
DIGEST = 'digests = [{ channels = ["push"], key = "key", every = "10m" }]'
PLAIN = kind("")
RECEIPT = kind("transactional = true")
OWN = kind("own_events = true")
QUIET_RECEIPT = kind("transactional = true\nown_events = false")


def by(actor: str, asked: Request | None = None) -> Request:
    asked = asked or request()
    return replace(asked, event=replace(asked.event, actor=actor))


def outcome(spec: NotificationType, actor: str, profile: Profile = PHONE) -> Outcome | None:
    """Why nothing goes out, None where it does."""
    decision = decide(by(actor), spec, UserState(profile), NOON)
    assert bool(decision.outcomes) is not bool(decision.deliveries)
    return decision.outcomes[0] if decision.outcomes else None


@pytest.mark.parametrize(
    ("spec", "actor", "profile", "reason"),
    [
        (PLAIN, "bob", PHONE, None),
        (PLAIN, "ann", PHONE, Reason.OWN_EVENT),
        (RECEIPT, "ann", PHONE, None),
        (QUIET_RECEIPT, "ann", PHONE, Reason.OWN_EVENT),
        (OWN, "ann", PHONE, None),
        (PLAIN, "bob", BLOCKS_BOB, Reason.BLOCKED),
        (PLAIN, "eve", BLOCKS_BOB, None),
        (OWN, "bob", BLOCKS_BOB, Reason.BLOCKED),
        (RECEIPT, "bob", BLOCKS_BOB, None),
        (PLAIN, "bob", replace(PHONE, blocks={"bob": -7}), None),
    ],
)
def test_what_is_heard_of_an_actor(
    spec: NotificationType, actor: str, profile: Profile, reason: Reason | None
) -> None:
    found = outcome(spec, actor, profile)
    assert found == (None if reason is None else Outcome(None, reason))


def test_it_is_asked_whether_it_came_before_only_where_it_was_told() -> None:
    """A refusal leaves no mark: unblocked, the user hears of it when it is sent again."""
    ann = Person(PLAIN, BLOCKS_BOB)
    assert told(ann.meet(by("bob"), NOON)) == {"all": "suppressed blocked"}
    ann.profile = PHONE
    again = by("bob", request(origin=replace(request().origin, offset=99)))
    assert told(ann.meet(again, NOON)) == {"push": "sent"}


def test_who_is_blocked_while_it_waits_is_not_heard() -> None:
    night = ((127, 11 * 60, 13 * 60),)
    ann = Person(PLAIN, replace(PHONE, quiet_hours=night))
    assert told(ann.meet(by("bob"), NOON)) == {"push": "held quiet_hours"}
    ann.profile = replace(ann.profile, blocks={"bob": 7})
    assert told(*ann.on_timer(ONE)) == {"push": "suppressed blocked"}


def test_a_digest_goes_out_without_whom_the_user_has_blocked_since() -> None:
    ann = Person(kind(DIGEST), PHONE)
    for number, actor in enumerate(("bob", "eve", "bob")):
        ann.meet(by(actor, at(number, f"e{number}")), NOON + number * MINUTE)
    ann.profile = BLOCKS_BOB
    (decision,) = ann.on_timer(NOON + 11 * MINUTE)
    found = {each.request.event.id: each.outcome.reason for each in decision.notices}
    assert found == {"e0": Reason.BLOCKED, "e1": Reason.DIGEST, "e2": Reason.BLOCKED}
    assert len(decision.deliveries) == 1


def test_what_waits_of_a_type_that_is_gone_says_so_to_its_own_actor_too() -> None:
    ann = Person(kind('own_events = true\ndelay = "1h"'), PHONE)
    ann.meet(by("ann"), NOON)
    ann.spec = unknown_type("thing")
    assert told(*ann.on_timer(NOON + HOUR)) == {"push": "suppressed unknown_type"}


@pytest.mark.parametrize(
    ("spec", "actor", "shown", "said"),
    [
        (PLAIN, "bob", "bob, blocked by the user", "not sent, blocked"),
        (RECEIPT, "bob", "bob, blocked by the user, but transactional", ""),
        (PLAIN, "eve", "eve, not blocked", ""),
        (PLAIN, "ann", "ann did it; the type does not tell them", "not sent, own_event"),
        (OWN, "ann", "ann did it; the type tells them", ""),
    ],
)
def test_an_explanation_shows_who_did_it(
    spec: NotificationType, actor: str, shown: str, said: str
) -> None:
    member = Membership(True, "data.who names ann")
    found = explain(by(actor), spec, member, UserState(BLOCKS_BOB), NOON)
    (asked,) = [each for each in found.asked if each.rule == "actor"]
    assert (asked.channel, asked.looked_at, asked.said) == (None, shown, said)


@pytest.mark.parametrize(
    ("fields", "user", "is_seen"),
    [
        ({}, "ann", False),
        ({}, "eve", True),
        ({}, "bob", False),
        ({"own_events = true": ""}, "bob", True),
        ({"transactional = true": ""}, "ann", True),
    ],
)
def test_a_feed_shows_neither_ones_own_posts_nor_those_of_whom_one_blocked(
    fields: dict[str, Any], user: str, is_seen: bool
) -> None:
    """Of ann, who blocked bob; of eve, who blocked nobody; and of bob, whose post it is."""
    more = "\n".join(['users = "who"', *fields])
    spec = parse({"t.toml": TYPE.replace('users = "who"', more)}).types["thing"]
    event = by("bob").event
    name = notification_id("default", event.id, "", "thing")
    post = Post(notification_id=name, type="thing", event=event, accepted_at=NOON)
    profile = BLOCKS_BOB if user == "ann" else PHONE
    item = item_for(post, user, spec, UserState(profile), NOON)
    assert (item is not None) is is_seen
