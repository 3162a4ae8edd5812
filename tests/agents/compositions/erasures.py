"""Rows of users who are erased while something of theirs is under way, and who come back."""

from schemas.topics import ERASURES
from tests.agents.compositions.combined import HOURLY, MAIL_LATER
from tests.agents.compositions.flow import NIGHT, USER, Act, Flow, contacts, event, kind, wishes
from tests.agents.compositions.holdouts import OUT
from tests.agents.compositions.repeats import NAMES, NEXT, TEAM, alarm
from tests.agents.compositions.replacing import LAST


def erased(at: str, user: str = USER) -> Act:
    """All that is stored of the user goes."""
    return Act(at, ERASURES, user, {"user": user})


BACK = contacts("2 13:00")

ERASED = (
    Flow(
        name="what is delayed goes with its user, and who comes back is told of what comes then",
        catalogue=kind('delay = "1h"'),
        acts=(event("e1", "2 12:00"), erased("2 12:30"), BACK, event("e2", "2 14:00")),
        sent=("2 15:00 push: e2",),
    ),
    Flow(
        name="a later step goes with its user, back or not",
        catalogue=kind(MAIL_LATER),
        acts=(event("e1", "2 12:30"), erased("2 12:40"), BACK),
        sent=("2 12:30 push: e1",),
    ),
    Flow(
        name="what is gathered goes with its user, and the next digest begins anew",
        catalogue=kind(HOURLY),
        acts=(
            event("e1", "2 12:30"),
            event("e2", "2 12:40"),
            erased("2 12:50"),
            BACK,
            event("e3", "2 13:20"),
        ),
        sent=("2 14:20 push: e3",),
    ),
    Flow(
        name="what waits for the morning goes with its user and their quiet hours",
        catalogue=kind(),
        acts=(
            wishes("1 00:00", quiet_hours=NIGHT),
            event("e1", "1 23:00"),
            erased("2 01:00"),
            BACK,
            event("e2", "2 23:00"),
        ),
        sent=("2 23:00 push: e2",),
    ),
    Flow(
        name="so does a wish to hear of it daily",
        catalogue=kind(),
        acts=(
            wishes("1 00:00", frequency={"things": "daily"}),
            event("e1", "2 10:00"),
            erased("2 12:00"),
            BACK,
            event("e2", "2 14:00"),
        ),
        sent=("2 14:00 push: e2",),
    ),
    Flow(
        name="nobody knows any more what they were told, nor how much of it",
        catalogue=kind("rate_limit = { count = 1, seconds = 86400 }"),
        acts=(event("e1", "2 12:00"), erased("2 12:30"), BACK, event("e1", "2 14:00")),
        sent=("2 12:00 push: e1", "2 14:00 push: e1"),
    ),
    Flow(
        name="nor of which ride it was",
        catalogue=kind(LAST + MAIL_LATER),
        acts=(
            event("e1", "2 12:00", ride="r1"),
            erased("2 12:30"),
            BACK,
            event("e2", "2 14:00", ride="r1"),
        ),
        sent=("2 12:00 push: e1", "2 14:00 push: e2", "2 15:00 email: e2"),
    ),
    Flow(
        name="who is held out is so again, as that is no memory",
        catalogue=kind(OUT),
        acts=(event("e1", "2 12:00"), erased("2 12:30"), BACK, event("e2", "2 14:00")),
        sent=(),
        silent=("e1 all holdout", "e2 all holdout"),
    ),
    Flow(
        name="an alarm passes over who was erased before their turn",
        catalogue=NEXT,
        acts=(
            *TEAM,
            event("e1", "2 12:00", cart="c1", **NAMES),
            erased("2 12:07", "bea"),
        ),
        sent=(
            "2 12:00 push: ann e1",
            "2 12:05 push: ann e1",
            "2 12:20 push: cy e1",
            "2 12:25 push: cy e1",
        ),
    ),
    Flow(
        name="an alarm is repeated for nobody who was erased",
        catalogue=alarm('repeat = { every = "5m", times = 2 }'),
        acts=(event("e1", "2 12:00"), erased("2 12:07"), BACK),
        sent=("2 12:00 push: ann e1", "2 12:05 push: ann e1"),
    ),
)
