"""ClickHouse's own engine in this process (chdb), one statement at a time."""

import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile

from chdb.state.sqlitelike import Connection, connect
from msgspec import Struct

INSERT = re.compile(
    rb"\s*(INSERT\s+INTO\s+(?:TABLE\s+)?(?:`[^`]+`|\"[^\"]+\"|[\w.])+\s*(?:\([^()]*\)\s*)?)"
    rb"(SETTINGS\s[^()]*?)?FORMAT\s+(?!VALUES\b)(\w+)[ \t]*;?[ \t]*\r?\n?",
    re.IGNORECASE,
)
"""An insert whose rows follow the format's name, in bytes that need not be text."""
FORMAT_AT_END = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*\Z", re.IGNORECASE)


class Statement(Struct, frozen=True, kw_only=True):
    """What one HTTP request asks for; `params` by name, without the `param_` of the wire."""

    body: bytes
    settings: Mapping[str, str] = {}
    params: Mapping[str, str] = {}
    database: str = ""


class Answer(Struct, frozen=True, kw_only=True):
    """Result bytes in `format`; an empty format means that the statement has no result."""

    body: bytes = b""
    format: str = ""
    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    seconds: float = 0.0


class EngineError(Exception):
    """What ClickHouse says of a statement it can't run, `Code: NN. DB::Exception: …`."""

    def __init__(self, text: str) -> None:
        start = text.find("Code: ")
        super().__init__(text[start:] if start >= 0 else f"Code: 1002. DB::Exception: {text}")

    @property
    def code(self) -> int:
        """ClickHouse's number of the error."""
        found = re.match(r"Code: (\d+)", str(self))
        return int(found[1]) if found else 1002


class Engine:
    """The engine over one folder; a process can hold one, and a folder belongs to one process.

    Not for use by two threads at once. Settings and `USE` of a statement end with it: each
    statement has a session of its own (1 ms), as HTTP requests without a session id have.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = str(folder)
        # Held so that the engine outlives the sessions of single statements.
        self._root = connect(self._path)

    def run(self, statement: Statement) -> Answer:
        """Run one statement; raises EngineError. Rows of a failed insert may stay in part."""
        session = connect(self._path)
        try:
            for name, value in statement.settings.items():
                session.query(f"SET {_name(name)} = {_quoted(value)}")
            if statement.database:
                session.query(f"USE {_name(statement.database)}")
            insert = INSERT.match(statement.body)
            if insert:
                return _insert(session, insert, statement.body)
            return _query(session, statement)
        except RuntimeError as error:  # chdb.ChdbError is one
            raise EngineError(str(error)) from None
        finally:
            session.close()

    def close(self) -> None:
        """Flush and let go of the folder."""
        self._root.close()


def _insert(session: Connection, insert: re.Match[bytes], body: bytes) -> Answer:
    # Through a file: the engine's own stream for inserts takes what it can't store for stored.
    into, settings, kind = (part.decode() if part else "" for part in insert.groups())
    with NamedTemporaryFile(suffix=f".{kind}") as rows:
        rows.write(memoryview(body)[insert.end() :])
        rows.flush()
        source = f"FROM INFILE {_quoted(rows.name)} COMPRESSION 'none' {settings}"
        written = session.query(f"{into} {source} FORMAT {kind}")
    return Answer(
        written_rows=written.rows_read(),
        written_bytes=written.bytes_read(),
        seconds=written.elapsed(),
    )


def _query(session: Connection, statement: Statement) -> Answer:
    try:
        sql = statement.body.decode()
    except UnicodeDecodeError as error:
        raise EngineError(f"Code: 62. DB::Exception: Not UTF-8: {error} (SYNTAX_ERROR)") from None
    named = FORMAT_AT_END.search(sql)
    # Names tell an empty result from none: a statement without a result writes no names either.
    default = "TabSeparatedWithNames"
    result = session.query(sql, default, params=dict(statement.params))
    body: bytes = result.bytes() or b""
    kind = named[1] if named else "TabSeparated" if body else ""
    return Answer(
        body=body if named else body.partition(b"\n")[2],
        format=kind,
        # From the tables, as a server says it; `rows_read` counts what was answered.
        read_rows=result.storage_rows_read(),
        read_bytes=result.storage_bytes_read(),
        seconds=result.elapsed(),
    )


def _name(text: str) -> str:
    return "`" + text.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
