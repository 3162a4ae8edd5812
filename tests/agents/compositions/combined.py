"""Rows where three features meet of which each pair has rows elsewhere.

Of half of all users, `ann` is in those that are named "a", and not in those that are named "b";
of those named "e" of the type "other", she is.
"""

from tests.agents.compositions.endings import UNTIL, ordered
from tests.agents.compositions.flow import NIGHT, Flow, contacts, event, kind, wishes
from tests.agents.compositions.holdouts import ALL, IN, OUT
from tests.agents.compositions.messages import message
from tests.agents.compositions.replacing import LAST
from tests.agents.compositions.segments import ADULT, SEGMENTS, TO
from tests.agents.compositions.windows import DAYS

DAILY = wishes("1 00:00", frequency={"things": "daily"}, digest_at="09:00")
HOURLY = 'digests = [{ channels = ["push"], every = "1h" }]\n'
MAIL_LATER = 'escalation = [{ after = "1h", channels = ["email"] }]\n'
ONE_A_DAY = "[categories.things]\nrate_limit = { count = 1, seconds = 86400 }\n"
WORDS = """
[types.thing.experiment]
name = "words"
variants.own = {}
[types.thing.experiment.variants.other]
weight = 1000000
[types.thing.experiment.variants.other.templates.push]
title = "Hi"
body = "other {{ data.text }}"
"""
"""Of whom next to nobody reads the type's own words."""
SENDER = '[tenants.default]\nsender = { name = "Acme", address = "hello@acme.example" }\n'

