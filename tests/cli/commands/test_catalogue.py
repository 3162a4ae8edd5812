"""`tocsin catalogue`: what is wrong is told with its place; what is right is shown."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import tocsin
from policy.catalogue.catalogue import parse
from schemas.errors import BadCatalogue
from tests.policy.experiments.test_experiment import EXPERIMENT
from tests.policy.limits.test_unpriced import MONEY
from tests.policy.samples import TYPE

ESCALATING = """
event = "alarm.raised"

[types.alarm]
category = "alarms"
priority = "high"
channels = ["push"]
segment = { team = "ops", plan = "[pro]" }
time_to_live = "2h"
escalation = [{ after = "90s", channels = ["sms"] }, { after = "1h", channels = ["email"] }]

[types.alarm.templates]
push = { body = "x" }
sms = { body = "x" }
email = { title = "x", body = "x" }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "thing.toml").write_text(TYPE)
    (tmp_path / "alarm.toml").write_text(ESCALATING)
    return tmp_path


def run(*argv: str, **env: str) -> Result:
    return CliRunner().invoke(tocsin, ["catalogue", *argv], env={"COLUMNS": "200", **env})


def version(folder: Path) -> str:
    return parse({path.name: path.read_text() for path in folder.glob("*.toml")}).version


def test_a_catalogue_that_is_right_gets_one_line(folder: Path) -> None:
    result = run("check", str(folder))
    assert result.exit_code == 0
    assert result.stdout == f"2 types, 2 events, version {version(folder)}\n"
    assert result.stderr == ""


def test_without_a_folder_it_is_the_one_in_the_settings(folder: Path) -> None:
    result = run("check", TOCSIN_CATALOGUE=str(folder))
    assert result.stdout.startswith("2 types")
    assert run("check").stdout.startswith("13 types, 12 events")  # as shipped


def test_all_that_is_wrong_is_told_and_the_command_fails(folder: Path) -> None:
    (folder / "thing.toml").write_text(TYPE.replace('"normal"', '"asap"'))
    (folder / "tenants.toml").write_text('[tenants.acme]\nzone = "Mars"')
    result = run("check", str(folder))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "tenants.toml:2: tenants.acme.zone: 'Mars' is not an IANA time zone.",
        "thing.toml:6: types.thing.priority: Invalid enum value 'asap': "
        "it is one of critical, high, low, normal.",
    ]


@pytest.mark.parametrize("is_right", [True, False])
def test_check_speaks_json(folder: Path, is_right: bool) -> None:
    right = {"types": 2, "events": 2, "version": version(folder)}
    right |= {"experiments": [], "holdouts": [], "warnings": [], "problems": []}
    if not is_right:
        (folder / "thing.toml").write_text("x")
    result = run("check", str(folder), "--json")
    assert result.exit_code == (not is_right)
    assert result.stderr == ""
    said = json.loads(result.stdout)
    if is_right:
        assert said == right
    else:
        (problem,) = said["problems"]
        assert problem.startswith("thing.toml:1: is not TOML: ")


def test_what_is_hardly_meant_is_a_warning_and_no_mistake(folder: Path) -> None:
    """At six in the evening, what happened before ten in the morning is older than eight hours."""
    digest = 'digests = [{ channels = ["push"], at = ["18:00"] }]'
    (folder / "thing.toml").write_text(
        TYPE.replace("time_to_live = 86400", f'time_to_live = "8h"\n{digest}')
    )
    place = next(
        number
        for number, line in enumerate((folder / "thing.toml").read_text().splitlines(), 1)
        if line == digest
    )
    warning = (
        f"thing.toml:{place}: types.thing.digests[0].at: come up to 1d after an event, and with a "
        "time_to_live of 8h some events are too old by then."
    )
    result = run("check", str(folder))
    assert (result.exit_code, result.stderr) == (0, f"warning: {warning}\n")
    assert result.stdout.startswith("2 types")
    said = json.loads(run("check", str(folder), "--json").stdout)
    assert (said["warnings"], said["problems"]) == ([warning], [])


