"""Closing a digest: not before all that belongs in it was read, and a reason for each event."""

import pytest
from msgspec.structs import replace

from policy.decision.decision import Decision
from policy.digest.closing import close
from policy.notification_type import unknown_type
from policy.user.ledger import Gathering
from policy.user.profile import Profile
from schemas.vocabulary import Channel, Reason, Stage
from tests.policy.person import MINUTE, NIGHT, ONE, Person, at, kind
from tests.policy.samples import HOUR, NOON

LATE = 5000
TEN = NOON + 10 * MINUTE + LATE
FIXED = kind('digests = [{ channels = ["push"], key = "key", every = "10m" }]')
SESSION = kind('digests = [{ channels = ["push"], pause = "2m", longest = "5m" }]')
PHONE = Profile(("phone",))


def gathered(*minutes: float, spec: object = FIXED, profile: Profile = PHONE) -> Person:
    """A person for whom events of these minutes were gathered."""
    ann = Person(spec, profile)  # type: ignore[arg-type]
    for number, minute in enumerate(minutes):
        ann.meet(at(minute, f"e{number}"), NOON + round(minute * MINUTE))
    return ann


def closing(ann: Person, now: int, read_to: int | None = None) -> Decision:
    (name,) = ann.ledger.gathering
    items = sorted(ann.held.items())
    return close(name, items, ann.type_of, ann.state(), now, read_to)


def left(decision: Decision) -> Gathering:
    (found,) = decision.ledger.gathering.values()
    return found


def outcomes(decision: Decision) -> list[tuple[str, Stage, Reason]]:
    return [
        (each.request.event.id, each.outcome.stage, each.outcome.reason)
        for each in decision.notices
    ]


@pytest.mark.parametrize(
    ("now", "read_to", "is_sent"),
    [
        (TEN - 1, None, False),
        (TEN, None, True),
        (TEN + HOUR, TEN - 1, False),
        (TEN + HOUR, TEN, True),
        # Nothing was read yet, so nothing is known to be over.
        (TEN + HOUR, 0, False),
    ],
)
def test_it_is_over_when_all_that_may_belong_to_it_was_read(
    now: int, read_to: int | None, is_sent: bool
) -> None:
    decision = closing(gathered(0, 3), now, read_to)
    assert bool(decision.deliveries) is is_sent
    if is_sent:
        assert left(decision) == Gathering(
            "thing", Channel.PUSH, left(decision).window, closed_until=NOON + 10 * MINUTE
        )
        assert len(decision.release) == 2
    else:
        assert (left(decision).due_at, left(decision).first) == (TEN, NOON)
        assert decision.release == ()


def test_what_made_the_window_longer_is_waited_for() -> None:
    ann = gathered(0, 1, spec=SESSION)
    (found,) = ann.ledger.gathering.values()
    assert found.due_at == NOON + 2 * MINUTE + LATE
    decision = closing(ann, NOON + 2 * MINUTE + LATE)
    assert left(decision).due_at == NOON + 3 * MINUTE + LATE
    assert left(decision).count == 2


def test_what_comes_after_the_end_opens_the_next_window() -> None:
    decision = closing(gathered(0, 10, 12), TEN)
    assert outcomes(decision) == [("e0", Stage.DIGESTED, Reason.DIGEST)]
    next_one = left(decision)
    assert (next_one.first, next_one.count) == (NOON + 10 * MINUTE, 2)
    assert next_one.due_at == NOON + 20 * MINUTE + LATE
    assert next_one.closed_until == NOON + 10 * MINUTE


def test_quiet_hours_make_it_due_at_their_end_and_keep_its_count() -> None:
    ann = gathered(0, 3, profile=replace(PHONE, quiet_hours=NIGHT))
    decision = closing(ann, TEN)
    assert (left(decision).due_at, left(decision).extended_until) == (ONE, ONE)
    assert left(decision).count == 2
    assert (decision.deliveries, decision.notices, decision.release) == ((), (), ())


def test_it_lives_from_when_it_is_sent_and_is_of_the_newest_event() -> None:
    decision = closing(gathered(0, 3), TEN + 7)
    (sent,) = decision.deliveries
    assert sent.expires_at == TEN + 7 + 24 * HOUR
    assert (sent.event_id, sent.occurred_at) == ("e1", NOON + 3 * MINUTE)


def test_each_event_is_told_what_became_of_it() -> None:
    ann = gathered(0, 3, 5)
    ann.spec = replace(ann.spec, topic=("text",))
    ann.profile = replace(PHONE, mutes={"things/text of e1": 0})
    decision = closing(ann, TEN)
    assert sorted(outcomes(decision)) == [
        ("e0", Stage.DIGESTED, Reason.DIGEST),
        ("e1", Stage.SUPPRESSED, Reason.MUTED),
        ("e2", Stage.DIGESTED, Reason.DIGEST),
    ]
    ids = {
        notice.outcome.detail
        for notice in decision.notices
        if notice.outcome.stage is Stage.DIGESTED
    }
    assert ids == {f"in {decision.notification_id}"}
    assert len(decision.release) == 3
    names = {notice.request.event.id: notice.notification_id for notice in decision.notices}
    rows = {held.request.event.id: row[1][-32:] for row, held in ann.held.items()}
    assert names == rows


def test_where_all_is_muted_nothing_is_sent_and_nothing_is_left() -> None:
    ann = gathered(0, 3)
    ann.profile = replace(PHONE, mutes={"things/k": 0})
    decision = closing(ann, TEN)
    assert decision.deliveries == ()
    assert {reason for _, _, reason in outcomes(decision)} == {Reason.MUTED}
    assert left(decision).due_at == 0


def test_what_is_transactional_is_muted_by_nobody() -> None:
    every = 'digests = [{ channels = ["push"], key = "key", every = "10m" }]'
    ann = gathered(0, spec=kind(f"transactional = true\n{every}"))
    ann.profile = replace(PHONE, mutes={"things/k": 0})
    assert len(closing(ann, TEN).deliveries) == 1


def test_a_type_that_the_catalogue_has_no_more_is_told_of_each() -> None:
    ann = gathered(0, 3)
    ann.spec = unknown_type("thing")
    decision = closing(ann, TEN)
    assert outcomes(decision) == [
        (name, Stage.SUPPRESSED, Reason.UNKNOWN_TYPE) for name in ("e0", "e1")
    ]
    assert decision.notices[0].outcome.detail == "the catalogue has it no more"
    assert len(decision.release) == 2


def test_what_can_not_be_rendered_counts_in_no_limit() -> None:
    ann = gathered(0)
    ((row, held),) = ann.held.items()
    broken = replace(held.request, event=replace(held.request.event, data={"key": "k"}))
    ann.held = {row: replace(held, request=broken)}
    decision = closing(ann, TEN)
    assert outcomes(decision) == [("e0", Stage.SUPPRESSED, Reason.RENDER_FAILED)]
    assert decision.deliveries == ()
    assert decision.ledger.windows == {}


def test_a_gathering_without_events_waits_for_the_next() -> None:
    ann = gathered(0)
    (name,) = ann.ledger.gathering
    decision = close(name, [], ann.type_of, ann.state(), TEN)
    found = left(decision)
    assert (found.due_at, found.count, found.extended_until) == (0, 0, 0)
    assert decision.notices == ()
