"""`tocsin preview`: what a type says on its channels, without sending anything."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.text import Text

from cli.lines import print_json, print_lines, wrapped
from cli.settings import read_settings
from pipeline.catalogue_folder import read_catalogue
from policy.catalogue.direct import direct_type
from policy.decision.silent_channels import SILENT
from policy.message import CATEGORY, MESSAGE
from policy.notification_type import NotificationType
from policy.rendering.channels.buttons import beside_of
from policy.rendering.channels.own_links import OwnLink, with_urls
from policy.rendering.channels.push import PAYLOAD, payload_bytes
from policy.rendering.channels.sms import segments_of
from policy.rendering.joint_digest import together
from policy.rendering.locales import chain
from policy.rendering.reader import reader_of
from policy.rendering.rendering import Rendering
from policy.rendering.sample import sample_attributes, sample_data
from schemas.delivery import KEEPS_BADGE, Approved, Content, Sender
from schemas.encoding import UNDECODABLE
from schemas.errors import BadInput, WrongUsage
from schemas.event import Event
from schemas.vocabulary import Channel

_FILE = click.Path(path_type=Path, dir_okay=False)
_SHOWN_URLS = {link: f"https://example.com/{link}" for link in OwnLink}
"""In place of links that are made for each message."""


@click.command()
@click.argument("name", metavar="TYPE")
@click.option("--locale", default="en", show_default=True, help="The user's, such as pt-BR.")
@click.option(
    "--channel", type=click.Choice([each.value for each in Channel]), help="Only this one."
)
@click.option("--variant", help="One of the type's experiment; else its own templates.")
@click.option(
    "--event", "event_file", type=_FILE, help="An event as JSON; else sample data is used."
)
@click.option("--digest", type=click.IntRange(1, 1000), help="Show a digest of this many events.")
@click.option(
    "--with",
    "others",
    metavar="TYPE",
    multiple=True,
    help="In one message with TYPE, for users who want the category hourly, daily or weekly.",
)
@click.option(
    "--attribute",
    "attributes",
    metavar="NAME=VALUE",
    multiple=True,
    help="Of the user, who then has no others; else sample attributes are used.",
)
@click.option("--html", "html_file", type=_FILE, help="Where to write the e-mail's HTML.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def preview(
    name: str,
    locale: str,
    channel: str | None,
    variant: str | None,
    event_file: Path | None,
    digest: int | None,
    others: tuple[str, ...],
    attributes: tuple[str, ...],
    html_file: Path | None,
    as_json: bool,
) -> None:
    """Show the texts of TYPE on each of its channels."""
    spec = _the_type(name) if variant is None else _the_variant(_the_type(name), variant)
    given = None if event_file is None else _read(event_file, spec)
    renderings = dict(_renderings(spec, channel))
    beside = [_of_category(_the_type(other), spec) for other in others]
    if beside:  # what makes no sound comes at once, each by itself
        renderings = {each: found for each, found in renderings.items() if each not in SILENT}
        if not renderings:
            raise WrongUsage("What makes no sound is not combined: each message comes at once.")
    if html_file and Channel.EMAIL not in renderings:
        raise WrongUsage(f"There is no e-mail to write to {html_file}.")
    if not as_json and not chain(locale):
        click.echo(f"{locale} is not a known locale: these are the base texts.")
    for found, rendering in renderings.items():
        event = given or _made_up(spec, rendering)
        events = [event] * (digest or 1)
        made_up = {} if attributes else sample_attributes(rendering.sources)
        reader = reader_of("user", "UTC", {**made_up, **_pairs(attributes)})
        if others:
            plans = ((other, other.plan_of(found)) for other in beside)
            parts = [
                (plan.rendering, [_made_up(other, plan.rendering)] * (digest or 1))
                for other, plan in plans
                if plan is not None
            ]
            content = together([(rendering, events), *parts], locale, reader)
        elif digest:
            content = rendering.digest(events, locale, reader)
        else:
            content = rendering.content(event, locale, reader)
        content = with_urls(content, _SHOWN_URLS)
        if as_json:
            facts = _facts(found, locale, content, spec.sender)
            print_json(facts)
        else:
            print_lines(_described(found, content, spec.sender))
        if html_file and found is Channel.EMAIL:
            _write(html_file, content)
            if not as_json:
                click.echo(f"The HTML is in {html_file}.")


def _the_type(name: str) -> NotificationType:
    catalogue = read_catalogue(read_settings().catalogue)
    types = catalogue.types
    if name == MESSAGE:
        entry = catalogue.categories[CATEGORY]
        limit = None if entry is None else entry.rate_limit
        return direct_type(CATEGORY, limit, "normal", catalogue.version)
    if name not in types:
        raise WrongUsage(f"There is no type {name}; the catalogue has {', '.join(types)}.")
    return types[name]


def _pairs(attributes: tuple[str, ...]) -> dict[str, str]:
    given = [each.partition("=") for each in attributes]
    for name, sign, _ in given:
        if not sign:
            raise WrongUsage(f"--attribute {name} has no value: it is NAME=VALUE.")
    return {name: value for name, _, value in given}


def _of_category(other: NotificationType, spec: NotificationType) -> NotificationType:
    if other.category != spec.category:
        is_of = f"{other.name} is of {other.category}, and {spec.name} of {spec.category}"
        raise WrongUsage(f"{is_of}: one message is of one category.")
    return other


def _the_variant(spec: NotificationType, name: str) -> NotificationType:
    if spec.experiment is None:
        raise WrongUsage(f"{spec.name} has no experiment, and so no variants.")
    found = {variant.name: variant.spec for variant in spec.experiment.variants}
    if name not in found:
        experiment, names = spec.experiment.name, ", ".join(found)
        raise WrongUsage(f"{experiment} has no variant {name}, but {names}.")
    return found[name]


def _renderings(spec: NotificationType, channel: str | None) -> Iterator[tuple[Channel, Rendering]]:
    plans = {plan.channel: plan.rendering for step in spec.steps for plan in step.plans}
    if channel is not None and channel not in plans:
        raise WrongUsage(f"{spec.name} does not use {channel}, but {', '.join(plans)}.")
    for each in Channel:
        if each in plans and channel in (None, each):
            yield each, plans[each]


def _read(file: Path, spec: NotificationType) -> Event:
    try:
        event = msgspec.json.decode(file.read_bytes(), type=Event)
    except OSError as error:
        raise WrongUsage(f"{file} can't be read: {error.strerror}.") from None
    except UNDECODABLE as error:
        raise BadInput(f"{file} is not an event: {error}.") from None
    if event.type != spec.event:
        raise BadInput(f"{file} is of {event.type}, and {spec.name} comes of {spec.event}.")
    return event


def _made_up(spec: NotificationType, rendering: Rendering) -> Event:
    return Event(
        id="preview",
        type=spec.event,
        actor="actor",
        occurred_at=datetime.now(UTC),
        data=sample_data(rendering.sources, rendering.data),
    )


def _facts(
    channel: Channel, locale: str, content: Content, sender: Sender | None
) -> dict[str, Any]:
    facts = {"channel": channel, "locale": locale, **msgspec.structs.asdict(content)}
    if channel is Channel.EMAIL and sender is not None:
        facts["sender"] = sender
    if channel is Channel.SMS:
        facts["segments"] = segments_of(content.body)
    if channel is Channel.PUSH:
        facts["bytes"] = _payload_bytes(content)
    return facts


def _described(channel: Channel, content: Content, sender: Sender | None) -> Iterator[Text]:
    yield Text(str(channel), style="bold")
    if channel is Channel.EMAIL and sender is not None:
        said = (("from", f"{sender.name} {sender.address}".strip()), ("reply", sender.reply_to))
        for name, value in said:
            yield from _part(name, value)
    if content.title:
        yield from _part("title", content.title)
    yield from _part("body", content.body.strip("\n"))
    if content.html:
        yield from _part("html", f"{len(content.html.encode()):,} bytes")
    if content.image:
        yield from _part("image", content.image)
    if content.sound:
        yield from _part("sound", content.sound)
    if content.badge != KEEPS_BADGE:
        yield from _part("badge", str(content.badge))
    for action in content.actions:
        yield from _part("press", f"{action.label}: {action.url}")
    if content.data:
        yield from _part("data", json.dumps(content.data, ensure_ascii=False))
    if content.approved:
        yield from _part("whatsapp", _filled(content.approved))
    if size := _size(channel, content):
        yield from _part("size", size)


def _part(name: str, said: str) -> Iterator[Text]:
    first = f"  {name:<5}  "
    for line in said.splitlines():
        yield from wrapped(line, len(first), first)
        first = " " * len(first)


def _filled(approved: Approved) -> str:
    language = f" in {approved.language}" if approved.language else ""
    variables = (f"{{{{{n}}}}} {said}" for n, said in enumerate(approved.variables, 1))
    return "\n".join((f"{approved.template}{language}", *variables))


def _size(channel: Channel, content: Content) -> str:
    if channel is Channel.SMS:
        segments = segments_of(content.body)
        plural = "s" * (segments.count > 1)
        return f"{segments.count} segment{plural} of {segments.encoding}"
    if channel is Channel.PUSH:
        size = _payload_bytes(content)
        return f"{size:,} of {PAYLOAD:,} bytes"
    return ""


def _payload_bytes(content: Content) -> int:
    beside = beside_of(content.data, content.image, content.actions)
    return payload_bytes(content.title, content.body, beside)


def _write(file: Path, content: Content) -> None:
    if not content.html:
        raise WrongUsage(f"This e-mail has no HTML; {file} was not written.")
    try:
        file.write_text(content.html)
    except OSError as error:
        raise WrongUsage(f"{file} can't be written: {error.strerror}.") from None
