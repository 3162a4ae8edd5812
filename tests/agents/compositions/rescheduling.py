"""Rows of wishes that change while something waits: it follows them."""

from tests.agents.compositions.flow import NIGHT, Flow, contacts, event, events, kind, wishes

DAILY = wishes("1 12:00", frequency={"things": "daily"})
EVENING = kind('digests = [{ channels = ["push"], at = ["18:00"] }]')
WEEKLY = kind('digests = [{ channels = ["push"], at = ["18:00"], days = ["wed"] }]', ttl="10d")
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
    Flow(
        name="from daily to instantly, what waits goes at once as one message",
        catalogue=kind(),
        others=(kind(name="like"),),
        acts=(
            DAILY,
            event("e1", "2 10:00"),
            event("l1", "2 10:30", "like"),
            wishes("2 12:00"),
            event("e2", "2 12:01"),
        ),
        sent=("2 12:00 push: l1 | Hi | e1", "2 12:01 push: e2"),
    ),
    Flow(
        name="from daily to instantly at night, it goes in the morning",
        catalogue=kind(),
        acts=(
            wishes("1 12:00", frequency={"things": "daily"}, quiet_hours=NIGHT),
            event("e1", "2 10:00"),
            wishes("2 23:00", quiet_hours=NIGHT),
        ),
        sent=("3 07:00 push: e1",),
    ),
    Flow(
        name="from daily to instantly, a digest of the type's own keeps its time",
        catalogue=WEEKLY,
        acts=(DAILY, event("e1", "2 10:00"), wishes("2 12:00")),
        sent=("4 18:00 push: e1",),
    ),
    Flow(
        name="from daily to hourly, it comes an hour after the first event",
        catalogue=kind(),
        acts=(
            DAILY,
            event("e1", "2 10:00"),
            wishes("2 10:30", frequency={"things": "hourly"}),
            event("e2", "2 10:40"),
        ),
        sent=("2 11:00 push: e1 | e2",),
    ),
    Flow(
        name="from hourly to daily, it comes the next morning, or before it is too old",
        catalogue=kind(),
        others=(kind(name="chat", category="chats", ttl="3h"),),
        acts=(
            wishes("1 12:00", frequency={"*": "hourly"}),
            event("e1", "2 10:00"),
            event("c1", "2 10:00", "chat"),
            wishes("2 10:30", frequency={"*": "daily"}),
            event("e2", "2 16:00"),
        ),
        sent=("2 12:59 push: c1", "3 09:00 push: e1 | e2"),
    ),
    Flow(
        name="another time of day moves what waits for it",
        catalogue=kind(),
        acts=(
            DAILY,
            event("e1", "2 10:00"),
            wishes("2 12:00", frequency={"things": "daily"}, digest_at="18:00"),
            event("e2", "2 13:00"),
        ),
        sent=("2 18:00 push: e1 | e2",),
    ),
    Flow(
        name="a daily message follows the user to another zone",
        catalogue=kind(),
        acts=(
            contacts("1 08:00", zone="Europe/Berlin"),
            DAILY,
            *events(2, "2 10:00"),
            contacts("2 12:00", zone="America/New_York"),
        ),
        sent=("2 14:00 push: e01 | e02",),
    ),
)
