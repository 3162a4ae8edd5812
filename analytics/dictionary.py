"""The dictionary: what tables and views are and what their columns mean, for tools and for people.

`python -m analytics.dictionary comments` prints the statements that bring the words into
ClickHouse, for a migration: a view that is replaced loses its own, so whoever changes one repeats
its statements. `python -m analytics.dictionary dbt` prints dbt's sources.
"""

import json
import sys
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

from analytics.quoting import quoted

FILE = Path(__file__).with_suffix(".toml")
_HIDDEN = ("audit", "audit_trail", "erased")
"""Which analysts may not read."""
_DATABASE = "{{ var('tocsin_database', 'default') }}"


class Relation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table or a view; `own` are meanings that columns have here and nowhere else."""

    about: str
    columns: tuple[str, ...]
    own: dict[str, str] = {}


class Dictionary(Struct, frozen=True, forbid_unknown_fields=True):
    """All relations; `columns` are meanings that are the same in most of them."""

    columns: dict[str, str]
    relations: dict[str, Relation]

    def meanings(self, name: str) -> dict[str, str]:
        """What each column of the relation means, in order; raises KeyError where none is given."""
        relation = self.relations[name]
        return {c: relation.own.get(c) or self.columns[c] for c in relation.columns}


@cache
def dictionary() -> Dictionary:
    """As the file has it."""
    return msgspec.toml.decode(FILE.read_bytes(), type=Dictionary)


def comments() -> str:
    """Statements that write it into ClickHouse, a relation each."""
    found = dictionary()
    return "\n\n".join(_comment(name, found.meanings(name)) for name in found.relations) + "\n"


def dbt_sources() -> str:
    """The file of sources of a dbt project, of what analysts may read."""
    found = dictionary()
    lines = ["version: 2", "", "sources:", "  - name: tocsin"]
    lines += [f"    schema: {_text(_DATABASE)}", "    tables:"]
    for name, relation in found.relations.items():
        if name in _HIDDEN:
            continue
        lines += [f"      - name: {name}", f"        description: {_text(relation.about)}"]
        lines += ["        columns:"]
        for column, meaning in found.meanings(name).items():
            lines += [f"          - name: {column}", f"            description: {_text(meaning)}"]
    return "\n".join(lines) + "\n"


def _comment(name: str, meanings: dict[str, str]) -> str:
    each = ",\n".join(f"    COMMENT COLUMN {c} {quoted(said)}" for c, said in meanings.items())
    return f"ALTER TABLE {name} {{on_cluster}}\n{each};"


def _text(said: str) -> str:
    """As a string of YAML, of which those of JSON are some."""
    return json.dumps(said, ensure_ascii=False)


if __name__ == "__main__":
    sys.stdout.write(dbt_sources() if sys.argv[1:] == ["dbt"] else comments())
