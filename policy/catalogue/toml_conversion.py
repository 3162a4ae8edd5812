"""From tables of TOML to structs; for what does not fit, the exact field is reported."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar, get_args

import msgspec

from policy.catalogue.entry import FieldPath, PlainName, Share
from policy.catalogue.expected import hint, sample_at
from policy.catalogue.text_entry import LocaleName, SoundName
from policy.time.duration import Duration
from schemas.allowed import UNKNOWN_FIELD, Path
from schemas.profile import ClockTime

_T = TypeVar("_T")
_SAID = re.compile(r"(.*?)(?: - at (`key` in )?`\$([\w.\[\]]*)`)?", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>\w+)|\[(?P<number>\d+)\]|(?P<unnamed>\[\.\.\.\])")
_LACKING = re.compile(r"Object missing required field `(.*)`", re.DOTALL)
MOST_MISFITS = 20
"""Of one entry: who made more will look again."""
_NOTHING = object()
_PATTERNS = {
    get_args(Duration)[1]: 'not a span of time such as 90, "15m" or "7d"',
    ClockTime: 'not a time of day such as "09:30"',
    FieldPath: 'not a path to a field such as "order.customer_id"',
    LocaleName: 'not a locale such as "en" or "pt-BR"',
    Share: 'not a share such as "5%" or "2.5%"',
    PlainName: "not of letters, digits, - and _ alone",
    SoundName: 'not the name of a sound such as "chime.caf", nor "none"',
}
_CLEARER = {
    f"Expected `str` matching regex {kind.__metadata__[0].pattern!r}": complaint
    for kind, complaint in _PATTERNS.items()
}


class ConversionError(Exception):
    """A value that does not fit: `path` leads to its field, which stands at `place`.

    They differ where a table has a field that it may not have: it is the table that has it, and
    the field's line to look at. With `is_name`, it is the name at `place` that does not fit.
    """

    def __init__(self, path: Path, complaint: str, place: Path, *, is_name: bool) -> None:
        super().__init__(complaint)
        self.path = path
        self.complaint = complaint
        self.place = place
        self.is_name = is_name
        self.said = path, complaint


def convert(value: Any, kind: type[_T]) -> _T:
    """The value as that kind; raises ConversionError for the first field that does not fit."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _misfit(value, kind, str(error)) from None


def misfits(value: Any, kind: type) -> list[ConversionError]:
    """Everything that does not fit, in the order in which it is found, and MOST_MISFITS at most.

    Each is replaced by something that fits before the next one is looked for.
    """
    found: list[ConversionError] = []
    while len(found) < MOST_MISFITS:
        try:
            convert(value, kind)
        except ConversionError as misfit:
            if found and misfit.said == found[-1].said:
                return found  # there is nothing to put in its place
            found.append(misfit)
            value = _mended(value, kind, misfit)
        else:
            return found
    return found


def _misfit(value: Any, kind: type, error: str) -> ConversionError:
    said = _SAID.fullmatch(error)
    assert said is not None  # noqa: S101  it matches anything
    complaint, is_key, where = said.groups()
    path: Path = ()
    for step in _STEP.finditer(f"{where or ''}{'[...]' if is_key else ''}"):
        if step["unnamed"]:  # so msgspec writes the keys of dicts
            path = (*path, _culprit(value, kind, error, path))
        else:
            path = (*path, step["name"] or int(step["number"]))
    unknown = UNKNOWN_FIELD.fullmatch(complaint)
    place = (*path, unknown[1]) if unknown else path
    clear = _CLEARER.get(complaint, complaint)
    is_name = bool(is_key or unknown)
    return ConversionError(path, clear + hint(complaint, kind, path), place, is_name=is_name)


def _mended(value: Any, kind: type, misfit: ConversionError) -> Any:
    """A copy of the value in which something that fits stands there, or nothing."""
    if lacking := _LACKING.fullmatch(misfit.complaint):
        path = (*misfit.path, lacking[1])
        return _with(value, path, sample_at(kind, path))
    if misfit.is_name:
        return _with(value, misfit.place, _NOTHING)
    return _with(value, misfit.path, sample_at(kind, misfit.path))


def _culprit(value: Any, kind: type, complaint: str, path: Path) -> str:
    """The key of the dict at `path` that the complaint is about."""
    for name, inner in _at(value, path).items():
        try:
            msgspec.convert(_with(value, path, {name: inner}), kind)
        except msgspec.ValidationError as error:
            if str(error) == complaint:
                return str(name)
    raise AssertionError(f"nothing in {path} gives {complaint!r}")


def _at(value: Any, path: Path) -> Mapping[str, Any]:
    for step in path:
        value = value[step]
    return value  # type: ignore[no-any-return]


def _with(value: Any, path: Path, inner: Any) -> Any:
    """A copy of the value with something else at `path`, or without it."""
    if not path:
        return inner
    copy, step = value.copy(), path[0]
    if path[1:]:
        copy[step] = _with(value[step], path[1:], inner)
    elif inner is _NOTHING:
        del copy[step]
    else:
        copy[step] = inner
    return copy
