"""Rows of steps: what comes after what, and what stands by for what."""

from tests.agents.compositions.flow import (
    NIGHT,
    Flow,
    contacts,
    event,
    kind,
    noticed,
    wishes,
)

CHAIN = kind(
    """escalation = [{ after = "5m", channels = ["push"] },
    { after = "24h", channels = ["email"] }]""",
    "inapp",
    ttl="5d",
)
NIGHTLY = kind('escalation = [{ after = "24h", channels = ["email"] }]', "inapp push", ttl="5d")
BILL = kind('transactional = true\nfallback = { sms = ["push"] }', "push sms")
OPENED = kind(
    """escalation = [{ after = "5m", channels = ["push"] },
    { after = "30m", channels = ["email"], unless = "opened" }]""",
    "inapp",
)
HOURLY = kind(
    """fallback = { sms = ["push"] }
    digests = [{ channels = ["push"], every = "1h" }]""",
    "push sms",
)
WANTS_SMS = wishes("2 11:00", channels={"sms": True})

STEPS = (
    Flow(
        name="a step without an address leaves the next one its time",
        catalogue=CHAIN,
        acts=(contacts("2 11:00", devices=[]), event("e1", "2 12:00")),
        sent=("2 12:00 inapp: e1", "3 12:05 email: e1"),
        silent=("e1 push no_address",),
    ),
    Flow(
        name="a step that was left leaves the next one its time",
        catalogue=CHAIN,
        acts=(wishes("2 11:00", channels={"push": False}), event("e1", "2 12:00")),
        sent=("2 12:00 inapp: e1", "3 12:05 email: e1"),
        silent=("e1 push opted_out",),
    ),
    Flow(
        name="where nothing went out the next step comes at once",
        catalogue=kind('escalation = [{ after = "24h", channels = ["email"] }]', "push"),
        acts=(contacts("2 11:00", devices=[]), event("e1", "2 12:00")),
        sent=("2 12:00 email: e1",),
        silent=("e1 push no_address",),
    ),
    Flow(
        name="what waited can not go any more and the step before it counts",
        catalogue=NIGHTLY,
        acts=(
            wishes("2 11:00", quiet_hours=NIGHT),
            event("e1", "2 23:00"),
            contacts("3 03:00", devices=[]),
        ),
        sent=("2 23:00 inapp: e1", "4 07:00 email: e1"),
        silent=("e1 push no_address",),
    ),
    Flow(
        name="the device is gone by the morning and the text message goes",
        catalogue=BILL,
        acts=(
            wishes("2 11:00", quiet_hours=NIGHT),
            event("e1", "2 23:00"),
            contacts("3 03:00", devices=[]),
        ),
        sent=("3 07:00 sms: e1",),
        silent=("e1 push no_address",),
    ),
    Flow(
        name="the push goes in the morning and no text message",
        catalogue=BILL,
        acts=(wishes("2 11:00", quiet_hours=NIGHT), event("e1", "2 23:00")),
        sent=("3 07:00 push: e1",),
        silent=("e1 sms fall_back",),
    ),
    Flow(
        name="the device is gone before the digest is made and one text message has all of it",
        catalogue=HOURLY,
        acts=(
            WANTS_SMS,
            event("e1", "2 12:00"),
            event("e2", "2 12:20"),
            contacts("2 12:30", devices=[]),
        ),
        sent=("2 13:00 sms: e1 | e2",),
        silent=("e1 push no_address", "e2 push no_address"),
    ),
    Flow(
        name="the digest goes and the text message does not",
        catalogue=HOURLY,
        acts=(WANTS_SMS, event("e1", "2 12:00"), event("e2", "2 12:20")),
        sent=("2 13:00 push: e1 | e2",),
        silent=("e1 sms fall_back", "e2 sms fall_back"),
    ),
    Flow(
        name="what stands by for a digest waits for the morning as well",
        catalogue=HOURLY,
        acts=(
            wishes("2 11:00", channels={"sms": True}, quiet_hours=NIGHT),
            event("e1", "2 21:30"),
            contacts("2 21:40", devices=[]),
        ),
        sent=("3 07:00 sms: e1",),
        silent=("e1 push no_address",),
    ),
    Flow(
        name="a digest without a device is muted for the text message too",
        catalogue=HOURLY,
        acts=(
            WANTS_SMS,
            event("e1", "2 12:00", key="one"),
            event("e2", "2 12:20", key="two"),
            contacts("2 12:30", devices=[]),
            wishes("2 12:40", channels={"sms": True}, mutes={"things/two": None}),
        ),
        sent=("2 13:00 sms: e1",),
        silent=("e2 push muted", "e2 sms muted", "e1 push no_address"),
    ),
    Flow(
        name="seen is not opened and the later step has its own condition",
        catalogue=OPENED,
        acts=(event("e1", "2 12:00"), noticed("2 12:02", "e1", "seen")),
        sent=("2 12:00 inapp: e1", "2 12:35 email: e1"),
        silent=("e1 push engaged",),
    ),
    Flow(
        name="opened is more than seen and ends all steps",
        catalogue=OPENED,
        acts=(event("e1", "2 12:00"), noticed("2 12:02", "e1", "opened")),
        sent=("2 12:00 inapp: e1",),
        silent=("e1 push engaged",),
    ),
    Flow(
        name="seen and later opened ends each step by its own condition",
        catalogue=OPENED,
        acts=(
            event("e1", "2 12:00"),
            noticed("2 12:02", "e1", "seen"),
            noticed("2 12:20", "e1", "opened"),
        ),
        sent=("2 12:00 inapp: e1",),
        silent=("e1 push engaged", "e1 email engaged"),
    ),
    Flow(
        name="seen while the push waits for the morning",
        catalogue=kind(
            'escalation = [{ after = "1h", channels = ["email"], unless = "opened" }]',
            "inapp push",
        ),
        acts=(
            wishes("2 11:00", quiet_hours=NIGHT),
            event("e1", "2 23:00"),
            noticed("3 06:50", "e1", "seen"),
        ),
        sent=("2 23:00 inapp: e1", "3 08:00 email: e1"),
        silent=("e1 push engaged",),
    ),
)
