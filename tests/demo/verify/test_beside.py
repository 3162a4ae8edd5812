"""Faults beside what is right: they change nothing of it, and must be found all the same."""

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from embedded.simulators.accept_log import data_digest_of, digest_of
from policy.identity import notification_id
from schemas.vocabulary import Channel
from tests.demo.verify.town import AT, HOUR, MINUTE, Town, ordinary_day, person

Plant = Callable[[Town], object]
ORDER = notification_id("default", "order", "ann", "order_shipped")
POST = notification_id("default", "post", "cy", "post_published")
DAY = 24 * HOUR
DUE = AT + HOUR
"""When the quiet hours of Cy are over."""


def _by_email(town: Town) -> None:
    """The chat, which goes out by push, by e-mail as well."""
    line = msgspec.structs.replace(town.accepted[4], delivery_id="e" * 32)
    address = "ann@mail.example"
    town.accepted.append(msgspec.structs.replace(line, channel=Channel.EMAIL, address=address))


def _row(**fields: str) -> Plant:
    """The first row of the day says something else."""

    def plant(town: Town) -> None:
        town.excuses[0] = replace(town.excuses[0], **fields)

    return plant


def _buried_otherwise(town: Town) -> None:
    town.letters.clear()
    town.bury(9, b"{}")


PLANTS: dict[str, tuple[Plant, dict[str, int]]] = {
    "a message by a channel that the type lacks": (_by_email, {"unexpected": 1}),
    "a row about a channel that the type lacks": (
        lambda town: town.say("chat", "chat_message", "ann", "email", "opted_out"),
        {"unexcused": 1},
    ),
    "sent, and stored to go out again": (
        lambda town: town.held.update({(ORDER, "push"): {DUE}}),
        {"unexpected": 1},
    ),
    "opted out, and stored to go out": (
        lambda town: town.held.update({(POST, "push"): {DUE}}),
        {"unexpected": 1},
    ),
    "stored to go out by a channel that the type lacks": (
        lambda town: town.held.update({(POST, "sms"): {DUE}}),
        {"unexpected": 1},
    ),
    "stored to go out, of no event": (
        lambda town: town.held.update({("f" * 32, "push"): {DUE}}),
        {"unexpected": 1},
    ),
    "sent with a lower priority": (
        lambda town: town.priorities.update({(ORDER, "push"): {"low"}}),
        {"unexpected": 1},
    ),
    "a row with another category": (_row(category="orders"), {"lost": 1, "unexcused": 1}),
    "a row with another priority": (_row(priority="low"), {"lost": 1, "unexcused": 1}),
    "a row with another user": (_row(user="cy"), {"lost": 1, "unexcused": 1}),
    "a row with another notification": (
        _row(notification_id="f" * 32),
        {"lost": 1, "unexcused": 1},
    ),
    "a post twice in a partition of the outbox": (
        lambda town: town.outbox.append(town.outbox[0]),
        {"duplicates": 1},
    ),
    "a post that followers are written to in the outbox": (
        lambda town: town.show("post"),
        {"unexpected": 2},
    ),
    "another text in the outbox": (
        lambda town: town.outbox.append(replace(town.outbox.pop(), event={"id": "famous"})),
        {"wrong content": 1},
    ),
    "two dead letters of one record": (lambda town: town.bury(9), {"duplicates": 1}),
    "a dead letter with another value": (
        _buried_otherwise,
        {"wrong content": 1},
    ),
}


@pytest.mark.parametrize("name", PLANTS)
def test_a_fault_beside_what_is_right_is_found(name: str) -> None:
    plant, faults = PLANTS[name]
    town = ordinary_day()
    plant(town)
    assert town.faults() == faults


def test_the_right_priority_and_that_of_a_tenant_beyond_its_share_are_none() -> None:
    town = ordinary_day()
    town.priorities = {(ORDER, "push"): {"high"}, (ORDER, "email"): {"bulk"}}
    assert town.faults() == {}


def _after_quiet_hours() -> Town:
    """A post waited for Cy's quiet hours to end, and reached both devices then."""
    town = Town()
    town.contacts["cy"] = person("cy", 2)
    town.preferences["cy"].pop("categories")
    town.post("post", "cy")
    town.store("post", "post_published", "cy")
    town.say("post", "post_published", "cy", "push", "quiet_hours", "held")
    town.reach("post", "post_published", "cy", "push")
    for number in range(2):
        town.change(number, at=DUE / 1000)
    town.ended_at = DUE + 5 * HOUR
    return town


def _suppressed(reason: str) -> Plant:
    """Nothing went out, for this reason."""

    def plant(town: Town) -> None:
        town.accepted.clear()
        town.say("post", "post_published", "cy", "push", reason)

    return plant


