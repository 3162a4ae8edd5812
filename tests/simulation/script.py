"""What happens in one simulated town: made from a seed, so that it can be played again.

Events happen between the 20th and the 35th second of a minute, changes of mind in its 5th,
what comes of notifications in its 45th, cancellations and what ends others in its 50th; all that
the catalogue says is in whole minutes. So a record that is late within the bound stays on the same
side of everything else.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from policy.identity import notification_id
from policy.message import MESSAGE
from policy.time.timestamps import text
from schemas.topics import (
    CANCELLATIONS,
    CONTACTS,
    EVENTS,
    FEEDBACK,
    PREFERENCES,
    SUPPRESSIONS,
    Topic,
)

START = 1_772_366_400_000  # 2026-03-01T12:00Z
MINUTE = 60_000
HOURS = 30
ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu")
USERS = ("ann", "bob", "cem", "dia")
LATENESS = 4_000
"""Milliseconds after which a late record arrives at most."""

FREE = "rate_limit = { count = 1000, seconds = 60 }"
"""For types that are not about limits: out of the window that those without one share."""

TYPES: dict[str, str] = {
    "plain": 'channels = ["push", "email"]',
    "loud": """channels = ["push"]
rate_limit = { count = 2, seconds = 1800 }""",
    "folded": """channels = ["push"]
rate_limit = { count = 2, seconds = 1800, over = "digest" }""",
    "fixed": """channels = ["inapp"]
digests = [{ channels = ["inapp"], key = "key", every = "7m" }]""",
    "session": """channels = ["inapp", "email"]
digests = [{ channels = ["inapp"], key = "key", pause = "3m", longest = "10m" },
           { channels = ["email"], every = "2h" }]""",
    "clock": """channels = ["push"]
digests = [{ channels = ["push"], at = ["08:00", "18:30"] }]""",
    "delayed": """channels = ["push", "sms"]
delay = "20m"
fallback = { sms = ["push"] }""",
    "escalating": """channels = ["inapp"]
escalation = [{ after = "5m", channels = ["push"] },
              { after = "30m", channels = ["email"], unless = "opened" }]""",
    "urgent": """channels = ["push", "sms"]""",
    "note": """channels = ["push"]
digests = [{ channels = ["push"], key = "key", every = "3h" }]""",
    "ended": """channels = ["push"]
delay = "20m"
until = { event = "ended.over", match = "key" }
digests = [{ channels = ["email"], every = "1h" }]
escalation = [{ after = "10m", channels = ["email"] }]""",
    "texted": """channels = ["sms"]
escalation = [{ after = "5m", channels = ["email"], unless = "delivered" }]""",
    "windowed": """channels = ["push"]
send_within = [{ start = "08:00", end = "20:00" }]""",
    "repeated": """channels = ["push"]
until = { event = "repeated.over", match = "key" }
repeat = { every = "7m", times = 3 }""",
    "spared": """channels = ["push", "inapp"]
holdout = { share = "50%", name = "town" }
goal = { event = "ended.over", within = "1h", match = "key", user = "who" }
digests = [{ channels = ["push"], key = "key", every = "9m" }]
escalation = [{ after = "10m", channels = ["email"] }]""",
    "latest": """channels = ["push", "inapp"]
replaces = "key"
escalation = [{ after = "1h", channels = ["email"] }]""",
}
"""What is special about each type."""
CATEGORIES = {"note": "plain"}
"""Of types that share one with another; the others have their own."""
CRITICAL = ("urgent", "repeated")
CHANNELS = ("push", "email", "sms", "inapp")
OFTEN = [*TYPES, "plain", "note", "loud", "folded", "folded", "session", *["fixed"] * 4]
PER_MINUTE = ("fixed", "session", "clock")
"""Types of which several events may happen to a user in one minute: order must not matter."""


def catalogue_files() -> dict[str, str]:
    """The town's catalogue."""
    files = {}
    for name, special in TYPES.items():
        used = [channel for channel in CHANNELS if f'"{channel}"' in special]
        texts = "\n".join(
            f'{channel} = {{ body = "{{{{ data.text }}}}"'
            + (', title = "Hi" }' if channel == "email" else " }")
            for channel in used
        )
        limit = "" if "rate_limit" in special or name in CRITICAL else FREE
        files[f"{name}.toml"] = f"""
event = "{name}.happened"

[types.{name}]
category = "{CATEGORIES.get(name, name)}"
priority = "{"critical" if name in CRITICAL else "normal"}"
users = "who"
topic = "key"
time_to_live = "2d"
{limit}
{special}

[types.{name}.templates]
{texts}
"""
    return files


@dataclass(frozen=True)
class Act:
    """A record that comes into being at `at` (epoch ms); `late` ms later Kafka has it."""

    at: int
    topic: Topic
    key: str
    value: dict[str, Any]
    late: int = 0


@dataclass(frozen=True)
class Script:
    """Everything that happens, in order of time."""

    seed: int
    acts: tuple[Act, ...]
    end: int
    events: dict[str, dict[str, Any]] = field(default_factory=dict)


def script(seed: int) -> Script:
    """The script of a seed."""
    random = Random(seed)
    acts = [
        contacts(user, START - 2 * MINUTE, devices=random.randrange(3), zone=random.choice(ZONES))
        for user in USERS
    ]
    acts += [_preferences(user, START - MINUTE + 5500, random) for user in USERS]
    for user in USERS:
        for _ in range(random.randrange(3)):
            minute = random.randrange(HOURS * 60)
            acts.append(_preferences(user, START + minute * MINUTE + 5500, random))
    events = _events(random)
    events += _messages(Random(f"messages of {seed}"))
    acts += events
    acts += _reactions(events, random)
    end = START + (HOURS + 80) * 60 * MINUTE
    ordered = sorted(acts, key=lambda act: act.at)
    return Script(seed, tuple(ordered), end, {act.value["id"]: act.value for act in events})


