"""Explanations as a terminal shows them."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct
from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from policy.explanation import Asked, Explanation, Sent, Waits
from policy.instants import epoch_ms, text
from policy.shown import counted
from schemas.event import Event
from schemas.vocabulary import Channel, Reason

MOST_ADDRESSES = 3
_encode = msgspec.json.Encoder().encode
_NOUNS = {Channel.PUSH: "device", Channel.INAPP: "inbox"}


class Case(Struct, frozen=True):
    """An event and a user, decided on at `at` (epoch ms); `kafka` is empty for files."""

    event: Event
    user: str
    at: int
    kafka: str

    def as_json(self, found: Explanation) -> str:
        """One line for a program to read."""
        facts: dict[str, Any] = {
            "event": self.event.id,
            "tenant": self.event.tenant,
            "user": self.user,
            "at": self.at,
            **msgspec.structs.asdict(found),
        }
        return _encode(facts).decode()


def described(case: Case, is_known: bool, found: list[Explanation]) -> RenderableType:
    """Everything: the case, and each type with its path and its end."""
    opening = _opening(case, is_known, found[0].catalogue)
    return Group(*opening, *(part for each in found for part in _type(case, each)))


def _opening(case: Case, is_known: bool, catalogue: str) -> Iterator[RenderableType]:
    event = case.event
    yield Text.assemble(
        (event.type, "bold"), f" {event.id} by {event.actor}, for ", (case.user, "bold"),
        f" of tenant {event.tenant}",
    )  # fmt: skip
    source = f"Kafka at {case.kafka} has of them now" if case.kafka else "files say of them"
    yield Text(
        f"Decided as of {text(case.at)} with catalogue {catalogue}, on what {source}.",
        style="dim",
    )
    if not is_known:
        yield Text(f"Nothing is stored of {case.user}: the defaults count.", style="yellow")


def _type(case: Case, found: Explanation) -> Iterator[RenderableType]:
    yield Text(f"\n{found.type}", style="bold")
    member = found.membership
    if member.is_in is False:
        yield Text.assemble("Not in the audience", (f": {member.why}.", ""), style="red")
        return
    which = "In the audience" if member.is_in else "In the audience, perhaps"
    yield Text(f"{which}: {member.why}.", style="green" if member.is_in else "yellow")
    before = found.told_before
    if before is not None:
        yield Text(
            f"Decided before, so nothing comes of it now: {before.reason} {before.detail}. "
            "Without that it would be as follows.",
            style="red",
        )
    yield _path(found.asked)
    yield from _end(case, found)


def _path(asked: tuple[Asked, ...]) -> Table:
    has_steps = any(each.step for each in asked)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    names = ("step", "channel", "rule", "looked at", "outcome")
    for name in names if has_steps else names[1:]:
        is_long = name in ("looked at", "outcome")
        table.add_column(name, overflow="fold", ratio=None, no_wrap=not is_long)
    last = None
    for each in asked:
        place = each.step, each.channel
        if last not in (None, place):
            table.add_section()
        channel = "" if place == last else each.channel or "all"
        step = "" if place == last else str(each.step + 1)
        last = place
        said = Text(each.said, style="yellow") if each.said else Text("ok", style="dim")
        cells = (Text(step), Text(channel, style="bold"), Text(each.rule))
        table.add_row(*cells[not has_steps :], Text(each.looked_at), said)
    return table


def _end(case: Case, found: Explanation) -> Iterator[RenderableType]:
    if found.refused:
        yield Text(f"A dead letter, nothing is sent: {found.refused}", style="red")
        return
    table = Table.grid(padding=(0, 2))
    for sent in found.sent:
        table.add_row(Text("sent", style="green"), sent.channel, Text(_addresses(sent)))
    for waits in found.waits:
        table.add_row(Text("waits", style="cyan"), waits.channel, Text(_waits(waits)))
    for silent in found.silent:
        why = f"{silent.reason}{f': {silent.detail}' if silent.detail else ''}"
        table.add_row(Text("not sent", style="red"), silent.channel or "all", Text(why))
    if not table.row_count:
        table.add_row(Text("Nothing comes of it."))
    yield Padding(table, (0, 0, 0, 2))
    if any(silent.reason is Reason.EXPIRED for silent in found.silent):
        then = text(epoch_ms(case.event.occurred_at))
        yield Text(f"It is too old by now. To decide as of then, add --at {then}", style="dim")
    due = [waits.until for waits in found.waits if waits.reason is Reason.SCHEDULED]
    if due:
        yield Text(f"The rules are asked when it is due: add --at {text(due[0])}", style="dim")


def _addresses(sent: Sent) -> str:
    shown = ", ".join(sent.addresses[:MOST_ADDRESSES])
    more = len(sent.addresses) - MOST_ADDRESSES
    count = counted(len(sent.addresses), _NOUNS.get(sent.channel, "address"))
    return f"to {count}: {shown}{f' and {more} more' if more > 0 else ''}"


def _waits(waits: Waits) -> str:
    detail = f": {waits.detail}" if waits.detail else ""
    others = f", {counted(waits.gathered, 'event')} in it so far" if waits.gathered else ""
    return f"until {text(waits.until)}, {waits.reason}{detail}{others}"
