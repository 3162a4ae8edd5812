"""Rows of presence: which of in-app and push comes first, and what that means for what waits."""

from tests.agents.compositions.flow import NIGHT, Flow, event, kind, present, wishes

GRACE = kind('online = "inapp"\nonline_grace = "5m"', "inapp push")
CHAT = kind('online = "inapp"', "inapp push")

PRESENCE_FLOWS = (
    Flow(
        name="within the grace after the only device went offline",
        catalogue=GRACE,
        acts=(
            present("2 12:00", "2 13:00"),
            present("2 12:10", "2 12:10"),
            event("e1", "2 12:14:59"),
            event("e2", "2 12:15"),
        ),
        sent=("2 12:14 inapp: e1", "2 12:15 push: e2"),
        silent=("e1 push online", "e2 inapp offline"),
    ),
    Flow(
        name="the push waits for the morning and the user is online by then",
        catalogue=CHAT,
        acts=(
            wishes("2 11:00", quiet_hours=NIGHT),
            event("e1", "2 23:00"),
            present("3 06:50", "3 08:00"),
        ),
        sent=("2 23:00 inapp: e1",),
        silent=("e1 push online",),
    ),
    Flow(
        name="the push waits for the morning and the user is still offline",
        catalogue=CHAT,
        acts=(wishes("2 11:00", quiet_hours=NIGHT), event("e1", "2 23:00")),
        sent=("2 23:00 inapp: e1", "3 07:00 push: e1"),
    ),
    Flow(
        name="the user is online when the digest is made and has read it in the app",
        catalogue=kind(
            """online = "inapp"
            digests = [{ channels = ["push"], every = "10m" }]
            fallback = { sms = ["push", "inapp"] }""",
            "inapp push sms",
        ),
        acts=(
            wishes("2 11:00", channels={"sms": True}),
            event("e1", "2 12:00"),
            event("e2", "2 12:03"),
            present("2 12:05", "2 12:30"),
        ),
        sent=("2 12:00 inapp: e1", "2 12:03 inapp: e2"),
        silent=(
            "e1 sms fall_back",
            "e2 sms fall_back",
            "e1 push online",
            "e2 push online",
        ),
    ),
    Flow(
        name="the user is online when the digest is made and wants nothing in the app",
        catalogue=kind(
            'online = "inapp"\ndigests = [{ channels = ["push"], every = "10m" }]', "inapp push"
        ),
        acts=(
            wishes("2 11:00", channels={"inapp": False}),
            event("e1", "2 12:00"),
            present("2 12:05", "2 12:30"),
        ),
        sent=("2 12:10 push: e1",),
        silent=("e1 inapp opted_out",),
    ),
)
