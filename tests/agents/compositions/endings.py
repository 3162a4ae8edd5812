"""Rows of what another event ends: delays, later steps, what is gathered, what waits at night."""

from schemas.topics import EVENTS
from tests.agents.compositions.flow import (
    NIGHT,
    USER,
    Act,
    Flow,
    event,
    kind,
    moment,
    wishes,
)

UNTIL = 'until = { event = "order.placed", match = "cart" }\n'
LATER = kind(f'{UNTIL}delay = "1h"')
STEPS = kind(f'{UNTIL}escalation = [{{ after = "1h", channels = ["email"] }}]')
GATHERED = kind(f'{UNTIL}digests = [{{ channels = ["push"], every = "2h" }}]')


def ordered(at: str, cart: object = "c1", *, happened: str = "", **fields: object) -> Act:
    """An order of the user's, of this cart; `who` names others, or None nobody."""
    who = fields.pop("who", USER)
    value = {
        "id": f"order-{at}",
        "type": "order.placed",
        "actor": "ann",
        "occurred_at": moment(happened or at).isoformat(),
        "data": {"cart": cart} | ({} if who is None else {"who": who}),
    }
    return Act(at, EVENTS, "ann", value | fields)


ENDINGS = (
    Flow(
        name="an order ends the reminder of its cart, and of no other",
        catalogue=LATER,
        acts=(
            event("e1", "2 12:00", cart="c1"),
            event("e2", "2 12:00", cart="c2"),
            ordered("2 12:30"),
        ),
        sent=("2 13:00 push: e2",),
        silent=("e1 push cancelled",),
    ),
    Flow(
        name="an order of somebody else with the same number ends nothing",
        catalogue=LATER,
        acts=(event("e1", "2 12:00", cart="c1"), ordered("2 12:30", who="bea")),
        sent=("2 13:00 push: e1",),
    ),
    Flow(
        name="nor does an order of nobody",
        catalogue=LATER,
        acts=(event("e1", "2 12:00", cart="c1"), ordered("2 12:30", who=[])),
        sent=("2 13:00 push: e1",),
    ),
    Flow(
        name="nor one of another tenant",
        catalogue=LATER,
        acts=(event("e1", "2 12:00", cart="c1"), ordered("2 12:30", tenant="shop")),
        sent=("2 13:00 push: e1",),
    ),
    Flow(
        name="nor a notification that bears the name of the order",
        catalogue=LATER,
        acts=(
            event("e1", "2 12:00", cart="c1"),
            ordered("2 12:30", notify={"type": "thing", "users": ["bea"]}),
        ),
        sent=("2 13:00 push: e1",),
    ),
    Flow(
        name="an order that does not say whose ends it for everybody",
        catalogue=LATER,
        acts=(event("e1", "2 12:00", cart="c1"), ordered("2 12:30", who=None)),
        sent=(),
        silent=("e1 push cancelled",),
    ),
    Flow(
        name="an order ends it for each whom it names",
        catalogue=LATER,
        acts=(event("e1", "2 12:00", cart="c1"), ordered("2 12:30", who=["bea", USER])),
        sent=(),
        silent=("e1 push cancelled",),
    ),
    Flow(
        name="an order that is read first, though it came later, ends it",
        catalogue=LATER,
        acts=(ordered("2 12:00", happened="2 12:02"), event("e1", "2 12:01", cart="c1")),
        sent=(),
        silent=("e1 all cancelled",),
    ),
    Flow(
        name="an order of before does not end what is put into the cart later",
        catalogue=LATER,
        acts=(ordered("2 12:00"), event("e1", "2 12:01", cart="c1")),
        sent=("2 13:01 push: e1",),
    ),
    Flow(
        name="an order of before that is read late does not either",
        catalogue=LATER,
        acts=(event("e1", "2 12:00", cart="c1"), ordered("2 12:30", happened="2 11:59")),
        sent=("2 13:00 push: e1",),
    ),
    Flow(
        name="an order that is told twice, and once more by an older copy, ends it once",
        catalogue=LATER,
        acts=(
            event("e1", "2 12:00", cart="c1"),
            ordered("2 12:30"),
            ordered("2 12:30"),
            ordered("2 12:40", happened="2 11:00"),
            event("e2", "2 12:50", cart="c1"),
        ),
        sent=("2 13:50 push: e2",),
        silent=("e1 push cancelled",),
    ),
    Flow(
        name="numbers are equal however they are written",
        catalogue=LATER,
        acts=(event("e1", "2 12:00", cart=7), ordered("2 12:30", cart=7.0)),
        sent=(),
        silent=("e1 push cancelled",),
    ),
    Flow(
        name="what has no such field is never ended, and an order without it ends nothing",
        catalogue=LATER,
        acts=(
            event("e1", "2 12:00"),
            event("e2", "2 12:00", cart=None),
            ordered("2 12:30", cart=None),
        ),
        sent=("2 13:00 push: e1", "2 13:00 push: e2"),
    ),
    Flow(
        name="an order ends the later step of what went out",
        catalogue=STEPS,
        acts=(event("e1", "2 12:00", cart="c1"), ordered("2 12:30")),
        sent=("2 12:00 push: e1",),
        silent=("e1 email cancelled",),
    ),
    Flow(
        name="an order ends what is gathered of its cart; the digest is as long from what is left",
        catalogue=GATHERED,
        acts=(
            event("e1", "2 12:00", cart="c1"),
            event("e2", "2 12:10", cart="c2"),
            event("e3", "2 12:20", cart="c1"),
            ordered("2 12:30"),
            event("e4", "2 12:40", cart="c1"),
        ),
        sent=("2 14:10 push: e2 | e4",),
        silent=("e1 push cancelled", "e3 push cancelled"),
    ),
    Flow(
        name="what a user wants daily is ended in the middle of the day",
        catalogue=kind(UNTIL),
        others=(kind(name="like"),),
        acts=(
            wishes("1 12:00", frequency={"things": "daily"}),
            event("e1", "2 10:00", cart="c1"),
            event("l1", "2 10:30", "like"),
            ordered("2 12:30"),
        ),
        sent=("3 09:00 push: l1",),
        silent=("e1 push cancelled",),
    ),
    Flow(
        name="what waits for the morning, and what comes after it, is ended in the night",
        catalogue=STEPS,
        acts=(
            wishes("1 12:00", quiet_hours=NIGHT),
            event("e1", "2 23:00", cart="c1"),
            event("e2", "2 23:00", cart="c2"),
            ordered("3 01:00"),
        ),
        sent=("3 07:00 push: e2", "3 08:00 email: e2"),
        silent=("e1 push cancelled",),
    ),
    Flow(
        name="a digest that waits for the morning is ended in the night, muted or not",
        catalogue=GATHERED,
        acts=(
            wishes("1 12:00", quiet_hours=NIGHT),
            event("e1", "2 21:00", cart="c1", key="one"),
            event("e2", "2 21:10", cart="c2", key="two"),
            event("e3", "2 21:20", cart="c3", key="three"),
            ordered("3 01:00"),
            wishes("3 02:00", quiet_hours=NIGHT, mutes={"things/two": None}),
        ),
        sent=("3 07:00 push: e3",),
        silent=("e1 push cancelled", "e2 push muted"),
    ),
    Flow(
        name="what is over a limit and gathered for later is ended",
        catalogue=kind(f'{UNTIL}rate_limit = {{ count = 1, seconds = 3600, over = "digest" }}'),
        acts=(
            event("e1", "2 12:00", cart="c1"),
            event("e2", "2 12:10", cart="c1"),
            event("e3", "2 12:20", cart="c2"),
            ordered("2 12:30"),
        ),
        sent=("2 12:00 push: e1", "2 13:10 push: e3"),
        silent=("e2 push cancelled",),
    ),
    Flow(
        name="one order ends what two types wait with, each by its own field",
        catalogue=LATER,
        others=(
            kind('until = { event = "order.placed", match = "who" }\ndelay = "2h"', name="other"),
        ),
        acts=(
            event("e1", "2 12:00", cart="c1"),
            event("o1", "2 12:00", "other"),
            ordered("2 12:30", cart="c9"),
        ),
        sent=("2 13:00 push: e1",),
        silent=("o1 push cancelled",),
    ),
)
