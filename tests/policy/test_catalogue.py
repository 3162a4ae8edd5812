import re
import tomllib
from datetime import UTC, datetime
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import BadCatalogue
from policy.catalogue import parse
from policy.digest_window import DigestWindow
from policy.notification_type import Limited
from policy.rate_limit import RateLimit
from policy.tenant import DEFAULT_TENANT
from schemas.event import Event, Notify
from schemas.vocabulary import Channel, Priority, Reason, Stage
from tests.policy.samples import TYPE, shipped_catalogue, variant

LAYOUT = """[layouts.letter]
html = "<p>{{ content }}</p>"
"""
IN_LETTER = TYPE.replace('email = { title = "Hi"', 'email = { layout = "letter", title = "Hi"')


def problems(**files: str) -> list[str]:
    """What is said of these files, whose names lack the ending here."""
    with pytest.raises(BadCatalogue) as caught:
        parse({f"{name}.toml": text for name, text in files.items()})
    assert str(caught.value) == "\n".join(caught.value.problems)
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"inapp"]', '"pigeon"]', "7: types.thing.channels[3]: Invalid enum value 'pigeon'"),
        ("inapp = { body", "fax = { body", "15: types.thing.templates: Object contains unknown"),
        ('["push", "email", "sms", "inapp"]', "[]", "7: types.thing.channels: Expected `array`"),
        ('sms = { body = "{{ data.text }}"', 'sms = { body = "{{ data."', "14: types.thing.temp"),
        ('sms = { body = "{{ data.text }}"', 'sms = { body = "{{ dat }}"', "14: types.thing.templ"),
        ('{ title = "Hi", body', "{ title = 3, body", "12: types.thing.templates.push.title: Exp"),
        ('users = "who"', 'users = "who..x"', "8: types.thing.users: not a path to a field"),
        ('users = "who"', 'segment = { plan = "" }', "8: types.thing.segment.plan: Expected `str`"),
        ('users = "who"', 'segment = { "" = "a" }', "8: types.thing.segment.'': Expected `str`"),
        ("= 86400", "= -1", "9: types.thing.time_to_live: Expected `int` >= 0"),
        ("= 86400", "= 1.5", "9: types.thing.time_to_live: Expected `int | str`, got `float`"),
        ("= 86400", '= "1w"', "9: types.thing.time_to_live: not a span of time such as"),
        ("= 86400", "= 1\ndedupe_hours = 0", "10: types.thing.dedupe_hours: Expected `int` >= 1"),
        ("= 86400", "= 1\nrate_limit.count = 0", "10: types.thing.rate_limit.count: Expected"),
        ("= 86400", "= 1\nspeed = 1", "10: types.thing: Object contains unknown field `speed`"),
        ("= 86400", "= 1\nfallback.fax = []", "10: types.thing.fallback.fax: Invalid enum value"),
        ('"sms", "inapp"]', '"sms", "inapp"]\nonline = "sms"', "8: types.thing.online: Invalid"),
        ('"normal"', '"asap"', "6: types.thing.priority: Invalid enum value 'asap'"),
        ('"normal"', '"bulk"', "6: types.thing.priority: Invalid enum value 'bulk'"),
        ('priority = "normal"', "", "4: types.thing: Object missing required field `priority`"),
        ('category = "things"', 'category = "a/b"', "5: types.thing.category: not of letters"),
        ('category = "things"', 'category = "*"', "5: types.thing.category: not of letters, dig"),
        ("[types.thing]", '[types."a.b"]', "4: types.'a.b': not of letters, digits, - and _ alo"),
        ("[types.thing]", "[type.thing]", "4: Object contains unknown field `type`"),
        ('event = "thing.happened"', "", "1: event: is missing, so nothing sets off the types"),
        ('event = "thing.happened"', "event =", "2: is not TOML: Invalid value, in column 8"),
        ('event = "thing.happened"', "event = '", "15: is not TOML: Expected"),
        ("inapp = {", 'inapp = """{', "15: is not TOML: "),
    ],
)
def test_errors_name_file_line_and_field(old: str, new: str, complaint: str) -> None:
    assert old in TYPE
    found = problems(thing=TYPE.replace(old, new))[0]
    assert found.startswith(f"thing.toml:{complaint}")
    assert found.endswith(".")


