"""`tocsin preview`: what a type says, from an event or from made-up data."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from cli.main import tocsin
from schemas.errors import BadInput, BadRecord, WrongUsage
from tests.policy.templates import event

CATALOGUE = """
event = "thing.happened"

[types.thing]
category = "things"
priority = "normal"
channels = ["push", "email", "sms"]
users = "who"
time_to_live = 86400

[types.thing.templates.push]
title = "{{ data.n | plural(one='# thing', other='# things') }}"
body = "{{ data.text }} [b]"
data = ["id"]
digest = { body = "{{ count }} times" }

[types.thing.templates.email]
title = "{{ data.name }}"
body = "{{ data.text }}"
html = "<p>{{ data.text }}</p>"

[types.thing.templates.sms]
body = "{% for each in data.all %}{{ each.name }} {% endfor %}"
locales = { pt = { body = "olá {{ data.when | date }}" } }
"""


WHATSAPP = """
[types.thing.templates.chat]
body = "{{ data.text }}"

[types.thing.templates.chat.whatsapp]
template = "HX1"
language = "en"
variables = ["{{ data.name }}", "{{ data.n | number }}"]
"""


@pytest.fixture(autouse=True)
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "catalogue"
    folder.mkdir()
    (folder / "thing.toml").write_text(CATALOGUE)
    monkeypatch.setenv("TOCSIN_CATALOGUE", str(folder))


def run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "80"}).invoke(tocsin, ["preview", *arguments])


def facts(*arguments: str) -> list[dict[str, Any]]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.output.splitlines()]


def test_every_channel_is_shown_with_made_up_data() -> None:
    result = run("thing")
    assert result.exit_code == 0
    assert max(map(len, result.output.splitlines())) <= 80
    shown = [
        "3 things",
        "text [b]",
        '{"id": "id"}',
        "of 4,096 bytes",
        "11 bytes",
        "GSM-7",
        "1 segment",
    ]
    assert [each for each in shown if each not in result.output] == []


def test_a_template_of_whatsapps_is_shown_with_what_fills_it(tmp_path: Path) -> None:
    said = CATALOGUE.replace('"sms"]', '"sms", "chat"]') + WHATSAPP
    (tmp_path / "catalogue" / "thing.toml").write_text(said)
    shown = run("thing", "--channel", "chat").output
    for part in ("whatsapp  HX1 in en", "{{1}} name", "{{2}} 3"):
        assert part in shown
    (chat,) = facts("thing", "--channel", "chat")
    assert chat["approved"] == {"template": "HX1", "language": "en", "variables": ["name", "3"]}


def test_json_is_an_object_a_channel() -> None:
    push, email, sms = facts("thing", "--locale", "pt-BR")
    assert push["channel"] == "push"
    assert push["title"] == "3 things"
    assert push["bytes"] == 57
    assert email["html"] == "<p>text</p>"
    assert sms["body"] == "olá 1 de mar. de 2026"
    assert sms["segments"] == {"encoding": "UCS-2", "count": 1}


def test_one_channel_and_a_digest() -> None:
    (push,) = facts("thing", "--channel", "push", "--digest", "3")
    assert push["body"] == "3 times"
    (sms,) = facts("thing", "--channel", "sms", "--digest", "2")
    assert sms["body"] == "name name\nname name"


OTHERS = """
event = "note.happened"

[types.note]
category = "things"
priority = "normal"
channels = ["push"]
users = "who"
time_to_live = 86400
templates.push = { title = "A note", body = "of {{ data.name }}" }

[types.receipt]
category = "receipts"
priority = "normal"
channels = ["push"]
users = "who"
time_to_live = 86400
templates.push = { title = "A receipt", body = "of {{ data.name }}" }
"""


def test_several_types_in_one_message(tmp_path: Path) -> None:
    (tmp_path / "catalogue" / "note.toml").write_text(OTHERS)
    push, _, sms = facts("thing", "--with", "note")
    assert push["title"] == "3 things"
    assert push["body"] == "1 times\nA note\nof name"
    assert sms["body"] == "name name"  # a note comes by push alone
    (push,) = facts("note", "--with", "thing", "--with", "note", "--digest", "2")
    assert push["body"] == "of name\nof name\n3 things\n2 times\nA note\nof name\nof name"
    result = run("thing", "--with", "receipt")
    assert isinstance(result.exception, WrongUsage)
    assert "receipt is of receipts, and thing of things" in str(result.exception)


def test_what_makes_no_sound_is_in_no_message_of_several_types(tmp_path: Path) -> None:
    bell = OTHERS.replace(
        'channels = ["push"]', 'channels = ["push", "inapp"]\ntemplates.inapp.body = "A bell"', 1
    )
    (tmp_path / "catalogue" / "note.toml").write_text(bell)
    assert len(facts("note")) == 2
    (push,) = facts("note", "--with", "thing")
    assert push["channel"] == "push"
    refused = run("note", "--with", "thing", "--channel", "inapp")
    assert isinstance(refused.exception, WrongUsage)


def test_a_user_with_attributes_of_ones_own(tmp_path: Path) -> None:
    named = "body = \"{{ user.name|default('you') }}\""
    text = CATALOGUE.replace('body = "{{ data.text }} [b]"', named)
    (tmp_path / "catalogue" / "thing.toml").write_text(text)
    told = [("name", []), ("Ann", ["name=Ann"]), ("you", ["plan=pro"]), ("", ["name="])]
    for body, given in told:
        options = [option for each in given for option in ("--attribute", each)]
        (shown,) = facts("thing", "--channel", "push", *options)
        assert shown["body"] == body
    refused = run("thing", "--attribute", "name")
    assert isinstance(refused.exception, WrongUsage)
    assert "name has no value" in str(refused.exception)


def test_a_variant(tmp_path: Path) -> None:
    variants = """
