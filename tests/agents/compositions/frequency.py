"""Rows of how often a user wants to hear of a category: one message a category and channel."""

from tests.agents.compositions.flow import NIGHT, Flow, contacts, event, kind, wishes

DAILY = wishes("1 12:00", frequency={"things": "daily"})
HOURLY = wishes("1 12:00", frequency={"things": "hourly"})
SESSION = 'digests = [{ channels = ["push"], key = "key", pause = "10m" }]'
WEEKLY = 'digests = [{ channels = ["push"], key = "key", at = ["18:00"], days = ["wed"] }]'


def named(name: str, special: str = "", **more: str) -> str:
    """A type whose texts say which it is."""
    text = f'{{ title = "{name.upper()}", body = "{{{{ data.text }}}}" }}'
    return kind(special, name=name, push=text, **more)


DAILY_AT_NINE = wishes("2 21:00", frequency={"things": "daily"})
WORKDAYS = '["mon", "tue", "wed", "thu", "fri"]'
OFFICE = f'send_within = [{{ days = {WORKDAYS}, start = "10:00", end = "18:00" }}]'
BY_WEEK = '[tenants.default]\nfrequency = { things = "weekly" }'
LIKES, MENTIONS = named("like"), named("mention")

FREQUENCY = (
    Flow(
        name="fifteen posts with digests of their own are one message a day",
        catalogue=kind(SESSION),
        acts=(DAILY, *(event(f"e{n:02}", f"2 10:{n:02}", key=f"p{n}") for n in range(1, 16))),
        sent=(
            "3 09:00 push: e15 | "
            + " | ".join(f"Hi | e{number:02}" for number in range(14, 0, -1)),
        ),
    ),
    Flow(
        name="three types of a category are one message, the newest first",
        catalogue=kind(),
        others=(LIKES, MENTIONS),
        acts=(
            DAILY,
            event("e1", "2 10:00"),
            event("l1", "2 10:30", "like"),
            event("e2", "2 11:00"),
            event("m1", "2 12:00", "mention"),
        ),
        sent=("3 09:00 push: m1 | Hi | e1 | e2 | LIKE | l1",),
    ),
    Flow(
        name="two categories are two messages",
        catalogue=kind(),
        others=(named("like", category="likes"),),
        acts=(
            wishes("1 12:00", frequency={"*": "daily"}),
            event("e1", "2 10:00"),
            event("l1", "2 10:30", "like"),
        ),
        sent=("3 09:00 push: e1", "3 09:00 push: l1"),
    ),
    Flow(
        name="a tenant's users may hear once a week, on Mondays, at their own time of day",
        catalogue=kind(ttl="9d", more=BY_WEEK),
        others=(named("like", ttl="9d"),),
        acts=(
            # The first of March 2026 is a Sunday.
            event("e1", "1 10:00"),
            wishes("2 10:00", digest_at="18:00"),
            event("e2", "3 10:00"),
            event("l1", "8 23:00", "like"),
        ),
        sent=("2 09:00 push: e1", "9 18:00 push: l1 | Hi | e2"),
    ),
    Flow(
        name="weekly comes before one of its events is too old",
        catalogue=kind(ttl="2d", more=BY_WEEK),
        acts=(event("e1", "3 10:00"), event("e2", "4 10:00"), event("e3", "6 10:00")),
        sent=("5 09:59 push: e1 | e2", "8 09:59 push: e3"),
    ),
    Flow(
        name="so may a user who wants it, whose mute in between leaves the rest of the message",
        catalogue=kind(ttl="9d"),
        others=(named("like", ttl="9d"),),
        acts=(
            wishes("1 12:00", frequency={"things": "weekly"}),
            event("e1", "3 10:00"),
            event("l1", "4 10:00", "like", key="one"),
            wishes("5 12:00", frequency={"things": "weekly"}, mutes={"things/one": None}),
            event("e2", "6 10:00"),
        ),
        sent=("9 09:00 push: e1 | e2",),
        silent=("l1 push muted",),
    ),
    Flow(
        name="and goes before what the tenant wants",
        catalogue=kind(ttl="9d", more=BY_WEEK),
        acts=(wishes("1 12:00", frequency={"things": "hourly"}), event("e1", "3 10:00")),
        sent=("3 11:00 push: e1",),
    ),
    Flow(
        name="hourly is one message an hour from the first event on",
        catalogue=kind(),
        others=(LIKES,),
        acts=(
            HOURLY,
            event("e1", "2 10:10"),
            event("l1", "2 10:50", "like"),
            event("e2", "2 11:20"),
            event("e3", "2 12:10"),
        ),
        sent=("2 11:10 push: l1 | Hi | e1", "2 12:20 push: e2 | e3"),
    ),
    Flow(
        name="a weekly digest stays weekly, and is one for all keys",
        catalogue=kind(WEEKLY, ttl="10d"),
        others=(LIKES,),
        acts=(
            DAILY,
            event("e1", "2 10:00", key="one"),  # a Monday
            event("l1", "2 10:30", "like"),
            event("e2", "3 10:00", key="two"),
            event("l2", "3 10:30", "like"),
        ),
        sent=("3 09:00 push: l1", "4 09:00 push: l2", "5 09:00 push: e2 | Hi | e1"),
    ),
    Flow(
        name="a busy session lasts as long as without the wish",
        catalogue=kind(SESSION.replace("10m", "11m")),
        acts=(HOURLY, *(event(f"e{n:02}", f"2 {9 + n // 6:02}:{n % 6}5") for n in range(10))),
        sent=("2 10:46 push: " + " | ".join(f"e{n:02}" for n in range(10)),),
    ),
    Flow(
        name="a lone event of a session still waits for the hour",
        catalogue=kind(SESSION),
        acts=(HOURLY, event("e1", "2 10:00")),
        sent=("2 11:00 push: e1",),
    ),
    Flow(
        name="what would be too old in the morning brings the message before it is",
        catalogue=kind(),
        others=(named("chat", ttl="1h"),),
        acts=(
            DAILY,
            event("e1", "2 10:00"),
            event("c1", "2 12:00", "chat"),
            event("c2", "2 12:10", "chat"),
            event("e2", "2 14:00"),
        ),
        sent=("2 12:59 push: c1 | c2 | Hi | e1", "3 09:00 push: e2"),
    ),
    Flow(
        name="a digest that comes less often than its events live is not hurried by a wish",
        catalogue=kind(WEEKLY, ttl="1d"),
        acts=(DAILY, event("e1", "2 10:00"), event("e2", "4 10:00")),
        sent=("5 09:00 push: e2",),
        silent=("e1 push expired",),
    ),
    Flow(
        name="each event of a message is judged by its own type and topic",
        catalogue=kind(),
        others=(LIKES, named("chat", ttl="8h")),
        acts=(
            wishes("1 12:00", frequency={"things": "daily"}, quiet_hours=NIGHT),
            event("e1", "2 16:00", key="one"),
            event("l1", "2 17:00", "like", key="two"),
            event("c1", "2 22:30", "chat", key="three"),
            wishes(
                "2 23:00",
                frequency={"things": "daily"},
                quiet_hours=NIGHT,
                mutes={"things/two": None},
            ),
        ),
        sent=("3 09:00 push: e1",),
        silent=("l1 push muted", "c1 push expired"),
    ),
    Flow(
        name="a category's limit counts the message once",
        catalogue=kind(more="[categories.things]\nrate_limit = { count = 1, seconds = 3600 }"),
        others=(LIKES,),
        acts=(DAILY, event("e1", "2 10:00"), event("l1", "2 10:30", "like")),
        sent=("3 09:00 push: l1 | Hi | e1",),
    ),
    Flow(
        name="what stands by for the message is one message too",
        catalogue=kind('fallback = { sms = ["push"] }', "push sms"),
        others=(LIKES,),
        acts=(
            wishes("1 12:00", frequency={"things": "daily"}, channels={"sms": True}),
            event("e1", "2 10:00"),
            event("l1", "2 10:30", "like"),
            event("e2", "2 11:00"),
            contacts("2 12:00", devices=[]),
        ),
        sent=("3 09:00 sms: e1 | e2",),
        silent=("e1 push no_address", "e2 push no_address", "l1 push no_address"),
    ),
    Flow(
        name="what becomes too old at night comes before the night",
        catalogue=kind(ttl="7h"),
        acts=(
            wishes("1 12:00", quiet_hours=NIGHT, frequency={"things": "daily"}),
            event("e1", "2 18:00"),
            event("e2", "2 20:00"),
            event("e3", "2 22:30"),
        ),
        sent=("2 21:59 push: e1 | e2",),
        silent=("e3 push expired",),
    ),
    Flow(
        name="so it does where the user chooses quiet hours meanwhile",
        catalogue=kind(ttl="7h"),
        acts=(
            DAILY,
            event("e1", "2 20:00"),
            wishes("2 21:00", quiet_hours=NIGHT, frequency={"things": "daily"}),
        ),
        sent=("2 21:59 push: e1",),
    ),
    Flow(
        name="and waits for longer where they are taken away",
        catalogue=kind(ttl="7h"),
        acts=(
            wishes("1 12:00", quiet_hours=NIGHT, frequency={"things": "daily"}),
            event("e1", "2 20:00"),
            DAILY_AT_NINE,
        ),
        sent=("3 02:59 push: e1",),
    ),
    Flow(
        name="what becomes too old at the weekend comes while the window is open on Friday",
        catalogue=kind(OFFICE, ttl="4d", more=BY_WEEK),
        acts=(event("e1", "3 11:00"), event("e2", "6 17:30"), event("e3", "6 18:30")),
        sent=("6 17:59 push: e1 | e2", "9 10:00 push: e3"),
    ),
)