def test_errors_in_templates_name_the_channel_and_the_text() -> None:
    (sms,) = problems(thing=TYPE.replace('sms = { body = "{{ data.text', 'sms = { body = "{{ dat'))
    assert sms.startswith("thing.toml:14: types.thing.templates.sms.body: 'dat' is not one of")
    (email,) = problems(thing=TYPE.replace('email = { title = "Hi", ', "email = { "))
    assert email.startswith("thing.toml:13: types.thing.templates.email.title: is missing")
    (whole,) = problems(thing=TYPE.replace("sms = {", 'sms = { title = "x", '))
    assert whole.startswith("thing.toml:14: types.thing.templates.sms: has more than")


def test_everything_that_is_wrong_is_told_at_once() -> None:
    thing = TYPE.replace('users = "who"', "followers = false\nfan_out_threshold = 5")
    found = problems(
        tenants='[tenants.acme]\nzone = "Mars/Olympus"\nlocale = "xx"\n[tenants.b]\nzones = 1\n',
        other=TYPE.replace("thing", "other").replace("normal", "asap"),
        no="TOML",
        thing=thing.replace("= 86400", '= "9999d"').replace('"sms", "inapp"]', '"sms", "sms"]'),
    )
    assert [problem.partition(": ")[0] for problem in found] == [
        "no.toml:1",
        "other.toml:6",
        "tenants.toml:2",
        "tenants.toml:3",
        "tenants.toml:5",
        "thing.toml:4",
        "thing.toml:7",
        "thing.toml:9",
        "thing.toml:10",
        "thing.toml:16",
    ]


@pytest.mark.parametrize("section", ["types.thing", "categories.a", "tenants.a", "layouts.a"])
def test_each_thing_is_declared_once_over_all_files(section: str) -> None:
    text = {
        "types.thing": TYPE,
        "categories.a": "[categories.a]\nrate_limit = { count = 1, seconds = 1 }",
        "tenants.a": "[tenants.a]",
        "layouts.a": '[layouts.a]\nhtml = ""',
    }[section]
    line = 4 if section == "types.thing" else 1
    expected = f"z.toml:{line}: {section}: is declared in b.toml as well."
    assert expected in problems(z=text, b=text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "1: the file declares nothing"),
        ("# [types.thing]\n", "1: the file declares nothing"),
        ('\nevent = "a"', "2: event: sets off no types"),
        (
            "[categories.none]\nrate_limit = { count = 1, seconds = 1 }",
            "1: categories.none: is the",
        ),
        ("[categories.things]\n", "1: categories.things: Object missing required field"),
        ("[tenants.a]\n[tenants.a.categories]\nnone.push = true", "3: tenants.a.categories.none: "),
        ('[tenants.a]\nfrequency = { none = "daily" }', "2: tenants.a.frequency.none: is the cat"),
        ('[tenants.a]\nfrequency = { things = "weekly" }', "2: tenants.a.frequency.things: Inva"),
        ("[tenants.a]\ncategories.things.fax = true", "2: tenants.a.categories.things.fax: Inval"),
        ('[tenants.a]\nzone = "local"', "2: tenants.a.zone: 'local' is not an IANA time zone"),
        ('[tenants.a]\nlocale = "tlh-QQ"', "2: tenants.a.locale: 'tlh-QQ' is not a locale"),
        ('[tenants.a]\nlocale = "?"', '2: tenants.a.locale: not a locale such as "en"'),
        ('[tenants.a]\ndigest_at = "9:00"', "2: tenants.a.digest_at: not a time of day such as"),
        (
            '[tenants.a]\nquiet_hours = [\n{ start = "22:00", end = "07:00" },\n'
            '{ start = "12:00", end = "12:00" },\n]',
            "4: tenants.a.quiet_hours[1].end: is the start as well",
        ),
        (
            '[[tenants.a.quiet_hours]]\nstart = "22:00"\nend = "07:00"\ndays = ["mon", "mon"]',
            "4: tenants.a.quiet_hours[0].days: names mon more than once",
        ),
        ("[tenants.a]\nrate_limit = { count = 0, seconds = 1 }", "2: tenants.a.rate_limit.count: "),
        (LAYOUT, "1: layouts.letter: is used by no templates"),
        ("[layouts.letter]\nhtm = 1", "2: layouts.letter: Object contains unknown field `htm`"),
    ],
)
def test_what_all_files_share_is_checked(text: str, complaint: str) -> None:
    (problem,) = problems(shared=text, thing=TYPE)
    assert problem.startswith(f"shared.toml:{complaint}")


