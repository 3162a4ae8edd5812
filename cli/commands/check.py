"""`tocsin check`: everything that Tocsin needs, looked at in one go."""

import asyncio
import sys
import textwrap

import click
import msgspec

from agents.check.clickhouse import check_clickhouse
from agents.check.findings import Finding, State
from agents.check.kafka import check_kafka
from agents.check.prices import check_prices
from agents.check.providers import check_providers
from agents.check.registry import check_registry
from cli.lines import print_lines, width
from cli.settings import read_settings
from pipeline.settings import Settings
from web.login.check import check_login

WRONG = 1
"""The exit code where something failed."""
COLUMNS = 80
"""Where the terminal does not say how wide it is."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--no-providers", is_flag=True, help="Do not call providers.")
def check(as_json: bool, no_providers: bool) -> None:
    """Check what Tocsin needs: Kafka, topics, grants, ClickHouse, clocks, the schema registry,
    log-ins and providers.

    Nothing is sent and nothing is changed. Exits with 1 if something failed, and says what to do
    about it.
    """
    found = asyncio.run(_look(read_settings(), with_providers=not no_providers))
    if as_json:
        for each in found:
            click.echo(msgspec.json.encode(each))
    else:
        _print(found)
    sys.exit(WRONG if any(each.state is State.FAILED for each in found) else 0)


async def _look(settings: Settings, *, with_providers: bool) -> list[Finding]:
    found = [each async for each in check_kafka(settings)]
    found += [each async for each in check_clickhouse(settings)]
    found += [each async for each in check_registry(settings)]
    found += check_prices(settings)
    found += [each async for each in check_login(settings)]
    if with_providers:
        found += [each async for each in check_providers(settings)]
    return found


def _print(found: list[Finding]) -> None:
    most = width() or COLUMNS
    states = max(len(each.state) for each in found)
    subjects = max(len(each.subject) for each in found)
    lines = []
    for each in found:
        begin = f"{each.state:<{states}}  {each.subject:<{subjects}}  "
        lines += _lines(begin, each.found, most)
        if each.todo:
            lines += _lines(f"{'to do:':>{len(begin) - 2}}  ", each.todo, most)
    failed = sum(each.state is State.FAILED for each in found)
    count = len(found)
    lines.append(f"{failed} of {count} failed." if failed else f"None of {count} failed.")
    print_lines(lines)


def _lines(begin: str, text: str, most: int) -> list[str]:
    return textwrap.wrap(
        text,
        most,
        initial_indent=begin,
        subsequent_indent=" " * len(begin),
        break_long_words=False,
        break_on_hyphens=False,
    )
