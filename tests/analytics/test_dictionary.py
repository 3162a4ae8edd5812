"""The dictionary says what each table and view has, and ClickHouse says the same."""

import yaml

from analytics.analyst import statements
from analytics.clickhouse import ClickHouse
from analytics.dictionary import dbt_sources, dictionary

OURS = ("migrations", "delivery_events_0006")
"""What is of `tocsin setup` itself, or is empty."""


async def test_every_column_has_its_meaning_as_its_comment(database: ClickHouse) -> None:
    """A view that a migration replaces has lost them, and that migration has to say them again."""
    rows = await database.query(
        "SELECT c.table, c.name, c.comment FROM system.columns AS c "
        "INNER JOIN system.tables AS t ON c.database = t.database AND c.table = t.name "
        "WHERE c.database = currentDatabase() AND t.engine != 'MaterializedView' "
        "ORDER BY c.table, c.position"
    )
    found: dict[str, dict[str, str]] = {}
    for table, name, comment in rows:
        if table not in OURS:
            found.setdefault(table, {})[name] = comment
    known = dictionary()
    assert found == {name: known.meanings(name) for name in known.relations}
    assert all(meaning for each in found.values() for meaning in each.values())


def test_no_meaning_is_given_for_what_is_nowhere() -> None:
    known = dictionary()
    used = {c for name, each in known.relations.items() for c in each.columns if c not in each.own}
    assert used == known.columns.keys()
    for name, each in known.relations.items():
        assert each.own.keys() <= set(each.columns), name


def test_dbt_has_what_analysts_may_read() -> None:
    found = yaml.safe_load(dbt_sources())
    assert found["version"] == 2
    (source,) = found["sources"]
    known = dictionary()
    hidden = {"erased", "audit", "audit_trail"}
    assert {table["name"] for table in source["tables"]} == known.relations.keys() - hidden
    for table in source["tables"]:
        meanings = {c["name"]: c["description"] for c in table["columns"]}
        assert meanings == known.meanings(table["name"])
    # What the account of an analyst is kept from stands in no source.
    kept = [s for s in statements("ann", "x", "default") if s.startswith("REVOKE")]
    assert all(any(f".{name} " in each for name in hidden) for each in kept)
