"""Which tests stay together when several processes share the work."""

from pathlib import Path, PurePath

import pytest

from tests.compiling import names_in, share_of
from tests.sharing import ALONE, HOUSES, LONG, TESTS, group_of, rank_of


@pytest.mark.parametrize(
    ("file", "group"),
    [
        ("chaos/test_kills.py", "chaos"),
        ("chaos/test_stops.py", "chaos"),
        ("chaos/test_waiting.py", "town"),
        ("schemas/test_forms.py", "chaos"),
        ("chaos/test_sinks.py", "chaos/test_sinks.py"),
        ("web/api/test_inbox.py", "web"),
        ("web/pages/bell/test_rows.py", "web"),
        ("web/test_reports.py", "web/test_reports.py"),
        ("policy/user/test_address.py", None),
    ],
)
def test_those_that_share_a_house_or_a_file_stay_together(file: str, group: str | None) -> None:
    assert group_of(PurePath(file)) == group


def test_the_longest_begin() -> None:
    files = ("policy/test_body.py", "test_wheel.py", "cli/test_main.py", "web/api/test_gate.py")
    ranks = [rank_of(PurePath(file)) for file in (*files, "chaos/test_kills.py")]
    assert ranks == sorted(ranks, reverse=True)
    assert len(set(ranks)) == len(ranks)


def test_every_place_is_there() -> None:
    for place in (*LONG, *ALONE, *(place for places in HOUSES.values() for place in places)):
        assert Path(TESTS / place).exists()


def test_whoever_uses_a_house_of_all_is_listed() -> None:
    for folder, fixture, name in (
        ("web", "api: Api", "web"),
        ("chaos", "house: House, tell", "chaos"),
        ("chaos", "release: Path, tell", "chaos"),
        ("schemas", "release: Path", "chaos"),
        ("agents", "apicurio: Apicurio", "registry"),
        ("pipeline", "apicurio: Apicurio", "registry"),
    ):
        for path in (TESTS / folder).rglob("test_*.py"):
            if fixture in path.read_text():
                assert group_of(path.relative_to(TESTS)) == name


def test_each_file_is_compiled_by_one_process() -> None:
    names = names_in(TESTS)
    assert {"tests.test_sharing", "tests.policy.test_body"} <= {*names}
    shares = [share_of(names, f"gw{number}", 3) for number in range(3)]
    assert sorted(name for share in shares for name in share) == sorted(names)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
