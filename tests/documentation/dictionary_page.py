"""The reference of tables and views, and what their columns mean."""

from analytics.dictionary import dictionary
from tests.documentation.markdown import code, generated, table


def page() -> str:
    """A table of columns for each relation."""
    about = """
What analysts find in ClickHouse. The same words are comments of the columns there, and stand in
[dbt-sources.yml](dbt-sources.yml). Count notifications and messages by views: rows of tables come
twice until ClickHouse has merged them.

**dbt**: copy `dbt-sources.yml` into the folder `models` of a project that uses `dbt-clickhouse`,
and set the variable `tocsin_database` where it is not `default`; models then read
`{{ source('tocsin', 'outcomes') }}`.

**Metabase** and **Superset**: add ClickHouse as a database by the account that `tocsin analyst`
makes, which can read and change nothing. Metabase takes the comments over as descriptions when it
syncs; in Superset they are shown where a dataset is made of a view. Set `day` as the column of
time, and filter by it: without a day a view reads all that is kept. Neither should cache rows with
users for longer than an erasure takes.
"""
    known = dictionary()
    parts = [generated("Tables and views", about)]
    for name, relation in known.relations.items():
        rows = [(code(column), said) for column, said in known.meanings(name).items()]
        parts.append(f"## {code(name)}\n\n{relation.about}\n\n{table(('column', 'meaning'), rows)}")
    return "\n".join(parts)
