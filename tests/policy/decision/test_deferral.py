"""What waits: how much of it there may be, what is heard of it meanwhile, and how it ends."""

import pytest
from msgspec.structs import replace

from policy.decision.decision import Notice, Outcome
from policy.decision.deferral import cancel, give_up, hear, is_engaged
from policy.dedupe import Mark, mark_key, remember
from policy.digest.windows import HOURLY
from policy.identity import notification_id
from policy.notification_type import NotificationType, unknown_type
from policy.user.ledger import (
    MOST_HEARD,
    MOST_WAITING,
    Gathering,
    Held,
    Ledger,
    Waiting,
)
from policy.user.profile import Profile
from schemas.request import Request
from schemas.vocabulary import Channel, Reason, Stage
from tests.policy.person import Person, kind, told
from tests.policy.samples import HOUR, NOON, request

NAME, OTHER = "0" * 31 + "a", "b" * 32
BOTH = (Channel.PUSH, Channel.EMAIL)


def no_type(asked: Request) -> NotificationType:
    return unknown_type(asked.type)


def waits(number: int) -> dict[str, Waiting]:
    return {f"{n:032x}.0": Waiting(NOON + HOUR) for n in range(number)}


def gathers(number: int, due_at: int) -> dict[str, Gathering]:
    one = Gathering("thing", Channel.PUSH, HOURLY, due_at=due_at, closed_until=NOON)
    return {f"{n:032x}": one for n in range(number)}


@pytest.mark.parametrize(
    ("waiting", "gathering", "due_at", "expected"),
    [
        (499, 0, 0, "held scheduled"),
        (500, 0, 0, "suppressed too_many_held"),
        (250, 249, 1, "held scheduled"),
        (250, 250, 1, "suppressed too_many_held"),
        # Those that are closed wait for nothing.
        (499, 300, 0, "held scheduled"),
    ],
)
def test_as_many_may_wait_as_are_kept(
    waiting: int, gathering: int, due_at: int, expected: str
) -> None:
    assert MOST_WAITING == 500
    ledger = Ledger(waiting=waits(waiting), gathering=gathers(gathering, due_at))
    ann = Person(kind('delay = "30m"'), Profile(("phone",)), ledger=ledger)
    decision = ann.meet(request(), NOON)
    assert told(decision) == {"push": expected}
    if "too" in expected:
        assert decision.outcomes[0].detail == "would wait: "
        assert decision.ledger.waiting == ledger.waiting


@pytest.mark.parametrize(
    ("heard", "unless", "expected"),
    [
        (None, Stage.SEEN, None),
        (Stage.SEEN, Stage.SEEN, Stage.SEEN),
        (Stage.SEEN, Stage.OPENED, None),
        (Stage.OPENED, Stage.OPENED, Stage.OPENED),
        (Stage.OPENED, Stage.CLICKED, None),
        (Stage.CLICKED, Stage.SEEN, Stage.CLICKED),
        # What waits for its time alone is needless once it was seen.
        (Stage.SEEN, None, Stage.SEEN),
    ],
)
def test_what_the_user_did_includes_what_comes_before_it(
    heard: Stage | None, unless: Stage | None, expected: Stage | None
) -> None:
    name = f"{NAME}.1"
    known = {} if heard is None else {mark_key(NAME): heard}
    ledger = Ledger(waiting={name: Waiting(NOON, unless)}, heard=known)
    assert is_engaged(ledger, name) is expected
    elsewhere = Ledger(
        waiting={name: Waiting(NOON, unless)}, heard={mark_key(OTHER): Stage.CLICKED}
    )
    assert is_engaged(elsewhere, name) is None


def test_an_escalation_that_was_reached_is_dropped_and_told_by_channel() -> None:
    asked = request()
    held = {
        f"{NAME}.1": Held(asked, 1, BOTH),
        f"{NAME}.2": Held(asked, 2, (Channel.SMS,)),
        f"{NAME}.3": Held(asked, 3, (Channel.SMS,)),
    }
    waiting = {
        f"{NAME}.1": Waiting(NOON, Stage.SEEN),
        f"{NAME}.2": Waiting(NOON, Stage.CLICKED),
        f"{NAME}.3": Waiting(NOON),
        f"{OTHER}.1": Waiting(NOON, Stage.SEEN),
    }
    decision = hear(NAME, Stage.OPENED, Ledger(waiting=waiting), held, no_type)
    assert set(decision.ledger.waiting) == {f"{NAME}.2", f"{NAME}.3", f"{OTHER}.1"}
    assert decision.ledger.heard == {mark_key(NAME): Stage.OPENED}
    assert decision.release == ((f"{NAME}.1",),)
    assert decision.notices == tuple(
        Notice(asked, NAME, Outcome(channel, Reason.ENGAGED, "opened")) for channel in BOTH
    )
    assert (decision.deliveries, decision.outcomes, decision.keep) == ((), (), ())


