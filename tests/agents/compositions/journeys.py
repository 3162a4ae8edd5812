"""Rows of what changes while something is under way: wishes, addresses, zones, what is read.

Each begins with one feature, and others come between its steps.
"""

from typing import Any

from tests.agents.compositions.combined import HOURLY, MAIL_LATER
from tests.agents.compositions.endings import UNTIL, ordered
from tests.agents.compositions.flow import (
    NIGHT,
    Act,
    Flow,
    arrived,
    contacts,
    event,
    kind,
    noticed,
    present,
    wishes,
)
from tests.agents.compositions.replacing import LAST, held
from tests.agents.compositions.segments import ADULT, SEGMENTS
from tests.agents.compositions.windows import DAYS

QUIET = wishes("1 00:00", quiet_hours=NIGHT)
TEXTED = wishes("1 00:00", channels={"sms": True})
REPEATED = 'repeat = { every = "2h", times = 2 }\n'
STANDING_BY = 'fallback = { sms = ["push"] }\n'
ONE_A_DAY = "rate_limit = { count = 1, seconds = 86400 }\n"
RECEIPT = 'escalation = [{ after = "5m", channels = ["email"], unless = "delivered" }]\n'
NEW_YORK, BERLIN, TOKYO = "America/New_York", "Europe/Berlin", "Asia/Tokyo"


def night(**more: Any) -> Act:
    """Quiet hours, and SMS if need be."""
    return wishes("1 00:00", quiet_hours=NIGHT, **more)


