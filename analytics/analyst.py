"""An account that may read everything that analysts need, change nothing, and not take it all."""

import re
import secrets
from collections.abc import Sequence
from hashlib import sha256

from analytics.clickhouse import ClickHouse
from analytics.migration import filled
from analytics.quoting import quoted
from schemas.errors import NotPermitted, Unavailable, WrongUsage

LIMITS = {
    "max_result_rows": 100_000,
    "max_rows_to_read": 2_000_000_000,
    "max_execution_time": 60,
    "max_memory_usage": 4 << 30,
    "max_bytes_before_external_group_by": 2 << 30,
    "max_bytes_before_external_sort": 2 << 30,
    # Rows of users who were erased are hidden at once, and gone within the day.
    "apply_deleted_mask": 1,
}
"""Of one query; an analyst can't raise them."""
LONGEST = 120
"""Seconds that a query may be given: clients such as Grafana's say how long they wait, and are
refused altogether where they may not."""
TABLES = (
    "delivery_events",
    "notification_state",
    "notification_days",
    "by_minute",
    "hour_sets",
    "hour_counts",
    "counted_days",
    "erased_happenings",
)
"""What views are made from; all of them have a tenant."""
_DENIED = "ACCESS_DENIED"
_NAME = re.compile(r"[A-Za-z_]\w{0,63}")
_STATEMENTS = (
    "CREATE SETTINGS PROFILE OR REPLACE tocsin_analyst {on_cluster} "
    "SETTINGS readonly = 2, [limits]",
    "CREATE USER OR REPLACE [name] {on_cluster} IDENTIFIED WITH sha256_hash BY '[hash]' "
    "DEFAULT DATABASE [database] SETTINGS PROFILE 'tocsin_analyst'",
    "GRANT {on_cluster} SELECT ON [database].* TO [name]",
    # Who was erased is nobody's business, by hash or not.
    "REVOKE {on_cluster} SELECT ON [database].erased FROM [name]",
    "REVOKE {on_cluster} SELECT ON [database].audit FROM [name]",
)

_ONLY = (
    "CREATE ROW POLICY OR REPLACE [name]_tenant {on_cluster} ON [database].[table] "
    "FOR SELECT USING tenant = [tenant] TO [name]"
)
"""Views ask with the rights of who asks them, so that this holds for them as well."""
_POLICIES = """
SELECT short_name, table, select_filter, apply_to_list FROM system.row_policies
WHERE database = currentDatabase() AND endsWith(short_name, '_tenant')
ORDER BY short_name, table
"""
_SAME = (
    "CREATE ROW POLICY IF NOT EXISTS [name] {on_cluster} ON [database].[table] "
    "FOR SELECT USING [filter] TO [accounts]"
)


def new_password() -> str:
    """A password to hand out once."""
    return secrets.token_urlsafe(24)


def statements(
    name: str, password: str, database: str, cluster: str = "", tenant: str | None = None
) -> list[str]:
    """What makes the account, or makes it anew; with a tenant it sees no rows of others. Raises
    WrongUsage for what is no name."""
    for word in (name, database):
        if not _NAME.fullmatch(word):
            raise WrongUsage(f"{word!r} is no name that ClickHouse takes unquoted.")
    limits = ", ".join(f"{setting} = {most} {_bound(setting)}" for setting, most in LIMITS.items())
    words = {
        "[name]": name,
        "[database]": database,
        "[hash]": sha256(password.encode()).hexdigest(),
        "[limits]": limits,
    }
    wanted = list(_STATEMENTS)
    if tenant is not None:
        words["[tenant]"] = quoted(tenant)
        wanted += [_ONLY.replace("[table]", table) for table in TABLES]
    found = []
    for statement in wanted:
        for placeholder, word in words.items():
            statement = statement.replace(placeholder, word)
        found.append(filled(statement, cluster))
    return found


async def keep_apart(clickhouse: ClickHouse, database: str, cluster: str = "") -> None:
    """Have who sees one tenant alone see no others in tables that are new, even before those are
    there. Raises Unavailable, and NotPermitted where that is seen and may not be done; whoever may
    not see policies, as where there are no accounts, is asked nothing."""
    try:
        found = await clickhouse.query(_POLICIES)
    except Unavailable as error:
        if _DENIED not in str(error):
            raise
        return
    wanted = missing_policies(found, database, cluster)
    try:
        for statement in wanted:
            await clickhouse.command(statement)
    except Unavailable as error:
        if _DENIED not in str(error):
            raise
        raise NotPermitted(
            "Accounts that see one tenant alone would see others in new tables, so nothing was "
            f"changed in ClickHouse: have an administrator run {'; '.join(wanted)}"
        ) from None


def missing_policies(
    found: Sequence[tuple[str, str, str, Sequence[str]]], database: str, cluster: str = ""
) -> list[str]:
    """What gives each policy, of which name, table, filter and accounts are known, to the tables
    that lack it."""
    there = {(name, table) for name, table, _, _ in found}
    same = {name: (condition, accounts) for name, _, condition, accounts in found}
    return [
        filled(
            _SAME.replace("[name]", name)
            .replace("[database]", database)
            .replace("[table]", table)
            .replace("[accounts]", ", ".join(accounts))
            .replace("[filter]", condition),
            cluster,
        )
        for name, (condition, accounts) in same.items()
        for table in TABLES
        if (name, table) not in there
    ]


def _bound(setting: str) -> str:
    return f"MIN 1 MAX {LONGEST}" if setting == "max_execution_time" else "READONLY"
