"""The catalogue: notification types as data, parsed from TOML and compiled once."""

from collections.abc import Mapping
from hashlib import blake2b

import msgspec
from msgspec import Struct

from policy.audience.segment import compile_segment
from policy.catalogue.breakdowns import check_breakdowns
from policy.catalogue.compile import compiled_type
from policy.catalogue.declarations import Declarations, declared_in
from policy.catalogue.direct import direct_type
from policy.catalogue.entry import CategoryEntry
from policy.catalogue.file import CatalogueFile
from policy.catalogue.lifetimes import at_times_too_late
from policy.condition import Condition
from policy.decision.ending import Ending
from policy.message import CATEGORY, MESSAGE, BadMessage, is_message, message_of
from policy.notification_type import NotificationType
from policy.rendering.locales import chain
from policy.rendering.rendering import BadTemplate
from policy.source.compile import compile_source
from policy.source.examples import example_problems
from policy.source.source import Source
from policy.user.tenant import DEFAULT_TENANT, Tenant, compiled
from schemas.errors import BadCatalogue, BadRecord
from schemas.event import Event

EXAMPLES = ".json"
"""How the name of a file ends that is no part of the catalogue, but an example of a record."""


class Catalogue(Struct, frozen=True):
    """Every notification type; `version` is a short hash of the files it was made from.

    `endings` are what types say of the events that end them, by type of those events;
    `categories` all that there are, each with what is declared of it, if anything; `goals` are
    types by the events that they are to bring about. `sources` are a company's own topics, by name.
    `warnings` say, each with file and line, what is allowed and hardly meant.
    """

    types: dict[str, NotificationType]
    events: dict[str, tuple[NotificationType, ...]]
    version: str
    tenants: dict[str, Tenant] = {}
    endings: dict[str, tuple[Ending, ...]] = {}
    categories: dict[str, CategoryEntry | None] = {}
    goals: dict[str, tuple[NotificationType, ...]] = {}
    sources: dict[str, Source] = {}
    warnings: tuple[str, ...] = ()

    @property
    def transactional(self) -> frozenset[str]:
        """The types that go out whatever users have left."""
        return frozenset(name for name, spec in self.types.items() if spec.transactional)

    def tenant(self, name: str) -> Tenant:
        """The tenant of this name."""
        return self.tenants.get(name, DEFAULT_TENANT)

    def label(self, category: str, language: str) -> str | None:
        """What people who speak it call a category; None where the catalogue does not say."""
        entry = self.categories.get(category)
        if entry is None:
            return None
        said = (entry.labels[name] for name in chain(language) if name in entry.labels)
        return next(said, entry.label)

    def ended_by(self, event: Event) -> tuple[Ending, ...]:
        """What an event ends; nothing, where it is a notification of its own."""
        return () if event.notify is not None else self.endings.get(event.type, ())

    def knows(self, event: Event) -> bool:
        """Whether an event sets anything off, ends anything, or is what a type is for; not where it
        is no message."""
        try:
            return bool(self.for_event(event) or self.ended_by(event) or self.aimed_at(event))
        except BadRecord:
            return False

    def aimed_at(self, event: Event) -> tuple[NotificationType, ...]:
        """The types that are to bring such an event about; none, where it is a notification."""
        return () if event.notify is not None else self.goals.get(event.type, ())

    def for_event(self, event: Event) -> tuple[NotificationType, ...]:
        """The types that an event sets off; none: its type, or the one it names, is unknown.

        Raises BadMessage for a message that can't be one.
        """
        if is_message(event):
            return (self._direct(event),)
        if event.notify is None:
            return self.events.get(event.type, ())
        spec = self.types.get(event.notify.type)
        return () if spec is None else (spec,)

    def type_of(self, name: str, event: Event) -> NotificationType | None:
        """The notification type of this name for the event; None where there is none.

        Raises BadMessage for a message that can't be one.
        """
        return self._direct(event) if name == MESSAGE else self.types.get(name)

    def _direct(self, event: Event) -> NotificationType:
        message = message_of(event)
        category = message.category
        if category not in self.categories:
            known = ", ".join(sorted(self.categories))
            raise BadMessage(f"{category!r} is no category: there are {known}", "category")
        entry = self.categories[category]
        limit = None if entry is None else entry.rate_limit
        return direct_type(category, limit, message.priority, self.version)