LATER: dict[str, tuple[Plant, dict[str, int]]] = {
    "nothing": (lambda town: None, {}),
    "one device got nothing": (lambda town: town.accepted.pop(), {"lost": 1}),
    "no device got anything": (lambda town: town.accepted.clear(), {"lost": 1}),
    "another text": (lambda town: town.change(0, digest=digest_of("x")), {"wrong content": 1}),
    "still stored": (
        lambda town: town.held.update({(POST, "push"): {DUE}}),
        {"unexpected": 1},
    ),
    "two minutes late": (
        lambda town: town.change(0, at=(DUE + 2 * MINUTE) / 1000),
        {"late": 1},
    ),
    "sent and reported as opted out": (
        lambda town: town.say("post", "post_published", "cy", "push", "opted_out"),
        {"unexcused": 1},
    ),
    "reported as opted out": (
        _suppressed("opted_out"),
        {"unexcused": 1},
    ),
    "reported as over a limit, far below it": (
        _suppressed("rate_limited"),
        {"unexcused": 1},
    ),
}


@pytest.mark.parametrize("name", LATER)
def test_what_waited_is_judged_again_when_it_is_due(name: str) -> None:
    plant, faults = LATER[name]
    town = _after_quiet_hours()
    plant(town)
    assert town.faults() == faults


def test_quiet_hours_that_began_after_it_was_decided_are_no_excuse() -> None:
    town = Town()
    town.preferences["cy"] = {"quiet_hours": [{"start": "12:30", "end": "13:00"}]}
    town.post("post", "cy")
    town.wait("post", "post_published", "cy", "push", "quiet_hours", DUE)
    town.ended_at = AT + 45 * MINUTE
    town.store("post", "post_published", "cy")
    assert "unexcused" in town.faults()


def _commented() -> Town:
    """Ann got a comment, in her inbox at once, by push and, unseen, at six in a mail."""
    town = Town(contacts={"ann": person("ann")}, preferences={})
    town.happen("comment", "comment.added", actor="bo", author_id="ann")
    town.store("comment", "comment_added", "ann")
    for channel, reason in (("push", "digest"), ("email", "escalation"), ("email", "digest")):
        town.say("comment", "comment_added", "ann", channel, reason, "held")
    body = digest_of("1 new comment, the last by Bo")
    town.gather("push", "ann-0", PUSHED_AT, title="Cats", digest=body, data=POST_DATA)
    letter = digest_of("Bo: Nice")
    town.gather("email", "ann@mail.example", MAILED_AT, title="1 comment on Cats", digest=letter)
    town.ended_at = MAILED_AT + 10 * MINUTE
    return town


COMMENT = notification_id("default", "comment", "ann", "comment_added")
POST_DATA = data_digest_of({"post_id": "p"})
PUSHED_AT, MAILED_AT = AT + 10 * MINUTE + 5000, AT + 6 * HOUR + 5000


def _never_escalated(town: Town) -> None:
    town.excuses.pop()
    town.accepted.pop()
    town.held[COMMENT, "email"] = {AT + 3 * HOUR}


DIGESTS: dict[str, tuple[Plant, dict[str, int]]] = {
    "nothing": (lambda town: None, {}),
    "no mail": (lambda town: town.accepted.pop(), {"lost": 1}),
    "a mail too early": (
        lambda town: town.change(1, at=(MAILED_AT - HOUR) / 1000),
        {"lost": 1, "unexpected": 1},
    ),
    "a mail too late": (lambda town: town.change(1, at=(MAILED_AT + HOUR) / 1000), {"late": 1}),
    "a mail twice": (
        lambda town: town.gather(
            *("email", "ann@mail.example", MAILED_AT),
            title="1 comment on Cats",
            digest=digest_of("Bo: Nice"),
        ),
        {"unexpected": 1},
    ),
    "a mail to somebody else": (
        lambda town: town.change(1, address="bo@mail.example"),
        {"lost": 1, "unexpected": 1},
    ),
    "an SMS instead": (
        lambda town: town.change(1, channel=Channel.SMS, address="+12025550100"),
        {"lost": 1, "unexpected": 1},
    ),
    "never escalated": (
        _never_escalated,
        {"late": 1, "lost": 1},
    ),
    "by itself as well": (
        lambda town: town.change(1, notification_id=COMMENT),
        {"lost": 1, "unexpected": 1},
    ),
    "sent, and stored to go out again": (
        lambda town: town.held.update({(COMMENT, "email"): {MAILED_AT + DAY}}),
        {"unexcused": 1},
    ),
}


@pytest.mark.parametrize("name", DIGESTS)
def test_digests_and_escalations_are_judged_once_they_are_due(name: str) -> None:
    plant, faults = DIGESTS[name]
    town = _commented()
    plant(town)
    assert town.faults() == faults
