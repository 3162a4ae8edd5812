"""Each field of a type that contradicts another is told, and nothing that agrees is."""

import msgspec
import pytest

from policy.catalogue.entry import Entry
from policy.catalogue.problem import shown
from policy.catalogue.validation import contradictions

TEXT = {"body": "x"}
BASE = {
    "category": "things",
    "priority": "normal",
    "channels": ["push"],
    "users": "who",
    "time_to_live": "1d",
}


def found(channels: str, **fields: object) -> list[str]:
    """The contradictions of a type with these channels and a template for each it uses."""
    table = {**BASE, "channels": channels.split(), **fields}
    steps = [table, *table.get("escalation", [])]  # type: ignore[misc]
    used = {channel for step in steps for channel in step["channels"]}
    table.setdefault("templates", dict.fromkeys(used, TEXT))
    entry = msgspec.convert(
        {key: value for key, value in table.items() if value is not None}, Entry
    )
    return [f"{shown(path)}: {complaint}" for path, complaint in contradictions(entry)]


def after(span: str, *channels: str) -> dict[str, object]:
    return {"after": span, "channels": list(channels)}


AGAIN = {"every": "5m", "times": 3}
CRITICAL = {"priority": "critical"}
ACKNOWLEDGED = {"event": "thing.acknowledged", "match": "id"}


def digest(*channels: str, **fields: object) -> dict[str, object]:
    return {"channels": list(channels), "every": "1h", **fields}


@pytest.mark.parametrize(
    ("channels", "fields"),
    [
        ("push", {}),
        ("push", {"priority": "critical"}),
        ("push", {"users": None, "followers": True, "fan_out_threshold": 1}),
        ("push", {"users": None, "subscribers": "topic"}),
        ("push", {"users": None, "segment": {"plan": "pro"}}),
        ("push", {"followers": False, "segment": {}}),
        ("push", {"time_to_live": "366d", "delay": "366d"}),
        ("push", {"time_to_live": 1, "delay": "30d"}),  # it lives from then on
        ("inapp push", {"online": "inapp", "online_grace": "1d"}),
        ("inapp push sms", {"online": "inapp", "fallback": {"sms": ["inapp", "push"]}}),
        ("push sms email", {"fallback": {"sms": ["push"], "email": ["sms", "push"]}}),
        ("inapp", {"escalation": [after("1h", "push", "sms")], "fallback": {"sms": ["push"]}}),
        ("push email", {"digests": [digest("push"), digest("email")]}),
        ("push inapp", {"digests": [digest("push")], "escalation": [after("1h", "sms")]}),
        ("push", {"escalation": [after("1h", "email")], "digests": [digest("email")]}),
        ("push", {"escalation": [after("12h", "email"), after("43199s", "sms")]}),
        ("inapp push", {"quiet_hours": "drop"}),
        ("inapp", {"escalation": [after("1h", "push")], "quiet_hours": "ignore"}),
        ("push", {"priority": "critical", "repeat": {"every": "7h", "times": 3}}),
        (
            "push",
            {
                "escalation": [
                    after("1h", "email"),
                    {**after("1h", "sms"), "unless": "delivered"},
                ]
            },
        ),
    ],
)
def test_what_agrees(channels: str, fields: dict[str, object]) -> None:
    assert found(channels, **fields) == []


