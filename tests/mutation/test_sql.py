"""Faults planted in views."""

from tests.mutation.sql import mutants_of_sql

VIEW = """-- How many, min(x) = 1.
CREATE TABLE t (a Int64) ENGINE = MergeTree ORDER BY a;
CREATE OR REPLACE VIEW late {on_cluster} AS
SELECT tenant, count() AS messages, min(took) AS least
FROM delivery_events FINAL
WHERE stage = 'sent' AND took > 5
GROUP BY tenant, day;
"""


def test_each_fault_of_the_list_is_planted_once_a_place() -> None:
    found = list(mutants_of_sql("analytics/migrations/0009_late.sql", VIEW))
    assert {mutant.where for mutant in found} == {"late"}
    texts = [mutant.source for mutant in found]
    for before, after in (
        ("FINAL", ""),
        ("min(took)", "max(took)"),
        ("stage = 'sent'", "stage != 'sent'"),
        ("'sent'", "'queued'"),
        (" AND ", " OR "),
        ("took > 5", "took >= 5"),
        ("took > 5", "took > 6"),
        ("count()", "uniq(1)"),
        ("GROUP BY tenant, ", "GROUP BY "),
        ("WHERE stage", "WHERE true OR stage"),
    ):
        changed = VIEW.replace(f" {before}" if not after else before, after)
        assert texts.count(changed) == 1, after


def test_comments_and_tables_stay_as_they_are() -> None:
    for mutant in mutants_of_sql("analytics/migrations/0009_late.sql", VIEW):
        assert mutant.source.startswith(VIEW[: VIEW.index("SELECT")])


def test_a_panel_is_named_for_its_file() -> None:
    panel = "-- Sent.\nSELECT count() FROM by_{bucket}\nWHERE {bucket} >= {from:DateTime}\n"
    found = list(mutants_of_sql("analytics/panels/volume.sql", panel))
    assert {mutant.where for mutant in found} == {"volume"}
    assert panel.replace(">=", ">") in [mutant.source for mutant in found]


def test_equal_columns_are_no_fault() -> None:
    """Of equal values the least is the greatest."""
    view = "CREATE OR REPLACE VIEW v AS\nSELECT min(s.user) AS user FROM t AS s;\n"
    assert not list(mutants_of_sql("analytics/migrations/0009_v.sql", view))
