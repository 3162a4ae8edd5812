"""`tocsin analyst`: an account in ClickHouse that reads, within limits."""

import asyncio
import sys

import click
import msgspec

from analytics.analyst import new_password, statements
from analytics.clickhouse import ClickHouse
from cli.audit import DEFAULT_TENANT, put_on_record
from cli.settings import read_settings
from pipeline.settings import Settings
from schemas.errors import NotPermitted, Unavailable


@click.command()
@click.argument("name")
@click.option("--tenant", help="Rows of no other tenant are shown.")
@click.option("--sql", "only_sql", is_flag=True, help="Print the statements and run nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def analyst(name: str, tenant: str | None, only_sql: bool, as_json: bool) -> None:
    """Create the account NAME, or give it a new password, which is printed once and not stored.

    It may read all tables but that of who was erased, and change nothing; a query may take 60 s,
    read two thousand million rows and return 100,000. Where TOCSIN_CLICKHOUSE_USER may not create
    accounts, an administrator can run what --sql prints.
    """
    settings = read_settings()
    password = new_password()
    database, cluster = settings.clickhouse_database, settings.clickhouse_cluster
    wanted = statements(name, password, database, cluster, tenant)
    if not only_sql:
        asyncio.run(_run(settings, wanted, name, tenant or DEFAULT_TENANT))
    said = {"user": name, "password": password, "database": database}
    if as_json:
        click.echo(msgspec.json.encode({**said, "sql": wanted if only_sql else []}).decode())
        return
    if only_sql:
        click.echo("".join(f"{statement};\n" for statement in wanted), nl=False)
    sys.stderr.write(f"The password of {name} is {password}\n")


async def _run(settings: Settings, wanted: list[str], name: str, tenant: str) -> None:
    await put_on_record(settings, "granted", "analyst", tenant=tenant, thing=name)
    clickhouse = ClickHouse(settings)
    try:
        for statement in wanted:
            await clickhouse.command(statement)
    except Unavailable as error:
        if "ACCESS_DENIED" not in str(error):
            raise
        raise NotPermitted(
            f"{settings.clickhouse_user!r} may not create accounts in the ClickHouse at "
            f"{settings.clickhouse_host}:{settings.clickhouse_port}, so no account was created: "
            "have an administrator run what --sql prints. The one that `tocsin up` starts has no "
            "accounts: every program on this machine may read it."
        ) from None
    finally:
        await clickhouse.close()
