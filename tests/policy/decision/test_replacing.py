"""What takes the place of what: by type, user and value, in the order of acceptance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policy.audience.membership import Membership
from policy.decision.decide import decide
from policy.decision.explanation import explain
from policy.decision.replacing import MOST_NEWEST, noted, replaces
from policy.user.state import UserState
from schemas.request import Origin, Request
from schemas.vocabulary import Channel, Reason
from sinks.push.apns_payload import headers_of
from sinks.push.fcm_message import body_of
from sinks.push.webpush import payload_of
from tests.policy.person import MINUTE, Person, kind
from tests.policy.refusals import problems
from tests.policy.samples import EVERYWHERE, NOON, TYPE, request, variant

LAST = kind('replaces = "ride"\ndelay = "1h"')
AT_ONCE = kind('replaces = "ride"', "push inapp")


def of(ride: object, name: str = "e1", *, at: int = NOON, offset: int = 41) -> Request:
    data = {"text": name, "key": "k", "ride": ride}
    return request(at=at, event_id=name, origin=Origin("events", 3, offset), data=data)


def refused(person: Person, asked: Request) -> list[tuple[Reason, str]]:
    decision = person.meet(asked, NOON + MINUTE)
    return [(each.reason, each.detail) for each in decision.outcomes if not decision.keep]


def test_an_older_one_that_is_read_later_is_not_told() -> None:
    ann = Person(LAST)
    assert not refused(ann, of("r1", "e2", offset=42))
    later = [(Reason.CANCELLED, "a later one of the same ride came first")]
    assert refused(ann, of("r1", "e1")) == later
    assert refused(ann, of("r1", "e0", at=NOON - 1, offset=99)) == later
    assert not refused(ann, of("r2", "e3"))
    assert not refused(ann, of("r1", "e4", offset=43))
    assert not refused(ann, of("r1", "e5", at=NOON + 1, offset=0))
    assert not ann.meet(of("r1", "e1"), NOON + MINUTE).keep


@given(st.permutations(range(6)), st.integers(0, 3))
def test_in_whatever_order_they_are_read_the_last_of_each_is_told(
    order: list[int], share: int
) -> None:
    """Of what is decided, each is later than all before; so the last is the last accepted."""
    ann = Person(LAST)
    told: dict[str, list[int]] = {}
    for number in order:
        ride = f"r{number % 2 if number > share else 0}"
        if ann.meet(of(ride, f"e{number}", offset=number), NOON).keep:
            told.setdefault(ride, []).append(number)
    for ride, numbers in told.items():
        assert numbers == sorted(numbers)
        assert numbers[-1] == max(
            number for number in order if f"r{number % 2 if number > share else 0}" == ride
        )


def test_what_was_refused_takes_no_place() -> None:
    ann = Person(kind('replaces = "ride"', "push"))
    expired = of("r1", "e1", offset=50)
    assert not ann.meet(expired, NOON + 25 * 60 * MINUTE).deliveries
    assert not ann.ledger.newest
    assert ann.meet(of("r1", "e0", offset=49), NOON).deliveries


def test_so_many_things_are_remembered_those_that_came_last() -> None:
    newest: dict[bytes, tuple[int, int, int]] = {}
    for number in range(MOST_NEWEST + 5):
        asked = of(f"r{number}", offset=number)
        newest = noted(asked, replaces(asked, LAST), newest)
    assert len(newest) == MOST_NEWEST
    assert sorted(order[1] for order in newest.values()) == list(range(5, MOST_NEWEST + 5))
    again = of("r7", at=NOON + 1, offset=7)
    newest = noted(again, replaces(again, LAST), newest)
    assert len(newest) == MOST_NEWEST
    assert newest[bytes.fromhex(replaces(again, LAST))] == (NOON + 1, 7, 3)


def test_devices_know_by_one_id_what_takes_whose_place() -> None:
    """All of APNs', FCM's and Web Push's bounds: 64 bytes, any tag, 32 characters of base64url."""
    ids = []
    for ride, name in (("r1", "e1"), ("r1", "e2"), ("r2", "e3"), (None, "e4")):
        decision = decide(of(ride, name), AT_ONCE, UserState(EVERYWHERE), NOON)
        push = next(each for each in decision.deliveries if each.channel is Channel.PUSH)
        message = body_of(push, NOON).message
        found = {
            headers_of(push, "app")["apns-collapse-id"],
            message.android.notification.tag,
            message.apns.headers["apns-collapse-id"],
            push.collapses_by,
        }
        assert len(found) == 1
        assert payload_of(push).tag == push.replaces == ("" if ride is None else push.collapses_by)
        assert payload_of(push).notification_id == push.notification_id == decision.notification_id
        (own,) = found
        assert len(own) == 32
        ids.append(own)
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    other = replace(of("r1"), user="bea")
    assert replaces(other, AT_ONCE) != ids[0]
    tenant = replace(of("r1"), event=replace(of("r1").event, tenant="globex"))
    assert replaces(tenant, AT_ONCE) != ids[0]
    assert replaces(of("r1"), replace(AT_ONCE, name="else")) != ids[0]


def test_an_explanation_says_what_came_last() -> None:
    ann = Person(AT_ONCE)

    def shown(asked: Request) -> str:
        member = Membership(True, "")
        found = explain(asked, AT_ONCE, member, ann.state(), NOON + MINUTE)
        (line,) = [each for each in found.asked if each.rule == "cancellation"]
        return f"{line.looked_at} {line.said}".strip()

    assert shown(of("r1")) == "no cancel key; the first of the same ride"
    assert shown(of(None)) == "no cancel key; without ride, takes no place"
    ann.meet(of("r1", "e2", offset=42), NOON)
    came = "no cancel key; the last of the same ride came at 2026-03-01T12:00:00Z"
    assert shown(of("r1", "e3", offset=43)) == came
    why = "not sent, cancelled: a later one of the same ride came first"
    assert shown(of("r1", "e1")) == f"{came} {why}"


@pytest.mark.parametrize(
    ("field", "complaint"),
    [
        ('replaces = "a b"', '10: types.thing.replaces: not a path to a field such as "order.'),
        ('replaces = ""', "10: types.thing.replaces: not a path to a field"),
    ],
)
def test_what_can_not_be_is_told_with_its_line(field: str, complaint: str) -> None:
    text = TYPE.replace("time_to_live = 86400", f"time_to_live = 86400\n{field}")
    (found, *_) = problems(thing=text)
    assert found.startswith(f"thing.toml:{complaint}")


def test_what_feeds_read_of_an_actor_is_not_replaced() -> None:
    text = TYPE.replace('users = "who"', 'followers = true\nreplaces = "ride"')
    complaint = "contradicts followers, as what feeds read of an actor is not replaced."
    assert problems(thing=text) == [f"thing.toml:9: types.thing.replaces: {complaint}"]
    assert variant(('users = "who"', 'subscribers = "who"\nreplaces = "ride"')).replaces == (
        "ride",
    )
