"""Rows of a company's catalogue, in which each type uses several features at once.

Its users live in Berlin, an hour ahead of the times in the rows. Of the holdouts, `ann` is in none.
"""

from typing import Any

from schemas.topics import EVENTS
from tests.agents.compositions.flow import (
    USER,
    Act,
    Flow,
    arrived,
    contacts,
    moment,
    noticed,
    present,
    wishes,
)
from tests.agents.compositions.messages import message

BASKET = """
event = "basket.abandoned"
[types.basket_nudge]
category = "offers"
priority = "low"
users = "customer"
topic = "basket"
channels = ["push"]
delay = "2h"
time_to_live = "3d"
until = { event = "order.paid", match = "basket" }
holdout = { share = "10%", name = "q1" }
goal = { event = "order.paid", within = "3d", match = "basket", user = "customer" }
send_within = [{ start = "09:00", end = "20:00" }]
escalation = [{ after = "1d", channels = ["email"], unless = "opened" }]
[types.basket_nudge.templates]
push = { title = "Your basket", body = "nudge {{ data.basket }}" }
email = { title = "Your basket", body = "mail {{ data.basket }}" }
"""
PAGER = """
event = "alarm.raised"
[types.pager]
category = "alarms"
priority = "critical"
users = "first"
topic = "alarm"
channels = ["inapp", "push"]
time_to_live = "1h"
until = { event = "alarm.taken", match = "alarm" }
escalation = [{ after = "2m", channels = ["sms"], unless = "seen" }]
repeat = { every = "5m", times = 2, unless = "clicked", then = ["second"] }
[types.pager.templates]
push = { title = "ALARM", body = "push {{ data.alarm }} {{ user.id }}" }
sms = { body = "sms {{ data.alarm }} {{ user.id }}" }
inapp = { body = "bell {{ data.alarm }} {{ user.id }}" }
"""
ETA = """
event = "eta.changed"
[types.eta]
category = "orders"
priority = "high"
users = "customer"
channels = ["inapp", "push"]
time_to_live = "2h"
replaces = "order"
until = { event = "order.arrived", match = "order" }
rate_limit = { count = 2, seconds = 600 }
[types.eta.templates]
push = { title = "Order", body = "eta {{ data.minutes }}" }
inapp = { body = "bell {{ data.minutes }}" }
"""
CAMPAIGN = """
event = "campaign.started"
[types.campaign]
category = "offers"
priority = "low"
segment_at = "to"
channels = ["email", "push"]
time_to_live = "4d"
send_within = [{ days = ["mon", "tue", "wed", "thu", "fri"], start = "10:00", end = "18:00" }]
holdout = { share = "10%", name = "q1" }
goal = { event = "order.paid", within = "7d", user = "customer" }
[types.campaign.templates]
email.title = "{{ data.text }}"
email.body = "offer {{ data.text }} {{ user.name | default('you') }}"
push = { title = "Offer", body = "offer {{ data.text }}" }
[segments.regulars]
where = "user.orders | int > 3"
[categories.offers]
label = "Offers"
rate_limit = { count = 2, seconds = 604800 }
"""
CHAT = """
event = "chat.posted"
[types.chat]
category = "chat"
priority = "high"
users = "members"
topic = "room"
channels = ["inapp", "push"]
online = "inapp"
online_grace = "1m"
time_to_live = "12h"
digests = [
    { channels = ["push"], key = "room", pause = "2m" },
    { channels = ["email"], key = "room", every = "30m" },
]
escalation = [{ after = "1h", channels = ["email"], unless = "seen" }]
[types.chat.templates]
inapp = { body = "bell {{ data.text }}" }
push = { title = "{{ data.room }}", body = "{{ data.text }}" }
email = { title = "{{ data.room }}", body = "{{ data.text }}" }
"""
BILL = """
event = "invoice.made"
[types.bill]
category = "billing"
priority = "normal"
transactional = true
users = "customer"
channels = ["email"]
time_to_live = "10d"
until = { event = "invoice.paid", match = "invoice" }
escalation = [{ after = "1h", channels = ["push", "sms"], unless = "delivered" }]
fallback = { sms = ["push"] }
rate_limit = { count = 2, seconds = 86400 }
[types.bill.templates]
email = { title = "Invoice", body = "invoice {{ data.invoice }}" }
push = { title = "Invoice", body = "push {{ data.invoice }}" }
sms = { body = "sms {{ data.invoice }}" }
"""
PARCEL = """
event = "parcel.left"
[types.parcel]
category = "orders"
priority = "normal"
users = "customer"
channels = ["push", "email", "sms"]
fallback = { email = ["push"], sms = ["push", "email"] }
time_to_live = "12h"
[types.parcel.templates]
push = { title = "Parcel", body = "parcel {{ data.text }}" }
email = { title = "Parcel", body = "mail {{ data.text }}" }
sms = { body = "sms {{ data.text }}" }
"""
TENANTS = """
[tenants.default]
zone = "Europe/Berlin"
frequency = { social = "daily" }
digest_at = "18:00"
[categories.social]
label = "Social"
rate_limit = { count = 30, seconds = 86400 }
"""
LIKE, FOLLOW = (
    f"""
event = "{name}.made"
[types.{name}]
category = "social"
priority = "normal"
users = "customer"
topic = "post"
channels = ["inapp", "push"]
time_to_live = "2d"
[types.{name}.templates]
inapp = {{ body = "{name} {{{{ data.text }}}}" }}
push = {{ title = "{name}", body = "{{{{ data.text }}}}" }}
"""
    for name in ("like", "follow")
)
OTHERS = (PAGER, ETA, CAMPAIGN, CHAT, BILL, PARCEL, LIKE, FOLLOW, TENANTS)
NIGHT = [{"start": "22:00", "end": "07:00"}]
REGULAR = contacts("1 00:01", attributes={"orders": "5", "name": "Ann"})


