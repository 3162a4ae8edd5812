"""Rows of messages whose texts the caller gives: they are under all rules."""

from typing import Any

from schemas.topics import BLOCKS, CANCELLATIONS, EVENTS
from tests.agents.compositions.flow import NIGHT, USER, Act, Flow, kind, moment, wishes

ONE_A_DAY = "[categories.messages]\nrate_limit = { count = 1, seconds = 86400 }"


def message(name: str, at: str, *channels: str, **fields: Any) -> Act:
    """Somebody sends the user a text, which is its name unless given."""
    data = {key: fields.pop(key) for key in ("priority", "category", "body") if key in fields}
    value = {
        "id": name,
        "type": "tocsin.message",
        "actor": "shop",
        "occurred_at": moment(at).isoformat(),
        "data": {"users": [USER], "title": "Hi", "body": name, "channels": channels} | data,
    }
    return Act(at, EVENTS, "shop", value | fields)


MESSAGES = (
    Flow(
        name="a message goes out on the channels that it names and on no others",
        catalogue=kind(),
        acts=(message("m1", "2 12:00", "push", "email"), message("m2", "2 12:01", "inapp")),
        sent=("2 12:00 email: m1", "2 12:00 push: m1", "2 12:01 inapp: m2"),
    ),
    Flow(
        name="a text is data and never a template",
        catalogue=kind(),
        acts=(message("m1", "2 12:00", "push", body="{{ data.title }} {% for %} {{ 7 * 7 }}"),),
        sent=("2 12:00 push: {{ data.title }} {% for %} {{ 7 * 7 }}",),
    ),
    Flow(
        name="quiet hours put off those of its channels that make a sound",
        catalogue=kind(),
        acts=(wishes("2 11:00", quiet_hours=NIGHT), message("m1", "2 23:00", "push", "inapp")),
        sent=("2 23:00 inapp: m1", "3 07:00 push: m1"),
    ),
    Flow(
        name="what is critical passes over quiet hours",
        catalogue=kind(),
        acts=(
            wishes("2 11:00", quiet_hours=NIGHT),
            message("m1", "2 23:00", "push", priority="critical"),
        ),
        sent=("2 23:00 push: m1",),
    ),
    Flow(
        name="who wants no messages gets none, and of another category all the same",
        catalogue=kind(),
        acts=(
            wishes("2 11:00", categories={"messages": {"push": False}}),
            message("m1", "2 12:00", "push"),
            message("m2", "2 12:05", "push", category="things"),
        ),
        sent=("2 12:05 push: m2",),
        silent=("m1 push opted_out",),
    ),
    Flow(
        name="the limit of their category holds for messages",
        catalogue=kind(more=ONE_A_DAY),
        acts=(message("m1", "2 12:00", "push"), message("m2", "2 13:00", "push")),
        sent=("2 12:00 push: m1",),
        silent=("m2 push rate_limited",),
    ),
    Flow(
        name="messages share the limit of a channel with all types that have none",
        catalogue=kind(),
        acts=tuple(message(f"m{n:02}", f"2 12:{n:02}", "push") for n in range(11)),
        sent=tuple(f"2 12:{n:02} push: m{n:02}" for n in range(10)),
        silent=("m10 push rate_limited",),
    ),
    Flow(
        name="the same id counts once, and with another body or priority it is a conflict",
        catalogue=kind(),
        acts=(
            message("m1", "2 12:00", "push"),
            message("m1", "2 12:01", "push"),
            message("m1", "2 12:02", "push", body="other"),
            message("m1", "2 12:03", "push", priority="high"),
        ),
        sent=("2 12:00 push: m1",),
        silent=("m1 all duplicate", "m1 all conflict", "m1 all conflict"),
    ),
    Flow(
        name="who wants a category daily gets its messages and types as one",
        catalogue=kind(),
        acts=(
            wishes("2 11:00", frequency={"*": "daily"}, digest_at="18:00"),
            message("m1", "2 12:00", "push", "inapp"),
            message("m2", "2 12:05", "push", priority="low"),
        ),
        sent=("2 12:00 inapp: m1", "2 18:00 push: m1 | m2"),
    ),
    Flow(
        name="a message that is held goes by its channels and can be cancelled",
        catalogue=kind(),
        acts=(
            message("m1", "2 12:00", "push", deliver_at="2026-03-02T15:00:00Z"),
            message("m2", "2 12:01", "push", deliver_at="2026-03-02T15:00:00Z", cancel_key="k"),
            Act(
                "2 12:02",
                CANCELLATIONS,
                "shop",
                {"cancel_key": "k", "actor": "shop", "at": moment("2 12:02").isoformat()},
            ),
        ),
        sent=("2 15:00 push: m1",),
        silent=("m2 push cancelled",),
    ),
    Flow(
        name="who blocked the sender hears nothing of them",
        catalogue=kind(),
        acts=(
            Act(
                "2 11:00",
                BLOCKS,
                USER,
                {"user": USER, "actor": "shop", "at": moment("2 11:00").isoformat()},
            ),
            message("m1", "2 12:00", "push"),
        ),
        sent=(),
        silent=("m1 all blocked",),
    ),
    Flow(
        name="a message is too old after a day",
        catalogue=kind(),
        acts=(
            wishes("1 11:00", quiet_hours=[{"start": "00:00", "end": "23:59"}]),
            message("m1", "2 00:00", "push", "inapp", deliver_at="2026-03-02T00:00:30Z"),
            Act("4 00:00", EVENTS, "shop", message("m2", "2 00:00", "push").value),
        ),
        sent=("2 00:00 inapp: m1", "2 23:59 push: m1"),
        silent=("m2 all expired",),
    ),
    Flow(
        name="what limits gather of messages is of one category",
        catalogue=kind(),
        acts=(
            wishes("2 11:00", quiet_hours=NIGHT),
            *(message(f"m{n:02}", f"2 23:{n:02}", "push") for n in range(11)),
            message("t1", "2 23:11", "push", category="things"),
            message("m12", "2 23:12", "push"),
        ),
        sent=(
            *(f"3 07:00 push: m{n:02}" for n in range(10)),
            "3 08:00 push: t1",
            "3 08:00 push: m10 | m12",
        ),
    ),
)
