"""Holdouts: who is in one, what of it is told, and what of one that can't be is refused."""

from hashlib import blake2b
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policy.audience.feed import item_for
from policy.catalogue.catalogue import parse
from policy.decision.decide import decide
from policy.delivery_events import assigned, did
from policy.experiments.holdout import Goal, Holdout, groups, held_out_by
from policy.notification_type import NotificationType
from policy.user.state import UserState
from schemas.event import Notify
from schemas.feed import Post
from schemas.request import Request
from schemas.vocabulary import Reason, Stage
from tests.policy.decision.test_explanation import told
from tests.policy.person import Person
from tests.policy.refusals import problems
from tests.policy.samples import EVERYWHERE, HOUR, NOON, TYPE, happened, request

ALL = '\n[holdout]\nshare = "50%"\nname = "{}"\n'
GOAL = 'goal = { event = "thing.bought", within = "7d" }\n'
SHARE = "types.thing.holdout.share"
ALONE = "types.thing.goal: needs a holdout, as nobody is there to be compared with."
OTHER = TYPE.replace("thing", "other").partition("\n\n")[2]
NAMES = st.text(min_size=1, max_size=20)


def thing(special: str, more: str = "") -> NotificationType:
    text = TYPE.replace("time_to_live = 86400", f"time_to_live = 86400\n{special}")
    return parse({"thing.toml": text + more}).types["thing"]


def own(name: str) -> str:
    return f'holdout = {{ share = "50%", name = "{name}" }}\n'


def decided(spec: NotificationType, asked: Request | None = None) -> list[tuple[str, ...]]:
    """What is told of who is compared: the group, what both are about, and for how long."""
    asked = asked or request()
    decision = decide(asked, spec, UserState(EVERYWHERE), NOON)
    rows = assigned(asked, spec, decision, NOON)
    assert {row.stage for row in rows} <= {Stage.ASSIGNED}
    assert len({row.id for row in rows}) == len(rows)
    return [(row.variant, row.detail, str(row.within)) for row in rows]


@given(NAMES, NAMES, NAMES)
def test_who_is_held_out_is_a_hash_and_nothing_else(tenant: str, user: str, name: str) -> None:
    """Reckoned here anew, as others would who want to know whom to leave out elsewhere."""
    text = f"h{len(tenant)}:{tenant}{len(user)}:{user}5:thing{name}".encode()
    place = int.from_bytes(blake2b(text, digest_size=8).digest(), "big") / 2**64
    for share in (1, 500, 5000):
        holdout = Holdout(name, share, "thing")
        assert holdout.holds_out(tenant, user) is (place < share / 10_000)


def test_a_larger_share_holds_out_the_same_users_and_others() -> None:
    users = [f"user-{number}" for number in range(4000)]
    found = [
        {user for user in users if Holdout("a", share, "thing").holds_out("t", user)}
        for share in (100, 500, 1000, 5000)
    ]
    for share, (fewer, more) in zip((500, 1000, 5000), pairwise(found), strict=True):
        assert fewer < more
        assert abs(len(more) / len(users) - share / 10_000) < 0.025


def test_types_names_and_the_catalogue_draw_by_themselves() -> None:
    """Of two that hold out half, a quarter of users is in both."""
    users = [f"user-{number}" for number in range(4000)]
    all_of = [
        {user for user in users if Holdout(name, 5000, of).holds_out("t", user)}
        for name, of in (("a", "thing"), ("b", "thing"), ("a", "other"), ("a", ""))
    ]
    all_of.append({user for user in users if Holdout("a", 5000, "thing").holds_out("u", user)})
    for one, other in combinations(all_of, 2):
        assert abs(len(one & other) / len(users) - 0.25) < 0.03


def test_the_catalogues_holds_the_same_users_out_of_all_types() -> None:
    text = TYPE + TYPE.replace("types.thing", "types.other").partition("\n\n")[2]
    types = parse({"a.toml": text, "z.toml": ALL.format("a")}).types
    holdouts = {spec.holdouts for spec in types.values()}
    assert (len(types), holdouts) == (2, {(Holdout("a", 5000),)})


