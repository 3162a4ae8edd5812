"""The judge finds an ordinary day in order, and every fault that is planted in it."""

from dataclasses import replace

import msgspec
import pytest

from demo.findings import percentile
from demo.producer_log import BadClaim, Claim, read_claims
from demo.witnesses import stored
from tables.inbox import inbox_key
from tables.table import key_of
from tests.demo.town import AT, Town, ordinary_day


def test_an_ordinary_day_is_in_order() -> None:
    found = ordinary_day().judge()
    assert (found.lost, found.duplicates, found.unexpected) == ([], [], [])
    assert (found.events, found.decisions, found.dead) == (4, 5, 1)
    assert found.sent == {"push": 4, "email": 1, "sms": 1, "inapp": 1}
    assert found.suppressed == {"no_address": 1, "offline": 1, "opted_out": 2}
    assert found.slots["sent"] == 5
    assert found.percentiles() == {"high": {"p50": 50, "p99": 50}}


@pytest.mark.parametrize("line", range(6))
def test_a_removed_accept_is_one_lost(line: int) -> None:
    town = ordinary_day()
    del town.accepted[line]
    assert len(town.judge().lost) == 1


@pytest.mark.parametrize("line", range(6))
def test_a_doubled_accept_is_one_duplicate(line: int) -> None:
    town = ordinary_day()
    town.accepted.append(town.accepted[line])
    found = town.judge()
    assert (len(found.duplicates), found.lost) == (1, [])


@pytest.mark.parametrize(
    "reason", ["opted_out", "no_address", "suppressed_address", "quiet_hours", "rate_limited"]
)
def test_a_forged_reason_is_one_lost(reason: str) -> None:
    town = ordinary_day()
    town.accepted = [line for line in town.accepted if line.channel != "email"]
    town.say("order", "order_shipped", "ann", "email", reason)
    [lost] = town.judge().lost
    assert f"said to be {reason}, but" in lost


@pytest.mark.parametrize("reason", ["expired", "duplicate"])
def test_a_forged_reason_against_all_channels_excuses_none(reason: str) -> None:
    town = ordinary_day()
    town.accepted = town.accepted[4:]
    town.say("order", "order_shipped", "ann", "", reason)
    assert len(town.judge().lost) == 3


def test_one_forged_reason_does_not_hide_behind_presence() -> None:
    town = ordinary_day()
    town.accepted = town.accepted[:4]
    town.say("chat", "chat_message", "ann", "push", "online")
    lost = town.judge().lost
    assert any("never were online" in case for case in lost)
    assert any("push did not stand in" in case for case in lost)


def test_a_missing_silence_is_lost() -> None:
    town = ordinary_day()
    del town.silences[0]
    assert len(town.judge().lost) == 1


def test_a_repeat_that_was_recognised_is_no_excuse_and_no_fault() -> None:
    town = ordinary_day()
    town.say("order", "order_shipped", "ann", "", "duplicate")
    assert not town.judge().lost
    del town.accepted[2]
    assert len(town.judge().lost) == 1


def test_a_missing_inbox_item_is_lost_and_a_second_one_a_duplicate() -> None:
    town = ordinary_day()
    town.store("chat", "chat_message", "ben")
    assert len(town.judge().duplicates) == 1
    town.inbox.clear()
    assert len(town.judge().lost) == 1


def test_accepts_that_nobody_expected() -> None:
    town = ordinary_day()
    town.accept("order", "order_shipped", "ben", "email", "ben@mail.example")
    town.accept("order", "order_shipped", "ann", "email", "ben@mail.example")
    town.accept("post", "post_published", "cy", "push", "cy-0")
    found = town.judge()
    assert [case.partition(": ")[2] for case in found.unexpected] == [
        "nobody expected it",
        "that is not an address of ann",
        "cy opted out",
    ]
    assert (found.lost, found.duplicates) == ([], [])


