"""Rows of steps that come unless a message before them was delivered."""

from tests.agents.compositions.flow import (
    NIGHT,
    Flow,
    arrived,
    contacts,
    event,
    kind,
    noticed,
    wishes,
)

CODE = kind(
    """transactional = true
    escalation = [{ after = "60s", channels = ["email"], unless = "delivered" }]""",
    "sms",
)
THREE = kind(
    """transactional = true
    escalation = [{ after = "1m", channels = ["email"], unless = "delivered" },
    { after = "10m", channels = ["push"], unless = "seen" }]""",
    "sms",
)

RECEIPT_FLOWS = (
    Flow(
        name="a text that arrived needs no mail",
        catalogue=CODE,
        acts=(event("e1", "2 12:00"), arrived("2 12:00:30", "e1")),
        sent=("2 12:00 sms: e1",),
        silent=("e1 email engaged",),
    ),
    Flow(
        name="one of which nothing is heard is followed by a mail",
        catalogue=CODE,
        acts=(event("e1", "2 12:00"),),
        sent=("2 12:00 sms: e1", "2 12:01 email: e1"),
    ),
    Flow(
        name="one of which it is heard too late as well",
        catalogue=CODE,
        acts=(event("e1", "2 12:00"), arrived("2 12:01:10", "e1")),
        sent=("2 12:00 sms: e1", "2 12:01 email: e1"),
    ),
    Flow(
        name="each code waits for its own receipt, told twice or not",
        catalogue=CODE,
        acts=(
            event("e1", "2 12:00"),
            event("e2", "2 12:00"),
            arrived("2 12:00:30", "e2"),
            arrived("2 12:00:40", "e2"),
        ),
        sent=("2 12:00 sms: e1", "2 12:00 sms: e2", "2 12:01 email: e1"),
        silent=("e2 email engaged",),
    ),
    Flow(
        name="without a phone the mail goes at once",
        catalogue=CODE,
        acts=(contacts("2 11:00", phone=None), event("e1", "2 12:00")),
        sent=("2 12:00 email: e1",),
        silent=("e1 sms no_address",),
    ),
    Flow(
        name="what was opened has arrived, too",
        catalogue=CODE,
        acts=(event("e1", "2 12:00"), noticed("2 12:00:30", "e1", "opened")),
        sent=("2 12:00 sms: e1",),
        silent=("e1 email engaged",),
    ),
    Flow(
        name="that it arrived does not mean that it was seen",
        catalogue=THREE,
        acts=(event("e1", "2 12:00"), arrived("2 12:00:30", "e1")),
        sent=("2 12:00 sms: e1", "2 12:11 push: e1"),
        silent=("e1 email engaged",),
    ),
    Flow(
        name="a mail that arrived ends no step that waits to be seen",
        catalogue=THREE,
        acts=(event("e1", "2 12:00"), arrived("2 12:02", "e1", "email")),
        sent=("2 12:00 sms: e1", "2 12:01 email: e1", "2 12:11 push: e1"),
    ),
    Flow(
        name="a text that waited for the morning is followed a minute after it",
        catalogue=CODE,
        acts=(
            wishes("1 12:00", quiet_hours=NIGHT),
            event("e1", "2 23:00"),
            event("e2", "2 23:00"),
            arrived("3 07:00:20", "e2"),
        ),
        sent=("3 07:00 sms: e1", "3 07:00 sms: e2", "3 07:01 email: e1"),
        silent=("e2 email engaged",),
    ),
)
