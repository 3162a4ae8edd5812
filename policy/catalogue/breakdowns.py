"""Whether the attribute by which a type's figures are broken down can be what was meant.

Which attributes users have, their contacts say and not the catalogue. So a name that stands nowhere
else in it is no mistake; one that is nearly that of an attribute in it is hardly meant.
"""

from collections.abc import Iterable, Mapping

from policy.catalogue.declarations import Declarations
from policy.notification_type import NotificationType
from policy.rendering.reader import SURE
from policy.rendering.sample import sample_attributes
from schemas.allowed import meant

NAMES_ONE = frozenset(
    {
        *("id", "user", "user_id", "username", "nickname"),
        *("name", "first_name", "last_name", "full_name"),
        *("email", "e-mail", "mail", "phone", "address"),
    }
)
"""Of which each user has a value of their own."""
_ZONE = "zone"
_PATH = ("breakdown",)


def check_breakdowns(declared: Declarations, types: Mapping[str, NotificationType]) -> None:
    """Note in their files which types are broken down by what names one user, or is no attribute;
    and doubt names that are nearly those of attributes in the catalogue."""
    named = {name: each for name, each in declared.types.items() if each.entry.breakdown}
    known = _spoken_of(declared, types.values()) if named else []
    for each in named.values():
        name = each.entry.breakdown or ""
        if name.lower() in NAMES_ONE:
            each.complain(_PATH, f"{name!r} names one user each, and no class of them")
        elif name == _ZONE:
            each.complain(_PATH, f"{name!r} is a field of contacts, and none of their attributes")
        elif name not in known and (near := meant(name, known)):
            each.doubt(_PATH, f"{name!r} is an attribute nowhere else in the catalogue{near}")


def _spoken_of(declared: Declarations, types: Iterable[NotificationType]) -> list[str]:
    """The attributes in segments and in texts."""
    sources = [f"{{{{ {each.entry.where} }}}}" for each in declared.segments.values()]
    found = set[str]()
    for spec in types:
        found |= spec.segment.keys()
        variants = spec.experiment.variants if spec.experiment else ()
        for each in (spec, *(variant.spec for variant in variants)):
            sources += (
                source
                for step in each.steps
                for plan in step.plans
                for source in plan.rendering.sources
            )
    found |= sample_attributes(dict.fromkeys(sources)).keys()
    return sorted(found - SURE)
