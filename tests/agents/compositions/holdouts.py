"""Rows of who is held out: by a type, by the catalogue, and with all that may keep one from it.

Of half of all users, `ann` is in those that are named "a", and not in those that are named "b".
"""

from schemas.topics import EVENTS
from tests.agents.compositions.endings import ordered
from tests.agents.compositions.flow import (
    NIGHT,
    USER,
    Act,
    Flow,
    event,
    events,
    kind,
    moment,
    wishes,
)

OUT = 'holdout = { share = "50%", name = "a" }\n'
IN = OUT.replace('"a"', '"b"')
ALL = '[holdout]\nshare = "50%"\nname = "a"'


def named(name: str, at: str) -> Act:
    """A notification that the API was asked for."""
    value = {
        "id": name,
        "type": "asked",
        "actor": "bob",
        "occurred_at": moment(at).isoformat(),
        "data": {"text": name},
        "notify": {"type": "thing", "users": [USER]},
    }
    return Act(at, EVENTS, "bob", value)


HOLDOUTS = (
    Flow(
        name="who is held out gets nothing, on no channel, at once or later",
        catalogue=kind(
            f'{OUT}escalation = [{{ after = "1h", channels = ["email"] }}]', "push inapp"
        ),
        acts=(event("e1", "2 12:00"), event("e2", "3 12:00")),
        sent=(),
        silent=("e1 all holdout", "e2 all holdout"),
    ),
    Flow(
        name="who is not gets what everybody does",
        catalogue=kind(
            f'{IN}escalation = [{{ after = "1h", channels = ["email"] }}]', "push inapp"
        ),
        acts=(event("e1", "2 12:00"),),
        sent=("2 12:00 inapp: e1", "2 12:00 push: e1", "2 13:00 email: e1"),
    ),
    Flow(
        name="who is held out waits for nothing, neither the morning nor a digest",
        catalogue=kind(f'{OUT}digests = [{{ channels = ["email"], every = "2h" }}]', "push email"),
        acts=(wishes("1 00:00", quiet_hours=NIGHT), event("e1", "2 23:00")),
        sent=(),
        silent=("e1 all holdout",),
    ),
    Flow(
        name="nor for a delay that an order might end",
        catalogue=kind(f'{OUT}until = {{ event = "order.placed", match = "cart" }}\ndelay = "1h"'),
        acts=(event("e1", "2 12:00", cart="c1"), ordered("2 12:30")),
        sent=(),
        silent=("e1 all holdout",),
    ),
    Flow(
        name="what would not have come anyway is not held out",
        catalogue=kind(OUT, "push inapp"),
        acts=(
            wishes("1 00:00", channels={"push": False, "inapp": False}),
            event("e1", "2 12:00"),
        ),
        sent=(),
        silent=("e1 push opted_out", "e1 inapp opted_out"),
    ),
    Flow(
        name="what is held out counts in no limit, also not in one over several types",
        catalogue=kind(
            OUT, more="[categories.things]\nrate_limit = { count = 1, seconds = 86400 }"
        ),
        others=(kind(name="other"),),
        acts=(*events(3, "2 12:00"), event("o1", "2 12:05", "other")),
        sent=("2 12:05 push: o1",),
        silent=("e01 all holdout", "e02 all holdout", "e03 all holdout"),
    ),
    Flow(
        name="a type holds out by itself, and the next one does not",
        catalogue=kind(OUT),
        others=(kind(IN, name="other"),),
        acts=(event("e1", "2 12:00"), event("o1", "2 12:05", "other")),
        sent=("2 12:05 push: o1",),
        silent=("e1 all holdout",),
    ),
    Flow(
        name="the catalogue's holds out of all, but of what is critical or transactional",
        catalogue=kind(more=ALL),
        others=(
            kind(IN, name="other"),
            kind("transactional = true", name="receipt"),
            kind(name="urgent").replace('"high"', '"critical"'),
        ),
        acts=(
            event("e1", "2 12:00"),
            event("o1", "2 12:01", "other"),
            event("r1", "2 12:02", "receipt"),
            event("u1", "2 12:03", "urgent"),
        ),
        sent=("2 12:02 push: r1", "2 12:03 push: u1"),
        silent=("e1 all holdout", "o1 all holdout"),
    ),
    Flow(
        name="an event that comes again is held out once",
        catalogue=kind(OUT),
        acts=(event("e1", "2 12:00"), event("e1", "2 12:00")),
        sent=(),
        silent=("e1 all holdout", "e1 all duplicate"),
    ),
    Flow(
        name="a notification by name is held out as well",
        catalogue=kind(OUT),
        acts=(named("n1", "2 12:00"),),
        sent=(),
        silent=("n1 all holdout",),
    ),
)