COMBINED = (
    # A holdout, a digest and a message whose texts the caller gives.
    Flow(
        name="a message is in the daily one of its category where the type is held out",
        catalogue=kind(OUT),
        acts=(
            DAILY,
            event("e1", "2 12:00"),
            message("m1", "2 12:10", "push", category="things"),
        ),
        sent=("3 09:00 push: m1",),
        silent=("e1 all holdout",),
    ),
    Flow(
        name="where it is not held out the daily one has both and the newest first",
        catalogue=kind(IN),
        acts=(
            DAILY,
            event("e1", "2 12:00"),
            message("m1", "2 12:10", "push", category="things"),
        ),
        sent=("3 09:00 push: m1 | Hi | e1",),
    ),
    Flow(
        name="what is held out of all types leaves the category's limit to a message",
        catalogue=kind(more=ONE_A_DAY + ALL),
        acts=(
            event("e1", "2 12:00"),
            message("m1", "2 12:10", "push", category="things"),
            message("m2", "2 12:20", "push", category="things"),
        ),
        sent=("2 12:10 push: m1",),
        silent=("e1 all holdout", "m2 push rate_limited"),
    ),
    Flow(
        name="a message waits for the morning with the digest of those who are told",
        catalogue=kind(IN + HOURLY),
        acts=(
            wishes("1 00:00", quiet_hours=NIGHT),
            event("e1", "2 21:30"),
            event("e2", "2 21:40"),
            message("m1", "2 22:30", "push", category="things"),
        ),
        sent=("3 07:00 push: e1 | e2", "3 07:00 push: m1"),
    ),
    # What is replaced, at night, in a digest.
    Flow(
        name="what is replaced at night is left out of a digest that waits for the morning",
        catalogue=kind(LAST + HOURLY),
        acts=(
            wishes("1 00:00", quiet_hours=NIGHT),
            event("e1", "2 21:30", ride="r1"),
            event("e2", "2 21:40", ride="r2"),
            event("e3", "2 22:10", ride="r1"),
        ),
        sent=("3 07:00 push: e2 | e3",),
        silent=("e1 push cancelled",),
    ),
    Flow(
        name="a digest of which all is replaced before the morning is no message",
        catalogue=kind(LAST + HOURLY),
        acts=(
            wishes("1 00:00", quiet_hours=NIGHT),
            event("e1", "2 21:30", ride="r1"),
            event("e2", "2 23:30", ride="r1"),
        ),
        sent=("3 07:00 push: e2",),
        silent=("e1 push cancelled",),
    ),
    Flow(
        name="so it is where the user wants it hourly",
        catalogue=kind(LAST),
        acts=(
            wishes("1 00:00", quiet_hours=NIGHT, frequency={"things": "hourly"}),
            event("e1", "2 21:30", ride="r1"),
            event("e2", "2 23:30", ride="r1"),
        ),
        sent=("3 07:00 push: e2",),
        silent=("e1 push cancelled",),
    ),
    Flow(
        name="quiet hours that are taken away let the last of each ride out at once",
        catalogue=kind(LAST + HOURLY),
        acts=(
            wishes("1 00:00", quiet_hours=NIGHT),
            event("e1", "2 21:30", ride="r1"),
            event("e2", "2 22:10", ride="r1"),
            wishes("2 23:00"),
        ),
        sent=("2 23:00 push: e2",),
        silent=("e1 push cancelled",),
    ),
    # What another event ends, a later step, a window to send in.
    Flow(
        name="a step counts from when the window let the one before it out",
        catalogue=kind(UNTIL + DAYS + MAIL_LATER),
        acts=(event("e1", "2 20:00", cart="c1"),),
        sent=("3 09:00 push: e1", "3 10:00 email: e1"),
    ),
    Flow(
        name="a step that is due outside of the window waits for it",
        catalogue=kind(UNTIL + DAYS + MAIL_LATER),
        acts=(event("e1", "2 17:30", cart="c1"),),
        sent=("2 17:30 push: e1", "3 09:00 email: e1"),
    ),
    Flow(
        name="an order ends a step that waits for the window",
        catalogue=kind(UNTIL + DAYS + MAIL_LATER),
        acts=(event("e1", "2 17:30", cart="c1"), ordered("2 20:00")),
        sent=("2 17:30 push: e1",),
        silent=("e1 email cancelled",),
    ),
    Flow(
        name="an order ends the steps after what waits for the window as well",
        catalogue=kind(UNTIL + DAYS + MAIL_LATER),
        acts=(event("e1", "2 20:00", cart="c1"), ordered("3 08:00")),
        sent=(),
        silent=("e1 push cancelled",),
    ),
    Flow(
        name="a step that the window puts off beyond the time to live is too old",
        catalogue=kind(UNTIL + DAYS + MAIL_LATER, ttl="12h"),
        acts=(event("e1", "2 17:30", cart="c1"),),
        sent=("2 17:30 push: e1",),
        silent=("e1 email expired",),
    ),
    # A segment, a holdout, an experiment.
    Flow(
        name="who is in the segment and not held out reads the words of their variant",
        catalogue=TO.replace("[types.thing.templates]", f"{IN}[types.thing.templates]")
        + WORDS
        + SEGMENTS,
        acts=(
            contacts("1 00:01", attributes=ADULT),
            event("e1", "2 12:00", to="adults"),
            event("e2", "2 12:05", to="germans"),
        ),
        sent=("2 12:00 push: other e1",),
    ),
    Flow(
        name="who is held out is so of each segment that they are in and of no other",
        catalogue=TO.replace("[types.thing.templates]", f"{OUT}[types.thing.templates]")
        + WORDS
        + SEGMENTS,
        acts=(
            contacts("1 00:01", attributes=ADULT),
            event("e1", "2 12:00", to="adults"),
            event("e2", "2 12:05", to="germans"),
            contacts("2 12:10", attributes=ADULT | {"country": "DE"}),
            event("e3", "2 12:15", to="germans"),
        ),
        sent=(),
        silent=("e1 all holdout", "e3 all holdout"),
    ),
    Flow(
        name="who leaves the segment gets what is gathered in the words of their variant",
        catalogue=TO.replace("[types.thing.templates]", f"{IN}{HOURLY}[types.thing.templates]")
        + WORDS
        + SEGMENTS,
        acts=(
            contacts("1 00:01", attributes=ADULT),
            event("e1", "2 12:00", to="adults"),
            contacts("2 12:10", attributes={"age": "17"}),
            event("e2", "2 12:15", to="adults"),
        ),
        sent=("2 13:00 push: other e1",),
    ),
    # A sender of the tenant's, and an address that nothing goes to.
    Flow(
        name="whoever a mail is from it does not go to an address that bounced",
        catalogue=kind(channels="email", more=SENDER),
        acts=(
            contacts("1 00:01", suppressed=["ann@example.org"]),
            event("e1", "2 12:00"),
            contacts("2 12:10", email="ann@home.example", suppressed=["ann@example.org"]),
            event("e2", "2 12:15"),
        ),
        sent=("2 12:15 email: e2",),
        silent=("e1 email suppressed_address",),
    ),
    Flow(
        name="nor does a mail that was gathered before it bounced",
        catalogue=kind('digests = [{ channels = ["email"], every = "1h" }]', "email", more=SENDER),
        acts=(
            event("e1", "2 12:00"),
            event("e2", "2 12:10"),
            contacts("2 12:30", suppressed=["ann@example.org"]),
        ),
        sent=(),
        silent=("e1 email suppressed_address", "e2 email suppressed_address"),
    ),
)
