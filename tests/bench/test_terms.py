import pytest

from bench import __main__ as command
from bench.terms import TERMS


def test_every_bench_says_in_two_lines_what_each_contestant_gets() -> None:
    assert TERMS.keys() == command.bench.commands.keys()
    assert {len(lines) for lines in TERMS.values()} == {2}
    assert all(line and "\n" not in line for lines in TERMS.values() for line in lines)


@pytest.mark.parametrize("name", TERMS)
def test_the_lines_are_printed_before_the_run_and_not_among_its_figures(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[str] = []

    async def run() -> str:
        seen.append(capsys.readouterr().err)
        return "found"

    assert command._run(name, lambda _: run()) == "found"
    assert [line for line in seen[0].splitlines() if line in TERMS[name]] == list(TERMS[name])
    assert capsys.readouterr().out == ""
