import pytest

from policy.catalogue.catalogue import parse
from tests.policy.refusals import problems
from tests.policy.samples import TYPE


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


def test_every_value_that_does_not_fit_is_told_with_what_would() -> None:
    thing = TYPE.replace('category = "things"', "")
    for old, new in (
        ('"normal"', '"hihg"'),
        ('"inapp"]', '"pigeon", "fax"]'),
        ("= 86400", '= "1w"\nspeed = 1\nrate_limits = 3\nrate_limit = { count = 5, every = 1 }'),
        ("[types.thing.templates]", DIGESTS + "[types.thing.templates]"),
    ):
        thing = thing.replace(old, new)
    channels = "it is one of push, email, sms, inapp, chat, webhook."
    prefix = "types.thing"
    assert problems(thing=thing) == [
        f"thing.toml:4: {prefix}: Object missing required field `category`.",
        f"thing.toml:6: {prefix}.priority: Invalid enum value 'hihg' (did you mean high?): "
        "it is one of critical, high, low, normal.",
        f"thing.toml:7: {prefix}.channels[3]: Invalid enum value 'pigeon': {channels}",
        f"thing.toml:7: {prefix}.channels[4]: Invalid enum value 'fax': {channels}",
        f'thing.toml:9: {prefix}.time_to_live: not a span of time such as 90, "15m" or "7d".',
        f"thing.toml:10: {prefix}: Object contains unknown field `speed`.",
        f"thing.toml:11: {prefix}: Object contains unknown field `rate_limits`"
        " (did you mean rate_limit?).",
        f"thing.toml:12: {prefix}.rate_limit: Object contains unknown field `every`:"
        " it has count, seconds, over.",
        f"thing.toml:12: {prefix}.rate_limit: Object missing required field `seconds`.",
        f'thing.toml:15: {prefix}.digests[0].at[0]: not a time of day such as "09:30".',
        f"thing.toml:15: {prefix}.digests[0].days[0]: Invalid enum value 'Monday'"
        ": it is one of mon, tue, wed, thu, fri, sat, sun.",
        f"thing.toml:16: {prefix}.digests[1]: Object missing required field `channels`.",
    ]


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        (
            'until = "order.placed"',
            "`object | null`, got `str`: write until = { event = …, match = … }",
        ),
        ("goal = 3", "`object | null`, got `int`: write goal = { event = …, within = … }"),
        ('sender = "a@b.example"', "write sender = { name = …, address = …, reply_to = … }"),
        ('escalation = "sms"', 'write escalation = [{ after = …, channels = ["push"] }]'),
        ('escalation = ["sms"]', 'write { after = …, channels = ["push"] }'),
        ('fallback = "push"', 'write fallback = { push = ["push"] }'),
        ('fallback.sms = "push"', 'write sms = ["push"]'),
        ("segment = 3", "`str | object`, got `int`: write segment = { NAME = … }"),
        ('experiment = "x"', "write experiment = { name = …, variants = { NAME = … } }"),
    ],
)
def test_what_is_no_table_is_told_with_the_one_to_write(line: str, instead: str) -> None:
    (found,) = problems(thing=TYPE.replace("= 86400", f"= 86400\n{line}"))
    assert found.startswith("thing.toml:10: types.thing.")
    assert found.endswith(f"{instead}.")


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ('types = "x"', "[types.NAME]"),
        ('types.thing = "x"', "[types.thing]"),
        ('holdout = "5%"', "[holdout]"),
        ('tenants.a.channels = "push"', "channels = { push = true }"),
        ('tenants.a.quiet_hours = "22:00"', "quiet_hours = [{ start = …, end = … }]"),
        ("categories.a.rate_limit = 3", "rate_limit = { count = …, seconds = … }"),
    ],
)
def test_so_is_a_section_that_is_none(text: str, instead: str) -> None:
    (found,) = problems(thing=text)
    assert found.endswith(f": write {instead}.")


DIGESTS = """digests = [
    { channels = ["push"], at = ["9"], days = ["Monday"] },
    { every = "5m" },
]
"""


def test_a_type_that_does_not_fit_hides_no_other_of_its_file() -> None:
    _, _, types = TYPE.partition("\n\n")
    other = types.replace("thing", "other").replace("data.text", "dat.text", 1)
    found = problems(thing=TYPE.replace('"normal"', '"asap"') + other)
    assert [each.partition(": ")[2][:30] for each in found] == [
        "types.thing.priority: Invalid ",
        "types.other.templates.push.bod",
    ]


def test_a_key_that_is_there_twice_is_named() -> None:
    (found,) = problems(thing=TYPE.replace('"normal"', '"normal"\n  priority = "low"'))
    said = "Cannot overwrite a value: priority is there already, in column 19."
    assert found == f"thing.toml:7: is not TOML: {said}"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[types.thing]", "types.thing is there already"),
        ("[[types.thing.digests]]", "types.thing.digests is there already, with all of its value"),
    ],
)
def test_a_table_that_is_there_twice_is_named(more: str, said: str) -> None:
    digests = 'digests = [{ channels = ["push"], every = "1h" }]'
    (found,) = problems(thing=TYPE.replace("= 86400", f"= 86400\n{digests}") + f"\n{more}\n")
    assert f": {said}, in column " in found


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse({"thing.toml": "\ufeff" + TYPE}).types.keys() == {"thing"}


@pytest.mark.parametrize(
    "text",
    [
        "a" + ".a" * 100_000 + " = 1",
        "[" + 'a . "b" .' * 50_000 + "c]",
        "a = " + "[" * 100_000,
        "a = " + "{ a = " * 50_000,
    ],
    ids=["dotted key", "header", "lists", "tables"],
)
def test_what_is_nested_without_end_is_refused_at_once(text: str) -> None:
    """To parse the dotted key would take 40 GB."""
    assert problems(deep=f"\n{text}") == ["deep.toml:2: is nested more than 32 deep."]


def test_dots_and_brackets_in_texts_are_no_depth() -> None:
    ends = '"' + "…. [" * 40 + '{{ data.text }}"'
    parse({"thing.toml": TYPE.replace('"{{ data.text }}"', ends)})
