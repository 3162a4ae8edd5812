"""Rows of what is repeated, and of what changes between two of its messages."""

from schemas.topics import BLOCKS
from tests.agents.compositions.endings import UNTIL, ordered
from tests.agents.compositions.flow import (
    NIGHT,
    USER,
    Act,
    Flow,
    arrived,
    contacts,
    event,
    moment,
    noticed,
    wishes,
)
from tests.agents.compositions.journeys import REPEATED, STANDING_BY, TEXTED, TOKYO, night
from tests.agents.compositions.repeats import alarm
from tests.agents.compositions.replacing import LAST

REMINDERS = (
    Flow(
        name="what takes its place ends its reminders and has its own",
        catalogue=alarm(LAST + REPEATED, ttl="6h"),
        acts=(event("e1", "2 12:00", ride="r1"), event("e2", "2 12:30", ride="r1")),
        sent=(
            "2 12:00 push: ann e1",
            "2 12:30 push: ann e2",
            "2 14:30 push: ann e2",
            "2 16:30 push: ann e2",
        ),
        silent=("e1 push cancelled",),
    ),
    Flow(
        name="an alarm that reached nobody is not tried again, and the next one is",
        catalogue=alarm(REPEATED, ttl="7h"),
        acts=(
            contacts("2 11:00", devices=[]),
            wishes("2 11:30", channels={"push": False}),
            event("e1", "2 12:00"),
            contacts("2 12:30"),
            wishes("2 12:31"),
            event("e2", "2 13:00"),
        ),
        sent=("2 13:00 push: ann e2", "2 15:00 push: ann e2", "2 17:00 push: ann e2"),
        silent=("e1 push opted_out",),
    ),
    Flow(
        name="an alarm whose device goes is repeated by what stands by for it",
        catalogue=alarm(STANDING_BY + REPEATED, "push sms", ttl="6h"),
        acts=(TEXTED, event("e1", "2 12:00"), contacts("2 12:02", devices=[])),
        sent=("2 12:00 push: ann e1", "2 14:00 sms: e1", "2 16:00 sms: e1"),
        silent=("e1 sms fall_back", "e1 push no_address", "e1 push no_address"),
    ),
    Flow(
        name="an alarm that arrived is repeated until it is read",
        catalogue=alarm(REPEATED, "sms", ttl="7h"),
        acts=(TEXTED, event("e1", "2 12:00"), arrived("2 12:01", "e1"), noticed("2 14:30", "e1")),
        sent=("2 12:00 sms: e1", "2 14:00 sms: e1"),
        silent=("e1 sms engaged",),
    ),
    Flow(
        name="who blocks whoever raised it hears no more of it",
        catalogue=alarm(REPEATED, ttl="6h"),
        acts=(
            event("e1", "2 12:00"),
            Act(
                "2 12:30",
                BLOCKS,
                USER,
                {"user": USER, "actor": "bob", "at": moment("2 12:30").isoformat()},
            ),
        ),
        sent=("2 12:00 push: ann e1",),
        silent=("e1 push blocked",),
    ),
    Flow(
        name="who moves to where it is night is told all the same, and then by text alone",
        catalogue=alarm(STANDING_BY + REPEATED, "push sms", ttl="6h"),
        acts=(
            night(channels={"sms": True}),
            event("e1", "2 12:00"),
            contacts("2 12:30", zone=TOKYO),
            wishes("2 15:00", quiet_hours=NIGHT, channels={"sms": True, "push": False}),
        ),
        sent=("2 12:00 push: ann e1", "2 14:00 push: ann e1", "2 16:00 sms: e1"),
        silent=("e1 sms fall_back", "e1 sms fall_back", "e1 push opted_out"),
    ),
    Flow(
        name="whoever acknowledges one of two ends its reminders alone",
        catalogue=alarm(UNTIL + REPEATED, ttl="6h"),
        acts=(
            event("e1", "2 12:00", cart="c1"),
            event("e2", "2 12:10", cart="c2"),
            ordered("2 14:05", "c1"),
        ),
        sent=(
            "2 12:00 push: ann e1",
            "2 12:10 push: ann e2",
            "2 14:00 push: ann e1",
            "2 14:10 push: ann e2",
            "2 16:10 push: ann e2",
        ),
        silent=("e1 push cancelled",),
    ),
)
