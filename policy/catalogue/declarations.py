"""What the files of a catalogue declare, each thing once, and whether it agrees."""

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from policy.catalogue.entry import (
    CategoryEntry,
    Entry,
    HoldoutEntry,
    Layout,
    SegmentEntry,
    TenantEntry,
)
from policy.catalogue.file import CatalogueFile
from policy.catalogue.problem import Problem
from policy.catalogue.validation import (
    contradictions,
    holdout_contradictions,
    is_never_held_out,
    tenant_contradictions,
)
from policy.message import CATEGORY as MESSAGES
from policy.source.entry import SourceEntry
from policy.user.preferences import ALL_OTHERS
from schemas.allowed import Path

_T = TypeVar("_T")


class Declared(Struct, Generic[_T], frozen=True):
    """An entry, and where it stands."""

    file: CatalogueFile
    path: Path
    entry: _T

    def complain(self, path: Path, complaint: str) -> None:
        """Note what is wrong at a path within the entry."""
        self.file.complain((*self.path, *path), complaint)

    def doubt(self, path: Path, said: str) -> None:
        """Note what is allowed at a path within the entry, and hardly meant."""
        self.file.doubt((*self.path, *path), said)

    def complain_of(self, problems: Iterable[Problem]) -> None:
        """Note all of these."""
        for problem in problems:
            self.complain(*problem)


class Declarations(Struct, frozen=True):
    """The entries of all files by name."""

    types: dict[str, Declared[Entry]]
    categories: dict[str, Declared[CategoryEntry]]
    tenants: dict[str, Declared[TenantEntry]]
    layouts: dict[str, Declared[Layout]]
    segments: dict[str, Declared[SegmentEntry]]
    sources: dict[str, Declared[SourceEntry]]
    holdout: Declared[HoldoutEntry] | None
    bad_layouts: frozenset[str]

    def sound_types(self) -> dict[str, Declared[Entry]]:
        """Those without a problem of their own, but for those whose layout has one."""
        return {
            name: each
            for name, each in self.types.items()
            if not each.file.is_amiss(each.path)
            and self.bad_layouts.isdisjoint(_layouts_of(each.entry))
        }


def declared_in(files: Sequence[CatalogueFile]) -> Declarations:
    """What these files declare; what is wrong in them is noted there.

    Whether all that is named is there, and all that is there is used, is looked at once each
    entry is fine by itself.
    """
    layouts = _gathered(files, "layouts", Layout)
    declared = Declarations(
        types=_gathered(files, "types", Entry),
        categories=_gathered(files, "categories", CategoryEntry),
        tenants=_gathered(files, "tenants", TenantEntry),
        layouts=layouts,
        segments=_gathered(files, "segments", SegmentEntry),
        sources=_gathered(files, "sources", SourceEntry),
        holdout=_global_holdout(files),
        bad_layouts=frozenset(name for file in files for name in file.sections.layouts)
        - layouts.keys(),
    )
    for each in declared.types.values():
        each.complain_of(contradictions(each.entry))
        if each.entry.until is not None and each.entry.until.event == each.file.sections.event:
            each.complain(("until", "event"), "is the type's own event, which would end itself")
    for tenant in declared.tenants.values():
        tenant.complain_of(tenant_contradictions(tenant.entry))
    if not any(file.problems for file in files):
        _check_categories(declared)
        _check_layouts(declared)
        _check_holdouts(declared)
        _check_segments(declared)
    return declared


def _gathered(
    files: Sequence[CatalogueFile], section: str, kind: type[_T]
) -> dict[str, Declared[_T]]:
    found: dict[str, Declared[_T]] = {}
    for file in files:
        for name, table in getattr(file.sections, section).items():
            path = (section, name)
            if name in found:
                file.complain(path, f"is declared in {found[name].file.name} as well")
                continue
            entry = file.convert(path, table, kind)
            if entry is not None:
                found[name] = Declared(file, path, entry)
    return found


def _global_holdout(files: Sequence[CatalogueFile]) -> Declared[HoldoutEntry] | None:
    found: Declared[HoldoutEntry] | None = None
    for file in files:
        table, path = file.sections.holdout, ("holdout",)
        if table is None:
            continue
        if found is not None:
            file.complain(path, f"is declared in {found.file.name} as well")
            continue
        entry = file.convert(path, table, HoldoutEntry)
        if entry is not None:
            found = Declared(file, path, entry)
            found.complain_of(holdout_contradictions(entry))
    return found


def _check_holdouts(declared: Declarations) -> None:
    held_out = [each for each in declared.types.values() if not is_never_held_out(each.entry)]
    if declared.holdout is not None and not held_out:
        complaint = "has no effect, as all types are transactional or critical"
        declared.holdout.complain((), complaint)
    for each in declared.types.values():
        has_one = each.entry.holdout or (declared.holdout and each in held_out)
        if each.entry.goal is not None and not has_one:
            complaint = "needs a holdout, as nobody is there to be compared with"
            each.complain(("goal",), complaint)


def _check_segments(declared: Declarations) -> None:
    names = declared.segments.keys()
    used, is_any = set[str](), False
    for each in declared.types.values():
        named = each.entry.segment
        if each.entry.segment_at is not None:
            is_any = True
            if not names:
                each.complain(("segment_at",), "needs segments, of which the catalogue has none")
        if not isinstance(named, str):
            continue
        used.add(named)
        if named not in names:
            known = f"it has {', '.join(sorted(names))}" if names else "it has none"
            each.complain(("segment",), f"{named!r} is no segment of the catalogue: {known}")
    for name in () if is_any else names - used:
        declared.segments[name].complain((), "is the segment of no type")


def _check_categories(declared: Declarations) -> None:
    entries = [each.entry for each in declared.types.values()]
    used = {MESSAGES, *(entry.category for entry in entries)}
    limited = {MESSAGES, *(each.category for each in entries if each.priority != "critical")}
    for name, category in declared.categories.items():
        if category.entry == CategoryEntry():
            category.complain((), "says nothing: it may have a rate_limit, a label and labels")
        if name not in used:
            category.complain((), "is the category of no type")
        elif category.entry.rate_limit is not None and name not in limited:
            category.complain((), "has no effect, as what is critical passes over limits")
    for tenant in declared.tenants.values():
        for name in tenant.entry.categories.keys() - used:
            tenant.complain(("categories", name), "is the category of no type")
        for name in tenant.entry.frequency.keys() - used - {ALL_OTHERS}:
            tenant.complain(("frequency", name), "is the category of no type")


def _check_layouts(declared: Declarations) -> None:
    used = {name for each in declared.types.values() for name in _layouts_of(each.entry)}
    for name in declared.layouts.keys() - used:
        declared.layouts[name].complain((), "is used by no templates")


def _layouts_of(entry: Entry) -> set[str]:
    variants = (variant.templates for variant in entry.variants().values())
    given = [each for by in (entry.templates, *variants) for each in by.given().values()]
    return {templates.layout for templates in given if templates.layout}
