"""`tocsin dead-letters`: look at what nobody could use, and send it again once it is mended."""

import asyncio
import sys
from datetime import UTC, datetime

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.dead_letter_reading import find, send_again
from pipeline.errors import Misconfigured
from pipeline.settings import read_settings
from schemas.dead_letter import DeadLetter

encode = msgspec.json.Encoder().encode


@click.group("dead-letters")
def dead_letters() -> None:
    """Records that no role could use: list them, look at one, send them again."""


@dead_letters.command("list")
@click.option("--reason", help="Only those with this reason.")
@click.option("--topic", help="Only those from this topic.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_letters(reason: str | None, topic: str | None, as_json: bool) -> None:
    """List dead letters, oldest first."""
    letters = asyncio.run(find(read_settings(), reason=reason, topic=topic))
    if as_json:
        for letter in letters:
            _print_json(letter)
        return
    table = Table("id", "when", "role", "from", "reason", "detail")
    for letter in letters:
        when = datetime.fromtimestamp(letter.at / 1000, UTC).isoformat(" ", "seconds")
        place = f"{letter.topic}-{letter.partition}@{letter.offset}"
        table.add_row(letter.id, when, letter.role, place, letter.reason, escape(letter.detail))
    Console().print(table if letters else "There are no dead letters.")


@dead_letters.command()
@click.argument("letter_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(letter_id: str, as_json: bool) -> None:
    """Show one dead letter with its record."""
    (letter,) = _the(asyncio.run(find(read_settings(), letter_id=letter_id)), letter_id)
    if as_json:
        _print_json(letter)
        return
    table = Table(show_header=False, box=None)
    for name in DeadLetter.__struct_fields__:
        value = getattr(letter, name)
        text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
        table.add_row(name, escape(text))
    Console().print(table)


@dead_letters.command()
@click.argument("letter_id", metavar="[ID]", required=False)
@click.option("--reason", help="All of those with this reason.")
@click.option("--topic", help="All of those from this topic.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
def replay(letter_id: str | None, reason: str | None, topic: str | None, as_json: bool) -> None:
    """Write records back to the topics they came from: the one with this ID, or all that match.

    The dead letters stay listed. What was sent before is not sent twice.
    """
    if not (letter_id or reason or topic):
        raise Misconfigured("Say which: an ID, --reason or --topic. Nothing was sent.")
    settings = read_settings()
    letters = asyncio.run(find(settings, letter_id=letter_id, reason=reason, topic=topic))
    if letter_id:
        _the(letters, letter_id)
    done, gone = asyncio.run(send_again(settings, letters))
    if as_json:
        sys.stdout.write(encode({"replayed": done, "gone": gone}).decode() + "\n")
    else:
        Console().print(f"Sent {done} records again." + (f" {gone} no longer exist." * bool(gone)))


def _print_json(letter: DeadLetter) -> None:
    sys.stdout.write(encode(letter).decode() + "\n")


def _the(letters: list[DeadLetter], letter_id: str) -> list[DeadLetter]:
    if not letters:
        raise Misconfigured(f"There is no dead letter {letter_id}; `tocsin dead-letters list`.")
    return letters
