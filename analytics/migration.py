"""The schema in ClickHouse: plain SQL files, applied in order and recorded.

Statements bear `{on_cluster}` and `{replicated}`, which are empty on a single server. Each can be
repeated, so a run that was cut short, or two at once, end in the same schema; one that may fail
says by which words of the error, and why: `-- May fail (TABLE_ALREADY_EXISTS): it was done before`.
"""

import asyncio
import re
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from analytics.clickhouse import ClickHouse
from schemas.errors import Misconfigured, Unavailable

FOLDER = Path(__file__).with_name("migrations")
_TRIES = 50
_PAUSE_SECONDS = 0.1
"""Between two tries of a file whose table is away, as another run may be replacing it just now."""
_NAME = re.compile(r"(\d{4})_(\w+)\.sql")
_MAY_FAIL = re.compile(r"^-- May fail \(([^)]+)\)", re.MULTILINE)
_CLUSTER = re.compile(r"\w+")
_RECORD = """
CREATE TABLE IF NOT EXISTS migrations {on_cluster}
(
    number UInt32,
    name String,
    sha256 String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = {replicated}ReplacingMergeTree
ORDER BY number
"""
_NOTE = """
INSERT INTO migrations (number, name, sha256)
SELECT {number:UInt32}, {name:String}, {sha256:String}
"""


class NewerSchema(Misconfigured):
    """ClickHouse was set up by a newer version; workers of this one go on beside it."""


class Migration(Struct, frozen=True):
    """One file of the schema."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """What tells whether the file was changed after it had been applied."""
        return sha256(self.sql.encode()).hexdigest()

    def statements(self, cluster: str) -> list[str]:
        """What to run, in order."""
        parts = self.sql.split(";\n")
        return [filled(part, cluster) for part in parts if part.strip()]


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """All files in order; raises Misconfigured where a name is none, or a number is there twice.

    Numbers need not follow each other: what is made at the same time takes some of its own.
    """
    found: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        least = found[-1].number + 1 if found else 1
        if match is None or int(match[1]) < least:
            raise Misconfigured(f"{path.name} is not a migration from {least:04}_NAME.sql on.")
        found.append(Migration(int(match[1]), path.name, path.read_text()))
    return found


def filled(sql: str, cluster: str) -> str:
    """The statement for a cluster of this name; for a single server where it is empty."""
    if cluster and not _CLUSTER.fullmatch(cluster):
        raise Misconfigured(f"TOCSIN_CLICKHOUSE_CLUSTER can't be {cluster!r}: it is no name.")
    on_cluster = f"ON CLUSTER {cluster}" if cluster else ""
    replicated = "Replicated" if cluster else ""
    return sql.replace("{on_cluster}", on_cluster).replace("{replicated}", replicated)


async def migrate(
    clickhouse: ClickHouse,
    cluster: str = "",
    files: list[Migration] | None = None,
    *,
    dry_run: bool = False,
) -> list[str]:
    """Apply what is missing and return its names; with `dry_run` apply nothing.

    Raises Unavailable, and Misconfigured, with nothing changed, where ClickHouse has a migration
    that these files do not have, or have with another text.
    """
    files = migrations() if files is None else files
    if not dry_run:
        await clickhouse.command(filled(_RECORD, cluster))
    applied = await _applied(clickhouse)
    _check(files, applied)
    missing = [file for file in files if file.number not in applied]
    for file in missing if not dry_run else ():
        # Another run may have done it by now.
        if file.number in await _applied(clickhouse):
            continue
        await _apply(clickhouse, file.statements(cluster))
        await clickhouse.command(
            _NOTE, {"number": file.number, "name": file.name, "sha256": file.sha256}
        )
    return [file.name for file in missing]


async def _apply(clickhouse: ClickHouse, statements: list[str]) -> None:
    for tries in range(1, _TRIES + 1):
        try:
            for statement in statements:
                await _run(clickhouse, statement)
            return
        except Unavailable as error:
            if tries == _TRIES or "UNKNOWN_TABLE" not in str(error.__cause__):
                raise
        await asyncio.sleep(_PAUSE_SECONDS)


async def _run(clickhouse: ClickHouse, statement: str) -> None:
    expected = _MAY_FAIL.search(statement)
    try:
        await clickhouse.command(statement)
    except Unavailable as error:
        if expected is None or expected[1] not in str(error.__cause__):
            raise


async def check_schema(clickhouse: ClickHouse) -> None:
    """Raise Misconfigured where the schema lacks what this version needs; raises Unavailable.

    A newer schema is fine: it only adds, so that workers of both versions can run side by side.
    """
    applied = await _applied(clickhouse)
    missing = [file.name for file in migrations() if file.number not in applied]
    if missing:
        raise Misconfigured(
            f"The schema in ClickHouse is older than this version: {missing[0]} is missing. "
            "Run `tocsin setup`; delivery events wait in Kafka until then."
        )


async def _applied(clickhouse: ClickHouse) -> dict[int, tuple[str, str]]:
    exists = await clickhouse.query("EXISTS TABLE migrations")
    if not exists[0][0]:
        return {}
    rows = await clickhouse.query("SELECT number, name, sha256 FROM migrations FINAL")
    return {number: (name, digest) for number, name, digest in rows}


def _check(files: list[Migration], applied: dict[int, tuple[str, str]]) -> None:
    known = {file.number: file for file in files}
    for number, (name, digest) in sorted(applied.items()):
        file = known.get(number)
        if file is None:
            raise NewerSchema(
                f"The schema in ClickHouse is newer than this version: it has {name}. Nothing was "
                "changed; set up with the newer version."
            )
        if file.sha256 != digest:
            raise Misconfigured(
                f"{file.name} is not the text that was applied to ClickHouse. Nothing was "
                "changed; put it back, and put what is new into a migration of its own."
            )
