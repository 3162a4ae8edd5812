"""Rows of a tenant's day: each message counts, whatever else keeps or moves it."""

from tests.agents.compositions.flow import NIGHT, Flow, event, events, kind, wishes

TWO_HOURS = "[categories.things]\nrate_limit = { count = 1, seconds = 7200 }"


def day(limit: str, zone: str = "UTC") -> str:
    return f'[tenants.default]\nzone = "{zone}"\ndaily_limit = {{ {limit} }}'


DAILY_LIMITS = (
    Flow(
        name="a tenant's day begins and ends by its own clock",
        catalogue=kind(more=day("messages = 1", "Asia/Tokyo")),
        acts=(event("e1", "2 12:00"), event("e2", "2 14:59"), event("e3", "2 15:00")),
        sent=("2 12:00 push: e1", "2 15:00 push: e3"),
        silent=("e2 push daily_limit",),
    ),
    Flow(
        name="each message of an escalation counts in the day",
        catalogue=kind(
            'escalation = [{ after = "5m", channels = ["push"] }]',
            "inapp",
            more=day("messages = 1"),
        ),
        acts=(event("e1", "2 12:00"),),
        sent=("2 12:00 inapp: e1",),
        silent=("e1 push daily_limit",),
    ),
    Flow(
        name="a mail goes where texts are paid for no more",
        catalogue=kind(
            'transactional = true\nfallback = { email = ["sms"] }',
            "sms email",
            more=day("sms_cost = 0.99"),
        ),
        acts=(event("e1", "2 12:00"), event("e2", "2 12:01")),
        sent=("2 12:00 sms: e1", "2 12:01 email: e2"),
        silent=("e1 email fall_back", "e2 sms daily_limit"),
    ),
    Flow(
        name="a digest beyond the day is not sent, and each of its events says so",
        catalogue=kind(
            'digests = [{ channels = ["push"], every = "10m" }]',
            "inapp push",
            more=day("messages = 2"),
        ),
        acts=events(2, "2 12:00"),
        sent=("2 12:00 inapp: e01", "2 12:00 inapp: e02"),
        silent=("e01 push daily_limit", "e02 push daily_limit"),
    ),
    Flow(
        name="what waited for the morning counts in the day in which it is due",
        catalogue=kind(more=day("messages = 1")),
        acts=(
            event("e0", "2 12:00"),
            wishes("2 12:01", quiet_hours=NIGHT),
            event("e1", "2 23:00"),
            event("e2", "3 12:00"),
        ),
        sent=("2 12:00 push: e0", "3 07:00 push: e1"),
        silent=("e2 push daily_limit",),
    ),
    Flow(
        name="what the day refuses counts in no other limit",
        catalogue=kind(more=f"{TWO_HOURS}\n{day('messages = 1')}"),
        acts=(event("e1", "1 21:00"), event("e2", "1 23:30"), event("e3", "2 00:00")),
        sent=("1 21:00 push: e1", "2 00:00 push: e3"),
        silent=("e2 push daily_limit",),
    ),
    Flow(
        name="the same event again counts once in the day",
        catalogue=kind(more=day("messages = 2")),
        acts=(event("e1", "2 12:00"), event("e1", "2 12:00"), event("e2", "2 12:01")),
        sent=("2 12:00 push: e1", "2 12:01 push: e2"),
        silent=("e1 all duplicate",),
    ),
)
