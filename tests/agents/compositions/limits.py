"""Rows of limits: a notification counts once, and what waited is not lost to them."""

from tests.agents.compositions.flow import NIGHT, Flow, event, events, kind, wishes

ONE_A_DAY = "[categories.things]\nrate_limit = { count = 1, seconds = 86400 }"
ONE_OF_THE_TENANT = "[tenants.default]\nrate_limit = { count = 1, seconds = 3600 }"
PUSH_LATER = 'escalation = [{ after = "5m", channels = ["push"] }]'
BOTH = ("2 12:00 inapp: e1", "2 12:05 push: e1")

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
)
