import pytest

from pipeline.errors import BadCatalogue
from policy.catalogue import parse
from schemas.vocabulary import Channel, Priority, Reason
from tests.policy.samples import TYPE, shipped_catalogue, variant


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"inapp"]', '"pigeon"]', r"types.thing.channels\[3\]: Invalid enum value 'pigeon'"),
        ("inapp = { body", "fax = { body", "types.thing.templates: .* unknown field `fax`"),
        ('inapp = { body = "{{ data.text }}" }', "", "types.thing.templates.inapp is missing"),
        ('"sms", "inapp"]', '"sms"]', "templates.inapp is for a channel that is not listed"),
        ('"sms", "inapp"]', '"sms", "inapp", "sms"]', "channels names a channel twice"),
        ('["push", "email", "sms", "inapp"]', "[]", "types.thing.channels: Expected .* length"),
        ('sms = { body = "{{ data.text }}"', 'sms = { body = "{{ data."', "templates.sms.body: "),
        ('sms = { body = "{{ data.text }}"', 'sms = { body = "{{ dat }}"', "'dat' is not one of"),
        ('sms = { body = "{{', 'sms = { title = "x", body = "{{', "templates.sms has more than"),
        ('email = { title = "Hi", ', "email = { ", "templates.email.title is missing"),
        ('inapp = { body = "', 'inapp = { html = "", body = "', "inapp.html is for e-mail only"),
        (
            'push = { title = "Hi", body',
            "push = { title = 3, body",
            "types.thing.templates.push.title: Expected `str",
        ),
        ('users = "who"', "", "types.thing.users or followers = true is needed"),
        ('users = "who"', 'users = "who"\nfollowers = true', "types.thing.users or followers"),
        ('users = "who"', 'users = "who..x"', "types.thing.users: Expected `str` matching"),
        ('users = "who"', 'users = "who"\nfan_out_threshold = 5', "fan_out_threshold needs"),
        ("= 86400", "= -1", "types.thing.time_to_live: Expected `int` >= 1"),
        ("= 86400", "= 1.5", "types.thing.time_to_live: Expected `int`, got `float`"),
        ("= 86400", "= 86400\ndedupe_hours = 0", "types.thing.dedupe_hours: Expected"),
        ("= 86400", "= 86400\nrate_limit = { count = 0, seconds = 1 }", "rate_limit.count: "),
        ("= 86400", "= 86400\nspeed = 1", "types.thing: Object contains unknown field `speed`"),
        ('"sms", "inapp"]', '"sms", "inapp"]\nonline = "sms"', "online: Invalid enum value"),
        ('priority = "normal"', 'priority = "asap"', "types.thing.priority: Invalid enum value"),
        ('priority = "normal"', "", "types.thing: Object missing required field `priority`"),
        ('event = "thing.happened"', "", "the file: Object missing required field `event`"),
        ('event = "thing.happened"', "event =", "is not TOML"),
    ],
)
def test_errors_name_file_and_field(old: str, new: str, complaint: str) -> None:
    assert old in TYPE
    with pytest.raises(BadCatalogue, match=complaint) as caught:
        parse({"thing.toml": TYPE.replace(old, new)})
    assert str(caught.value).startswith("thing.toml")
    assert str(caught.value).endswith(".")


def test_presence_needs_both_channels() -> None:
    text = TYPE.replace('"push", "email"', '"email"').replace("= 86400", '= 1\nonline = "inapp"')
    with pytest.raises(BadCatalogue, match=r"types\.thing\.online needs both"):
        parse({"thing.toml": text})


def test_a_type_is_declared_once() -> None:
    with pytest.raises(BadCatalogue, match=r"z\.toml: types\.thing is declared in another file"):
        parse({"z.toml": TYPE, "thing.toml": TYPE})


def test_versions_are_of_the_contents() -> None:
    version = parse({"a": TYPE}).version
    assert parse({"a": TYPE}).version == version
    assert parse({"b": TYPE}).version != version
    assert parse({"a": TYPE + "# more"}).version != version
    assert variant().catalogue == parse({"thing.toml": TYPE}).version


def test_defaults() -> None:
    spec = variant()
    assert spec.time_to_live == 86_400_000
    assert spec.dedupe_hours == 24
    assert [plan.window for plan in spec.plans] == ["push", "email", "sms", "inapp"]
    limits = {plan.limit and (plan.limit.count, plan.limit.seconds) for plan in spec.plans}
    assert limits == {(10, 3600)}


def test_a_type_with_its_own_limit_is_counted_by_itself() -> None:
    spec = variant(("= 86400", "= 86400\nrate_limit = { count = 3, seconds = 60 }"))
    assert [plan.window for plan in spec.plans][:2] == ["push.thing", "email.thing"]


def test_an_unknown_event_type_has_no_types() -> None:
    assert shipped_catalogue().for_event("no.such") == ()


@pytest.mark.parametrize(
    ("event", "name", "channels", "priority", "transactional", "audience"),
    [
        ("order.shipped", "order_shipped", "push email sms", "high", True, "customer_id"),
        ("ride.matched", "ride_matched_rider", "push sms", "critical", True, "rider_id"),
        ("ride.matched", "ride_matched_driver", "push", "critical", False, "driver_id"),
        ("chat.message", "chat_message", "push inapp", "high", False, "recipient_id"),
        ("post.published", "post_published", "push", "normal", False, "followers"),
    ],
)
def test_the_types_that_are_shipped(
    event: str, name: str, channels: str, priority: str, transactional: bool, audience: str
) -> None:
    catalogue = shipped_catalogue()
    spec = catalogue.types[name]
    assert spec in catalogue.for_event(event)
    assert [plan.channel for plan in spec.plans] == [Channel(each) for each in channels.split()]
    assert spec.priority is Priority(priority)
    assert spec.transactional is transactional
    assert (".".join(spec.users) or "followers") == audience
    assert spec.followers is (audience == "followers")


def test_chat_prefers_in_app_while_online_and_push_while_not() -> None:
    spec = shipped_catalogue().types["chat_message"]
    assert [(plan.channel, plan.presence) for plan in spec.plans] == [
        (Channel.PUSH, Reason.NONE),
        (Channel.INAPP, Reason.OFFLINE),
    ]
    assert [(plan.channel, plan.presence) for plan in spec.online_plans] == [
        (Channel.INAPP, Reason.NONE),
        (Channel.PUSH, Reason.ONLINE),
    ]
