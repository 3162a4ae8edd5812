"""Every role by name, and how to build it for a worker.

Each is imported when it is asked for: a worker may need only one of them, and the others with all
that they stand on would take a quarter of the time in which it starts.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

from pipeline.catalogue_folder import Catalogues
from pipeline.catalogue_reload import CatalogueFolder
from pipeline.process.running_role import BuildRole
from pipeline.process.runtime import Runtime
from pipeline.processing.role import Role
from schemas.vocabulary import Channel


def builders_of(roles: Iterable[str]) -> dict[str, BuildRole]:
    """How to build these of `schemas.topics.ROLES` for one process.

    Those that need the catalogue share it: it is read once, and all have the same at any time.
    """
    folder = cache(CatalogueFolder)
    return {role: _builder_of(role, folder) for role in roles}


def _builder_of(role: str, folder: Callable[[Path], CatalogueFolder]) -> BuildRole:
    match role:
        case "intake":
            from agents.intake.agent import intake

            return _watching(intake, folder)
        case "router":
            from agents.router.agent import router

            return _watching(router, folder)
        case "decider":
            from agents.decider.agent import decider

            return _watching(decider, folder)
        case "inapp":
            from agents.inapp.agent import inapp

            return inapp
        case "retry":
            from agents.retry import retry

            return retry
        case "analytics":
            from agents.analytics import analytics
            from analytics.clickhouse import ClickHouse

            return lambda runtime: analytics(ClickHouse(runtime.settings), runtime)
        case channel:
            return _sink(Channel(channel))


def _sink(channel: Channel) -> BuildRole:
    from agents.sink.agent import sink
    from sinks.http.client import HttpClient
    from sinks.registry import providers_of

    def build(runtime: Runtime) -> Role:
        settings = runtime.settings
        http = HttpClient(settings.provider_timeout, settings.calls_in_flight)
        providers = providers_of(channel, settings, http)

        async def close() -> None:
            for provider, _ in providers:
                await provider.close()
            await http.close()

        return replace(sink(channel, providers, runtime), close=close)

    return build


def _watching(
    kind: Callable[[Catalogues, Runtime], Role], folder_at: Callable[[Path], CatalogueFolder]
) -> BuildRole:
    def build(runtime: Runtime) -> Role:
        folder = folder_at(runtime.settings.catalogue)
        role = kind(folder, runtime)

        async def check() -> None:
            if role.check is not None:
                await role.check()
            await folder.watch()

        return replace(role, check=check, close=folder.close)

    return build
