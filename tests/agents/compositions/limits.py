"""Rows of limits: a notification counts once, and what waited is not lost to them."""

from tests.agents.compositions.flow import NIGHT, Flow, event, events, kind, wishes

ONE_A_DAY = "[categories.things]\nrate_limit = { count = 1, seconds = 86400 }"
ONE_OF_THE_TENANT = "[tenants.default]\nrate_limit = { count = 1, seconds = 3600 }"
PUSH_LATER = 'escalation = [{ after = "5m", channels = ["push"] }]'
BOTH = ("2 12:00 inapp: e1", "2 12:05 push: e1")
OVERNIGHT = tuple(event(f"e{number:02}", f"2 23:{3 * number:02}") for number in range(1, 16))
SMS = """transactional = true
rate_limit = { count = 1, seconds = 3600 }
fallback = { sms = ["push"] }"""

LIMITS = (
    Flow(
        name="a category counts an escalation once",
        catalogue=kind(PUSH_LATER, "inapp", more=ONE_A_DAY),
        acts=(event("e1", "2 12:00"), event("e2", "2 13:00")),
        sent=BOTH,
        silent=("e2 inapp rate_limited", "e2 push rate_limited"),
    ),
    Flow(
        name="a category counts what waited for the morning once",
        catalogue=kind("", "inapp push", more=ONE_A_DAY),
        acts=(wishes("2 11:00", quiet_hours=NIGHT), event("e1", "2 23:00")),
        sent=("2 23:00 inapp: e1", "3 07:00 push: e1"),
    ),
    Flow(
        name="a limit by actor counts an escalation once",
        catalogue=kind(f"actor_limit = {{ count = 1, seconds = 3600 }}\n{PUSH_LATER}", "inapp"),
        acts=(event("e1", "2 12:00"),),
        sent=BOTH,
    ),
    Flow(
        name="a tenant counts an escalation once",
        catalogue=kind(PUSH_LATER, "inapp", more=ONE_OF_THE_TENANT),
        acts=(event("e1", "2 12:00"),),
        sent=BOTH,
    ),
    Flow(
        name="a digest of what counted already is free",
        catalogue=kind(
            'digests = [{ channels = ["push"], every = "10m" }]',
            "inapp push",
            more=ONE_A_DAY.replace("count = 1", "count = 3"),
        ),
        acts=events(3, "2 12:00"),
        sent=(
            "2 12:00 inapp: e01",
            "2 12:00 inapp: e02",
            "2 12:00 inapp: e03",
            "2 12:10 push: e01 | e02 | e03",
        ),
    ),
    Flow(
        name="two digests of the same events count once",
        catalogue=kind(
            """digests = [{ channels = ["push"], key = "key", every = "10m" },
            { channels = ["email"], key = "key", at = ["18:00"] }]""",
            "push email",
            more=ONE_A_DAY,
        ),
        acts=(event("e1", "2 12:00"), event("e2", "2 12:05")),
        sent=("2 12:10 push: e1 | e2", "2 18:00 email: e1 | e2"),
    ),
    Flow(
        name="what waited overnight folds beyond the limit and in order of time",
        catalogue=kind(),
        acts=(wishes("2 11:00", quiet_hours=NIGHT), *OVERNIGHT),
        sent=(
            *(f"3 07:00 push: e{number:02}" for number in range(1, 11)),
            "3 08:00 push: e11 | e12 | e13 | e14 | e15",
        ),
    ),
    Flow(
        name="what waited overnight goes by priority first",
        catalogue=kind(),
        others=(kind(name="urgent"),),
        acts=(
            wishes("2 11:00", quiet_hours=NIGHT),
            *OVERNIGHT[:10],
            event("late", "3 01:00", "urgent"),
        ),
        sent=(
            "3 07:00 push: late",
            *(f"3 07:00 push: e{number:02}" for number in range(1, 10)),
            "3 08:00 push: e10",
        ),
    ),
    Flow(
        name="what would be too old when there is room again is dropped",
        catalogue=kind("rate_limit = { count = 1, seconds = 86400 }", ttl="20h"),
        acts=(
            wishes("2 11:00", quiet_hours=NIGHT),
            event("e1", "2 23:00"),
            event("e2", "2 23:10"),
        ),
        sent=("3 07:00 push: e1",),
        silent=("e2 push rate_limited",),
    ),
    Flow(
        name="a digest of a day waits until there is room",
        catalogue=kind('digests = [{ channels = ["push"], at = ["18:00"] }]'),
        others=(kind(name="chatter", category="chatter"),),
        acts=(
            *events(3, "2 09:00"),
            *(event(f"c{number}", "2 17:50", "chatter") for number in range(10)),
        ),
        sent=(
            *(f"2 17:50 push: c{number}" for number in range(10)),
            "2 18:50 push: e01 | e02 | e03",
        ),
    ),
    Flow(
        name="chatter does not use up what is transactional",
        catalogue=kind("transactional = true"),
        others=(kind(name="chatter", category="chatter"),),
        acts=(
            *(event(f"c{number}", "2 12:00", "chatter") for number in range(11)),
            event("e1", "2 12:10"),
        ),
        sent=(*(f"2 12:00 push: c{number}" for number in range(10)), "2 12:10 push: e1"),
        silent=("c10 push rate_limited",),
    ),
    Flow(
        name="no text message where a push is only over a limit",
        catalogue=kind(SMS, "push sms"),
        acts=(*events(1, "2 12:00"), event("e2", "2 12:01")),
        sent=("2 12:00 push: e01",),
        silent=("e01 sms fall_back", "e2 push rate_limited", "e2 sms fall_back"),
    ),
    Flow(
        name="a text message where the type wants it even over a limit",
        catalogue=kind(f"{SMS}\nfallback_over_limit = true", "push sms"),
        acts=(*events(1, "2 12:00"), event("e2", "2 12:01")),
        sent=("2 12:00 push: e01", "2 12:01 sms: e2"),
        silent=("e01 sms fall_back", "e2 push rate_limited"),
    ),
    Flow(
        name="a mail costs nothing and goes where a push is over a limit",
        catalogue=kind(SMS.replace("sms", "email"), "push email"),
        acts=(*events(1, "2 12:00"), event("e2", "2 12:01")),
        sent=("2 12:00 push: e01", "2 12:01 email: e2"),
        silent=("e01 email fall_back", "e2 push rate_limited"),
    ),
)
