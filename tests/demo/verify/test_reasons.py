"""Why something was not sent, or not yet: the judge believes only what the rules give."""

from dataclasses import replace

import pytest

from tests.demo.verify.town import AT, HOUR, MINUTE, Town, ordinary_day, person

DAY = 24 * HOUR
FALLBACK = {"push": ("sms", "fall_back"), "sms": ("push", "no_address")}
"""What is said of the other channel of an invoice that went out on this one."""


def _quiet_town() -> Town:
    """Cy wants posts, and is quiet from 11 to 13 o'clock; posts live for six hours."""
    town = Town()
    town.preferences["cy"].pop("categories")
    town.post("post", "cy")
    town.store("post", "post_published", "cy")
    return town


def test_what_is_quiet_waits_and_is_stored() -> None:
    town = _quiet_town()
    town.wait("post", "post_published", "cy", "push", "quiet_hours", AT + HOUR)
    assert town.faults() == {}
    assert town.judge().slots["held"] == 1


def test_sent_in_quiet_hours_is_unexpected() -> None:
    town = _quiet_town()
    town.reach("post", "post_published", "cy", "push")
    assert town.faults() == {"unexpected": 1}


def test_held_and_not_stored_is_lost() -> None:
    town = _quiet_town()
    town.say("post", "post_published", "cy", "push", "quiet_hours", "held")
    assert town.faults() == {"lost": 1}


@pytest.mark.parametrize("due", [AT + HOUR - MINUTE, AT + HOUR + MINUTE, AT + 30 * DAY])
def test_held_until_another_time_is_unexcused(due: int) -> None:
    town = _quiet_town()
    town.wait("post", "post_published", "cy", "push", "quiet_hours", due)
    assert town.faults() == {"unexcused": 1}


def test_held_and_still_there_long_after_it_was_due_is_late() -> None:
    town = _quiet_town()
    town.ended_at = AT + 2 * HOUR
    town.wait("post", "post_published", "cy", "push", "quiet_hours", AT + HOUR)
    assert town.faults() == {"late": 1}


def test_held_and_sent_once_it_is_quiet_no_more() -> None:
    town = _quiet_town()
    town.ended_at = AT + 2 * HOUR
    town.say("post", "post_published", "cy", "push", "quiet_hours", "held")
    town.reach("post", "post_published", "cy", "push")
    town.change(0, at=(AT + HOUR) / 1000)
    assert town.faults() == {}
    town.change(0, at=(AT + HOUR - MINUTE) / 1000)
    assert town.faults() == {"unexpected": 1}


def test_suppressed_in_quiet_hours_only_if_it_would_be_too_old_at_their_end() -> None:
    town = _quiet_town()
    town.say("post", "post_published", "cy", "push", "quiet_hours")
    assert town.faults() == {"unexcused": 1}
    town.preferences["cy"]["quiet_hours"] = [{"start": "11:00", "end": "18:00"}]
    assert town.faults() == {}


def test_quiet_hours_are_by_the_persons_own_clock() -> None:
    town = _quiet_town()
    town.wait("post", "post_published", "cy", "push", "quiet_hours", AT + HOUR)
    town.contacts["cy"]["zone"] = "Asia/Kathmandu"  # 17:45
    assert "unexcused" in town.faults()


def _posts(town: Town, count: int, sent: int) -> None:
    """So many posts, of which Ann was sent the first ones, and the others are rate limited."""
    for number in range(count):
        town.post(f"post-{number}", "ann")
        if number < sent:
            town.reach(f"post-{number}", "post_published", "ann", "push", "inapp")
            continue
        for channel in ("push", "inapp"):
            town.say(f"post-{number}", "post_published", "ann", channel, "rate_limited")


@pytest.mark.parametrize(
    ("count", "sent", "faults"),
    [
        (10, 10, {}),
        (11, 10, {}),
        (30, 10, {}),
        (30, 30, {"unexpected": 2}),
        (11, 11, {"unexpected": 2}),
        (11, 9, {"unexcused": 4}),
        (11, 0, {"unexcused": 22}),
    ],
)
def test_a_limit_lets_ten_an_hour_through(count: int, sent: int, faults: dict[str, int]) -> None:
    town = Town()
    _posts(town, count, sent)
    assert town.faults() == faults


def test_a_limit_counts_an_hour_wherever_it_begins() -> None:
    """Ten at 11:30 and ten at 12:15 are twenty within an hour, whatever the clock's hours are."""
    town = Town()
    for number in range(20):
        town.followers["fay"] = ["ann"]
        happened = AT - 45 * MINUTE if number < 10 else AT
        town.happen(f"post-{number}", "post.published", actor="fay", happened=happened)
        town.reach(f"post-{number}", "post_published", "ann", "push", "inapp")
    assert town.faults() == {"unexpected": 2}