def contacts(user: str, at: int, *, devices: int, zone: str) -> Act:
    """Where a user can be reached from then on."""
    value = {
        "user": user,
        "devices": [{"token": f"{user}-{number}"} for number in range(devices)],
        "email": f"{user}@example.org",
        "phone": "+491511234567",
        "zone": zone,
    }
    return Act(at, CONTACTS, user, value)


def _preferences(user: str, at: int, random: Random) -> Act:
    wishes: dict[str, Any] = {"user": user, "channels": {"sms": random.random() < 0.7}}
    if random.random() < 0.5:
        hours = {"start": f"{random.randrange(24):02}:30", "end": f"{random.randrange(24):02}:00"}
        wishes["quiet_hours"] = [hours]
    if random.random() < 0.4:
        category = random.choice(list(TYPES))
        wishes["categories"] = {category: {random.choice(CHANNELS): False}}
    if random.random() < 0.3:
        wishes["frequency"] = {"plain": random.choice(["hourly", "daily", "weekly"])}
    if random.random() < 0.3:
        wishes["mutes"] = {f"{random.choice(list(TYPES))}/k0": None}
    return Act(at, PREFERENCES, user, wishes)


def _events(random: Random) -> list[Act]:
    acts: list[Act] = []
    taken: set[tuple[str, str, int]] = set()
    for number in range(random.randrange(30, 90)):
        name, user = random.choice(OFTEN), random.choice(USERS)
        minute = random.choice([random.randrange(HOURS * 60), random.randrange(40)])
        if name == "fixed":  # enough of them to fill windows that follow each other
            user, minute = random.choice(USERS[:2]), random.randrange(40)
        if name not in PER_MINUTE and (name, user, minute) in taken:
            continue
        taken.add((name, user, minute))
        at = START + minute * MINUTE + random.randrange(20_000, 35_000)
        acts.append(_event(f"e{number:03}", name, user, at, random))
    return acts


def _messages(random: Random) -> list[Act]:
    """Texts of somebody's own, of a category that some want hourly or daily, with its types."""
    acts = []
    for minute in random.sample(range(HOURS * 60), random.randrange(8)):
        name, user = f"m{minute:04}", random.choice(USERS)
        at = START + minute * MINUTE + random.randrange(20_000, 35_000)
        act = _event(name, MESSAGE, user, at, random)
        said = {"title": "Hi", "body": f"message {name}", "category": "plain"}
        act.value["type"] = MESSAGE
        act.value["data"] = {"users": [user], "channels": ["push", "email"], **said}
        acts.append(act)
    return acts


def _event(name: str, kind: str, user: str, at: int, random: Random) -> Act:
    value: dict[str, Any] = {
        "id": name,
        "type": f"{kind}.happened",
        "actor": f"actor{random.randrange(3)}",
        "occurred_at": iso(at),
        "data": {"who": user, "key": f"k{random.randrange(2)}", "text": f"{kind} {name}"},
    }
    if random.random() < 0.15:
        ahead = random.randrange(1, 600) * MINUTE
        value["deliver_at"] = iso(at + ahead)
    if random.random() < 0.3:
        value["cancel_key"] = f"c-{name}"
    return Act(at, EVENTS, value["actor"], value, random.randrange(LATENESS))


def _reactions(events: list[Act], random: Random) -> list[Act]:
    acts = []
    for act in events:
        event = act.value
        kind, user = event["type"].partition(".")[0], user_of(event)
        minute = (act.at - START) // MINUTE + random.randrange(1, 50)
        if kind == "texted" and random.random() < 0.5:
            at = act.at // MINUTE * MINUTE + random.randrange(1, 9) * MINUTE + 45_000
            receipt = {
                "user": user,
                "notification_id": notification_id("default", event["id"], user, kind),
                "channel": "sms",
                "at": iso(at),
            }
            said = {"kind": "receipt", **receipt}
            acts.append(Act(at, SUPPRESSIONS, user, said, random.randrange(LATENESS)))
        if kind in ("ended", "repeated") and random.random() < 0.6:
            at = act.at // MINUTE * MINUTE + random.randrange(50) * MINUTE + 50_000
            over: dict[str, Any] = {
                "id": f"over-{event['id']}",
                "type": f"{kind}.over",
                "actor": "shop",
                "occurred_at": iso(at),
                "data": {"key": event["data"]["key"]},
            }
            if random.random() < 0.8:
                over["data"]["who"] = user
            acts.append(Act(at, EVENTS, "shop", over, random.randrange(LATENESS)))
        if kind in ("escalating", "repeated") and random.random() < 0.6:
            feedback = {
                "user": user,
                "notification_id": notification_id("default", event["id"], user, kind),
                "stage": random.choice(["seen", "opened"]),
                "at": iso(START + minute * MINUTE + 45_000),
            }
            acts.append(Act(START + minute * MINUTE + 45_000, FEEDBACK, user, feedback))
        if "cancel_key" in event and random.random() < 0.7:
            at = START + minute * MINUTE + 50_000
            cancel = {"cancel_key": event["cancel_key"], "actor": event["actor"], "at": iso(at)}
            acts.append(Act(at, CANCELLATIONS, event["actor"], cancel))
    return acts


def user_of(event: dict[str, Any]) -> str:
    """Whom an event is for."""
    data = event["data"]
    return str(data["users"][0] if event["type"] == MESSAGE else data["who"])


def iso(at: int) -> str:
    """Epoch ms as a record has it."""
    return f"{text(at)[:-1]}.{at % 1000:03}Z"