def test_a_limit_for_a_category_of_critical_types_has_no_effect() -> None:
    category = "[categories.things]\nrate_limit = { count = 1, seconds = 1 }"
    (problem,) = problems(shared=category, thing=TYPE.replace("normal", "critical"))
    assert problem.startswith("shared.toml:1: categories.things: has no effect, as what is crit")


def test_a_layout_is_for_the_templates_of_all_files() -> None:
    spec = parse({"layouts.toml": LAYOUT, "thing.toml": IN_LETTER}).types["thing"]
    assert spec.plan_of(Channel.EMAIL) is not None
    (unknown,) = problems(thing=IN_LETTER)
    assert unknown.startswith("thing.toml:13: types.thing.templates.email.layout: 'letter' is not")


def test_of_a_broken_layout_only_that_is_told() -> None:
    (problem,) = problems(layouts="[layouts.letter]\nhtml = 3", thing=IN_LETTER)
    assert problem == "layouts.toml:2: layouts.letter.html: Expected `str | null`, got `int`."


def test_tenants_and_categories_may_stand_in_any_file() -> None:
    catalogue = parse(
        {
            "thing.toml": TYPE + '\n[tenants.acme]\nzone = "Asia/Tokyo"\n',
            "shared.toml": "[categories.things]\nrate_limit = { count = 3, seconds = 60 }\n"
            '[tenants.other]\nfrequency = { "*" = "daily" }',
        }
    )
    assert catalogue.tenant("acme").zone == "Asia/Tokyo"
    assert catalogue.tenant("nobody") == DEFAULT_TENANT
    limit = Limited("category.things", RateLimit(3, 60), once=True)
    assert all(limit in plan.limits for plan in catalogue.types["thing"].steps[0].plans)


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
    (step,) = spec.steps
    assert [plan.limits for plan in step.plans] == [
        (Limited(channel, RateLimit(10, 3600)),) for channel in ("push", "email", "sms", "inapp")
    ]
    assert step.online_plans == step.plans


def test_a_type_with_its_own_limit_is_counted_by_itself() -> None:
    spec = variant(("= 86400", "= 86400\nrate_limit = { count = 3, seconds = 60 }"))
    windows = [limit.window for plan in spec.steps[0].plans for limit in plan.limits]
    assert windows == ["push.thing", "email.thing", "sms.thing", "inapp.thing"]


def test_each_limit_says_for_itself_what_becomes_of_what_is_over_it() -> None:
    spec = variant(
        (
            "= 86400",
            '= 86400\nrate_limit = { count = 3, seconds = 60, over = "digest" }\n'
            "actor_limit = { count = 1, seconds = 60 }",
        )
    )
    plan = spec.steps[0].plans[0]
    assert plan.limits == (Limited("push.thing", RateLimit(3, 60), folds=True),)
    assert plan.actor_limit == Limited("actor.thing", RateLimit(1, 60), once=True)