def happens(kind: str, name: str, at: str, **data: Any) -> Act:
    value = {
        "id": name,
        "type": kind,
        "actor": "shop",
        "occurred_at": moment(at).isoformat(),
        "data": {"customer": USER, "text": name} | data,
    }
    return Act(at, EVENTS, "shop", value)


def basket(name: str, at: str) -> Act:
    return happens("basket.abandoned", name, at, basket=name)


def paid(name: str, at: str) -> Act:
    return happens("order.paid", f"paid-{name}", at, basket=name)


def alarm(name: str, at: str) -> Act:
    return happens("alarm.raised", name, at, alarm=name, first=USER)


def eta(name: str, at: str, minutes: int) -> Act:
    return happens("eta.changed", name, at, order="o1", minutes=minutes)


def campaign(name: str, at: str) -> Act:
    return happens("campaign.started", name, at, to="regulars")


def posted(name: str, at: str, room: str = "r1") -> Act:
    return happens("chat.posted", name, at, members=[USER], room=room)


def bill(name: str, at: str) -> Act:
    return happens("invoice.made", name, at, invoice=name)


def flow(name: str, *acts: Act, sent: tuple[str, ...], silent: tuple[str, ...] = ()) -> Flow:
    return Flow(name=name, catalogue=BASKET, others=OTHERS, acts=acts, sent=sent, silent=silent)


