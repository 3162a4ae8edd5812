"""What texts say of who reads them."""

import pytest
from msgspec.structs import replace

from policy.catalogue.text_entry import Texts
from policy.decision.decide import decide
from policy.rendering.joint_digest import together
from policy.rendering.reader import reader_of
from policy.rendering.rendering import BadTemplate
from policy.user.profile import Profile
from policy.user.state import UserState
from schemas.delivery import Delivery
from schemas.vocabulary import Channel
from tests.policy.samples import EVERYWHERE, NOON, request, variant
from tests.policy.templates import event, mail, rendering

NAMED = "Hi {{ user.name|default('there') }}"
ANN = reader_of("ann", "Europe/Berlin", {"name": "Ann", "plan": "pro"})
NOBODY = reader_of("bob", "UTC", {})


@pytest.mark.parametrize(
    ("source", "of_ann", "of_nobody"),
    [
        (NAMED, "Hi Ann", "Hi there"),
        ("{{ user.id }} in {{ user.zone }}", "ann in Europe/Berlin", "bob in UTC"),
        ("{% if user.plan is defined %}pro{% else %}free{% endif %}", "pro", "free"),
        ("{{ user['name']|d('you')|upper }}", "ANN", "YOU"),
        ("at {{ occurred_at|time(zone=user.zone) }}", "at 1:00\u202fPM", "at 12:00\u202fPM"),
    ],
)
def test_of_one_who_said_much_and_one_who_said_nothing(
    source: str, of_ann: str, of_nobody: str
) -> None:
    made = rendering(body=source)
    assert made.is_personal
    assert made.content(event(), "en", ANN).body == of_ann
    assert made.content(event(), "en", NOBODY).body == of_nobody


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("{{ user.name }}", "user.name may be missing"),
        ("\n{{ user['name'] }}", "user.name may be missing: |default('…') says what to say then"),
        ("{{ user.name|upper|default('') }}", "user.name may be missing"),
        ("{{ user[data.field] }}", "what is taken from user may be missing"),
        ("{% if user.plan == 'pro' %}x{% endif %}", "user.plan may be missing"),
        ("\n\n{{ user.name }}", "see its line 3"),
    ],
)
def test_what_a_user_may_not_have_needs_something_else_to_say(source: str, complaint: str) -> None:
    """Or everybody without it would get nothing, and a dead letter each."""
    with pytest.raises(BadTemplate) as caught:
        rendering(body=source)
    assert complaint in str(caught.value)


def test_what_says_nothing_of_them_is_not_personal() -> None:
    assert not rendering(body="{{ data.user }} {{ actor }}").is_personal
    assert rendering(body="x", digest=Texts(body=NAMED)).is_personal


def test_an_attribute_can_not_pretend_to_be_the_id() -> None:
    assert reader_of("ann", "UTC", {"id": "bob", "zone": "x"}) == {"id": "ann", "zone": "UTC"}


def test_in_html_it_is_escaped() -> None:
    made = rendering("email", title="Hi", body="x", html=f"<p>{NAMED}</p>")
    reader = reader_of("ann", "UTC", {"name": "<b>Ann</b>"})
    assert made.content(event(), "en", reader).html == "<p>Hi &lt;b&gt;Ann&lt;/b&gt;</p>"
    assert mail("<p>{{ data.x }}</p>", {"x": "y"}) == "<p>y</p>"


def test_a_digest_and_what_several_types_say() -> None:
    listed = Texts(body=NAMED + ": {{ events|map(attribute='data.x')|list|listing }}")
    made, other = rendering(body="{{ data.x }}", digest=listed), rendering(title="T", body=NAMED)
    told = made.digest([event(x="a"), event(x="b")], "en", ANN)
    assert told.body == "Hi Ann: a and b"
    assert together([(made, [event(x="a")]), (other, [event()])], "en", ANN).body == (
        "Hi Ann: a\nT\nHi Ann"
    )


def sent(profile: Profile) -> Delivery:
    spec = variant(('body = "{{ data.text }}", data', f'body = "{NAMED}", data'))
    asked = request(data={"who": "ann", "text": "x"})
    decision = decide(asked, spec, UserState(profile), NOON)
    return next(each for each in decision.deliveries if each.channel is Channel.PUSH)


def test_a_decision_has_the_attributes_of_the_users_contacts() -> None:
    named = replace(EVERYWHERE, attributes={"name": "Ann"})
    assert sent(named).content.body == "Hi Ann"
    assert sent(EVERYWHERE).content.body == "Hi there"