@pytest.mark.parametrize("special", ["transactional = true", 'priority = "critical"'])
def test_what_people_wait_for_is_never_held_out(special: str) -> None:
    text = TYPE.replace(
        'priority = "normal"', special.replace("transactional", 'priority = "low"\ntransactional')
    )
    other = TYPE.replace("thing", "other")
    types = parse({"a.toml": text, "b.toml": other, "c.toml": ALL.format("a")}).types
    assert (types["thing"].holdouts, types["other"].holdouts) == ((), (Holdout("a", 5000),))


def test_both_groups_are_of_those_alone_whom_nothing_else_keeps_from_being_told() -> None:
    for name, group in (("a", "held_out"), ("b", "told")):
        spec = thing(own(name) + GOAL)
        assert decided(spec) == [(f"holdout.{name}/{group}", "", str(7 * 86_400))]
        silent = replace(
            EVERYWHERE, channels=dict.fromkeys(("push", "email", "sms", "inapp"), False)
        )
        late = request(at=NOON - 25 * HOUR, accepted_at=NOON - 25 * HOUR)
        for asked, profile in ((request(), silent), (late, EVERYWHERE)):
            decision = decide(asked, spec, UserState(profile), NOON)
            assert not decision.deliveries
            assert not assigned(asked, spec, decision, NOON)
            assert {each.reason for each in decision.outcomes} <= {Reason.OPTED_OUT, Reason.EXPIRED}


def test_who_is_told_counts_in_each_holdout_and_who_is_held_out_in_one() -> None:
    of_all, mine = Holdout("a", 5000), Holdout("a", 5000, "thing")
    none = [replace(each, name="b") for each in (of_all, mine)]
    assert groups((of_all, mine), "default", "ann") == ["global.a/held_out"]
    assert groups((none[0], mine), "default", "ann") == ["holdout.a/held_out"]
    assert groups((of_all, none[1]), "default", "ann") == ["global.a/held_out"]
    assert groups(tuple(none), "default", "ann") == ["global.b/told", "holdout.b/told"]
    assert held_out_by(tuple(none), "default", "ann") is None


def test_without_a_goal_nobody_is_compared() -> None:
    assert decided(thing(own("a"))) == []


@pytest.mark.parametrize(
    ("value", "about"), [("c1", "c1"), (7, "7"), (7.0, "7"), (None, None), ({}, None), ("", None)]
)
def test_what_both_are_about_must_be_there(value: object, about: str | None) -> None:
    spec = thing(own("b") + GOAL.replace(" }", ', match = "cart" }'))
    asked = request(data={"text": "x", "cart": value})
    expected = [] if about is None else [("holdout.b/told", about, str(7 * 86_400))]
    assert decided(spec, asked) == expected
    assert spec.goal is not None
    assert spec.goal.about(asked.event) == about


def test_a_goal_is_one_row_however_often_its_event_is_read() -> None:
    spec = thing(own("a") + GOAL)
    bought = happened("thing.bought")
    row = did(bought, spec, "ann", "", NOON, NOON + 5)
    again = did(bought, spec, "ann", "", NOON + 9, NOON + 10)
    assert row.id == again.id
    others = (
        did(replace(bought, id="f"), spec, "ann", "", 0, 0),
        did(bought, spec, "bea", "", 0, 0),
    )
    assert len({row.id, *(each.id for each in others)}) == 3
    assert (row.stage, row.type, row.user, row.channel) == (Stage.GOAL, "thing", "ann", None)


def test_who_is_held_out_is_remembered_as_told_and_counts_in_no_limit() -> None:
    ann = Person(thing(own("a")))
    (outcome,) = ann.meet(request(), NOON).outcomes
    assert (outcome.channel, outcome.reason, outcome.detail) == (
        None,
        Reason.HOLDOUT,
        "50% of thing",
    )
    assert not ann.ledger.windows
    assert not ann.held
    assert ann.meet(request(), NOON).replay


