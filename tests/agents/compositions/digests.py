"""Rows of what is gathered: each event is judged by itself, and the message is made of the rest."""

from tests.agents.compositions.flow import (
    Flow,
    contacts,
    event,
    events,
    kind,
    noticed,
    wishes,
)

EVENING = kind('digests = [{ channels = ["email"], at = ["18:00"] }]', "email")
THREE = (
    event("e1", "2 09:30", key="one"),
    event("e2", "2 10:30", key="two"),
    event("e3", "2 11:30", key="three"),
)
LINKED = """{ title = "Hi", body = "{{ data.text }}",
    digest = { body = "{% for each in events %}{{ each.data.url }};{% endfor %}" } }""".replace(
    "\n", ""
)
MAIL_LATER = kind(
    """escalation = [{ after = "3h", channels = ["email"], unless = "opened" }]
    digests = [{ channels = ["email"], at = ["18:00"] }]""",
    "inapp",
)
BELL = kind(
    """digests = [{ channels = ["push"], every = "1h" }, { channels = ["email"], every = "1h" }]
    fallback = { sms = ["push"] }""",
    "inapp push email sms",
)

DIGESTS = (
    Flow(
        name="a later step leaves out what was opened after its time and before its digest",
        catalogue=MAIL_LATER,
        acts=(
            event("e1", "2 10:00"),
            event("e2", "2 11:00"),
            event("e3", "2 12:00"),
            noticed("2 12:30", "e3", "opened"),
            noticed("2 16:00", "e1", "opened"),
            noticed("2 16:01", "e2", "seen"),
        ),
        sent=("2 10:00 inapp: e1", "2 11:00 inapp: e2", "2 12:00 inapp: e3", "2 18:00 email: e2"),
        silent=("e3 email engaged", "e1 email engaged"),
    ),
    Flow(
        name="so it does where the user wants it daily",
        catalogue=kind(
            'escalation = [{ after = "1h", channels = ["email"], unless = "seen" }]', "inapp"
        ),
        acts=(
            wishes("1 12:00", frequency={"things": "daily"}),
            event("e1", "2 10:00"),
            event("e2", "2 11:00"),
            noticed("2 20:00", "e1"),
        ),
        sent=("2 10:00 inapp: e1", "2 11:00 inapp: e2", "3 09:00 email: e2"),
        silent=("e1 email engaged",),
    ),
    Flow(
        name="a push is not of what was seen in the app by then, and a mail is of all",
        catalogue=BELL,
        acts=(
            wishes("1 12:00", channels={"sms": True}),
            event("e1", "2 10:00"),
            event("e2", "2 10:10"),
            noticed("2 10:20", "e1"),
        ),
        sent=(
            "2 10:00 inapp: e1",
            "2 10:10 inapp: e2",
            "2 11:00 email: e1 | e2",
            "2 11:00 push: e2",
        ),
        silent=("e1 push engaged", "e1 sms engaged", "e2 sms fall_back"),
    ),
    Flow(
        name="the topic of the newest event is muted",
        catalogue=EVENING,
        acts=(*THREE, wishes("2 12:00", mutes={"things/three": None})),
        sent=("2 18:00 email: e1 | e2",),
        silent=("e3 email muted",),
    ),
    Flow(
        name="the topic of the oldest event is muted",
        catalogue=EVENING,
        acts=(*THREE, wishes("2 12:00", mutes={"things/one": None})),
        sent=("2 18:00 email: e2 | e3",),
        silent=("e1 email muted",),
    ),
    Flow(
        name="all topics are muted",
        catalogue=EVENING,
        acts=(
            *THREE,
            wishes("2 12:00", mutes={f"things/{key}": None for key in ("one", "two", "three")}),
        ),
        sent=(),
        silent=("e1 email muted", "e2 email muted", "e3 email muted"),
    ),
    Flow(
        name="the user left the channel",
        catalogue=EVENING,
        acts=(*THREE, wishes("2 12:00", channels={"email": False})),
        sent=(),
        silent=("e1 email opted_out", "e2 email opted_out", "e3 email opted_out"),
    ),
    Flow(
        name="the address bounced",
        catalogue=EVENING,
        acts=(*THREE, contacts("2 12:00", suppressed=["ann@example.org"])),
        sent=(),
        silent=tuple(f"e{number} email suppressed_address" for number in (1, 2, 3)),
    ),
    Flow(
        name="one event is past its time to live when the digest is made",
        catalogue=kind('digests = [{ channels = ["email"], at = ["18:00"] }]', "email", ttl="8h"),
        acts=THREE,
        sent=("2 18:00 email: e2 | e3",),
        silent=("e1 email expired",),
    ),
    Flow(
        name="the morning comes too late for some of what was gathered",
        catalogue=kind('digests = [{ channels = ["email"], every = "1h" }]', "email", ttl="9h"),
        acts=(
            wishes("2 12:00", quiet_hours=[{"start": "22:00", "end": "07:00"}]),
            event("e1", "2 21:30"),
            event("e2", "2 22:20"),
        ),
        sent=("3 07:00 email: e2",),
        silent=("e1 email expired",),
    ),
    Flow(
        name="events of one moment are told in order of acceptance",
        catalogue=kind('digests = [{ channels = ["push"], every = "10m" }]'),
        acts=events(8, "2 12:00"),
        sent=("2 12:10 push: e01 | e02 | e03 | e04 | e05 | e06 | e07 | e08",),
    ),
    Flow(
        name="one event lacks what the digest tells and is left out alone",
        catalogue=kind('digests = [{ channels = ["push"], every = "10m" }]', push=LINKED),
        acts=(
            event("e1", "2 12:00", url="a"),
            event("e2", "2 12:01"),
            event("e3", "2 12:02", url="c"),
        ),
        sent=("2 12:10 push: a;c;",),
        silent=("e2 push render_failed",),
    ),
    Flow(
        name="no event has what the digest tells",
        catalogue=kind('digests = [{ channels = ["push"], every = "10m" }]', push=LINKED),
        acts=(event("e1", "2 12:00"), event("e2", "2 12:01")),
        sent=(),
        silent=("e1 push render_failed", "e2 push render_failed"),
    ),
)
