"""What became of notifications, read from what router and decider wrote."""

from agents.replay.notification_outcomes import Fate, Fates, Place
from policy.time.timestamps import moment, text
from schemas.profile import Preferences
from schemas.topics import DEAD_LETTERS, EVENTS, PREFERENCES
from schemas.vocabulary import Channel, Reason, Stage
from tests.agents.decider.test_decisions import CLOSED_MS, happened, happens, passes, roles_of
from tests.simulation.roles import NOW, Roles

MINUTE = 60_000
HOUR = 60 * MINUTE


def place(event: str, user: str = "ann", kind: str = "plain", channel: str = "email") -> Place:
    return Place("default", event, user, kind, channel)


def without_text(found: dict[Place, Fate]) -> dict[Place, Fate]:
    return {
        place: Fate(fate.stage, fate.at, fate.reason, fate.detail) for place, fate in found.items()
    }


def fates_of(roles: Roles, begin: int = 0) -> Fates:
    fates = Fates(begin)
    fates.take(roles.log)
    return fates


async def test_each_fate_says_when_and_why() -> None:
    roles = await roles_of()
    await roles.say(PREFERENCES, Preferences(user="bob", channels={Channel.EMAIL: False}))
    roles.clock.at += 5000
    later = moment(NOW + HOUR)
    await happens(
        roles,
        happened(1),
        happened(2, who="zoe"),
        happened(3, deliver_at=later),
        happened(4, "nothing"),
        happened(5, occurred_at=moment(NOW - 72 * HOUR)),
        happened(6, "gathered"),
        happened(7, who="bob"),
        happened(1),
    )
    found = fates_of(roles)
    at = NOW + 5000
    assert without_text(found.found) == {
        place("e1"): Fate(Stage.QUEUED, at),
        place("e2", "zoe"): Fate(Stage.SUPPRESSED, at, Reason.NO_ADDRESS),
        place("e3"): Fate(Stage.HELD, at, Reason.SCHEDULED),
        place("e5", channel=""): Fate(Stage.SUPPRESSED, at, Reason.EXPIRED),
        place("e6", kind="gathered"): Fate(
            Stage.HELD, at, Reason.DIGEST, f"due at {text(at + 10 * MINUTE)}"
        ),
        place("e7", "bob"): Fate(Stage.SUPPRESSED, at, Reason.OPTED_OUT, "by user and channel"),
        place("e4", "", "", ""): Fate(
            Stage.FAILED, at, Reason.UNKNOWN_TYPE, "no notification type for 'nothing.happened'"
        ),
    }
    sent = found.found[place("e1")].text
    assert sent is not None
    assert (sent.title, sent.body) == ("Hi", "text 1")
    await passes(roles, HOUR)
    assert without_text(fates_of(roles).found) == {
        place("e3"): Fate(Stage.QUEUED, at + HOUR),
        place("e6", kind="gathered"): Fate(Stage.QUEUED, at + HOUR),
    }


async def test_of_a_digest_each_event_has_the_fate() -> None:
    roles = await roles_of()
    await happens(roles, happened(0, "gathered"), happened(1, "gathered"))
    fates_of(roles)
    await passes(roles, CLOSED_MS)
    found = fates_of(roles).found
    first, second = found[place("e0", kind="gathered")], found[place("e1", kind="gathered")]
    assert first == second
    assert (first.stage, first.at) == (Stage.QUEUED, NOW + CLOSED_MS)
    assert first.digest != ""
    assert first.text is not None
    assert "text 0" in first.text.body
    assert "text 1" in first.text.body
    assert len(found) == 2


async def test_what_was_taken_before_it_begins_has_none() -> None:
    roles = await roles_of()
    await happens(roles, happened(1), happened(2, "nothing"))
    roles.clock.at += 1000
    await roles.log.write(EVENTS.name, 0, [(b"k", b"{")])
    await happens(roles, happened(3), happened(4, "nothing"))
    assert len(roles.log.topics[DEAD_LETTERS.name]) == 3
    fates = fates_of(roles, NOW + 1000)
    assert {place.event_id for place in fates.found} == {"e3", "e4"}
    assert fates.unusable == 1
    assert Channel.EMAIL in {place.channel for place in fates.found}
