"""Explanations as a terminal shows them."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct
from rich.text import Text

from cli.lines import Row, aligned, wrapped
from policy.decision.decision import Outcome
from policy.decision.explanation import Asked, Explanation, Sent, Waits
from policy.decision.rule_explanations import counted
from policy.time.timestamps import epoch_ms, text
from schemas.event import Event
from schemas.vocabulary import Channel, Reason

MOST_ADDRESSES = 3
_encode = msgspec.json.Encoder().encode
_NOUNS = {Channel.PUSH: "device", Channel.INAPP: "inbox"}


class Case(Struct, frozen=True):
    """An event and a user, decided on at `at` (epoch ms); `kafka` is empty for files.

    Its `origin` is the record of which a source made it, if one did.
    """

    event: Event
    user: str
    at: int
    kafka: str
    origin: str = ""

    def as_json(self, found: Explanation) -> str:
        """One line for a program to read."""
        facts: dict[str, Any] = {
            "event": self.event.id,
            "tenant": self.event.tenant,
            "user": self.user,
            "at": self.at,
            **msgspec.structs.asdict(found),
        }
        if self.origin:
            facts["origin"] = self.origin
        return _encode(facts).decode()


def described(case: Case, is_known: bool, found: list[Explanation]) -> Iterator[Text]:
    """Everything, in lines: the case, and each type with its path and its end."""
    for paragraph in _opening(case, is_known, found[0].catalogue):
        yield from wrapped(paragraph)
    for each in found:
        yield Text()
        yield from _type(case, each)


def _opening(case: Case, is_known: bool, catalogue: str) -> Iterator[Text]:
    event = case.event
    yield Text.assemble(
        (event.type, "bold"), f" {event.id} by {event.actor}, for ", (case.user, "bold"),
        f" of tenant {event.tenant}",
    )  # fmt: skip
    if case.origin:
        yield Text(f"It is what {case.origin} says.", style="dim")
    source = f"Kafka at {case.kafka} has of them now" if case.kafka else "files say of them"
    yield Text(
        f"Decided as of {text(case.at)} with catalogue {catalogue}, on what {source}.",
        style="dim",
    )
    if not is_known:
        yield Text(f"Nothing is stored of {case.user}: the defaults count.", style="yellow")


def _type(case: Case, found: Explanation) -> Iterator[Text]:
    yield Text(found.type, style="bold")
    member = found.membership
    if member.is_in is False:
        yield from wrapped(Text(f"Not in the audience: {member.why}.", style="red"))
        return
    which = "In the audience" if member.is_in else "In the audience, perhaps"
    yield from wrapped(Text(f"{which}: {member.why}.", style="green" if member.is_in else "yellow"))
    before = found.told_before
    if before is not None:
        yield from wrapped(
            Text(
                f"Decided before, so nothing comes of it now: {before.reason} {before.detail}. "
                "Without that it would be as follows.",
                style="red",
            )
        )
    yield from _path(found.asked)
    yield from _end(case, found)


def _path(asked: tuple[Asked, ...]) -> Iterator[Text]:
    """Each rule with what it looked at and what it said, beneath its step and channel."""
    has_steps = any(each.step for each in asked)
    longest = max((len(each.rule) for each in asked), default=0)
    last = None
    for each in asked:
        place = each.step, each.channel
        if place != last:
            step = f"step {each.step + 1}, " if has_steps else ""
            yield Text.assemble("  ", step, (each.channel or "all channels", "bold"))
        last = place
        said = (each.said, "yellow") if each.said else ("ok", "dim")
        rule = f"    {each.rule.ljust(longest)}  "
        yield from wrapped(Text.assemble(each.looked_at, " → ", said), len(rule), rule)


def _end(case: Case, found: Explanation) -> Iterator[Text]:
    if found.refused:
        yield from wrapped(Text(f"A dead letter, nothing is sent: {found.refused}", style="red"))
        return
    sent = [Row((Text("sent", "green"), each.channel), _addresses(each)) for each in found.sent]
    waits = [Row((Text("waits", "cyan"), each.channel), _waits(each)) for each in found.waits]
    silent = [
        Row((Text("not sent", "red"), each.channel or "all"), _why(each)) for each in found.silent
    ]
    rows = [*sent, *waits, *silent]
    yield from aligned(rows, indent=2) if rows else [Text("Nothing comes of it.")]
    if any(each.reason is Reason.EXPIRED for each in found.silent):
        then = text(epoch_ms(case.event.occurred_at))
        yield from wrapped(
            Text(f"It is too old by now. To decide as of then, add --at {then}", style="dim")
        )
    due = [each.until for each in found.waits if each.reason is Reason.SCHEDULED]
    if due:
        yield from wrapped(
            Text(f"The rules are asked when it is due: add --at {text(due[0])}", style="dim")
        )


def _why(silent: Outcome) -> str:
    return f"{silent.reason}{f': {silent.detail}' if silent.detail else ''}"


def _addresses(sent: Sent) -> str:
    shown = ", ".join(sent.addresses[:MOST_ADDRESSES])
    more = len(sent.addresses) - MOST_ADDRESSES
    count = counted(len(sent.addresses), _NOUNS.get(sent.channel, "address"))
    return f"to {count}: {shown}{f' and {more} more' if more > 0 else ''}"


def _waits(waits: Waits) -> str:
    detail = f": {waits.detail}" if waits.detail else ""
    others = f", {counted(waits.gathered, 'event')} in it so far" if waits.gathered else ""
    return f"until {text(waits.until)}, {waits.reason}{detail}{others}"