[types.thing.experiment]
name = "words"
variants.plain = {}
variants.warm.templates.sms = { body = "warm {{ data.name }}", locales = { pt.body = "x" } }
"""
    (tmp_path / "catalogue" / "thing.toml").write_text(CATALOGUE + variants)
    push, _, sms = facts("thing", "--variant", "warm")
    assert (push["title"], sms["body"]) == ("3 things", "warm name")
    assert facts("thing", "--variant", "plain") == facts("thing")
    result = run("thing", "--variant", "cold")
    assert str(result.exception) == "words has no variant cold, but plain, warm."


def test_an_event_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    data = {"name": "Ann", "text": "<hello>", "n": 1, "id": 7, "all": []}
    file.write_bytes(msgspec.json.encode(event(**data)))
    push, email, sms = facts("thing", "--event", str(file))
    assert (push["title"], push["data"]) == ("1 thing", {"id": 7})
    assert (email["title"], email["html"]) == ("Ann", "<p>&lt;hello&gt;</p>")
    assert sms["body"] == ""


def test_the_html_can_be_written(tmp_path: Path) -> None:
    file = tmp_path / "mail.html"
    result = run("thing", "--html", str(file))
    assert file.read_text() == "<p>text</p>"
    assert "mail.html" in "".join(result.output.split())


def test_an_unknown_locale_is_said_and_has_the_base_texts() -> None:
    result = run("thing", "--locale", "xx-YY", "--channel", "email")
    assert "xx-YY is not a known locale: these are the base texts." in result.output
    assert "text" in result.output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nosuch"], r"There is no type nosuch; the catalogue has thing\."),
        (["thing", "--variant", "x"], "thing has no experiment, and so no variants"),
        (["thing", "--channel", "inapp"], "thing does not use inapp, but push, email, sms"),
        (["thing", "--event", "nosuch.json"], r"nosuch.json can't be read: No such file"),
        (["thing", "--event", "{tmp}/text"], "text is not an event: JSON is malformed"),
        (["thing", "--event", "{tmp}/latin"], "latin is not an event: 'utf-8' codec can't decode"),
        (["thing", "--event", "{tmp}/deep"], "deep is not an event: maximum recursion depth"),
        (["thing", "--event", "{tmp}/other"], "other is of other, and thing comes of thing.happ"),
        (["thing", "--html", "{tmp}/nosuch/x"], "x can't be written: No such file"),
        (["thing", "--html", "x", "--channel", "sms"], "There is no e-mail to write to x"),
        (["thing", "--html", "x", "--digest", "2"], "This e-mail has no HTML; x was not written"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path: Path, arguments: list[str], complaint: str) -> None:
    (tmp_path / "text").write_text("hello")
    (tmp_path / "latin").write_bytes(b'{"id": "\xfc"}')
    (tmp_path / "deep").write_text('{"x": ' + "[" * 100_000)
    other = msgspec.structs.replace(event(), type="other")
    (tmp_path / "other").write_bytes(msgspec.json.encode(other))
    result = run(*(each.format(tmp=tmp_path) for each in arguments))
    kind = BadInput if "--event" in arguments and "{tmp}" in arguments[-1] else WrongUsage
    assert isinstance(result.exception, kind)
    with pytest.raises(kind, match=complaint):
        raise result.exception
    assert str(result.exception).endswith(".")


def test_an_event_that_lacks_a_variable_is_named(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(msgspec.json.encode(event(n=1)))
    result = run("thing", "--event", str(file))
    assert isinstance(result.exception, BadRecord)
    assert str(result.exception) == "render_failed: thing.push: the variable 'text' is missing"
