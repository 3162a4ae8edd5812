"""Rows of what takes the place of what waits: delays, steps, the morning, digests, limits."""

from tests.agents.compositions.endings import ordered
from tests.agents.compositions.flow import NIGHT, Act, Flow, contacts, event, kind, wishes

LAST = 'replaces = "ride"\n'
ESCALATED = 'escalation = [{ after = "1h", channels = ["email"] }]\n'


def held(event_id: str, at: str, until: str, ride: str) -> Act:
    """An event that is to be told of later, by itself."""
    found = event(event_id, at, ride=ride)
    return Act(at, found.topic, found.key, found.value | {"deliver_at": f"2026-03-{until}Z"})


REPLACING = (
    Flow(
        name="what waits for the morning is the last of each ride",
        catalogue=kind(LAST),
        acts=(
            wishes("1 00:00", quiet_hours=NIGHT),
            event("e1", "2 23:00", ride="r1", text="5 min"),
            event("e2", "2 23:01", ride="r2", text="9 min"),
            event("e3", "2 23:03", ride="r1", text="2 min"),
        ),
        sent=("3 07:00 push: 9 min", "3 07:00 push: 2 min"),
        silent=("e1 push cancelled",),
    ),
    Flow(
        name="numbers and texts are of the same ride, and what has none is of no ride",
        catalogue=kind(f'{LAST}delay = "1h"'),
        acts=(
            event("e1", "2 12:00", ride=7),
            event("e2", "2 12:01", ride="7"),
            event("e3", "2 12:02", ride=None),
            event("e4", "2 12:03"),
            event("e5", "2 12:04", ride=7.0),
        ),
        sent=("2 13:02 push: e3", "2 13:03 push: e4", "2 13:04 push: e5"),
        silent=("e1 push cancelled", "e2 push cancelled"),
    ),
    Flow(
        name="a later step of what is no longer so does not come",
        catalogue=kind(LAST + ESCALATED),
        acts=(event("e1", "2 12:00", ride="r1"), event("e2", "2 12:30", ride="r1")),
        sent=("2 12:00 push: e1", "2 12:30 push: e2", "2 13:30 email: e2"),
        silent=("e1 email cancelled",),
    ),
    Flow(
        name="a digest has the last of each ride",
        catalogue=kind(f'{LAST}digests = [{{ channels = ["push"], every = "1h" }}]'),
        acts=(
            event("e1", "2 12:00", ride="r1"),
            event("e2", "2 12:10", ride="r2"),
            event("e3", "2 12:20", ride="r1"),
        ),
        sent=("2 13:00 push: e2 | e3",),
        silent=("e1 push cancelled",),
    ),
    Flow(
        name="a digest comes in its time, however often what is in it is replaced",
        catalogue=kind(f'{LAST}digests = [{{ channels = ["push"], every = "1h" }}]'),
        acts=tuple(event(f"e{at}", f"2 12:{at}", ride="r1") for at in range(10, 60, 5)),
        sent=("2 13:10 push: e55",),
        silent=tuple(f"e{at} push cancelled" for at in range(10, 55, 5)),
    ),
    Flow(
        name="so has what a user wants hourly",
        catalogue=kind(LAST),
        acts=(
            wishes("1 00:00", frequency={"things": "hourly"}),
            event("e1", "2 12:00", ride="r1"),
            event("e2", "2 12:10", ride="r1"),
        ),
        sent=("2 13:00 push: e2",),
        silent=("e1 push cancelled",),
    ),
    Flow(
        name="another type with the same ride goes on",
        catalogue=kind(f'{LAST}delay = "1h"'),
        others=(kind(f'{LAST}delay = "1h"', name="other"),),
        acts=(event("e1", "2 12:00", ride="r1"), event("o1", "2 12:01", "other", ride="r1")),
        sent=("2 13:00 push: e1", "2 13:01 push: o1"),
    ),
    Flow(
        name="what can't go out takes the place all the same, as the other is no longer so",
        catalogue=kind(f"{LAST}rate_limit = {{ count = 1, seconds = 3600 }}\n{ESCALATED}"),
        acts=(event("e1", "2 12:00", ride="r1"), event("e2", "2 12:10", ride="r1")),
        sent=("2 12:00 push: e1", "2 12:10 email: e2"),
        silent=("e2 push rate_limited", "e1 email cancelled"),
    ),
    Flow(
        name="the last that was accepted counts, whenever it is to be sent",
        catalogue=kind(LAST),
        acts=(
            held("e1", "2 12:00", "02T18:00:00", ride="r1"),
            held("e2", "2 12:10", "02T15:00:00", ride="r1"),
        ),
        sent=("2 15:00 push: e2",),
        silent=("e1 push cancelled",),
    ),
    Flow(
        name="what ends a ride ends the last of it",
        catalogue=kind(f'{LAST}delay = "1h"\nuntil = {{ event = "order.placed", match = "ride" }}'),
        acts=(
            event("e1", "2 12:00", ride="r1"),
            event("e2", "2 12:10", ride="r1"),
            ordered("2 12:30", data={"ride": "r1", "who": "ann"}),
        ),
        sent=(),
        silent=("e1 push cancelled", "e2 push cancelled"),
    ),
    Flow(
        name="the same event again takes no place of its own",
        catalogue=kind(f'{LAST}delay = "1h"'),
        acts=(event("e1", "2 12:00", ride="r1"), event("e1", "2 12:00", ride="r1")),
        sent=("2 13:00 push: e1",),
        silent=("e1 all duplicate",),
    ),
    Flow(
        name="addresses that are not there yet change nothing of it",
        catalogue=kind(LAST, "push email"),
        acts=(
            contacts("1 00:01", email=None),
            wishes("1 00:02", quiet_hours=NIGHT),
            event("e1", "2 23:00", ride="r1"),
            event("e2", "2 23:01", ride="r1"),
        ),
        sent=("3 07:00 push: e2",),
        silent=(
            "e1 email no_address",
            "e2 email no_address",
            "e1 push cancelled",
        ),
    ),
)