def test_an_explanation_says_where_the_user_stands() -> None:
    for name, said in (("a", "not sent, holdout: 50% of thing"), ("b", "")):
        found = told(spec=thing(own(name)))
        (line,) = [each for each in found.asked if each.rule == "holdout"]
        place = Holdout(name, 5000, "thing")._point("default", "ann") / 2**64
        shown = f"{name} of thing: at {place:.2%}, and holds out those below 50%"
        assert (line.looked_at, line.said) == (shown, said)
        assert bool(found.sent) is (name == "b")
    found = told(spec=thing("", ALL.format("a")))
    assert [each.detail for each in found.silent] == ["50% of all types"]


def test_a_post_is_in_no_feed_of_who_is_held_out() -> None:
    post = Post(notification_id="f" * 32, type="thing", event=request().event, accepted_at=NOON)
    for name, is_shown in (("a", False), ("b", True)):
        item = item_for(post, "ann", thing(own(name)), UserState(EVERYWHERE), NOON)
        assert (item is not None) is is_shown


@pytest.mark.parametrize(
    ("special", "more", "complaint"),
    [
        (own("a").replace("50%", "51%"), "", f"10: {SHARE}: is not between 0.01% and 50%."),
        (own("a").replace("50%", "0%"), "", f"10: {SHARE}: is not between 0.01% and 50%."),
        (own("a").replace("50%", "5"), "", f'10: {SHARE}: not a share such as "5%" or "2.5%".'),
        (
            own("a") + "transactional = true", "",
            "10: types.thing.holdout: contradicts what is transactional, of which nobody is held "
            "out.",
        ),
        (GOAL, "", f"10: {ALONE}"),
        (
            own("a") + GOAL.replace("7d", "91d"), "",
            "11: types.thing.goal.within: is not between a second and 90 days.",
        ),
        (
            "transactional = true", ALL.format("a"),
            "18: holdout: has no effect, as all types are transactional or critical.",
        ),
        ("transactional = true\n" + GOAL, ALL.format("a") + OTHER, f"11: {ALONE}"),
        (
            "", ALL.format("a").replace("50%", "0.00%"),
            "19: holdout.share: is not between 0.01% and 50%.",
        ),
        ("", "\n[holdout]\nshare = '5%'\n", "18: holdout: Object missing required field `name`."),
    ],
)  # fmt: skip
def test_what_can_not_be_is_told_with_its_line(special: str, more: str, complaint: str) -> None:
    text = TYPE.replace("time_to_live = 86400", f"time_to_live = 86400\n{special}") + more
    found = problems(thing=text)
    assert any(each.startswith(f"thing.toml:{complaint}") for each in found), found


def test_there_is_one_holdout_of_all_types() -> None:
    text = ALL.format("a")
    assert "z.toml:2: holdout: is declared in b.toml as well." in problems(b=text, z=text, a=TYPE)


def test_a_goal_is_found_by_its_event_but_not_in_a_notification() -> None:
    special = own("a") + GOAL.replace(" }", ', match = "cart.id", user = "who" }')
    text = TYPE.replace("time_to_live = 86400", f"time_to_live = 86400\n{special}")
    catalogue = parse({"a.toml": text})
    spec = catalogue.types["thing"]
    assert spec.goal == Goal("thing.bought", 7 * 86_400_000, ("cart", "id"), ("who",))
    assert spec.goal.shown == "thing.bought of the same cart.id within 7d"
    bought = happened("thing.bought")
    assert catalogue.aimed_at(bought) == (spec,)
    assert catalogue.knows(bought)
    named = replace(bought, notify=Notify(type="else", users=("ann",)))
    assert not catalogue.aimed_at(named)
    assert not catalogue.knows(named)
