"""A channel may wait while contacts that may have its address are unread, and not for ever."""

import pytest

from demo.verify.comparison import OVERDUE_MS
from tests.demo.verify.town import AT, HOUR, MINUTE, Town, ordinary_day, person


def _held_order(reason: str = "no_address") -> Town:
    """Ann's e-mail waited for contacts."""
    town = ordinary_day()
    town.say("order", "order_shipped", "ann", "email", reason, "held")
    return town


@pytest.mark.parametrize("reason", ["no_address", "suppressed_address"])
def test_what_waited_for_contacts_goes_out_after_all(reason: str) -> None:
    town = _held_order(reason)
    assert town.faults() == {}
    town.accepted = [line for line in town.accepted if line.channel != "email"]
    assert town.faults() == {"lost": 1}


def test_it_is_still_without_an_address_when_contacts_are_read() -> None:
    town = ordinary_day()
    town.contacts["ann"].pop("email")
    town.accepted = [line for line in town.accepted if line.channel != "email"]
    town.say("order", "order_shipped", "ann", "email", "no_address", "held")
    assert town.faults() == {"lost": 1}, "no row says how it ended"
    town.say("order", "order_shipped", "ann", "email", "no_address")
    assert town.faults() == {}


def test_it_waits_in_the_state_and_for_ten_minutes_at_most() -> None:
    town = _held_order()
    town.accepted = [line for line in town.accepted if line.channel != "email"]
    town.excuses.pop()
    town.wait("order", "order_shipped", "ann", "email", "no_address", AT)
    town.ended_at = AT + MINUTE
    assert town.faults() == {}
    town.ended_at = AT + 10 * MINUTE + OVERDUE_MS + 1
    assert town.faults() == {"late": 1}


def test_it_goes_on_by_the_rules() -> None:
    """It was quiet by then, so it waited for the end of that as well."""
    town = Town(contacts={"ann": person("ann", locale="de-AT")})
    town.preferences["ann"] = {"quiet_hours": [{"start": "12:00", "end": "14:00"}]}
    town.happen("due", "invoice.due", customer_id="ann")
    for name in ("push", "email"):
        town.say("due", "invoice_due", "ann", name, "no_address", "held")
        town.wait("due", "invoice_due", "ann", name, "quiet_hours", AT + 2 * HOUR)
    town.wait("due", "invoice_due", "ann", "sms", "fall_back", AT + 2 * HOUR)
    assert town.faults() == {}
    town.reach("due", "invoice_due", "ann", "push")
    assert "unexpected" in town.faults()


def test_what_needs_no_address_or_is_not_wanted_does_not_wait_for_one() -> None:
    for user, channel in (("ben", "inapp"), ("cy", "push")):
        town = ordinary_day()
        event, kind = ("chat", "chat_message") if channel == "inapp" else ("post", "post_published")
        town.say(event, kind, user, channel, "no_address", "held")
        assert town.faults() == {"unexcused": 1}, channel
