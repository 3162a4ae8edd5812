"""Where features meet: channel, step, limit, quiet hours, digest, escalation, fallback, wishes.

Each row was worked out by hand from README.md, docs/decisions.md and `policy/catalogue/entry.py`.
"""

import pytest

from tests.agents.compositions.combined import COMBINED
from tests.agents.compositions.company import COMPANY
from tests.agents.compositions.daily_limits import DAILY_LIMITS
from tests.agents.compositions.digests import DIGESTS
from tests.agents.compositions.endings import ENDINGS
from tests.agents.compositions.erasures import ERASED
from tests.agents.compositions.flow import Flow, play
from tests.agents.compositions.frequency import FREQUENCY
from tests.agents.compositions.holdouts import HOLDOUTS
from tests.agents.compositions.journeys import JOURNEYS
from tests.agents.compositions.lateness import LATE
from tests.agents.compositions.limits import LIMITS
from tests.agents.compositions.messages import MESSAGES
from tests.agents.compositions.presence import PRESENCE_FLOWS
from tests.agents.compositions.receipts import RECEIPT_FLOWS
from tests.agents.compositions.reminders import REMINDERS
from tests.agents.compositions.repeats import REPEATS
from tests.agents.compositions.replacing import REPLACING
from tests.agents.compositions.rescheduling import RESCHEDULING
from tests.agents.compositions.segments import SEGMENTED
from tests.agents.compositions.steps import STEPS
from tests.agents.compositions.windows import WINDOWS

FLOWS = (
    *DIGESTS,
    *STEPS,
    *LIMITS,
    *DAILY_LIMITS,
    *PRESENCE_FLOWS,
    *RESCHEDULING,
    *FREQUENCY,
    *ENDINGS,
    *RECEIPT_FLOWS,
    *WINDOWS,
    *REPEATS,
    *MESSAGES,
    *HOLDOUTS,
    *REPLACING,
    *SEGMENTED,
    *COMBINED,
    *COMPANY,
    *JOURNEYS,
    *REMINDERS,
    *LATE,
    *ERASED,
)


EXACT = (
    "within the grace after the only device went offline",  # to the second
    # Who comes into a segment meanwhile is told by what comes again, as they were not before.
    "attributes count as they are when it is decided",
    "who is held out is so of each segment that they are in and of no other",
)
"""Flows in which it matters that an event comes just then, and once."""
MOVABLE = tuple(flow for flow in FLOWS if flow.name not in EXACT)


@pytest.mark.parametrize("flow", MOVABLE, ids=lambda flow: flow.name.replace(" ", "-"))
def test_they_get_the_same_of_events_that_come_late_and_again_to_other_workers(flow: Flow) -> None:
    played = play(flow, is_disturbed=True)
    assert played.sent == flow.sent
    assert _said_once(played.silent) == _said_once(flow.silent)


def _said_once(silent: tuple[str, ...]) -> list[str]:
    """Without repeats, which are duplicates, or refused again where they were refused before."""
    found = list[str]()
    for line in silent:
        if not line.endswith(" duplicate") and not (" all " in line and line in found):
            found.append(line)
    return found


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name.replace(" ", "-"))
def test_what_a_user_gets(flow: Flow) -> None:
    played = play(flow)
    assert played.sent == flow.sent
    assert played.silent == flow.silent
