"""The judge finds an ordinary day in order, and every fault that is planted in it."""

from collections.abc import Callable

import msgspec
import pytest

from embedded.simulators.accept_log import data_digest_of
from tests.demo.verify.town import AT, HOUR, MINUTE, Town, bad_record, ordinary_day, twice

DAY = 24 * HOUR


def test_an_ordinary_day_is_in_order() -> None:
    found = ordinary_day().judge()
    assert not any(found.faults().values()), found.faults()
    assert found.is_right
    assert (found.events, found.decisions, found.dead) == (4, 5, 1)
    assert found.sent == {"push": 4, "email": 1, "sms": 1, "inapp": 1}
    assert found.suppressed == {
        "no_address": 1,
        "offline": 1,
        "opted_out": 2,
        "fan_out_on_read": 1,
    }
    assert found.slots["sent"] == 5
    assert found.percentiles() == {"high": {"p50": 50, "p99": 50}}


@pytest.mark.parametrize("line", range(6))
def test_a_dropped_message_is_lost(line: int) -> None:
    town = ordinary_day()
    del town.accepted[line]
    assert town.faults() == {"lost": 1}


@pytest.mark.parametrize("line", range(6))
def test_a_repeated_message_is_a_duplicate(line: int) -> None:
    town = ordinary_day()
    town.accepted.append(town.accepted[line])
    assert town.faults() == {"duplicates": 1}


@pytest.mark.parametrize(
    "reason",
    ["opted_out", "no_address", "suppressed_address", "quiet_hours", "rate_limited", "expired"],
)
@pytest.mark.parametrize("channel", ["email", ""])
def test_a_reason_that_the_rules_do_not_give_excuses_nothing(reason: str, channel: str) -> None:
    town = ordinary_day()
    town.accepted = [line for line in town.accepted if line.channel != "email"]
    town.say("order", "order_shipped", "ann", channel, reason)
    assert "unexcused" in town.faults()


def test_a_message_that_was_sent_and_said_to_be_dropped_is_unexcused() -> None:
    town = ordinary_day()
    town.say("order", "order_shipped", "ann", "email", "opted_out")
    assert town.faults() == {"unexcused": 1}


def test_a_reason_that_nobody_wrote_down_is_lost() -> None:
    for number in range(5):
        town = ordinary_day()
        del town.excuses[number]
        assert town.faults() == {"lost": 1}, number


def test_another_reason_than_the_first_that_applies_is_unexcused() -> None:
    """Cy opted out of posts; that it is quiet at noon as well is never asked."""
    town = ordinary_day()
    town.excuses = [each for each in town.excuses if each.user != "cy"]
    town.say("post", "post_published", "cy", "push", "quiet_hours")
    town.say("post", "post_published", "cy", "inapp", "opted_out")
    assert town.faults() == {"unexcused": 1}


def test_a_row_about_nothing_that_the_producer_wrote_is_unexcused() -> None:
    town = ordinary_day()
    town.say("order", "order_shipped", "ben", "push", "opted_out")
    assert town.faults() == {"unexcused": 1}


def test_a_second_record_of_an_event_is_no_excuse_and_no_fault() -> None:
    town = ordinary_day()
    town.say("order", "order_shipped", "ann", "", "duplicate")
    assert town.faults() == {"unexcused": 1}, "the producer wrote it once"
    twice(town, "order")
    assert town.faults() == {}
    del town.accepted[2]
    assert town.faults() == {"lost": 1}


def test_a_second_record_that_no_row_tells_of_is_lost() -> None:
    town = ordinary_day()
    twice(town, "chat")
    town.say("chat", "chat_message", "ann", "", "duplicate")
    assert town.faults() == {"lost": 1}, "Ben's"


def test_a_missing_inbox_item_is_lost_and_a_second_one_a_duplicate() -> None:
    town = ordinary_day()
    town.store("chat", "chat_message", "ben")
    assert town.faults() == {"duplicates": 1}
    town.inbox.clear()
    assert town.faults() == {"lost": 1}


def test_messages_that_nobody_should_get_are_unexpected() -> None:
    town = ordinary_day()
    town.accept("order", "order_shipped", "ben", "email", "ben@mail.example")
    town.accept("order", "order_shipped", "ann", "email", "ben@mail.example")
    town.accept("post", "post_published", "cy", "push", "cy-0")
    found = town.judge()
    assert [case.rpartition(": ")[2] for case in found.unexpected] == [
        "that is not an address of ann",
        "sent, but by the rules it is opted_out",
        "nobody expected it",
    ]
    assert town.faults() == {"unexpected": 3}


def test_swapped_recipients_are_lost_and_unexpected() -> None:
    town = ordinary_day()
    town.change(2, address="cy@mail.example")
    assert town.faults() == {"lost": 1, "unexpected": 1}


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "The diagnosis of Bo"},
        {"digest": "0" * 16},
        {"data": data_digest_of({"order_id": "8", "tracking_number": "1Z5"})},
        {"data": ""},
    ],
)
def test_another_title_body_or_data_is_wrong_content(fields: dict[str, str]) -> None:
    town = ordinary_day()
    town.change(0, **fields)
    assert town.faults() == {"wrong content": 1}


