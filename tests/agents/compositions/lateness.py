"""Rows of events that come hours after they happened: what follows has its time all the same."""

from typing import Any

from tests.agents.compositions.combined import HOURLY, MAIL_LATER
from tests.agents.compositions.endings import UNTIL, ordered
from tests.agents.compositions.flow import NIGHT, Act, Flow, event, kind, noticed, wishes
from tests.agents.compositions.journeys import QUIET, RECEIPT, REPEATED, TEXTED
from tests.agents.compositions.repeats import NAMES, NEXT, TEAM, alarm
from tests.agents.compositions.windows import DAYS

DAILY = wishes("1 00:00", frequency={"things": "daily"})


def late(name: str, at: str, happened: str, **data: Any) -> Act:
    """Something that happened earlier, and is read at `at`."""
    said = event(name, happened, **data)
    return Act(at, said.topic, said.key, said.value)


LATE = (
    Flow(
        name="the mail comes an hour after the push, however late that is",
        catalogue=kind(MAIL_LATER),
        acts=(late("e1", "2 13:00", "2 10:00"),),
        sent=("2 13:00 push: e1", "2 14:00 email: e1"),
    ),
    Flow(
        name="and not at all where the push is read meanwhile",
        catalogue=kind(MAIL_LATER),
        acts=(late("e1", "2 13:00", "2 10:00"), noticed("2 13:30", "e1")),
        sent=("2 13:00 push: e1",),
        silent=("e1 email engaged",),
    ),
    Flow(
        name="a text has its five minutes to arrive",
        catalogue=kind(RECEIPT, "sms"),
        acts=(TEXTED, late("e1", "2 13:00", "2 10:00")),
        sent=("2 13:00 sms: e1", "2 13:05 email: e1"),
    ),
    Flow(
        name="an alarm is repeated one by one, while it is not too old",
        catalogue=alarm(REPEATED, ttl="9h"),
        acts=(late("e1", "2 17:00", "2 12:00"),),
        sent=("2 17:00 push: ann e1", "2 19:00 push: ann e1"),
        silent=("e1 push expired",),
    ),
    Flow(
        name="who is told next is so after those before had their time",
        catalogue=NEXT,
        acts=(*TEAM, late("e1", "2 12:20", "2 12:00", cart="c1", **NAMES)),
        sent=(
            "2 12:20 push: ann e1",
            "2 12:25 push: ann e1",
            "2 12:30 push: bea e1",
            "2 12:35 push: bea e1",
            "2 12:40 push: cy e1",
            "2 12:45 push: cy e1",
        ),
    ),
    Flow(
        name="who takes it is the last who is told",
        catalogue=NEXT,
        acts=(
            *TEAM,
            late("e1", "2 12:20", "2 12:00", cart="c1", **NAMES),
            ordered("2 12:32", "c1", who="bea"),
        ),
        sent=("2 12:20 push: ann e1", "2 12:25 push: ann e1", "2 12:30 push: bea e1"),
        silent=("e1 push cancelled", "e1 push cancelled"),
    ),
    Flow(
        name="a delay that is over by then is no reason to wait, and the mail has its hour",
        catalogue=kind(f'delay = "1h"\n{MAIL_LATER}'),
        acts=(late("e1", "2 13:00", "2 10:00"),),
        sent=("2 13:00 push: e1", "2 14:00 email: e1"),
    ),
    Flow(
        name="a delay that is not over counts from the event",
        catalogue=kind(f'delay = "4h"\n{MAIL_LATER}'),
        acts=(late("e1", "2 13:00", "2 10:00"),),
        sent=("2 14:00 push: e1", "2 15:00 email: e1"),
    ),
    Flow(
        name="at night both come in the morning, an hour apart",
        catalogue=kind(MAIL_LATER),
        acts=(QUIET, late("e1", "2 23:00", "2 20:00")),
        sent=("3 07:00 push: e1", "3 08:00 email: e1"),
    ),
    Flow(
        name="outside of the window both come when it opens, an hour apart",
        catalogue=kind(DAYS + MAIL_LATER),
        acts=(late("e1", "2 19:00", "2 10:00"),),
        sent=("3 09:00 push: e1", "3 10:00 email: e1"),
    ),
    Flow(
        name="what was over when it happened is so when it is read",
        catalogue=kind(UNTIL + MAIL_LATER),
        acts=(ordered("2 12:00"), late("e1", "2 13:00", "2 10:00", cart="c1")),
        sent=(),
        silent=("e1 all cancelled",),
    ),
    Flow(
        name="a digest of the type's own whose hour is over comes at once",
        catalogue=kind(HOURLY),
        acts=(late("e1", "2 13:00", "2 10:00"), event("e2", "2 13:10")),
        sent=("2 13:00 push: e1", "2 14:10 push: e2"),
    ),
    Flow(
        name="what misses the daily message is in the next one, and not a message at any hour",
        catalogue=kind(ttl="3d"),
        acts=(DAILY, late("e1", "3 09:30", "2 10:00"), event("e2", "3 10:00")),
        sent=("4 09:00 push: e1 | e2",),
    ),
    Flow(
        name="or comes before it is too old for that",
        catalogue=kind(ttl="30h"),
        acts=(DAILY, late("e1", "3 09:30", "2 10:00")),
        sent=("3 15:59 push: e1",),
    ),
    Flow(
        name="so it is where the user wants it hourly",
        catalogue=kind(),
        acts=(
            wishes("1 00:00", frequency={"things": "hourly"}),
            late("e1", "2 13:00", "2 10:00"),
            event("e2", "2 13:10"),
        ),
        sent=("2 14:00 push: e1 | e2",),
    ),
    Flow(
        name="what waits for the morning waits for Monday where it is wanted weekly by then",
        catalogue=kind(ttl="9d"),
        acts=(
            wishes("1 00:00", frequency={"things": "hourly"}, quiet_hours=NIGHT),
            event("e1", "3 21:30"),
            wishes("3 23:00", frequency={"things": "weekly"}, quiet_hours=NIGHT),
        ),
        sent=("9 09:00 push: e1",),
    ),
    Flow(
        name="and comes in the morning where it is wanted instantly by then",
        catalogue=kind(ttl="9d"),
        acts=(
            wishes("1 00:00", frequency={"things": "hourly"}, quiet_hours=NIGHT),
            event("e1", "3 21:30"),
            wishes("3 23:00", quiet_hours=NIGHT),
        ),
        sent=("4 07:00 push: e1",),
    ),
)
