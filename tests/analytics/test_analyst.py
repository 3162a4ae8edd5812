"""The analyst's account reads within limits. The embedded engine has no accounts, so the
statements are parsed by it, and what they say of limits is tried on queries."""

import json
import re

import pytest
from click.testing import CliRunner

from analytics.analyst import LIMITS, TABLES, keep_apart, missing_policies, statements
from analytics.clickhouse import ClickHouse
from cli.main import tocsin
from schemas.errors import Unavailable, WrongUsage
from tests.analytics.story import STORY


@pytest.mark.parametrize("cluster", ["", "house"])
async def test_clickhouse_understands_the_statements(database: ClickHouse, cluster: str) -> None:
    for statement in statements("ann", "secret", "shop", cluster):
        await database.command(f"EXPLAIN AST {statement}")
        assert "secret" not in statement
        assert ("ON CLUSTER house" in statement) == bool(cluster)


async def test_the_limits_hold(database: ClickHouse) -> None:
    await database.insert(STORY)
    profile = statements("ann", "secret", "shop")[0].partition(" SETTINGS ")[2]
    limits = dict(re.findall(r"(\w+) = (\d+)", profile.removeprefix("PROFILE")))
    assert limits == {"readonly": "2", **{name: str(most) for name, most in LIMITS.items()}}
    assert profile.count(" READONLY") == len(LIMITS) - 1
    assert "max_execution_time = 60 MIN 1 MAX 120" in profile
    assert "apply_deleted_mask = 1 READONLY" in profile
    many = "SELECT * FROM numbers(200000)"
    assert len((await database.ask("SELECT * FROM funnel", None, limits))[1]) == 2
    for question in (many, "TRUNCATE TABLE delivery_events", "CREATE TABLE x (a Int8) ENGINE=Log"):
        with pytest.raises(Unavailable):
            await database.ask(question, None, limits)
    assert (await database.query("SELECT count() > 0 FROM delivery_events")) == [(True,)]


async def test_of_one_tenant_alone(database: ClickHouse) -> None:
    policies = statements("ann", "secret", "shop", tenant="o'acme")[5:]
    assert policies[0] == (
        "CREATE ROW POLICY OR REPLACE ann_tenant  ON shop.delivery_events "
        "FOR SELECT USING tenant = 'o\\'acme' TO ann"
    )
    for policy in policies:
        await database.command(f"EXPLAIN AST {policy}")
    of_tenants = await database.query(
        "SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'tenant'"
        " AND table IN (SELECT name FROM system.tables WHERE engine LIKE '%MergeTree'"
        " AND database = currentDatabase()) ORDER BY table"
    )
    mine = {policy.split(" ON shop.")[1].split()[0] for policy in policies}
    assert mine == {name for (name,) in of_tenants} - {"audit", "erased", "delivery_events_0006"}


async def test_new_tables_are_narrowed_for_who_was_before(database: ClickHouse) -> None:
    """To the same accounts, by the same filter; and once."""
    old = [name for name in TABLES if name not in ("hour_sets", "hour_counts", "counted_days")]
    found = [("ann_tenant", name, "tenant = 'o\\'acme'", ["ann"]) for name in old]
    made = missing_policies(found, "shop", "house")
    assert made == [
        f"CREATE ROW POLICY IF NOT EXISTS ann_tenant ON CLUSTER house ON shop.{name} "
        "FOR SELECT USING tenant = 'o\\'acme' TO ann"
        for name in ("hour_sets", "hour_counts", "counted_days")
    ]
    for statement in made:
        await database.command(f"EXPLAIN AST {statement}")
    assert missing_policies([(*found[0][:1], name, *found[0][2:]) for name in TABLES], "shop") == []
    # Where there are no accounts, nothing is asked for.
    await keep_apart(database, "shop")


@pytest.mark.parametrize("name", ["a b", "x; DROP TABLE y", "", "1st"])
def test_a_name_is_a_name(name: str) -> None:
    with pytest.raises(WrongUsage, match="is no name"):
        statements(name, "secret", "shop")


def test_the_command_prints_what_somebody_else_may_run() -> None:
    run = CliRunner().invoke(tocsin, ["analyst", "ann", "--sql", "--json"])
    said = json.loads(run.stdout)
    assert run.exit_code == 0
    assert len(said["sql"]) == 5
    assert said["password"] not in "".join(said["sql"])