@pytest.mark.parametrize(
    ("before", "said", "is_news"),
    [
        (None, Stage.SEEN, True),
        (Stage.SEEN, Stage.SEEN, False),
        (Stage.SEEN, Stage.OPENED, True),
        (Stage.CLICKED, Stage.OPENED, False),
    ],
)
def test_only_what_is_more_than_was_known_is_news(
    before: Stage | None, said: Stage, is_news: bool
) -> None:
    ledger = Ledger(heard={} if before is None else {mark_key(NAME): before})
    decision = hear(NAME, said, ledger, {}, no_type)
    assert (decision.ledger is not ledger) is is_news
    assert decision.ledger.heard[mark_key(NAME)] is (said if is_news else before)


def test_of_what_is_decided_and_waits_for_nothing_nothing_is_remembered() -> None:
    decided = Ledger(marks=remember(b"", mark_key(NAME), Mark(0, 1, NOON, 24)))
    assert hear(NAME, Stage.SEEN, decided, {}, no_type).ledger is decided
    held = {f"{NAME}.1": Held(request(), 1, BOTH)}
    waiting = replace(decided, waiting={f"{NAME}.1": Waiting(NOON)})
    assert hear(NAME, Stage.SEEN, waiting, held, no_type).ledger.heard == {
        mark_key(NAME): Stage.SEEN
    }


@pytest.mark.parametrize(("known", "left"), [(63, 64), (64, 64), (70, 64)])
def test_of_very_much_that_was_heard_the_oldest_that_nothing_waits_for_goes(
    known: int, left: int
) -> None:
    assert MOST_HEARD == 64
    names = [f"{n:016x}" + "0" * 16 for n in range(known)]
    ledger = Ledger(
        waiting={f"{names[0]}.1": Waiting(NOON)},
        heard={mark_key(name): Stage.SEEN for name in names},
    )
    heard = hear(NAME[::-1], Stage.SEEN, ledger, {}, no_type).ledger.heard
    assert len(heard) == left
    surplus = known + 1 - left
    # The first is waited for, so those after it go.
    gone = {mark_key(name) for name in names[1 : 1 + surplus]}
    assert set(heard) == {*ledger.heard, mark_key(NAME[::-1])} - gone


def test_cancelling_takes_one_event_out_of_what_waits_and_of_its_digest() -> None:
    held = Held(request(), 0, BOTH)
    gathering = gathers(1, NOON)
    (digest,) = gathering
    gathering[digest] = replace(gathering[digest], count=3)
    ledger = Ledger(
        waiting={f"{NAME}.0": Waiting(NOON), f"{OTHER}.0": Waiting(1)}, gathering=gathering
    )
    decision = cancel((f"{NAME}.0",), held, ledger, NAME)
    assert decision.ledger == replace(ledger, waiting={f"{OTHER}.0": Waiting(1)})
    assert decision.release == ((f"{NAME}.0",),)
    assert [notice.outcome for notice in decision.notices] == [
        Outcome(channel, Reason.CANCELLED) for channel in BOTH
    ]
    decision = cancel((digest, "row"), held, ledger, NAME)
    assert decision.ledger.waiting == ledger.waiting
    assert decision.ledger.gathering[digest].count == 2
    assert decision.release == ((digest, "row"),)


def test_giving_up_forgets_all_under_a_name_and_tells_it_of_each_channel() -> None:
    first, second = request(), request(event_id="event-2")
    gathering = gathers(2, NOON)
    digest, kept = gathering
    waiting = {digest: Waiting(NOON), f"{OTHER}.0": Waiting(1)}
    ledger = Ledger(waiting=waiting, gathering=gathering)
    items = [((digest, "1"), Held(first, 0, BOTH)), ((digest, "2"), Held(second, 0, BOTH[:1]))]
    decision = give_up(digest, iter(items), ledger, "why")
    assert decision.notification_id == digest
    assert decision.release == ((digest, "1"), (digest, "2"))
    assert decision.ledger == replace(
        ledger, waiting={f"{OTHER}.0": Waiting(1)}, gathering={kept: gathering[kept]}
    )
    told_of = [(first, channel) for channel in BOTH] + [(second, Channel.PUSH)]
    assert decision.notices == tuple(
        Notice(
            asked,
            notification_id(asked.event.tenant, asked.event.id, asked.user, asked.type),
            Outcome(channel, Reason.UNPROCESSABLE, "why"),
        )
        for asked, channel in told_of
    )
    assert (decision.deliveries, decision.outcomes, decision.keep) == ((), (), ())
