"""Whether the schema registry answers, where one is named or a source of the catalogue needs it."""

from collections.abc import AsyncIterator

from agents.check.findings import Finding, State
from pipeline.catalogue_folder import read_catalogue
from pipeline.registry.client import registry_of
from pipeline.settings import Settings
from policy.source.decoding import NEEDING_REGISTRY, RegistryUnavailable, Undecodable
from schemas.errors import BadCatalogue, Misconfigured

_SUBJECT = "Schema registry"
_ANY = 1
"""An id to ask for. That there is no such schema is an answer, too."""


async def check_registry(settings: Settings) -> AsyncIterator[Finding]:
    """Ask it; nothing is said where nobody needs one."""
    todo = "set TOCSIN_SCHEMA_REGISTRY_… to how it is reached"
    try:
        registry = registry_of(settings)
    except Misconfigured as error:
        yield Finding(_SUBJECT, State.FAILED, str(error), todo)
        return
    if registry is None:
        if waiting := _waiting(settings):
            said = f"none is named, and these sources wait for one: {', '.join(waiting)}"
            yield Finding(_SUBJECT, State.FAILED, said, todo)
        return
    try:
        await registry.by_id(_ANY)
    except RegistryUnavailable as error:
        yield Finding(_SUBJECT, State.FAILED, str(error), todo)
        return
    except Undecodable:
        pass
    finally:
        await registry.close()
    yield Finding(_SUBJECT, State.OK, f"{settings.schema_registry} lets us read schemas")


def _waiting(settings: Settings) -> list[str]:
    try:
        sources = read_catalogue(settings.catalogue).sources.values()
    except BadCatalogue:
        return []
    return sorted(
        each.name
        for each in sources
        if each.wire in NEEDING_REGISTRY or each.entry.key_format is not None
    )
