"""`tocsin setup`: topics in Kafka and tables in ClickHouse, as this version needs them."""

import asyncio
import shlex

import click
import msgspec

from agents.setup import SetUp, set_up
from cli.lines import Row, aligned, print_lines, wrapped
from cli.settings import read_settings
from pipeline.admin.grants import to_read_outcomes, to_run, to_set_up
from pipeline.admin.topic_settings import Difference
from pipeline.settings import Settings
from tables.former_topics import said_of

MOST_WIDTH = 50
"""Characters of a line of a printed command, before the option that ends it."""
SERVICE = "User:SERVICE"
"""To be replaced by whoever reads outcomes."""


@click.command()
@click.option("--dry-run", is_flag=True, help="Change nothing; show what would change.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option(
    "--acls",
    "principal",
    metavar="PRINCIPAL",
    help="Only print the access rules that Kafka needs for this principal, such as User:tocsin.",
)
def setup(dry_run: bool, as_json: bool, principal: str | None) -> None:
    """Create missing topics and tables, and correct the settings of existing topics.

    A setting with another value that is no worse, such as a longer retention, stays, and is listed.
    So do topics of an older version, which are named with what was not read in them.
    """
    settings = read_settings()
    if principal is not None:
        _print_grants(principal, settings, as_json)
        return
    done = asyncio.run(set_up(settings, dry_run=dry_run))
    if as_json:
        click.echo(msgspec.json.encode(_as_json(done)))
        return
    _print("To be changed:" if dry_run else "Changed:", done.mended)
    _print("Left as they were chosen:", done.kept)
    if done.former:
        print_lines(wrapped(said_of(done.former)))
    print_lines(wrapped(_sentence(done, dry_run)))


def _print_grants(principal: str, settings: Settings, as_json: bool) -> None:
    prefix = settings.prefix
    kinds = {"run": tuple(to_run(prefix)), "set_up": tuple(to_set_up(prefix))}
    if settings.outcomes:
        kinds["read_outcomes"] = tuple(to_read_outcomes(prefix))
    if as_json:
        click.echo(msgspec.json.encode({"principal": principal, **kinds}))
        return
    for kind, (comment, whose) in {
        "run": ("# For workers, tocsin web and commands.", principal),
        "set_up": ("# For tocsin setup, beside these.", principal),
        "read_outcomes": ("# For each service that reads outcomes, with its own name.", SERVICE),
    }.items():
        if kind in kinds:
            click.echo(comment)
        for grant in kinds.get(kind, ()):
            click.echo(_wrapped(grant.command(whose)))


def _wrapped(words: list[str]) -> str:
    """A command for a shell, in lines that end where an option does."""
    lines = ['kafka-acls.sh --bootstrap-server "$KAFKA" --command-config "$ADMIN"']
    line = ""
    for word in map(shlex.quote, words):
        if word.startswith("--") and len(line) + len(word) > MOST_WIDTH:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return " \\\n  ".join([*lines, line])


def _as_json(done: SetUp) -> dict[str, object]:
    return {
        "created_topics": done.created,
        "changed_settings": [_difference(each) for each in done.mended],
        "kept_settings": [_difference(each) for each in done.kept],
        "migrations": done.migrations,
        "former_topics": done.former,
    }


def _difference(each: Difference) -> dict[str, str]:
    return {
        "topic": each.topic,
        "setting": each.setting,
        "found": each.found,
        "declared": each.wanted,
        "would_lose": each.loses,
    }


def _print(title: str, differences: tuple[Difference, ...]) -> None:
    rows = [
        Row((each.topic, each.setting, f"{each.found} (declared: {each.wanted})"), each.loses)
        for each in differences
    ]
    if rows:
        print_lines([title, *aligned(rows, indent=2)])


def _sentence(done: SetUp, dry_run: bool) -> str:
    counts = (
        f"{len(done.created)} new topics, {len(done.mended)} changed settings of topics and "
        f"{len(done.migrations)} new migrations of ClickHouse"
    )
    if dry_run:
        return f"To do: {counts}. Nothing was changed."
    return f"Done: {counts}. All topics and tables are there."