def test_what_stands_by_is_decided_after_what_it_stands_by_for_in_every_step() -> None:
    fallback = 'fallback = { push = ["sms"], email = ["push"] }'
    spec = variant(
        ('["push", "email", "sms", "inapp"]', '["inapp"]'),
        (
            "= 86400",
            f'= 86400\n{fallback}\nescalation = [{{ after = "1h", '
            'channels = ["email", "push", "sms"], unless = "opened" }]',
        ),
    )
    step = spec.steps[1]
    assert [plan.channel for plan in step.plans] == [Channel.SMS, Channel.PUSH, Channel.EMAIL]
    assert (step.after, step.unless) == (3_600_000, Stage.OPENED)


def happened(kind: str, **fields: Any) -> Event:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return Event(id="e", type=kind, actor="a", occurred_at=at, **fields)


def test_an_event_may_name_its_type_itself() -> None:
    catalogue = shipped_catalogue()
    notify = Notify(type="chat_message", users=("ann",))
    assert catalogue.for_event(happened("no.such", notify=notify)) == (
        catalogue.types["chat_message"],
    )
    unknown = Notify(type="no_such", users=("ann",))
    assert catalogue.for_event(happened("chat.message", notify=unknown)) == ()


def test_an_unknown_event_type_has_no_types() -> None:
    assert shipped_catalogue().for_event(happened("no.such")) == ()


@pytest.mark.parametrize(
    ("event", "name", "channels", "priority", "transactional", "audience"),
    [
        ("order.shipped", "order_shipped", "push email sms", "high", True, "customer_id"),
        ("ride.matched", "ride_matched_rider", "push sms", "critical", True, "rider_id"),
        ("ride.matched", "ride_matched_driver", "push", "critical", False, "driver_id"),
        ("chat.message", "chat_message", "push inapp", "high", False, "recipient_id"),
        ("post.published", "post_published", "push inapp", "normal", False, "followers"),
        ("comment.added", "comment_added", "inapp push", "low", False, "author_id"),
        ("invoice.due", "invoice_due", "push email sms", "normal", True, "customer_id"),
    ],
)
def test_the_types_that_are_shipped(
    event: str, name: str, channels: str, priority: str, transactional: bool, audience: str
) -> None:
    catalogue = shipped_catalogue()
    spec = catalogue.types[name]
    assert spec in catalogue.for_event(happened(event))
    first = [plan.channel for plan in spec.steps[0].plans]
    assert first == [Channel(each) for each in channels.split()]
    assert spec.priority is Priority(priority)
    assert spec.transactional is transactional
    assert (".".join(spec.users) or "followers") == audience
    assert spec.followers is (audience == "followers")


def test_the_shipped_default_tenant_is_as_one_of_which_nothing_is_said() -> None:
    assert shipped_catalogue().tenants == {"default": DEFAULT_TENANT}


def test_comments_are_shown_gathered_and_at_last_mailed() -> None:
    first, second = shipped_catalogue().types["comment_added"].steps
    inapp, push = first.plans
    assert inapp.digest is None
    assert push.digest == DigestWindow(pause=600_000, longest=7_200_000)
    assert second.after == 3 * 3_600_000
    (email,) = second.plans
    assert email.digest == DigestWindow(times=(18 * 60,))
    assert push.digest_key == email.digest_key == ("post_id",)


def test_an_invoice_comes_by_sms_only_where_push_can_not_go() -> None:
    spec = shipped_catalogue().types["invoice_due"]
    stands_by = {plan.channel: plan.instead_of for plan in spec.steps[0].plans}
    assert stands_by == {Channel.PUSH: (), Channel.EMAIL: (), Channel.SMS: (Channel.PUSH,)}