def test_swapped_recipients_are_lost_and_unexpected() -> None:
    town = ordinary_day()
    mail = next(place for place, line in enumerate(town.accepted) if line.channel == "email")
    town.accepted[mail] = msgspec.structs.replace(town.accepted[mail], address="cy@mail.example")
    found = town.judge()
    assert (len(found.lost), len(found.unexpected)) == (1, 1)


def test_a_suppressed_address_stands_only_where_all_are() -> None:
    town = ordinary_day()
    town.contacts["ann"]["suppressed"] = ["ann@mail.example", "ann-1"]
    town.accepted = [
        line for line in town.accepted if line.address not in ("ann@mail.example", "ann-1")
    ]
    town.say("order", "order_shipped", "ann", "email", "suppressed_address")
    assert not town.judge().lost


def test_quiet_hours_by_the_persons_own_clock() -> None:
    town = Town()
    town.preferences["cy"].pop("categories")
    town.happen("post", "post.published", ("post_published", "cy"))
    town.say("post", "post_published", "cy", "push", "quiet_hours")
    town.store("post", "post_published", "cy")
    assert not town.judge().lost
    town.contacts["cy"]["zone"] = "Asia/Kathmandu"
    assert len(town.judge().lost) == 1


def test_a_rate_limit_needs_that_many_events() -> None:
    town = Town()
    for number in range(11):
        town.happen(f"post-{number}", "post.published", ("post_published", "ann"))
        if number < 10:
            town.accept(f"post-{number}", "post_published", "ann", "push", "ann-0")
            town.accept(f"post-{number}", "post_published", "ann", "push", "ann-1")
            town.store(f"post-{number}", "post_published", "ann")
    for channel in ("push", "inapp"):
        town.say("post-10", "post_published", "ann", channel, "rate_limited")
    assert not town.judge().lost
    del town.claims.events["post-9"]
    assert len(town.judge().lost) == 2


def test_bad_records_and_posts_for_feeds_must_be_found() -> None:
    town = ordinary_day()
    town.claims.bad.append(BadClaim(bad="no key", topic="events", partition=1, offset=9))
    town.outbox.clear()
    assert len(town.judge().lost) == 2


def test_a_delivery_that_was_given_up_is_dead_and_not_lost() -> None:
    town = ordinary_day()
    mail = next(line for line in town.accepted if line.channel == "email")
    town.accepted.remove(mail)
    fields = {"delivery_id": mail.delivery_id, "event_id": "order", "type": "order_shipped"}
    fields |= {"user": "ann", "channel": "email", "address": mail.address}
    town.bury(1, msgspec.json.encode(fields), "deliver.email.high")
    found = town.judge()
    assert (found.lost, found.slots["dead"], found.dead) == ([], 1, 2)


def test_the_log_is_read_up_to_a_torn_line() -> None:
    claims = read_claims(
        [
            f'{{"id":"e","type":"t","actor":"a","at":{AT},"expected":[["k","u"]]}}\n',
            f'{{"presence":"u","online":true,"at":{AT}}}\n',
            f'{{"repeat":"e","at":{AT}}}\n',
            '{"bad":"no key","topic":"events","partition":3,"offset":4}\n',
            '{"id":"torn"',
        ]
    )
    claim = Claim(id="e", type="t", actor="a", at=AT, expected=(("k", "u"),))
    assert claims.events == {"e": claim}
    assert replace(claim, read=True) != claim
    assert (claims.online, claims.repeats, len(claims.bad)) == ({"u"}, 1, 1)


def test_an_inbox_item_is_read_from_the_changelog() -> None:
    key = b"i" + inbox_key(key_of("default", "zoë"), AT, "n1")
    value = msgspec.msgpack.encode(["n1", "chat_message", {"body": "hi"}, AT, AT + 7])
    item = stored(key, value)
    assert (item.user, item.notification_id, item.at) == ("zoë", "n1", AT + 7)


def test_percentiles() -> None:
    values = [float(number) for number in range(1, 101)]
    assert (percentile(values, 50), percentile(values, 99), percentile([3.0], 99)) == (50, 99, 3)
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)