@pytest.mark.parametrize(
    ("channels", "fields", "complaint"),
    [
        # whom
        ("push", {"users": None}, ": one of users, followers = true, subscribers, segment and s"),
        ("push", {"followers": True}, "followers: contradicts users: only one of them can name"),
        ("push", {"segment": {"a": "b"}}, "segment: contradicts users"),
        ("push", {"fan_out_threshold": 5}, "fan_out_threshold: needs followers = true"),
        # channels and templates
        ("push push", {}, "channels: names push more than once"),
        ("push", {"templates": {}}, "templates.push: is missing"),
        ("push", {"templates": {"push": TEXT, "sms": TEXT}}, "templates.sms: is for a channel t"),
        ("push", {"escalation": [after("1h", "push")]}, "escalation[0].channels: names push, whi"),
        (
            "push",
            {"escalation": [after("1h", "sms", "sms")]},
            "escalation[0].channels: names sms m",
        ),
        (
            "push",
            {"escalation": [after("1h", "sms")], "templates": {"push": TEXT}},
            "templates.sms: is missing",
        ),
        # times
        ("push", {"time_to_live": 0}, "time_to_live: is not between a second and a year"),
        ("push", {"time_to_live": "367d"}, "time_to_live: is not between a second and a year"),
        ("push", {"delay": "367d"}, "delay: is not between a second and a year"),
        ("push", {"delay": 0}, "delay: is not between a second and a year"),
        (
            "push inapp",
            {"online": "inapp", "online_grace": "25h"},
            "online_grace: is not between a second and a day",
        ),
        # urgency
        ("push", {"priority": "critical", "quiet_hours": "defer"}, "quiet_hours: has no effect"),
        ("push", {"priority": "critical", "digests": [digest("push")]}, "digests: has no effect"),
        ("push", {"priority": "critical", "send_at": "best_hour"}, "send_at: has no effect"),
        (
            "push",
            {"priority": "critical", "rate_limit": {"count": 1, "seconds": 1}},
            "rate_limit: has no effect",
        ),
        (
            "push",
            {"priority": "critical", "actor_limit": {"count": 1, "seconds": 1}},
            "actor_limit: has no effect",
        ),
        (
            "inapp",
            {"quiet_hours": "drop"},
            "quiet_hours: has no effect, as what is used",
        ),
        # presence
        ("push", {"online": "inapp"}, "online: needs both push and inapp in channels"),
        ("push", {"online_grace": "1m"}, "online_grace: needs online"),
        (
            "push inapp",
            {"online": "inapp", "fallback": {"push": ["inapp"]}},
            "fallback.push: contradicts online",
        ),
        (
            "push inapp sms",
            {"online": "inapp", "fallback": {"sms": ["push"]}},
            "fallback.sms: must name both push and inapp",
        ),
        # fall-backs
        ("push", {"fallback": {"sms": ["push"]}}, "fallback.sms: is for a channel that is not us"),
        (
            "push sms",
            {"fallback": {"sms": []}},
            "fallback.sms: must name the channels",
        ),
        ("push sms", {"fallback": {"sms": ["sms"]}}, "fallback.sms: names the channel itself"),
        ("push sms", {"fallback": {"sms": ["email"]}}, "fallback.sms: names email, which is not u"),
        (
            "push sms",
            {"fallback": {"sms": ["push", "push"]}},
            "fallback.sms: names push more than once",
        ),
        (
            "push",
            {"escalation": [after("1h", "sms")], "fallback": {"sms": ["push"]}},
            "fallback.sms: names push, which is not used together with sms",
        ),
        (
            "push sms email",
            {"fallback": {"sms": ["push"], "push": ["email"], "email": ["sms"]}},
            "fallback.sms: goes in a circle: sms, push, email, sms",
        ),
        ("push sms", {"fallback_over_limit": True}, "fallback_over_limit: needs fallback for sms"),
        (
            "push sms",
            {"priority": "critical", "fallback": {"sms": ["push"]}, "fallback_over_limit": True},
            "fallback_over_limit: has no effect",
        ),
        # digests
        ("push", {"digests": [digest("email")]}, "digests[0].channels: names email, which is not"),
        ("push", {"digests": [digest("push", "push")]}, "digests[0].channels: names push more tha"),
        (
            "push",
            {"digests": [digest("push"), digest("push")]},
            "digests[1].channels: names push, which another digest has",
        ),
        ("push", {"digests": [digest("push", pause="1m")]}, "digests[0].every: is needed, or pau"),
        ("push", {"digests": [digest("push", every="32d")]}, "digests[0].every: is not between a"),
        ("push", {"digests": [digest("push", longest="2h")]}, "digests[0].longest: needs pause"),
        ("push", {"digests": [digest("push", days=["mon"])]}, "digests[0].days: needs at, which"),
        (
            "push",
            {"digests": [digest("push", every=None, at=["09:00", "09:00"])]},
            "digests[0].at: names 09:00 more than once",
        ),
        (
            "inapp",
            {"send_within": [{"start": "09:00", "end": "18:00"}]},
            "send_within: has no effect, as what is used makes no sound",
        ),
        (
            "push",
            {"send_within": [{"start": "09:00", "end": "09:00"}]},
            "send_within[0].end: is the start as well, which is no time at all",
        ),
        (
            "push",
            {"priority": "critical", "send_within": [{"start": "09:00", "end": "18:00"}]},
            "send_within: has no effect, as what is critical passes over it",
        ),
        # repeat
        ("push", {"repeat": AGAIN}, "repeat: is for what is critical"),
        ("inapp", CRITICAL | {"repeat": AGAIN}, "repeat: has no effect, as what is used makes"),
        ("push", CRITICAL | {"repeat": AGAIN | {"every": "0s"}}, "repeat.every: is no time"),
        (
            "push",
            CRITICAL | {"repeat": AGAIN | {"every": "8h"}},
            "repeat.times: are so many that the time_to_live is over before",
        ),
        (
            "push",
            CRITICAL | {"repeat": AGAIN | {"then": ["next"]}},
            "repeat.then: needs until, the event by which one acknowledges for all",
        ),
        (
            "push",
            CRITICAL | {"repeat": AGAIN | {"then": ["next", "next"]}, "until": ACKNOWLEDGED},
            "repeat.then: names next more than once",
        ),
        # escalation
        ("push", {"escalation": [after("0s", "sms")]}, "escalation[0].after: is no time"),
        ("push", {"escalation": [after("1d", "sms")]}, "escalation[0].after: ends when the time"),
        (
            "push",
            {"escalation": [after("12h", "sms"), after("12h", "email")]},
            "escalation[1].after: ends when the time_to_live is over",
        ),
        (
            "push",
            {"digests": [digest("push")], "escalation": [after("1h", "sms")]},
            "escalation[0]: follows only digests",
        ),
        (
            "push inapp",
            {"escalation": [{**after("1h", "sms"), "unless": "delivered"}]},
            "escalation[0].unless: is reported of email and sms alone, and no step before uses",
        ),
    ],
)
def test_what_contradicts(channels: str, fields: dict[str, object], complaint: str) -> None:
    problems = found(channels, **fields)
    assert len(problems) == 1
    assert problems[0].startswith(complaint)


