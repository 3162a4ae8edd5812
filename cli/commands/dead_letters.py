"""`tocsin dead-letters`: look at what nobody could use, and send it again once it is mended."""

import asyncio
from datetime import UTC, datetime

import click

from cli.audit import put_on_record
from cli.ids import the_only
from cli.lazy_group import Group
from cli.lines import Row, aligned, print_json, print_lines
from cli.settings import read_settings
from pipeline.records.dead_letter_reading import find, send_again
from policy.time.timestamps import text
from schemas.dead_letter import DeadLetter
from schemas.errors import WrongUsage

NOTHING = "There are no dead letters."


@click.group("dead-letters", cls=Group)
def dead_letters() -> None:
    """Records that no role could use: list them, look at one, send them again."""


@dead_letters.command("list")
@click.option("--reason", help="Only those with this reason.")
@click.option("--topic", help="Only those from this topic.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_letters(reason: str | None, topic: str | None, as_json: bool) -> None:
    """List dead letters, oldest first."""
    settings = read_settings()
    asyncio.run(put_on_record(settings, "looked up", "dead-letters list"))
    letters = asyncio.run(find(settings, reason=reason, topic=topic))
    if as_json:
        for letter in letters:
            print_json(letter)
        return
    print_lines(aligned([_row(letter) for letter in letters]) if letters else [NOTHING])


@dead_letters.command()
@click.argument("letter_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(letter_id: str, as_json: bool) -> None:
    """Show one dead letter with its record; as much of its ID as no other one begins with."""
    settings = read_settings()
    asyncio.run(put_on_record(settings, "looked up", "dead-letters show", thing=letter_id))
    letter = _the(asyncio.run(find(settings)), letter_id)
    if as_json:
        print_json(letter)
        return
    names = DeadLetter.__struct_fields__
    print_lines(aligned([Row((name, _shown(letter, name))) for name in names]))


@dead_letters.command()
@click.argument("letter_id", metavar="[ID]", required=False)
@click.option("--reason", help="All of those with this reason.")
@click.option("--topic", help="All of those from this topic.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
def replay(letter_id: str | None, reason: str | None, topic: str | None, as_json: bool) -> None:
    """Write records back to the topics they came from: the one with this ID, or all that match.

    Those of a company's own topics are mapped as the catalogue says now, and what they say is
    written. The dead letters stay listed. What was sent before is not sent twice.
    """
    if not (letter_id or reason or topic):
        raise WrongUsage("Say which: an ID, --reason or --topic. Nothing was sent.")
    settings = read_settings()
    letters = asyncio.run(find(settings, reason=reason, topic=topic))
    if letter_id:
        letters = [_the(letters, letter_id)]
    thing = letters[0].id if letter_id else ""
    asyncio.run(put_on_record(settings, "replayed", "dead-letters replay", thing=thing))
    done, gone = asyncio.run(send_again(settings, letters))
    if as_json:
        print_json({"replayed": done, "gone": gone})
    else:
        why = (
            f" {gone} could not be sent: they no longer exist, are too large, or are of no use to "
            "their source."
        )
        click.echo(f"Sent {done} records again.{why * bool(gone)}")


def _the(letters: list[DeadLetter], given: str) -> DeadLetter:
    """The letter of this id, or the only one whose id begins so; raises WrongUsage."""
    found = {letter.id: letter for letter in letters if letter.id.startswith(given)}
    return found[the_only(list(found), given, "dead letter", "tocsin dead-letters list")]


def _row(letter: DeadLetter) -> Row:
    when = datetime.fromtimestamp(letter.at / 1000, UTC)
    place = f"{letter.topic}-{letter.partition}@{letter.offset}"
    note = f"{letter.role}, {place}: {letter.detail}"
    return Row((letter.id, f"{when:%Y-%m-%d %H:%M:%S}", letter.reason), note)


def _shown(letter: DeadLetter, name: str) -> str:
    value = getattr(letter, name)
    if name in ("at", "accepted_at"):
        return text(value)
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
