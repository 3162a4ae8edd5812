"""Rows of send windows: with steps, digests, quiet hours, other zones, and what ends early."""

from tests.agents.compositions.endings import ordered
from tests.agents.compositions.flow import NIGHT, Flow, contacts, event, events, kind, wishes

# The second of March 2026 is a Monday.
WEEKDAYS = '["mon", "tue", "wed", "thu", "fri"]'
DAYS = f'send_within = [{{ days = {WEEKDAYS}, start = "09:00", end = "18:00" }}]\n'
UNTIL = 'until = { event = "order.placed", match = "cart" }\n'
NOON = [{"start": "08:00", "end": "12:00"}]

WINDOWS = (
    Flow(
        name="within its window a push goes at once, and else when it opens",
        catalogue=kind(DAYS),
        acts=(event("e1", "2 12:00"), event("e2", "2 18:00"), event("e3", "3 08:59")),
        sent=("2 12:00 push: e1", "3 09:00 push: e2", "3 09:00 push: e3"),
    ),
    Flow(
        name="over the weekend it waits for Monday by the clock of the user",
        catalogue=kind(DAYS, ttl="5d"),
        acts=(contacts("1 01:00", zone="America/New_York"), event("e1", "6 23:00")),
        # The clock there was set forward on Sunday the eighth.
        sent=("9 13:00 push: e1",),
    ),
    Flow(
        name="what would be too old by then is not sent",
        catalogue=kind(DAYS),
        acts=(event("e1", "6 23:00"),),
        sent=(),
        silent=("e1 push expired",),
    ),
    Flow(
        name="a window opens in quiet hours, and the push waits for both",
        catalogue=kind(DAYS),
        acts=(wishes("1 12:00", quiet_hours=NOON), event("e1", "2 20:00")),
        sent=("3 12:00 push: e1",),
    ),
    Flow(
        name="quiet hours that are over give way to the window",
        catalogue=kind(DAYS),
        acts=(wishes("1 12:00", quiet_hours=NIGHT), event("e1", "2 23:00")),
        sent=("3 09:00 push: e1",),
    ),
    Flow(
        name="quiet hours that are taken away do not open the window",
        catalogue=kind(DAYS),
        acts=(
            wishes("1 12:00", quiet_hours=NIGHT),
            event("e1", "2 20:00"),
            wishes("2 21:00"),
        ),
        sent=("3 09:00 push: e1",),
    ),
    Flow(
        name="who flies to where it is open gets it there",
        catalogue=kind(DAYS),
        acts=(event("e1", "2 20:00"), contacts("2 21:00", zone="America/New_York")),
        sent=("2 21:00 push: e1",),
    ),
    Flow(
        name="a digest that is over at night comes when the window opens, with what came since",
        catalogue=kind(DAYS + 'digests = [{ channels = ["push"], every = "1h" }]'),
        acts=(event("e1", "2 17:30"), event("e2", "2 22:00")),
        sent=("3 09:00 push: e1 | e2",),
    ),
    Flow(
        name="in-app goes at once, the later step within the window",
        catalogue=kind(DAYS + 'escalation = [{ after = "1h", channels = ["push"] }]', "inapp"),
        acts=(event("e1", "2 17:30"),),
        sent=("2 17:30 inapp: e1", "3 09:00 push: e1"),
    ),
    Flow(
        name="what waits for the window is ended",
        catalogue=kind(UNTIL + DAYS),
        acts=(
            event("e1", "2 19:00", cart="c1"),
            event("e2", "2 19:00", cart="c2"),
            ordered("2 20:00"),
        ),
        sent=("3 09:00 push: e2",),
        silent=("e1 push cancelled",),
    ),
    Flow(
        name="a snoozed, gathered and muted week: each rule takes its own",
        catalogue=kind(
            UNTIL + DAYS + 'digests = [{ channels = ["push"], at = ["18:30"], days = ["wed"] }]',
            ttl="9d",
        ),
        acts=(
            event("e1", "2 10:00", cart="c1"),
            event("e2", "2 11:00", cart="c2", key="two"),
            event("e3", "3 11:00", cart="c3", key="three"),
            ordered("4 20:00"),
            wishes("4 21:00", mutes={"things/two": None}),
        ),
        sent=("5 09:00 push: e3",),
        silent=("e1 push cancelled", "e2 push muted"),
    ),
    Flow(
        name="limits count when the window opens, and the rest waits for room",
        catalogue=kind(DAYS + 'rate_limit = { count = 2, seconds = 3600, over = "digest" }'),
        acts=events(4, "2 20:00"),
        sent=("3 09:00 push: e01", "3 09:00 push: e02", "3 10:00 push: e03 | e04"),
    ),
)
