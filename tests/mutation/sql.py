"""Mutants of the SQL views and panels, by a short list of faults that people make.

Each rule finds a text and puts another one in its place, one occurrence at a time, inside one
statement; comments, table definitions and settings stay as they are.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator

from tests.mutation.mutant import Mutant

Rule = tuple[str, str | Callable[[re.Match[str]], str]]

_EQUAL = "category|priority|user|event_id|accepted"
"""Columns that are the same in all rows of a notification, so that any of them will do."""
_OTHER = {
    "sent": "queued", "queued": "sent", "failed": "retrying", "opened": "clicked",
    "clicked": "opened", "suppressed": "held", "held": "suppressed", "bounced": "delivered",
    "delivered": "bounced",
}  # fmt: skip
RULES: tuple[Rule, ...] = (
    # Rows that were told twice count twice.
    (r" FINAL\b", ""),
    (r"\buniqExactMerge\(happenings\)", "count()"),
    (r"\buniqExactMergeIf\(happenings, ", "countIf("),
    (r"\buniqExactState\(cityHash64\(id\)\)", "uniqExactState(rand64())"),
    (r"\bgroupUniqArrayIf\(", "groupArrayIf("),
    # The other one.
    (rf"\bmin\((?!s\.(?:{_EQUAL})\b)(?=\w)", "max("),
    (r"\bmax\((?=\w)", "min("),
    (r"\bargMax\(", "argMin("),
    (r"\bsum\(", "max("),
    (r"\bcount\(\)", "uniq(1)"),
    (r"\bIS NOT NULL\b", "IS NULL"),
    (r"\bIS NULL\b", "IS NOT NULL"),
    (r" AND ", " OR "),
    (r" OR ", " AND "),
    (r" < ", " <= "),
    (r" > ", " >= "),
    (r" <= ", " < "),
    (r" >= ", " > "),
    (r" = (?=')", " != "),
    (r" != ", " = "),
    (r"\bNOT IN\b", "IN"),
    (r" IN (?=\()", " NOT IN "),
    (r" DESC\b", ""),
    (r"\bLEFT JOIN\b", "INNER JOIN"),
    # Another stage, channel, reason or unit.
    (r"'(?!ms'|UTC')(\w+)'", lambda match: f"'{_OTHER.get(match[1], match[1] + '_')}'"),
    (r"\btoStartOfMinute\(", "toStartOfHour("),
    (r"\btoStartOfHour\((?=minute)", "toStartOfDay("),
    (r"\btoDate\((?=hour|occurred)", "toMonday("),
    (r"\boccurred_at\b(?= AS occurred|\) AS day)", "at"),
    (r"\bINTERVAL (\d+) DAY\b", r"INTERVAL \1 MONTH"),
    # Another number.
    (r"(?<![\w.{])(\d+)(?![\w.}])", lambda match: str(int(match[1]) + 1)),
    (r"(?<![\w.])0\.(\d+)", r"0.1\1"),
    # A term less.
    (r"\n    AND [^\n]+", "\n    AND true"),
    (r"\bWHERE (?=\w)(?!true)", "WHERE true OR "),
    (r"\bHAVING (?=\w)", "HAVING true OR "),
    (r"(?<=GROUP BY )(?:\w+, )", ""),
)
_STATEMENT = re.compile(r"VIEW (?:IF NOT EXISTS )?(\w+)")


def mutants_of_sql(path: str, source: str) -> Iterator[Mutant]:
    """All mutants of a file of migrations or of one panel, in the order of its text."""
    seen: Counter[tuple[str, str, str]] = Counter()
    start = 0
    for statement in source.split(";\n"):
        where = _where(path, statement)
        begin = _code_from(statement)
        if where:
            for rule, change in RULES:
                for match in re.finditer(rule, statement[begin:]):
                    after = match.expand(change) if isinstance(change, str) else change(match)
                    if after == match[0] or _in_comment(statement, begin + match.start()):
                        continue
                    yield _mutant(path, source, start + begin, match, after, where, seen)
        start += len(statement) + 2


def _mutant(
    path: str, source: str, start: int, match: re.Match[str], after: str, where: str,
    seen: Counter[tuple[str, str, str]],
) -> Mutant:  # fmt: skip
    place = start + match.start()
    # With the words before it, by which a reader finds it.
    line = source[source.rfind("\n", 0, place) + 1 : place].strip()
    before, changed = f"{line}{match[0]}", f"{line}{after}"
    seen[where, before, changed] += 1
    number = source.count("\n", 0, place + len(match[0])) + 1
    return Mutant(
        path=path,
        where=where,
        before=" ".join(before.split()),
        after=" ".join(changed.split()),
        number=seen[where, before, changed],
        lines=(number, number),
        source=source[:place] + after + source[start + match.end() :],
    )


def _where(path: str, statement: str) -> str:
    """The view's name, or that of the panel, which is its file's."""
    if "/panels/" in path:
        return path.rpartition("/")[2].removesuffix(".sql")
    match = _STATEMENT.search(statement)
    return match[1] if match and "DROP VIEW" not in statement else ""


def _code_from(statement: str) -> int:
    """Where the first SELECT is."""
    return max(0, statement.find("SELECT\n"), statement.find("SELECT "))


def _in_comment(statement: str, place: int) -> bool:
    return "--" in statement[statement.rfind("\n", 0, place) + 1 : place]
