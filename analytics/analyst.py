"""An account that may read everything that analysts need, change nothing, and not take it all."""

import re
import secrets
from hashlib import sha256

from analytics.migration import filled
from pipeline.errors import WrongUsage

LIMITS = {
    "max_result_rows": 100_000,
    "max_rows_to_read": 2_000_000_000,
    "max_execution_time": 60,
    "max_memory_usage": 4 << 30,
}
"""Of one query; an analyst can't raise them."""
_NAME = re.compile(r"[A-Za-z_]\w{0,63}")
_STATEMENTS = (
    "CREATE SETTINGS PROFILE OR REPLACE tocsin_analyst {on_cluster} "
    "SETTINGS readonly = 2, [limits]",
    "CREATE USER OR REPLACE [name] {on_cluster} IDENTIFIED WITH sha256_hash BY '[hash]' "
    "DEFAULT DATABASE [database] SETTINGS PROFILE 'tocsin_analyst'",
    "GRANT {on_cluster} SELECT ON [database].* TO [name]",
    # Who was erased is nobody's business, by hash or not.
    "REVOKE {on_cluster} SELECT ON [database].erased FROM [name]",
)


def new_password() -> str:
    """A password to hand out once."""
    return secrets.token_urlsafe(24)


def statements(name: str, password: str, database: str, cluster: str = "") -> list[str]:
    """What makes the account, or makes it anew; raises WrongUsage for what is no name."""
    for word in (name, database):
        if not _NAME.fullmatch(word):
            raise WrongUsage(f"{word!r} is no name that ClickHouse takes unquoted.")
    limits = ", ".join(f"{setting} = {most} READONLY" for setting, most in LIMITS.items())
    words = {
        "[name]": name,
        "[database]": database,
        "[hash]": sha256(password.encode()).hexdigest(),
        "[limits]": limits,
    }
    found = []
    for statement in _STATEMENTS:
        for placeholder, word in words.items():
            statement = statement.replace(placeholder, word)
        found.append(filled(statement, cluster))
    return found