def test_chat_prefers_in_app_while_online_and_push_while_not() -> None:
    (step,) = shipped_catalogue().types["chat_message"].steps
    assert [(plan.channel, plan.needless) for plan in step.plans] == [
        (Channel.PUSH, Reason.FALL_BACK),
        (Channel.INAPP, Reason.OFFLINE),
    ]
    assert [(plan.channel, plan.instead_of, plan.needless) for plan in step.online_plans] == [
        (Channel.INAPP, (), Reason.FALL_BACK),
        (Channel.PUSH, (Channel.INAPP,), Reason.ONLINE),
    ]


FULL = (
    TYPE.replace(
        "= 86400",
        """= 86400
topic = "key"
delay = "5m"
rate_limit = { count = 3, seconds = 60, over = "digest" }
actor_limit = { count = 1, seconds = 60 }
quiet_hours = "drop"
online = "inapp"
online_grace = "30s"
fallback = { email = ["push", "inapp"] }
""",
    ).replace('"sms", "inapp"]', '"inapp"]')
    + """
[[types.thing.escalation]]
after = "1h"
channels = ["sms"]
unless = "opened"
[[types.thing.digests]]
channels = ["email"]
key = "post_id"
at = ["09:00", "18:00"]
days = ["mon"]
[types.thing.experiment]
name = "words"
variants.plain = {}
variants.warm = { weight = 2, templates = { sms = { body = "{{ data.text }}!" } } }
[categories.things]
rate_limit = { count = 100, seconds = 3600 }
[tenants.acme]
zone = "Europe/Berlin"
locale = "de-DE"
quiet_hours = [{ start = "22:00", end = "07:00", days = ["sat", "sun"] }]
categories.things = { sms = true }
frequency = { "*" = "daily" }
"""
)
LINES = FULL.splitlines()
PIECES = [
    *("1", "-1", "1.5", '""', '"push"', '["push"]', "[]", "{}", "true", "09:00:00", "1979-05-27"),
    *("{ a = 1 }", '[{ channels = ["sms"] }]', '"9999d"', "nan", '"{{ x"', "'", "[", '"""', "\\"),
]


@given(st.data())
def test_a_mutated_catalogue_is_either_used_or_refused_with_file_and_line(
    data: st.DataObject,
) -> None:
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["delete", "repeat", "value", "swap", "cut"])):
            case "delete":
                del lines[at]
            case "repeat":
                lines.insert(at, lines[data.draw(st.integers(0, len(lines) - 1))])
            case "value":
                name, _, _ = lines[at].partition(" = ")
                lines[at] = f"{name} = {data.draw(st.sampled_from(PIECES))}"
            case "swap":
                lines[at], lines[0] = lines[0], lines[at]
            case "cut":
                lines[at] = lines[at][: data.draw(st.integers(0, len(lines[at])))]
    text = "\n".join(lines)
    try:
        parse({"full.toml": text})
    except BadCatalogue as error:
        for problem in error.problems:
            found = re.match(r"full\.toml:(\d+): .+\.$", problem)
            assert found, problem
            assert 1 <= int(found[1]) <= text.count("\n") + 1


NAMES = st.sampled_from(
    ["event", "types", "thing", "channels", "tenants", "a.b", "templates", "push", "digests", ""]
)
TREES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([0, -1, 1.5, True, "", "push", "1h", "{{", "thing", "\x00"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(path=st.lists(st.integers(0, 20), max_size=4), value=TREES)
def test_anything_in_place_of_anything_is_refused_with_file_and_line(
    path: list[int], value: Any
) -> None:
    table = tomllib.loads(FULL)
    node: Any = table
    for step in path:
        keys = list(node) if isinstance(node, dict) else range(len(node))
        key = keys[step % len(keys)]
        if not isinstance(node[key], dict | list) or not node[key]:
            break
        parent, node = node, node[key]
        last = key
    else:
        if path:
            parent[last] = value
    try:
        parse({"full.toml": tomli_w.dumps(table)})
    except BadCatalogue as error:
        assert all(re.match(r"full\.toml:\d+: .+\.$", each) for each in error.problems)
