"""The sound that a push makes, and the number at the app's icon, as the catalogue says them."""

from typing import Any

import pytest

from policy.catalogue.catalogue import parse
from policy.notification_type import NotificationType
from schemas.delivery import KEEPS_BADGE, Content
from tests.policy.refusals import problems
from tests.policy.samples import TYPE, request

DATA = 'data = ["text"] }'
PUSH = "12: types.thing.templates.push"


def kind(said: str) -> NotificationType:
    """The type whose push says this beside."""
    own = TYPE.replace(DATA, f"{DATA[:-2]}, {said} }}")
    return parse({"thing.toml": own}).types["thing"]


def pushed(said: str, **data: Any) -> Content:
    (plan,) = (each for each in kind(said).steps[0].plans if each.channel == "push")
    event = request(data={"text": "x", "who": "ann", **data}).event
    told = plan.rendering.content(event, "en")
    # A digest has those of its newest event.
    assert (
        plan.rendering.digest([request(data={"text": "old"}).event, event], "en").badge
        == told.badge
    )
    return told


def test_a_push_has_the_sound_and_the_badge_of_its_templates() -> None:
    told = pushed('sound = "chime.caf", badge = 3')
    assert (told.sound, told.badge, told.title) == ("chime.caf", 3, "Hi")
    assert (pushed('sound = "none"').sound, pushed('sound = "none"').badge) == ("none", KEEPS_BADGE)
    assert pushed("badge = 0").badge == 0


@pytest.mark.parametrize(
    ("unread", "badge"),
    [
        (3, 3),
        ("12", 12),
        (3.0, 3),
        (0, 0),
        (99_999, 99_999),
        (100_000, KEEPS_BADGE),
        (-1, KEEPS_BADGE),
        (1.5, KEEPS_BADGE),
        ("many", KEEPS_BADGE),
    ],
)
def test_what_is_no_number_leaves_the_icon_as_it_is(unread: object, badge: int) -> None:
    found = pushed("badge = \"{{ data.unread|default('') }}\"", unread=unread)
    assert (found.badge, found.body) == (badge, "x")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (DATA, DATA.replace(" }", ', sound = "a b" }'), f"{PUSH}.sound: not the name of a sound"),
        (DATA, DATA.replace(" }", ', sound = "../x" }'), f"{PUSH}.sound: not the name of a sound"),
        (DATA, DATA.replace(" }", ", badge = -1 }"), f"{PUSH}.badge: Expected"),
        (DATA, DATA.replace(" }", ', badge = "{{ x }}" }'), f"{PUSH}.badge: 'x' is not one of"),
        ("sms = {", "sms = { badge = 1,", "14: types.thing.templates.sms.badge: is for push only"),
        ("inapp = {", 'inapp = { sound = "x",', "15: types.thing.templates.inapp.sound: is for"),
    ],
)
def test_what_can_not_be_is_told(old: str, new: str, complaint: str) -> None:
    assert old in TYPE
    assert problems(thing=TYPE.replace(old, new))[0].startswith(f"thing.toml:{complaint}")


def test_variants_make_the_same_sound() -> None:
    own = """[types.thing.experiment]
name = "a"
variants.plain = {}
[types.thing.experiment.variants.loud.templates.push]
title = "Hi"
body = "x"
data = ["text"]
sound = "bell"
"""
    thing = TYPE + own
    (found,) = problems(thing=thing)
    assert "have another sound or badge than the type's own" in found
