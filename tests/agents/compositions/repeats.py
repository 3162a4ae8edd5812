"""Rows of what is repeated until somebody acknowledges it, and of who is told next."""

from typing import Any

from schemas.topics import CONTACTS
from tests.agents.compositions.endings import ordered
from tests.agents.compositions.flow import (
    NIGHT,
    Act,
    Flow,
    contacts,
    event,
    kind,
    noticed,
    wishes,
)

PUSH = '{ title = "Hi", body = "{{ user.id }} {{ data.text }}" }'
UNTIL = 'until = { event = "order.placed", match = "cart" }'


def alarm(special: str, channels: str = "push", ttl: str = "2h") -> str:
    """A critical type, with texts that say who reads them."""
    text = kind(special, channels, ttl=ttl, push=PUSH)
    return text.replace('priority = "normal"', 'priority = "critical"')


def reaches(user: str) -> Act:
    return Act("1 00:00", CONTACTS, user, {"user": user, "devices": [{"token": f"of-{user}"}]})


THRICE = alarm('repeat = { every = "5m", times = 2 }')
NEXT = alarm(f'{UNTIL}\nrepeat = {{ every = "5m", times = 1, then = ["second", "third"] }}')
LADDER = alarm(
    """escalation = [{ after = "2m", channels = ["sms"], unless = "seen" }]
    repeat = { every = "5m", times = 2, unless = "clicked" }
    transactional = true""",
    "inapp push",
)
TEAM = (reaches("bea"), reaches("cy"))
NAMES: dict[str, Any] = {"second": "bea", "third": ["cy", "ann"]}

REPEATS = (
    Flow(
        name="an alarm that nobody looks at is repeated as often as it says",
        catalogue=THRICE,
        acts=(event("e1", "2 12:00"),),
        sent=("2 12:00 push: ann e1", "2 12:05 push: ann e1", "2 12:10 push: ann e1"),
    ),
    Flow(
        name="it passes over quiet hours, limits and wishes",
        catalogue=THRICE,
        acts=(
            wishes("1 12:00", quiet_hours=NIGHT, frequency={"*": "daily"}),
            event("e1", "2 23:00"),
        ),
        sent=("2 23:00 push: ann e1", "2 23:05 push: ann e1", "2 23:10 push: ann e1"),
    ),
    Flow(
        name="an alarm that was seen is not repeated",
        catalogue=THRICE,
        acts=(event("e1", "2 12:00"), noticed("2 12:07", "e1")),
        sent=("2 12:00 push: ann e1", "2 12:05 push: ann e1"),
        silent=("e1 push engaged",),
    ),
    Flow(
        name="each step looks at its own condition, and what makes no sound is not repeated",
        catalogue=LADDER,
        acts=(event("e1", "2 12:00"), noticed("2 12:01", "e1", "seen")),
        sent=(
            "2 12:00 inapp: e1",
            "2 12:00 push: ann e1",
            "2 12:07 sms: e1",
            "2 12:07 push: ann e1",
            "2 12:12 sms: e1",
            "2 12:12 push: ann e1",
        ),
        silent=("e1 sms engaged",),
    ),
    Flow(
        name="what reaches nobody is not tried again at once",
        catalogue=THRICE,
        acts=(contacts("2 11:00", devices=[]), event("e1", "2 12:00")),
        sent=(),
        silent=("e1 push no_address",),
    ),
    Flow(
        name="a device that goes meanwhile ends nothing: the next one may come",
        catalogue=THRICE,
        acts=(
            event("e1", "2 12:00"),
            contacts("2 12:02", devices=[]),
            contacts("2 12:07"),
        ),
        sent=("2 12:00 push: ann e1", "2 12:10 push: ann e1"),
        silent=("e1 push no_address",),
    ),
    Flow(
        name="who mutes the topic hears no more of it",
        catalogue=THRICE,
        acts=(event("e1", "2 12:00"), wishes("2 12:02", mutes={"things/k": None})),
        sent=("2 12:00 push: ann e1",),
        silent=("e1 push muted", "e1 push muted"),
    ),
    Flow(
        name="after the last repeat the next ones are told, each once",
        catalogue=NEXT,
        acts=(*TEAM, event("e1", "2 12:00", cart="c1", **NAMES)),
        sent=(
            "2 12:00 push: ann e1",
            "2 12:05 push: ann e1",
            "2 12:10 push: bea e1",
            "2 12:15 push: bea e1",
            "2 12:20 push: cy e1",
            "2 12:25 push: cy e1",
        ),
    ),
    Flow(
        name="who acknowledges does so for all",
        catalogue=NEXT,
        acts=(
            *TEAM,
            event("e1", "2 12:00", cart="c1", **NAMES),
            event("e2", "2 12:00", cart="c2", second="bea"),
            ordered("2 12:12", "c1", who="bea"),
        ),
        sent=(
            "2 12:00 push: ann e1",
            "2 12:00 push: ann e2",
            "2 12:05 push: ann e1",
            "2 12:05 push: ann e2",
            "2 12:10 push: bea e1",
            "2 12:10 push: bea e2",
            "2 12:15 push: bea e2",
        ),
        silent=("e1 push cancelled", "e1 push cancelled"),
    ),
    Flow(
        name="acknowledged before the alarm is read, it reaches nobody",
        catalogue=NEXT,
        acts=(
            *TEAM,
            ordered("2 12:00", "c1", happened="2 12:01"),
            event("e1", "2 12:00", cart="c1", second="bea"),
        ),
        sent=(),
        silent=("e1 all cancelled", "e1 all cancelled"),
    ),
)