def test_everything_that_contradicts_is_told() -> None:
    problems = found("push push", time_to_live=0, followers=True, fallback={"sms": ["push"]})
    fields = sorted(problem.partition(":")[0] for problem in problems)
    assert fields == ["channels", "fallback.sms", "followers", "time_to_live"]


WHATSAPP = {"body": "x", "whatsapp": {"template": "HX1"}}
SAID = {"body": "y"}
APPROVED = {"whatsapp": {"template": "HX2"}}


@pytest.mark.parametrize(
    ("chat", "digests", "lacks"),
    [
        (WHATSAPP, [], False),
        (WHATSAPP, [digest("chat")], True),
        (WHATSAPP, [digest("push")], False),
        (WHATSAPP | {"digest": SAID}, [], True),
        (WHATSAPP | {"digest": SAID | APPROVED}, [], False),
        (WHATSAPP | {"digest": APPROVED}, [digest("chat")], False),
        (TEXT, [digest("chat")], False),
        (TEXT | {"digest": SAID}, [digest("chat")], False),
    ],
)
def test_a_digest_for_whatsapp_has_a_template_of_its_own(
    chat: dict[str, object], digests: list[dict[str, object]], lacks: bool
) -> None:
    told = found("push chat", templates={"push": TEXT, "chat": chat}, digests=digests)
    complaint = "is missing, and without it WhatsApp takes a digest for 24 hours alone"
    assert told == [f"templates.chat.digest.whatsapp: {complaint}"] * lacks