COMPANY = (
    flow(
        "a basket's delay ends at night, so the push comes in the morning, the mail a day on",
        basket("b1", "6 18:30"),
        sent=("7 08:00 push: nudge b1", "8 08:00 email: mail b1"),
    ),
    flow(
        "who flies meanwhile is reminded by the clock that they have then",
        basket("b1", "6 18:30"),
        contacts("7 06:00", zone="America/New_York"),
        sent=("7 14:00 push: nudge b1", "8 14:00 email: mail b1"),
    ),
    flow(
        "baskets within the same hour are one push and one mail, without the one that was paid",
        wishes("1 00:02", frequency={"offers": "hourly"}),
        basket("b1", "6 16:30"),
        basket("b2", "6 16:40"),
        paid("b2", "6 22:00"),
        sent=("7 08:00 push: nudge b1", "8 08:00 email: mail b1"),
        silent=("b2 push cancelled", "b2 email cancelled"),
    ),
    flow(
        "reminders and campaigns share a limit a week, and an urgent message passes over it",
        REGULAR,
        campaign("c1", "2 12:00"),
        basket("b1", "2 12:10"),
        message("m1", "2 14:20", "email", "inapp", category="offers"),
        message("m2", "2 14:30", "email", category="offers", priority="critical"),
        sent=(
            "2 12:00 email: offer c1 Ann",
            "2 12:00 push: offer c1",
            "2 14:10 push: nudge b1",
            "2 14:30 email: m2",
            "3 14:10 email: mail b1",
        ),
        silent=("m1 email rate_limited", "m1 inapp rate_limited"),
    ),
    flow(
        "a campaign for users who want offers once a week comes before its last window closes",
        REGULAR,
        wishes("1 00:02", frequency={"offers": "weekly"}),
        campaign("c1", "3 11:00"),
        sent=("6 16:59 email: offer c1 Ann", "6 16:59 push: offer c1"),
    ),
    flow(
        "a campaign of Friday evening is snoozed over Monday morning by someone who flies",
        REGULAR,
        campaign("c1", "6 18:00"),
        wishes("7 12:00", snooze_until="2026-03-09T12:00:00Z"),
        contacts("8 12:00", attributes={"orders": "1"}, zone="America/New_York"),
        sent=("9 14:00 email: offer c1 you", "9 14:00 push: offer c1"),
    ),
    flow(
        "of times of arrival at night the bell has each, and the push the last",
        wishes("1 00:02", quiet_hours=NIGHT),
        eta("e1", "2 23:00", 30),
        eta("e2", "3 04:30", 20),
        eta("e3", "3 05:00", 10),
        sent=(
            "2 23:00 inapp: bell 30",
            "3 04:30 inapp: bell 20",
            "3 05:00 inapp: bell 10",
            "3 06:00 push: eta 10",
        ),
        silent=("e1 push quiet_hours", "e2 push cancelled"),
    ),
    flow(
        "a conversation is one push and later one mail, of what was not read by then",
        posted("m1", "2 12:00"),
        posted("m2", "2 12:01"),
        noticed("2 13:20", "m1", "seen", "chat"),
        sent=(
            "2 12:00 inapp: bell m1",
            "2 12:01 inapp: bell m2",
            "2 12:03 push: m1 | m2",
            "2 13:30 email: m2",
        ),
        silent=("m1 email engaged",),
    ),
    flow(
        "who opens the app before the push gets none, and the mail if they read nothing",
        posted("m1", "2 12:00"),
        present("2 12:01", "2 12:30"),
        sent=("2 12:00 inapp: bell m1", "2 13:30 email: m1"),
        silent=("m1 push online",),
    ),
    flow(
        "an alarm passes over a snooze, and ends with a mute for each attempt that is left",
        wishes("1 00:02", channels={"sms": True}, snooze_until="2026-03-09T00:00:00Z"),
        alarm("a1", "2 12:00"),
        wishes("2 12:06", channels={"sms": True}, mutes={"alarms/a1": None}),
        sent=(
            "2 12:00 inapp: bell a1 ann",
            "2 12:00 push: push a1 ann",
            "2 12:02 sms: sms a1 ann",
        ),
        silent=("a1 push muted", "a1 sms muted") * 2,
    ),
    flow(
        "a bill over its limit by mail is a push at once, and one by no mail a text in the morning",
        wishes("1 00:02", quiet_hours=NIGHT),
        bill("b1", "2 12:00"),
        arrived("2 12:01", "b1", "email", "bill"),
        bill("b2", "2 12:10"),
        arrived("2 12:11", "b2", "email", "bill"),
        bill("b3", "2 12:20"),
        contacts("2 12:30", email=None),
        bill("b4", "2 23:00"),
        contacts("3 01:00", email=None, devices=[]),
        sent=(
            "2 12:00 email: invoice b1",
            "2 12:10 email: invoice b2",
            "2 12:20 push: push b3",
            "3 06:00 sms: sms b4",
        ),
        silent=(
            "b1 push engaged",
            "b1 sms engaged",
            "b2 push engaged",
            "b2 sms engaged",
            "b3 email rate_limited",
            "b3 sms fall_back",
            "b4 email no_address",
            "b4 push no_address",
        ),
    ),
    flow(
        "a parcel falls back twice where the device and the address go before the daily message",
        wishes("1 00:01", frequency={"orders": "daily"}, channels={"sms": True}),
        happens("parcel.left", "p1", "2 12:00"),
        happens("parcel.left", "p2", "2 13:00"),
        contacts("2 14:00", devices=[], suppressed=["ann@example.org"]),
        sent=("2 17:00 sms: sms p1 | sms p2",),
        silent=(
            "p1 push no_address",
            "p2 push no_address",
            "p1 email suppressed_address",
            "p2 email suppressed_address",
        ),
    ),
    flow(
        "likes, follows and a message are one push at the tenant's time, where its reader is then",
        happens("like.made", "l1", "2 10:00", post="p1"),
        happens("follow.made", "f1", "2 10:30", post="p2"),
        message("m1", "2 11:00", "push", category="social"),
        contacts("2 12:00", zone="America/New_York"),
        wishes("2 12:01", frequency={"social": "daily"}, mutes={"social/p2": None}),
        sent=(
            "2 10:00 inapp: like l1",
            "2 10:30 inapp: follow f1",
            "2 23:00 push: m1 | like | l1",
        ),
        silent=("f1 push muted",),
    ),
)