JOURNEYS = (
    # Later steps.
    Flow(
        name="a step on a channel that was turned off meanwhile is silent",
        catalogue=kind(MAIL_LATER),
        acts=(event("e1", "2 12:00"), wishes("2 12:30", channels={"email": False})),
        sent=("2 12:00 push: e1",),
        silent=("e1 email opted_out",),
    ),
    Flow(
        name="so it is of a topic that was muted meanwhile",
        catalogue=kind(MAIL_LATER),
        acts=(event("e1", "2 12:00"), wishes("2 12:30", mutes={"things/k": None})),
        sent=("2 12:00 push: e1",),
        silent=("e1 email muted",),
    ),
    Flow(
        name="a step of who wants it daily by then is in the daily message",
        catalogue=kind(MAIL_LATER),
        acts=(event("e1", "2 12:00"), wishes("2 12:30", frequency={"things": "daily"})),
        sent=("2 12:00 push: e1", "3 09:00 email: e1"),
    ),
    Flow(
        name="of who wants it daily both steps are, each on its channel",
        catalogue=kind(MAIL_LATER),
        acts=(wishes("1 00:00", frequency={"things": "daily"}), event("e1", "2 12:00")),
        sent=("3 09:00 email: e1", "3 09:00 push: e1"),
    ),
    Flow(
        name="a snooze that is ended early moves what it kept and all that counts from it",
        catalogue=kind(MAIL_LATER),
        acts=(
            wishes("2 11:00", snooze_until="2026-03-02T15:00:00Z"),
            event("e1", "2 12:00"),
            wishes("2 13:00"),
        ),
        sent=("2 13:00 push: e1", "2 14:00 email: e1"),
    ),
    Flow(
        name="a limit of the category counts a notification with all its steps once",
        catalogue=kind(
            MAIL_LATER, more="[categories.things]\nrate_limit = { count = 1, seconds = 86400 }"
        ),
        acts=(event("e1", "2 12:00"), event("e2", "2 12:30")),
        sent=("2 12:00 push: e1", "2 13:00 email: e1"),
        silent=("e2 push rate_limited", "e2 email rate_limited"),
    ),
    Flow(
        name="who leaves the segment after the first step gets the second",
        catalogue=kind('segment_at = "to"\n' + MAIL_LATER).replace('users = "who"\n', "")
        + SEGMENTS,
        acts=(
            contacts("1 00:01", attributes=ADULT),
            event("e1", "2 12:00", to="adults"),
            contacts("2 12:30", attributes={"age": "17"}),
        ),
        sent=("2 12:00 push: e1", "2 13:00 email: e1"),
    ),
    Flow(
        name="who is online gets the message in the app, and the mail if they don't look",
        catalogue=kind('online = "inapp"\n' + MAIL_LATER, "inapp push"),
        acts=(present("2 11:00", "2 13:00"), event("e1", "2 12:00")),
        sent=("2 12:00 inapp: e1", "2 13:00 email: e1"),
        silent=("e1 push online",),
    ),
    Flow(
        name="who is online needs no daily push of it",
        catalogue=kind('online = "inapp"\n', "inapp push"),
        acts=(
            wishes("1 00:00", frequency={"things": "daily"}),
            present("2 11:00", "2 13:00"),
            event("e1", "2 12:00"),
            event("e2", "2 14:00"),
        ),
        sent=("2 12:00 inapp: e1", "2 14:00 inapp: e2", "3 09:00 push: e2"),
        silent=("e1 push online",),
    ),
    # Another zone, another clock.
    Flow(
        name="a step that waits for its window goes at once where its reader lands in it",
        catalogue=kind(DAYS + MAIL_LATER),
        acts=(event("e1", "2 17:30"), contacts("2 20:00", zone=NEW_YORK)),
        sent=("2 17:30 push: e1", "2 20:00 email: e1"),
    ),
    Flow(
        name="a step that had been within the window is not where its reader lands",
        catalogue=kind(DAYS + MAIL_LATER),
        acts=(
            contacts("1 01:00", zone=NEW_YORK),
            event("e1", "2 20:00"),
            contacts("2 20:30", zone=BERLIN),
        ),
        sent=("2 20:00 push: e1", "3 08:00 email: e1"),
    ),
    Flow(
        name="a delay that ends at night is over at once for who lands in the morning",
        catalogue=kind(UNTIL + 'delay = "1h"'),
        acts=(
            QUIET,
            event("e1", "2 21:30", cart="c1"),
            contacts("2 23:00", zone=TOKYO),
            ordered("2 23:30"),
        ),
        sent=("2 23:00 push: e1",),
    ),
    Flow(
        name="unless it was ended before they landed",
        catalogue=kind(UNTIL + 'delay = "1h"'),
        acts=(
            QUIET,
            event("e1", "2 21:30", cart="c1"),
            ordered("2 22:50"),
            contacts("2 23:00", zone=TOKYO),
        ),
        sent=(),
        silent=("e1 push cancelled",),
    ),
    Flow(
        name="quiet hours of the night in which the clock is set forward end by the new one",
        catalogue=kind(),
        acts=(contacts("1 01:00", zone=NEW_YORK), QUIET, event("e1", "8 04:30")),
        sent=("8 11:00 push: e1",),
    ),
    Flow(
        name="so does the wait for the daily message",
        catalogue=kind(),
        acts=(
            contacts("1 01:00", zone=NEW_YORK),
            wishes("1 01:01", frequency={"things": "daily"}),
            event("e1", "7 20:00"),
        ),
        sent=("8 13:00 push: e1",),
    ),
    Flow(
        name="a weekly message without what was ended comes on Monday morning where its reader is",
        catalogue=kind(UNTIL, ttl="9d"),
        acts=(
            wishes("1 00:00", frequency={"things": "weekly"}),
            event("e1", "3 10:00", cart="c1"),
            event("e2", "4 10:00", cart="c2"),
            ordered("5 10:00"),
            contacts("6 10:00", zone=NEW_YORK),
        ),
        sent=("9 13:00 push: e2",),
        silent=("e1 push cancelled",),
    ),
    # What stands by.
    Flow(
        name="a device that goes at night leaves the text for the morning, and the mail after it",
        catalogue=kind(STANDING_BY + MAIL_LATER, "push sms"),
        acts=(
            night(channels={"sms": True}),
            event("e1", "2 23:00"),
            contacts("3 01:00", devices=[]),
        ),
        sent=("3 07:00 sms: e1", "3 08:00 email: e1"),
        silent=("e1 push no_address",),
    ),
    Flow(
        name="what stands by for a digest has of it what is not muted",
        catalogue=kind(STANDING_BY + HOURLY, "push sms"),
        acts=(
            TEXTED,
            event("e1", "2 12:00", key="one"),
            event("e2", "2 12:10", key="two"),
            wishes("2 12:30", channels={"sms": True}, mutes={"things/two": None}),
            contacts("2 12:40", devices=[]),
        ),
        sent=("2 13:00 sms: e1",),
        silent=("e2 push muted", "e2 sms muted", "e1 push no_address"),
    ),
    Flow(
        name="what takes its place at night ends what stands by too",
        catalogue=kind(STANDING_BY + LAST, "push sms"),
        acts=(
            night(channels={"sms": True}),
            event("e1", "2 23:00", ride="r1"),
            contacts("2 23:05", devices=[]),
            event("e2", "2 23:10", ride="r1"),
        ),
        sent=("3 07:00 sms: e2",),
        silent=("e2 push no_address", "e1 push cancelled", "e1 sms cancelled"),
    ),
    Flow(
        name="what ends it at night ends what stands by too",
        catalogue=kind(STANDING_BY + UNTIL, "push sms"),
        acts=(
            night(channels={"sms": True}),
            event("e1", "2 23:00", cart="c1"),
            ordered("3 01:00"),
        ),
        sent=(),
        silent=("e1 push cancelled", "e1 sms cancelled"),
    ),
    Flow(
        name="a limit sets off no text, and a device that is gone does, within a limit of its own",
        catalogue=kind(STANDING_BY + ONE_A_DAY, "push sms"),
        acts=(
            TEXTED,
            event("e1", "2 12:00"),
            event("e2", "2 12:10"),
            contacts("2 12:20", devices=[]),
            event("e3", "2 12:30"),
            event("e4", "2 12:40"),
        ),
        sent=("2 12:00 push: e1", "2 12:30 sms: e3"),
        silent=(
            "e1 sms fall_back",
            "e2 push rate_limited",
            "e2 sms fall_back",
            "e3 push no_address",
            "e4 push no_address",
            "e4 sms rate_limited",
        ),
    ),
    # Receipts.
    Flow(
        name="a text of the morning that arrives needs no mail",
        catalogue=kind(RECEIPT, "sms"),
        acts=(
            night(channels={"sms": True}),
            event("e1", "2 23:00"),
            arrived("3 07:02", "e1"),
        ),
        sent=("3 07:00 sms: e1",),
        silent=("e1 email engaged",),
    ),
    Flow(
        name="and that does not arrive is followed by one",
        catalogue=kind(RECEIPT, "sms"),
        acts=(night(channels={"sms": True}), event("e1", "2 23:00")),
        sent=("3 07:00 sms: e1", "3 07:05 email: e1"),
    ),
    Flow(
        name="who wants no texts has the mail at once",
        catalogue=kind(RECEIPT, "sms"),
        acts=(event("e1", "2 12:00"),),
        sent=("2 12:00 email: e1",),
        silent=("e1 sms opted_out",),
    ),
    # Held by the producer.
    Flow(
        name="what is to come at night comes in the morning, and its steps after that",
        catalogue=kind(LAST + MAIL_LATER),
        acts=(QUIET, held("e1", "2 12:00", "02T23:00:00", ride="r1")),
        sent=("3 07:00 push: e1", "3 08:00 email: e1"),
    ),
    Flow(
        name="what is to come later is in the daily message after that",
        catalogue=kind(LAST),
        acts=(
            wishes("1 00:00", frequency={"things": "daily"}),
            held("e1", "2 12:00", "03T10:00:00", ride="r1"),
            event("e2", "2 13:00", ride="r2"),
        ),
        sent=("3 09:00 push: e2", "4 09:00 push: e1"),
    ),
    Flow(
        name="an order ends what is to come tomorrow",
        catalogue=kind(UNTIL),
        acts=(
            Act(
                "2 12:00",
                (first := event("e1", "2 12:00", cart="c1")).topic,
                first.key,
                first.value | {"deliver_at": "2026-03-03T12:00:00Z"},
            ),
            ordered("2 13:00"),
        ),
        sent=(),
        silent=("e1 push cancelled",),
    ),
    # Two that never meet, and what is over a limit.
    Flow(
        name="a window that is all quiet lets nothing out, and says so when it is too old",
        catalogue=kind(DAYS),
        acts=(
            wishes("1 00:00", quiet_hours=[{"start": "08:00", "end": "20:00"}]),
            event("e1", "2 12:00"),
        ),
        sent=(),
        silent=("e1 push quiet_hours",),
    ),
    Flow(
        name="what is over a limit in the morning and read before there is room is left out",
        catalogue=kind('rate_limit = { count = 1, seconds = 3600, over = "digest" }'),
        acts=(
            QUIET,
            event("e1", "2 22:10"),
            event("e2", "2 22:20"),
            event("e3", "2 22:30"),
            noticed("3 07:30", "e2"),
        ),
        sent=("3 07:00 push: e1", "3 08:00 push: e3"),
        silent=("e2 push engaged",),
    ),
    Flow(
        name="a digest at night loses what was ended and what was replaced, each for its reason",
        catalogue=kind(UNTIL + LAST + HOURLY),
        acts=(
            QUIET,
            event("e1", "2 21:30", ride="r1", cart="c1"),
            event("e2", "2 21:40", ride="r2", cart="c2"),
            event("e3", "2 22:10", ride="r1", cart="c3"),
            ordered("2 23:00", "c2"),
        ),
        sent=("3 07:00 push: e3",),
        silent=("e2 push cancelled", "e1 push cancelled"),
    ),
)