def test_holdouts_are_listed_each_once(folder: Path) -> None:
    own = 'holdout = { share = "2.5%", name = "q1" }\ngoal = { event = "x.y", within = "1d" }'
    of_all = '\n[holdout]\nshare = "5%"\nname = "2026"\n'
    text = TYPE.replace("time_to_live = 86400", f"time_to_live = 86400\n{own}")
    (folder / "thing.toml").write_text(text + of_all)
    result = run("check", str(folder))
    assert result.stdout.splitlines()[1:] == [
        "all types: holdout 2026, 5%",
        "thing: holdout q1, 2.5%",
    ]
    assert json.loads(run("check", str(folder), "--json").stdout)["holdouts"] == [
        {"type": "", "holdout": "2026", "share": 0.05},
        {"type": "thing", "holdout": "q1", "share": 0.025},
    ]
    shown = [json.loads(line) for line in run("show", str(folder), "--json").stdout.splitlines()]
    assert [(each["holdouts"], each["goal"]) for each in shown] == [
        (["global.2026"], None),
        (["global.2026", "holdout.q1"], "x.y within 1d"),
    ]


def test_experiments_are_listed(folder: Path) -> None:
    (folder / "thing.toml").write_text(TYPE + EXPERIMENT)
    result = run("check", str(folder))
    assert result.stdout.splitlines()[1:] == ["thing: experiment greeting, 25.0% plain, 75.0% warm"]
    said = json.loads(run("check", str(folder), "--json").stdout)
    assert said["experiments"] == [
        {"type": "thing", "experiment": "greeting", "shares": {"plain": 0.25, "warm": 0.75}}
    ]


def test_a_folder_without_files_is_wrong(tmp_path: Path) -> None:
    result = run("check", str(tmp_path / "absent"))
    assert result.exit_code == 1
    assert "There is no *.toml file in" in result.stderr


def test_every_type_is_shown(folder: Path) -> None:
    result = run("show", str(folder))
    assert result.exit_code == 0
    alarm, thing = (
        next(line for line in result.stdout.splitlines() if line.startswith(f"{name} "))
        for name in ("alarm", "thing")
    )
    for text in ("alarm.raised", "high", "users with team = ops, plan = [pro]", "push"):
        assert text in alarm
    for text in ("thing.happened", "normal", "data.who", "push, email, sms, inapp"):
        assert text in thing
    assert "sms after 90s unless seen" in result.stdout
    assert "email after 1h unless seen" in result.stdout
    assert version(folder) in result.stdout


def test_at_any_width_a_type_stands_whole_with_what_it_does_beneath(folder: Path) -> None:
    lines = run("show", str(folder), COLUMNS="60").stdout.splitlines()
    at = lines.index("alarm  alarm.raised    high")
    assert lines[at + 1].startswith("    to users with team = ops, plan = [pro]: push, then sms")
    assert max(map(len, lines)) <= 60


def test_show_speaks_json(folder: Path) -> None:
    (folder / "thing.toml").unlink()
    (line,) = run("show", str(folder), "--json").stdout.splitlines()
    assert json.loads(line) == {
        "type": "alarm",
        "event": "alarm.raised",
        "category": "alarms",
        "priority": "high",
        "transactional": False,
        "audience": "users with team = ops, plan = [pro]",
        "steps": [
            {"channels": ["push"], "after_seconds": 0, "unless": None},
            {"channels": ["sms"], "after_seconds": 90, "unless": "seen"},
            {"channels": ["email"], "after_seconds": 3600, "unless": "seen"},
        ],
        "until": None,
        "holdouts": [],
        "goal": None,
        "version": version(folder),
    }


@pytest.mark.parametrize(
    ("audience", "shown"),
    [
        ("followers = true", "the actor's followers"),
        ('subscribers = "room.id"', "subscribers of data.room.id"),
    ],
)
def test_whom_a_type_tells_is_shown(folder: Path, audience: str, shown: str) -> None:
    (folder / "thing.toml").write_text(TYPE.replace('users = "who"', audience))
    assert shown in run("show", str(folder)).stdout


def test_what_is_wrong_can_not_be_shown(folder: Path) -> None:
    (folder / "thing.toml").write_text("x")
    result = run("show", str(folder))
    assert isinstance(result.exception, BadCatalogue)


def test_money_without_prices_is_a_warning(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "tenants.toml").write_text(MONEY)
    result = run("check", str(folder))
    assert result.exit_code == 0
    assert "warning: daily_limit of the tenant acme counts SMS to any country" in result.stderr
    (said,) = json.loads(run("check", str(folder), "--json").stdout)["warnings"]
    assert said.startswith("daily_limit of the tenant acme")
    monkeypatch.setenv("TOCSIN_SMS_PRICES", '{"*": 0.05}')
    assert run("check", str(folder)).stderr == ""