def test_every_text_wrong_is_found_each_time() -> None:
    town = ordinary_day()
    for number in range(6):
        town.change(number, title="The diagnosis of Bo", digest="0" * 16)
    assert town.faults() == {"wrong content": 6}


@pytest.mark.parametrize("fields", [{"title": "Cy"}, {"body": "Hi &amp; bye"}, {"data": {}}])
def test_another_text_in_the_inbox_is_wrong_content(fields: dict[str, object]) -> None:
    town = ordinary_day()
    town.alter_item(0, **fields)
    assert town.faults() == {"wrong content": 1}


def test_a_text_in_another_language_is_wrong_content() -> None:
    town = ordinary_day()
    town.contacts["ann"]["locale"] = "de-AT"
    found = town.judge().wrong_content
    assert len(found) == 4, "the order has German texts, the chat has none"


def test_thirty_days_late_is_late() -> None:
    town = ordinary_day()
    town.change(2, at=(AT + 30 * DAY) / 1000)
    assert town.faults() == {"late": 1}


def test_at_the_end_of_its_time_to_live_it_is_late_and_not_before() -> None:
    town = ordinary_day()
    town.change(2, at=(AT + DAY - 1) / 1000)
    assert town.faults() == {}
    town.change(2, at=(AT + DAY) / 1000)
    assert town.faults() == {"late": 1}


def test_before_its_event_is_unexpected() -> None:
    town = ordinary_day()
    town.change(2, at=(AT - HOUR) / 1000)
    assert town.faults() == {"unexpected": 1}


def test_expiry_is_by_the_producers_clock() -> None:
    town = Town()
    town.happen("ride", "ride.matched", happened=AT - 20 * MINUTE, rider_id="ann", driver_id="cy")
    for kind, user in (("ride_matched_rider", "ann"), ("ride_matched_driver", "cy")):
        town.say("ride", kind, user, "", "expired")
    assert town.faults() == {}
    town.reach("ride", "ride_matched_rider", "ann", "push")
    assert town.faults() == {"unexpected": 1}


def test_dropped_as_expired_by_tocsins_own_clock_is_unexcused() -> None:
    town = ordinary_day()
    town.accepted = town.accepted[4:]
    town.say("order", "order_shipped", "ann", "", "expired")
    assert town.faults() == {"lost": 3, "unexcused": 1}


def test_an_event_that_expired_on_its_way_is_late() -> None:
    town = ordinary_day()
    town.ended_at = AT + 2 * DAY
    town.accepted = town.accepted[4:]
    town.say("order", "order_shipped", "ann", "", "expired")
    assert town.faults() == {"lost": 3, "late": 1}


def test_every_delivery_thrown_into_dead_letters_is_found() -> None:
    town = ordinary_day()
    gone, town.accepted = town.accepted, []
    for number, line in enumerate(gone):
        value = msgspec.json.encode({"delivery_id": line.delivery_id, "address": line.address})
        town.bury(100 + number, value, "deliver.push.high", "rejected")
    assert town.faults() == {"lost": 4, "unexcused": 6}


def test_a_dead_letter_excuses_only_what_the_producer_made_bad() -> None:
    town = ordinary_day()
    town.letters.clear()
    town.bury(9, reason="invalid")
    assert town.faults() == {"unexcused": 1}, "another reason"
    town.letters.clear()
    assert town.faults() == {"lost": 1}


def test_bad_records_and_posts_for_feeds_must_be_found() -> None:
    town = ordinary_day()
    town.claims.bad.append(bad_record(9, partition=1))
    town.outbox.pop()
    assert town.faults() == {"lost": 2}


def test_what_was_checked_is_told_in_words() -> None:
    checked = ordinary_day().judge().checked
    assert checked == {
        "bad records: set aside, for the right reason": 1,
        "messages not sent: for the reason that the rules give": 5,
        "messages: right person, address, text, language, priority and time": 7,
        "posts left to feeds: in every partition's outbox": 1,
        "rate limits: none exceeded, none applied without need": 5,
    }


@pytest.mark.parametrize(
    "plant",
    [
        lambda town: town.accepted.pop(),
        lambda town: town.accepted.append(town.accepted[0]),
        lambda town: town.accept("order", "order_shipped", "ben", "email", "ben@mail.example"),
        lambda town: town.change(0, title="x"),
        lambda town: town.change(0, at=(AT + 30 * DAY) / 1000),
        lambda town: town.say("order", "order_shipped", "ann", "email", "opted_out"),
    ],
    ids=["lost", "duplicates", "unexpected", "wrong content", "late", "unexcused"],
)
def test_a_fault_of_any_kind_makes_the_verdict_wrong(plant: Callable[[Town], object]) -> None:
    town = ordinary_day()
    assert town.judge().is_right
    plant(town)
    assert not town.judge().is_right
