"""The demo's world: the same for the same seed, varied, and with a few people of great fame."""

from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import phonenumbers
import pytest

from demo.dataset.world import READ_FROM, World, make_world
from demo.produce.happening import Happening
from demo.produce.producer_log import Claim
from demo.produce.stream import stream
from demo.run import ROOT
from demo.verify.expected.notification import notifications
from demo.verify.expected.type_spec import read_type_specs
from schemas.event import Event
from schemas.follow import Follow
from schemas.profile import Contacts, Preferences, Presence, Subscription

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SPECS = read_type_specs(ROOT / "catalogue")
NOT_PLAYED = {
    "news.published",
    "ride.approaching",
}
"""Events of types that take longer than a demo does, or that leave of several messages one."""


@pytest.fixture(scope="module")
def world() -> World:
    """The demo's own."""
    return make_world()


@pytest.fixture(scope="module")
def happenings(world: World) -> list[Happening]:
    """The demo's own stream."""
    return stream(world, 2000, 10.0, START, 7)


def test_same_seed_same_world(world: World) -> None:
    assert make_world() == world
    assert make_world(seed=8) != world


def test_every_record_is_as_documented(world: World) -> None:
    for record in world.contacts.values():
        msgspec.convert(record, Contacts)
        ZoneInfo(record["zone"])
    for record in world.preferences.values():
        msgspec.convert(record, Preferences)
    for record in world.follows():
        msgspec.convert(record, Follow)


def test_people_differ(world: World) -> None:
    people = world.contacts.values()
    assert {len(person["devices"]) for person in people} == {0, 1, 2, 3}
    assert len({person["zone"] for person in people}) > 15
    for field, low, high in (
        ("email", 0.85, 0.97),
        ("phone", 0.6, 0.8),
        ("suppressed", 0.01, 0.04),
    ):
        share = sum(field in person for person in people) / len(people)
        assert low < share < high, field
    wishes = world.preferences.values()
    assert sum(wish.get("channels", {}).get("sms", False) for wish in wishes) > 3000
    assert sum("quiet_hours" in wish for wish in wishes) > 1000
    assert sum("frequency" in wish for wish in wishes) > 1000
    assert sum("social" in wish.get("categories", {}) for wish in wishes) > 1000


def test_nobody_shares_an_address(world: World) -> None:
    for field in ("email", "phone"):
        given = [person[field] for person in world.contacts.values() if field in person]
        assert len(set(given)) == len(given)


def test_fame_is_scale_free(world: World) -> None:
    sizes = Counter({actor: len(them) for actor, them in world.followers.items()})
    assert 70_000 < world.follow_count() < 90_000
    famous = [actor for actor, size in sizes.items() if size >= READ_FROM]
    assert 3 <= len(famous) <= 20
    assert all(world.is_read(actor) for actor in famous)
    assert sum(size <= 5 for size in sizes.values()) > len(sizes) / 2
    top = sum(size for _, size in sizes.most_common(len(sizes) // 100))
    assert top > world.follow_count() / 4


def test_nobody_follows_themselves_or_twice(world: World) -> None:
    for followee, followers in world.followers.items():
        assert followee not in followers
        assert len(set(followers)) == len(followers)


def test_same_seed_same_stream(world: World, happenings: list[Happening]) -> None:
    assert stream(world, 2000, 10.0, START, 7) == happenings


def test_the_stream_is_as_documented(happenings: list[Happening]) -> None:
    kinds = Counter[str]()
    unkeyed = 0
    for happening in happenings:
        if happening.topic == "presence":
            msgspec.convert(happening.value, Presence)
        elif not happening.bad:
            event = msgspec.convert(happening.value, Event)
            assert happening.key in (event.actor, None)
            unkeyed += happening.key is None and not happening.repeat
            kinds[event.type] += not happening.repeat
    # Half of the carts are ordered after all.
    orders = kinds.pop("order.placed")
    assert 0.35 < orders / kinds["cart.left"] < 0.65
    # Beside the others, and half of them are acknowledged.
    acknowledged = kinds.pop("incident.acknowledged")
    assert kinds["incident.opened"] == 20
    assert 5 <= acknowledged <= 15
    assert kinds.total() - 20 == 2000
    assert unkeyed == 40  # one in fifty
    assert set(kinds) == {spec.event for spec in SPECS.values()} - NOT_PLAYED


def test_the_stream_holds_repeats_and_bad_records(happenings: list[Happening]) -> None:
    ids = [h.value["id"] for h in happenings if isinstance(h.value, dict) and h.repeat]
    assert len(set(ids)) == len(ids) > 5
    assert len({h.bad for h in happenings if h.bad}) == 6
    assert [h.due for h in happenings] == sorted(h.due for h in happenings)
    assert max(h.due for h in happenings) <= 10.0


def test_posts_of_the_famous_are_for_feeds_and_others_for_each_follower(
    world: World, happenings: list[Happening]
) -> None:
    posts = [h for h in happenings if h.topic == "events" and not h.bad and _is_post(h)]
    claims = map(_claim, posts)
    found = {claim.actor: list(notifications(claim, SPECS, world)) for claim in claims}
    read = {author: its for author, its in found.items() if world.is_read(author)}
    assert read
    assert all([it.is_read for it in its] == [True] for its in read.values())
    for author in found.keys() - read.keys():
        assert [it.user for it in found[author]] == world.followers.get(author, [])
        assert len(found[author]) < READ_FROM


def test_every_number_is_a_possible_one(world: World) -> None:
    numbers = [person["phone"] for person in world.contacts.values() if "phone" in person]
    parsed = map(phonenumbers.parse, numbers)
    assert all(map(phonenumbers.is_possible_number, parsed))


def test_clicks_are_as_documented(world: World) -> None:
    clicks = [msgspec.convert(click, Subscription) for click in world.subscriptions()]
    assert 200 < len(clicks) < 600
    assert not any(click.subscribed for click in clicks)


def _is_post(happening: Happening) -> bool:
    return isinstance(happening.value, dict) and happening.value["type"] == "post.published"


def _claim(happening: Happening) -> Claim:
    assert isinstance(happening.value, dict)
    return Claim(**happening.value, at=0)
