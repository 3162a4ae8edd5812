"""The catalogue: notification types as data, parsed from TOML and compiled once."""

import tomllib
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from pipeline.errors import BadCatalogue
from policy.entry import DEFAULT_LIMIT, Entry, Templates, contradiction
from policy.notification_type import NotificationType, Plan, preferring
from policy.rendering import Rendering, Text
from policy.template import compile_template
from schemas.event import Name
from schemas.vocabulary import Channel, Priority, Reason

_T = TypeVar("_T")


class Catalogue(Struct, frozen=True):
    """Every notification type; `version` is a short hash of the files it was made from."""

    types: dict[str, NotificationType]
    events: dict[str, tuple[NotificationType, ...]]
    version: str

    def for_event(self, event_type: str) -> tuple[NotificationType, ...]:
        """The types that an event of this type sets off; none: the event type is unknown."""
        return self.events.get(event_type, ())


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    event: Name
    types: dict[Name, dict[str, Any]]


def parse(files: Mapping[str, str]) -> Catalogue:
    """The catalogue in `files`, TOML text by file name.

    Raises BadCatalogue, naming file and field, at the first thing that can't be used.
    """
    version = _version(files)
    types: dict[str, NotificationType] = {}
    events: dict[str, tuple[NotificationType, ...]] = {}
    for file, text in sorted(files.items()):
        parsed = _convert(_toml(file, text), _File, file, "")
        for name, table in parsed.types.items():
            if name in types:
                raise BadCatalogue(f"{file}: types.{name} is declared in another file as well.")
            entry = _convert(table, Entry, file, f"types.{name}")
            types[name] = spec = _compiled(entry, name, parsed.event, file, version)
            events[parsed.event] = (*events.get(parsed.event, ()), spec)
    return Catalogue(types, events, version)


def _version(files: Mapping[str, str]) -> str:
    return blake2b(msgspec.json.encode(sorted(files.items())), digest_size=6).hexdigest()


def _toml(file: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadCatalogue(f"{file} is not TOML: {error}.") from None


def _convert(table: dict[str, Any], kind: type[_T], file: str, path: str) -> _T:
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        complaint, _, where = str(error).partition(" - at ")
        field = where.replace("`", "").replace("$", path).removeprefix(".") or path
        raise BadCatalogue(f"{file}: {field or 'the file'}: {complaint}.") from None


def _compiled(entry: Entry, name: str, event: str, file: str, version: str) -> NotificationType:
    found = contradiction(entry)
    if found:
        field, complaint = found
        raise BadCatalogue(f"{file}: types.{name}.{field} {complaint}.")
    templates = entry.templates.given()
    plans = tuple(
        _plan(entry, channel, _rendering(templates[channel], name, channel, file), name)
        for channel in entry.channels
    )
    online_plans = plans
    if entry.online:
        online_plans = preferring(plans, Channel.INAPP, Channel.PUSH, Reason.ONLINE)
        plans = preferring(plans, Channel.PUSH, Channel.INAPP, Reason.OFFLINE)
    return NotificationType(
        name=name,
        event=event,
        category=entry.category,
        priority=entry.priority,
        transactional=entry.transactional,
        time_to_live=entry.time_to_live * 1000,
        dedupe_hours=entry.dedupe_hours,
        plans=plans,
        online_plans=online_plans,
        users=tuple(entry.users.split(".")) if entry.users else (),
        followers=entry.followers,
        fan_out_threshold=entry.fan_out_threshold,
        catalogue=version,
    )


def _plan(entry: Entry, channel: Channel, rendering: Rendering, name: str) -> Plan:
    critical = entry.priority is Priority.CRITICAL
    return Plan(
        channel=channel,
        rendering=rendering,
        window=f"{channel}.{name}" if entry.rate_limit else channel.value,
        limit=None if critical else entry.rate_limit or DEFAULT_LIMIT,
        # An in-app message makes no sound.
        heeds_quiet_hours=not critical and channel is not Channel.INAPP,
    )


def _rendering(templates: Templates, name: str, channel: Channel, file: str) -> Rendering:
    def compiled(field: str, source: str) -> Text:
        try:
            return compile_template(source, html=field == "html")
        except ValueError as error:
            where = f"types.{name}.templates.{channel}.{field}"
            raise BadCatalogue(f"{file}: {where}: {error}.") from None

    return Rendering(
        subject=f"{name}.{channel}",
        body=compiled("body", templates.body),
        title=None if templates.title is None else compiled("title", templates.title),
        html=None if templates.html is None else compiled("html", templates.html),
        data=templates.data,
    )
