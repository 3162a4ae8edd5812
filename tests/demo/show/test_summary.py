"""The demo's exit code is 0 only where all witnesses agree that nothing is wrong."""

from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace as replaced

from analytics.reconcile import Finding, Reconciled
from demo.show.summary import Analysts, is_in_order
from demo.verify.findings import Findings

RECONCILED = Reconciled([Finding("rows", 3, 0)], 0)
FIELDS: dict[str, Any] = {"decisions": 2, "sent": {"push": 1}, "suppressed": {"offline": 1}}


def _found() -> Findings:
    return Findings(decisions=2, sent=Counter(push=1), suppressed=Counter(offline=1))


def _analysts(**fields: Any) -> Analysts:
    return Analysts(**(FIELDS | fields), latency={}, unfinished=0)


def test_nothing_wrong_is_in_order() -> None:
    assert is_in_order(_found(), _analysts(), RECONCILED)


@pytest.mark.parametrize(
    "kind", ["lost", "duplicates", "unexpected", "wrong_content", "late", "unexcused"]
)
def test_a_fault_of_any_kind_is_not(kind: str) -> None:
    found = _found()
    getattr(found, kind).append("one")
    assert not is_in_order(found, _analysts(), RECONCILED)


@pytest.mark.parametrize(
    "fields",
    [{"decisions": 3}, {"sent": {"push": 2}}, {"sent": {}}, {"suppressed": {"online": 1}}],
)
def test_another_figure_in_clickhouse_is_not(fields: dict[str, Any]) -> None:
    assert not is_in_order(_found(), _analysts(**fields), RECONCILED)


def test_what_is_not_reconciled_is_not() -> None:
    apart = replaced(RECONCILED, findings=[Finding("rows", 3, 1)])
    assert not is_in_order(_found(), _analysts(), apart)
