"""Rows of wishes that change while something waits: it follows them."""

from tests.agents.compositions.flow import (
    NIGHT,
    Flow,
    contacts,
    event,
    events,
    kind,
    wishes,
)

EVENING = kind('digests = [{ channels = ["push"], at = ["18:00"] }]')
NOON = [{"start": "12:00", "end": "13:00"}]

RESCHEDULING = (
    Flow(
        name="a snooze is ended early",
        catalogue=kind(ttl="10d"),
        acts=(
            wishes("2 11:00", snooze_until="2026-03-09T11:00:00Z"),
            *events(2, "2 11:30"),
            wishes("2 12:00"),
        ),
        sent=("2 12:00 push: e01", "2 12:00 push: e02"),
    ),
    Flow(
        name="a snooze is made longer",
        catalogue=kind(),
        acts=(
            wishes("2 11:00", snooze_until="2026-03-02T13:00:00Z"),
            event("e1", "2 11:30"),
            wishes("2 12:00", snooze_until="2026-03-02T15:00:00Z"),
        ),
        sent=("2 15:00 push: e1",),
    ),
    Flow(
        name="quiet hours are taken away at night",
        catalogue=kind(),
        acts=(
            wishes("2 11:00", quiet_hours=NIGHT),
            event("e1", "2 23:00"),
            wishes("3 01:00"),
        ),
        sent=("3 01:00 push: e1",),
    ),
    Flow(
        name="quiet hours are moved while a push waits for their end",
        catalogue=kind(),
        acts=(
            wishes("2 11:00", quiet_hours=NOON),
            event("e1", "2 12:30"),
            wishes("2 12:40", quiet_hours=[{"start": "12:00", "end": "14:30"}]),
        ),
        sent=("2 14:30 push: e1",),
    ),
    Flow(
        name="a delay and an escalation count from the event all the same",
        catalogue=kind('delay = "1h"\nescalation = [{ after = "1h", channels = ["email"] }]'),
        acts=(
            wishes("2 11:00", quiet_hours=NIGHT),
            event("e1", "2 12:00"),
            wishes("2 12:10"),
            wishes("2 13:10", quiet_hours=NIGHT),
        ),
        sent=("2 13:00 push: e1", "2 14:00 email: e1"),
    ),
    Flow(
        name="a user who flies to Berlin has the evening digest in its evening",
        catalogue=EVENING,
        acts=(
            contacts("2 10:00", zone="America/New_York"),
            *events(2, "2 14:00"),
            contacts("2 15:00", zone="Europe/Berlin"),
        ),
        sent=("2 17:00 push: e01 | e02",),
    ),
    Flow(
        name="a user who flies to Tokyo has it at once, as its evening is over",
        catalogue=EVENING,
        acts=(
            contacts("2 07:00", zone="America/New_York"),
            *events(2, "2 08:00"),
            contacts("2 15:00", zone="Asia/Tokyo"),
        ),
        sent=("2 15:00 push: e01 | e02",),
    ),
    Flow(
        name="a digest that waits for the morning goes when nothing is quiet any more",
        catalogue=kind('digests = [{ channels = ["push"], every = "1h" }]'),
        acts=(
            wishes("2 11:00", quiet_hours=NIGHT),
            event("e1", "2 21:30"),
            wishes("2 23:00", quiet_hours=NOON),
        ),
        sent=("2 23:00 push: e1",),
    ),
    Flow(
        name="other wishes move nothing",
        catalogue=kind("", "push email"),
        acts=(
            wishes("2 11:00", quiet_hours=NIGHT),
            event("e1", "2 23:00"),
            wishes("2 23:30", quiet_hours=NIGHT, channels={"email": False}),
        ),
        sent=("3 07:00 push: e1",),
        silent=("e1 email opted_out",),
    ),
)