@pytest.mark.parametrize("reason", ["offline", "online"])
def test_presence_is_as_the_producer_wrote_it(reason: str) -> None:
    town = Town()
    town.happen("chat", "chat.message", actor="bo", recipient_id="ann")
    if reason == "online":
        town.be_online("ann", until=AT + HOUR)
        town.store("chat", "chat_message", "ann")
        town.say("chat", "chat_message", "ann", "push", "online")
    else:
        town.reach("chat", "chat_message", "ann", "push")
        town.say("chat", "chat_message", "ann", "inapp", "offline")
    assert town.faults() == {}


def test_online_hours_ago_excuses_nothing() -> None:
    town = Town()
    town.happen("chat", "chat.message", actor="bo", recipient_id="ann")
    town.be_online("ann", until=AT - HOUR, at=AT - 2 * HOUR)
    town.store("chat", "chat_message", "ann")
    town.say("chat", "chat_message", "ann", "push", "online")
    assert not town.judge().is_right


def test_neither_channel_is_used_and_each_names_the_other() -> None:
    town = ordinary_day()
    town.accepted = town.accepted[:4]
    town.say("chat", "chat_message", "ann", "push", "online")
    assert not town.judge().is_right


def test_one_click_to_unsubscribe_counts_before_all_preferences() -> None:
    town = Town()
    town.preferences["ann"] = {"user": "ann", "categories": {"social": {"push": True}}}
    town.unsubscribed["ann"] = {("social", "push")}
    town.post("post", "ann")
    town.store("post", "post_published", "ann")
    town.say("post", "post_published", "ann", "push", "opted_out")
    assert town.faults() == {}
    town.excuses.clear()
    town.reach("post", "post_published", "ann", "push")
    assert "unexpected" in town.faults()


def test_a_suppressed_address_stands_only_where_all_are() -> None:
    town = ordinary_day()
    town.contacts["ann"]["suppressed"] = ["ann@mail.example", "ann-1"]
    gone = ("ann@mail.example", "ann-1")
    town.accepted = [line for line in town.accepted if line.address not in gone]
    town.say("order", "order_shipped", "ann", "email", "suppressed_address")
    assert town.faults() == {}
    town.accept("order", "order_shipped", "ann", "push", "ann-1")
    assert town.faults() == {"unexpected": 1}


def test_comments_are_in_the_inbox_at_once_and_gathered_for_push() -> None:
    town = Town()
    town.happen("comment", "comment.added", actor="bo", author_id="ann")
    town.store("comment", "comment_added", "ann")
    town.wait("comment", "comment_added", "ann", "push", "digest", AT + 10 * MINUTE + 5000)
    town.wait("comment", "comment_added", "ann", "email", "escalation", AT + 3 * HOUR)
    assert town.faults() == {}
    town.held.clear()
    assert town.faults() == {"lost": 2}


@pytest.mark.parametrize(("devices", "channel"), [(1, "push"), (0, "sms")])
def test_an_sms_stands_by_for_those_whom_no_push_reaches(devices: int, channel: str) -> None:
    town = Town(contacts={"ann": person("ann", devices, locale="de-AT")})
    town.happen("due", "invoice.due", customer_id="ann")
    town.reach("due", "invoice_due", "ann", "email", channel)
    town.say("due", "invoice_due", "ann", *FALLBACK[channel])
    assert town.faults() == {}
    town.excuses.clear()
    assert town.faults() == {"lost": 1}


def test_an_sms_beside_a_push_that_waits_is_unexpected() -> None:
    town = Town(contacts={"ann": person("ann", locale="de-AT")})
    town.preferences["ann"] = {"quiet_hours": [{"start": "12:00", "end": "14:00"}]}
    town.happen("due", "invoice.due", customer_id="ann")
    for name in ("push", "email"):
        town.wait("due", "invoice_due", "ann", name, "quiet_hours", AT + 2 * HOUR)
    town.wait("due", "invoice_due", "ann", "sms", "fall_back", AT + 2 * HOUR)
    assert town.faults() == {}
    town.excuses[-1] = replace(town.excuses[-1], stage="suppressed")
    assert town.faults() == {"unexcused": 1}
    town.excuses.pop()
    town.reach("due", "invoice_due", "ann", "sms")
    assert town.faults() == {"unexpected": 1}
