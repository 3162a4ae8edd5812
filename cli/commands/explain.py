"""`tocsin explain`: why one user is notified of an event or not, rule by rule; nothing is sent."""

import asyncio
import sys
from pathlib import Path
from typing import IO, TypeVar

import click
import msgspec
from msgspec import Struct

from agents.replay.decision_context import read_standing
from cli.audit import put_on_record
from cli.explained_record import event_of
from cli.explanation_view import Case, described
from cli.lines import print_lines
from cli.settings import read_settings
from cli.time_parameter import MOMENT, now
from pipeline.catalogue_folder import read_catalogue
from pipeline.settings import Settings
from policy.catalogue.catalogue import Catalogue
from policy.decision.context import Standing, explanations
from policy.decision.explanation import Explanation
from policy.user.profile import Profile
from schemas.encoding import UNDECODABLE
from schemas.errors import BadInput, BadRecord, WrongUsage
from schemas.event import Event
from schemas.profile import Contacts, Preferences, Presence

SET_ASIDE = "The router makes such an event a dead letter, and nobody is notified."
Said = TypeVar("Said", Contacts, Preferences, Presence)
Value = TypeVar("Value", bound=Struct)
_FILE = click.File("rb")
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command("explain")
@click.option("--event", "file", type=_FILE, help="An event as JSON; - is stdin.")
@click.option("--record", help="Or a record of a source, as TOPIC/PARTITION/OFFSET.")
@click.option("--source", help="Of several that read the record's topic, this one.")
@click.option("--user", required=True, help="Whom it may concern, in the event's tenant.")
@click.option("--at", type=MOMENT, help="Decide as of then, in RFC 3339 or 2h ago; else now.")
@click.option("--catalogue", "folder", type=_FOLDER, help="Another than TOCSIN_CATALOGUE.")
@click.option("--contacts", type=_FILE, help="The user's contacts as JSON, instead of Kafka.")
@click.option("--preferences", type=_FILE, help="The user's preferences as JSON; likewise.")
@click.option("--presence", type=_FILE, help="The user's presence as JSON; likewise.")
@click.option("--offline", is_flag=True, help="Read nothing from Kafka: a user without records.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a notification type.")
def explain_command(
    file: IO[bytes] | None,
    record: str | None,
    source: str | None,
    user: str,
    at: int | None,
    folder: Path | None,
    contacts: IO[bytes] | None,
    preferences: IO[bytes] | None,
    presence: IO[bytes] | None,
    offline: bool,
    as_json: bool,
) -> None:
    """Explain what becomes of an event for one user, rule by rule. Nothing is sent or stored.

    What is stored of the user is read from Kafka as it is now, also where --at lies in the past:
    profile, limits used, what was decided before and whom they follow. With files or --offline
    it is what the files say, and nothing was decided before.

    A --record of a company's own topic is read from Kafka, and is the event that its source makes
    of it by the catalogue.
    """
    settings = read_settings()
    if (file is None) == (record is None):
        raise WrongUsage("Say what to explain: either --event or --record.")
    catalogue = read_catalogue(settings.catalogue if folder is None else folder)
    if file is not None:
        event, origin = _decoded(file, Event), ""
    else:
        event, origin = asyncio.run(event_of(settings, catalogue, record or "", source))
    files = (contacts, preferences, presence)
    is_offline = offline or any(files)
    case = Case(
        event, user, now() if at is None else at, "" if is_offline else settings.kafka, origin
    )
    try:
        standing = Standing(profile=_profile(event, user, *files))
        if not is_offline:
            note = put_on_record(
                settings, "looked up", "explain", tenant=event.tenant, user=user, thing=record or ""
            )
            asyncio.run(note)
            specs = catalogue.for_event(event)
            standing = asyncio.run(read_standing(settings, event, user, specs))
        found = _explained(case, catalogue, standing, settings)
    except BadRecord as error:
        raise BadRecord(error.reason, f"{error.detail}. {SET_ASIDE}") from None
    if as_json:
        for each in found:
            sys.stdout.write(case.as_json(each) + "\n")
    else:
        print_lines(described(case, standing.is_known, found))


def _explained(
    case: Case, catalogue: Catalogue, standing: Standing, settings: Settings
) -> list[Explanation]:
    event = case.event
    if not catalogue.for_event(event):
        if catalogue.ended_by(event):
            ended = ", ".join(
                spec.name
                for spec in catalogue.types.values()
                if spec.until is not None and spec.until.event == event.type
            )
            raise BadInput(
                f"No notification type is set off by {event.type!r}: it ends what is pending of "
                f"{ended}."
            )
        goals = catalogue.aimed_at(event)
        if goals:
            aimed = ", ".join(spec.name for spec in goals)
            raise BadInput(
                f"No notification type is set off by {event.type!r}: it is the goal of {aimed}."
            )
        known = ", ".join(sorted(catalogue.events))
        raise BadInput(
            f"No notification type is set off by {event.type!r}: such an event becomes a dead "
            f"letter, unknown_type, and nobody is notified. The catalogue knows {known}."
        )
    threshold = settings.fan_out_threshold
    return explanations(event, case.user, case.at, catalogue, standing, threshold)


def _profile(
    event: Event,
    user: str,
    contacts: IO[bytes] | None,
    preferences: IO[bytes] | None,
    presence: IO[bytes] | None,
) -> Profile:
    profile = Profile()
    if contacts is not None:
        profile = profile.with_contacts(_of_user(contacts, Contacts, event, user))
    if preferences is not None:
        profile = profile.with_preferences(_of_user(preferences, Preferences, event, user))
    if presence is not None:
        profile = profile.with_presence(_of_user(presence, Presence, event, user))
    return profile


def _of_user(file: IO[bytes], kind: type[Said], event: Event, user: str) -> Said:
    said = _decoded(file, kind)
    if (said.tenant, said.user) != (event.tenant, user):
        raise BadInput(
            f"{_name(file)} is of {said.user} of tenant {said.tenant}, and asked was about {user} "
            f"of {event.tenant}, the event's tenant."
        )
    return said


def _decoded(file: IO[bytes], kind: type[Value]) -> Value:
    try:
        return msgspec.json.decode(file.read(), type=kind)
    except UNDECODABLE as error:
        what = "an event" if kind is Event else kind.__name__.lower()
        raise BadInput(
            f"{_name(file)} can't be used as {what}: {error}. On its topic it becomes a dead "
            "letter."
        ) from None


def _name(file: IO[bytes]) -> str:
    return getattr(file, "name", "The input")
