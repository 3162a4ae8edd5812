"""Who waits for whom in the in-app lane, by the queues that a worker makes of the role."""

from collections import Counter

from agents.inapp.agent import CHANGES_AT_ONCE, inapp
from pipeline.processing.slices import RECORDS
from schemas.topics import DELIVER, ERASURES, INBOX_CHANGES
from schemas.vocabulary import Channel, Priority
from tests.agents.lane import Waiting, runtime

CRITICAL, HIGH, LOW = (
    DELIVER[Channel.INAPP, priority]
    for priority in (Priority.CRITICAL, Priority.HIGH, Priority.LOW)
)


def test_a_critical_delivery_waits_for_no_change() -> None:
    found = Waiting(inapp(runtime()))
    found.add(INBOX_CHANGES, 300)
    found.add(HIGH, 300)
    assert found.taken(1) != [CRITICAL.name]
    found.add(CRITICAL, 1)
    assert found.taken(1) == [CRITICAL.name]


def test_an_erasure_comes_first() -> None:
    found = Waiting(inapp(runtime()))
    found.add(CRITICAL, 1)
    found.add(ERASURES, 1)
    assert found.taken(2) == [ERASURES.name, CRITICAL.name]


def test_a_flood_of_changes_leaves_deliveries_their_share_and_has_its_own() -> None:
    found = Waiting(inapp(runtime()))
    found.add(INBOX_CHANGES, 100 * CHANGES_AT_ONCE)
    found.add(HIGH, 100 * RECORDS)
    found.add(LOW, 100 * RECORDS)
    # 8 of 18 slices each for changes and what is of high priority, 2 of 18 for low priority.
    assert Counter(found.taken(90)) == {INBOX_CHANGES.name: 40, HIGH.name: 40, LOW.name: 10}


def test_one_slice_of_changes_is_short() -> None:
    found = Waiting(inapp(runtime()))
    found.add(INBOX_CHANGES, 300)
    slice_ = found.take()
    assert slice_ is not None
    assert len(slice_.records) == 5
