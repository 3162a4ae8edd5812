"""`tocsin frontiers`: up to where a role is done, and where to go on if that can't be right."""

import asyncio

import click
import msgspec

from cli.lines import Row, aligned, print_lines, wrapped
from cli.settings import read_settings
from schemas.errors import WrongUsage
from schemas.topics import ROLES
from tables.storage.frontiers import Frontier, GoOn, accept, read_frontiers


@click.command()
@click.argument("role", type=click.Choice(ROLES))
@click.option(
    "--accept",
    "at",
    type=click.Choice([each.value for each in GoOn]),
    help="Continue there wherever something was found: at the log's start, so that all of it is "
    "read, some of it perhaps again; at the committed offset, with the state that there is; or at "
    "the log's end, so that nothing before it is read. The role must be stopped.",
)
@click.option("--dry-run", is_flag=True, help="With --accept: only show what would change.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for every topic.")
def frontiers(role: str, at: str | None, dry_run: bool, as_json: bool) -> None:
    """Show where ROLE can't continue by itself: a topic created anew or cut, a lost changelog.

    A worker that finds such a place stops there, instead of skipping records or deciding without
    its state.
    """
    if dry_run and at is None:
        raise WrongUsage("--dry-run goes with --accept. Nothing was changed.")
    settings = read_settings()
    all_of_role = asyncio.run(read_frontiers(settings, role))
    found = [each for each in all_of_role if each.finding is not None]
    go_on = GoOn(at) if at else None
    places = {each.partition: each.place(go_on) for each in found} if go_on else {}
    if go_on and found and not dry_run:
        asyncio.run(accept(settings, role, found, go_on))
    if as_json:
        for each in all_of_role:
            click.echo(msgspec.json.encode(_as_json(each, places.get(each.partition), dry_run)))
        return
    if found:
        print_lines(aligned([_row(each, places.get(each.partition)) for each in found]))
    print_lines(wrapped(_sentence(role, len(found), len(all_of_role), go_on, dry_run)))


def _as_json(each: Frontier, place: int | None, dry_run: bool) -> dict[str, object]:
    return {
        "topic": each.partition.topic,
        "partition": each.partition.partition,
        "start": each.bounds.start,
        "end": each.bounds.end,
        "committed": each.bounds.committed,
        "stored": each.stored,
        "finding": each.finding and each.finding.value,
        "goes_on_at": place,
        "changed": place is not None and not dry_run,
    }


def _row(each: Frontier, place: int | None) -> Row:
    tp, bounds = each.partition, each.bounds
    cells = (
        f"{tp.topic}-{tp.partition}",
        "" if each.finding is None else each.finding.value,
        f"log {bounds.start} to {bounds.end}",
        f"committed {_shown(bounds.committed)}",
        f"stored {_shown(each.stored)}",
        "" if place is None else f"continues at {place}",
    )
    return Row(cells)


def _shown(offset: int | None) -> str:
    return "nothing" if offset is None else str(offset)


def _sentence(role: str, found: int, total: int, at: GoOn | None, dry_run: bool) -> str:
    if not found:
        return f"All {total} frontiers of {role} are where they can be. Nothing was changed."
    if at is None:
        return (
            f"{found} of {total} frontiers of {role} can't be right. Nothing was changed; stop the "
            "role, and say with --accept start, commit or end where it continues."
        )
    done = "would continue" if dry_run else "continues"
    return f"{role} {done} there in {found} places." + " Nothing was changed." * dry_run