def version_of(files: Mapping[str, str]) -> str:
    """The version of a catalogue made from these files."""
    return blake2b(msgspec.json.encode(sorted(files.items())), digest_size=6).hexdigest()


def parse(files: Mapping[str, str]) -> Catalogue:
    """The catalogue in `files`, TOML text by file name; what examples name is among them.

    Raises BadCatalogue with everything that is wrong, each with file, line and field.
    """
    tomls = [name for name in sorted(files) if not name.endswith(EXAMPLES)]
    read = [CatalogueFile(name, files[name]) for name in tomls]
    declared = declared_in(read)
    version = version_of(files)
    types = _types(declared, version)
    sources = _sources(declared, files)
    problems = [problem for file in read for problem in file.told()]
    if problems:
        raise BadCatalogue(*problems)
    events: dict[str, tuple[NotificationType, ...]] = {}
    endings: dict[str, dict[Ending, None]] = {}
    goals: dict[str, tuple[NotificationType, ...]] = {}
    for spec in types.values():
        events[spec.event] = (*events.get(spec.event, ()), spec)
        if spec.until is not None:
            endings.setdefault(spec.until.event, {})[spec.until] = None
        if spec.goal is not None:
            goals[spec.goal.event] = (*goals.get(spec.goal.event, ()), spec)
    tenants = {name: compiled(tenant.entry) for name, tenant in declared.tenants.items()}
    ended = {name: tuple(found) for name, found in endings.items()}
    categories = dict.fromkeys([CATEGORY, *(spec.category for spec in types.values())])
    categories |= {name: each.entry for name, each in declared.categories.items()}
    for each in declared.types.values():
        for path, said in at_times_too_late(each.entry):
            each.doubt(path, said)
    check_breakdowns(declared, types)
    warnings = tuple(said for file in read for said in file.doubted())
    found = Catalogue(types, events, version, tenants, ended, categories, goals, sources, warnings)
    _check_sources(found, declared)
    problems = [problem for file in read for problem in file.told()]
    if problems:
        raise BadCatalogue(*problems)
    return found


def _sources(declared: Declarations, files: Mapping[str, str]) -> dict[str, Source]:
    """The sources that can be read; what keeps others from it is noted in their files."""
    sources = {}
    for name, each in declared.sources.items():
        source, problems = compile_source(name, each.entry)
        each.complain_of(problems)
        if not problems:
            sources[name] = source
            each.complain_of(example_problems(source, files))
    return sources


def _check_sources(found: Catalogue, declared: Declarations) -> None:
    """Note which sources make events, by a name that stands there, that nobody is told of."""
    known = {*found.events, *found.endings, *found.goals, MESSAGE}
    for each in declared.sources.values():
        made = each.entry.set.get("type")
        is_event = each.entry.into == "events" and "notify" not in each.entry.set
        if is_event and isinstance(made, str) and "{" not in made and made not in known:
            each.complain(("set", "type"), f"{made!r} is an event of no type")


def _segments(declared: Declarations) -> dict[str, Condition]:
    """The segments that can be made; what keeps others from it is noted in their files."""
    segments = {}
    for name, each in declared.segments.items():
        try:
            segments[name] = compile_segment(each.entry.where)
        except ValueError as error:
            each.complain(("where",), str(error))
    return segments


def _types(declared: Declarations, version: str) -> dict[str, NotificationType]:
    """The types that can be made; what keeps others from it is noted in their files."""
    categories = {name: each.entry for name, each in declared.categories.items()}
    layouts = {name: each.entry for name, each in declared.layouts.items()}
    holdout = declared.holdout.entry if declared.holdout else None
    shared = categories, layouts, version, holdout, _segments(declared)
    types = {}
    for name, each in declared.sound_types().items():
        event = each.file.sections.event or ""
        try:
            types[name] = compiled_type(name, each.entry, event, *shared)
        except BadTemplate as error:
            steps = error.field.rstrip(".").split(".")
            path = tuple(int(step) if step.isdecimal() else step for step in steps)
            each.complain(path, error.complaint)
    return types
