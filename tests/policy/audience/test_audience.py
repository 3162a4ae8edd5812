from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policy.audience.audience import Read, Write, addressed_to, fan_out, followees, recipients
from schemas.errors import BadRecord
from schemas.event import Notify
from schemas.vocabulary import Reason
from tests.policy.samples import request, variant


def named_by(data: dict[str, Any], path: str = "who") -> list[str]:
    return recipients(request(data=data).event, variant(('users = "who"', f'users = "{path}"')))


@pytest.mark.parametrize(
    ("data", "path", "users"),
    [
        ({"who": "ann"}, "who", ["ann"]),
        ({"who": ["bob", "ann", "bob"]}, "who", ["bob", "ann"]),
        ({"who": []}, "who", []),
        ({"order": {"customer": "ann"}}, "order.customer", ["ann"]),
        ({"who": "x" * 200}, "who", ["x" * 200]),
        ({"who": ["a"]}, "who", ["a"]),
        ({"who": 1042}, "who", ["1042"]),
        ({"who": [7, "7", 7.0, "ann", 0]}, "who", ["7", "ann", "0"]),
    ],
)
def test_recipients(data: dict[str, Any], path: str, users: list[str]) -> None:
    assert named_by(data, path) == users


@pytest.mark.parametrize(
    "value", [7.5, True, "", "x" * 201, ["ann", False], ["ann", None], [""], {}, 1e300]
)
def test_what_is_no_user_is_invalid(value: object) -> None:
    with pytest.raises(BadRecord, match=r"data\.who is not a user") as caught:
        named_by({"who": value})
    assert caught.value.reason is Reason.INVALID


def test_a_user_in_the_data_is_a_name_as_everywhere() -> None:
    for name in ("ann\0", "an\nn"):
        with pytest.raises(BadRecord, match=r"data\.who names a user with control characters"):
            named_by({"who": ["bob", name]})


@pytest.mark.parametrize(
    "data",
    [{}, {"order": {}}, {"order": "x"}, {"order": ["customer"]}, {"order": {"customer": None}}],
)
def test_a_missing_field_is_named(data: dict[str, Any]) -> None:
    with pytest.raises(BadRecord, match=r"data\.order\.customer is missing") as caught:
        named_by(data, "order.customer")
    assert caught.value.reason is Reason.INVALID


def test_a_recipient_gets_the_event_without_the_others() -> None:
    data = {"trip": {"who": ["ann", "bob"], "to": "Rome"}, "text": "hello"}
    spec = variant(('users = "who"', 'users = "trip.who"'))
    event = request(data=data).event
    mine = addressed_to("bob", event, spec)
    assert mine.data == {"trip": {"who": ["bob"], "to": "Rome"}, "text": "hello"}
    assert replace(mine, data=data) == event
    named = replace(event, notify=Notify(type="thing", users=("ann", "bob")))
    assert addressed_to("ann", named, spec).notify == Notify(type="thing", users=("ann",))


def test_where_there_are_no_others_the_event_stays_as_it_is() -> None:
    one = request(data={"who": "ann", "text": "hello"}).event
    assert addressed_to("ann", one, variant()) is one
    named = replace(one, notify=Notify(type="thing", users=("ann",)))
    assert addressed_to("ann", named, variant()) is named


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('push = { title = "Hi"', 'push = { title = "{{ data.who | length }}"'),
        ('data = ["text"]', 'data = ["who"]'),
        ("<p>{{ data.text }}</p>", "<p>{{ data.who | join }}</p>"),
    ],
)
def test_texts_that_may_speak_of_all_have_all(old: str, new: str) -> None:
    event = request(data={"who": ["ann", "bob"], "text": "hello"}).event
    assert addressed_to("ann", event, variant((old, new))) is event


SUBSCRIBERS = ('users = "who"', 'subscribers = "about"')
FOLLOWERS = ('users = "who"', "followers = true")


def test_followers_are_not_in_the_event() -> None:
    with pytest.raises(ValueError, match="thing does not address users"):
        recipients(request().event, variant(FOLLOWERS))
    with pytest.raises(ValueError, match="neither followers nor subscribers"):
        followees(request().event, variant())


def test_the_followers_of_the_actor() -> None:
    assert followees(request().event, variant(FOLLOWERS)) == ["bob"]


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ("chess", ["topic:chess"]),
        (["go", "chess", "go"], ["topic:go", "topic:chess"]),
        (["x" * 150], ["topic:" + "x" * 150]),
        ([], []),
        ([f"t{n}" for n in range(100)], [f"topic:t{n}" for n in range(100)]),
    ],
)
def test_the_subscribers_of_topics(about: object, expected: list[str]) -> None:
    assert followees(request(data={"about": about}).event, variant(SUBSCRIBERS)) == expected


@pytest.mark.parametrize(
    ("about", "complaint"),
    [
        (None, "is missing"),
        (7.5, "is not a topic"),
        ("", "is not a topic"),
        ("x" * 151, r"is not a topic \(1 to 150 characters\) or a list of topics"),
        (["chess", True], "is not a topic"),
        ([str(n) for n in range(101)], "names 101 topics, 100 are allowed"),
    ],
)
def test_what_is_no_topic_is_invalid(about: object, complaint: str) -> None:
    with pytest.raises(BadRecord, match=rf"data\.about {complaint}") as caught:
        followees(request(data={"about": about}).event, variant(SUBSCRIBERS))
    assert caught.value.reason is Reason.INVALID


def test_an_event_that_names_its_users_itself_is_for_them_alone() -> None:
    notify = Notify(type="thing", users=("bob", "ann", "bob"))
    event = replace(request(data={"who": "cyd"}).event, notify=notify)
    assert recipients(event, variant()) == ["bob", "ann"]
    assert recipients(event, variant(FOLLOWERS)) == ["bob", "ann"]


def test_a_thousand_users_and_no_more() -> None:
    users = [f"user-{n}" for n in range(1001)]
    assert named_by({"who": users[:1000]}) == users[:1000]
    with pytest.raises(BadRecord, match="names 1001 users, 1000 are allowed"):
        named_by({"who": users})


@given(st.dictionaries(st.integers(0, 63), st.integers(0, 50)), st.integers(1, 500))
def test_fan_out(counts: dict[int, int], threshold: int) -> None:
    answer = fan_out(counts, threshold)
    if sum(counts.values()) >= threshold:
        assert answer == Read()
    else:
        assert isinstance(answer, Write)
        assert set(answer.partitions) == {place for place, count in counts.items() if count}
        assert list(answer.partitions) == sorted(answer.partitions)


@pytest.mark.parametrize(
    ("followers", "answer"), [(999, Write((2,))), (1000, Read()), (1001, Read()), (0, Write(()))]
)
def test_the_threshold_itself_is_read(followers: int, answer: Write | Read) -> None:
    assert fan_out({2: followers, 5: 0}, 1000) == answer
