"""`tocsin experiment`: a line a variant, whole at any width; a sentence for an unknown type."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner

from analytics.clickhouse import ClickHouse
from cli.commands.experiment import described
from cli.main import tocsin
from policy.experiments.results import Metric, Results, VariantResult, results
from policy.experiments.statistics import Counts, Interval
from schemas.errors import WrongUsage

CATALOGUE = Path(__file__).parents[3] / "catalogue"


def test_a_variant_is_a_line_with_its_whole_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    name = "a-variant-with-a-name-of-forty-characters"
    variants = [
        VariantResult("plain", 1200, 2400, 600, 0.25, Interval(0.2, 0.3)),
        VariantResult(name, 0, 0, 0, None, Interval(0.0, 1.0)),
    ]
    found = Results("greeting", Metric.CLICKED, variants, [])
    blanks = " " * (len(name) - len("variant"))
    assert [line.plain for line in described(found)] == [
        "greeting",
        f"variant{blanks}  users   sent  clicked   rate   95 % interval",
        f"plain{blanks}    1,200  2,400      600  25.0%  20.0% to 30.0%",
        f"{name}      0      0        0",
    ]


def test_a_holdout_is_of_users_and_says_what_telling_brings() -> None:
    """By hand: of 100 who were held out 10 reached it, of 1,900 who were told 380."""
    told = Counts.of(*[(1, 1)] * 380, *[(1, 0)] * 1520)
    found = results("holdout.2026", Metric.GOAL, {
        "held_out": Counts.of(*[(1, 1)] * 10, *[(1, 0)] * 90), "told": told,
    }, ("held_out", "told"))  # fmt: skip
    assert [line.plain for line in described(found)] == [
        "holdout.2026",
        "group     users  goal   rate   95 % interval",
        "held_out    100    10  10.0%   5.5% to 17.4%",
        "told      1,900   380  20.0%  18.3% to 21.9%",
        "told is better than held_out: +10.0 points (+2.4 to +14.8).",
    ]


async def test_an_unknown_type_is_a_sentence_with_those_there_are(database: ClickHouse) -> None:
    settings = database._settings
    variables = {
        "TOCSIN_CLICKHOUSE_PORT": str(settings.clickhouse_port),
        "TOCSIN_CLICKHOUSE_DATABASE": settings.clickhouse_database,
        "TOCSIN_CATALOGUE": str(CATALOGUE),
    }
    runner = CliRunner(env=variables)
    result = await asyncio.to_thread(runner.invoke, tocsin, ["experiment", "order_shiped"])
    assert isinstance(result.exception, WrongUsage)
    assert str(result.exception).startswith("There is no type order_shiped; the catalogue has ")
    assert "order_shipped" in str(result.exception)
