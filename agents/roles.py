"""Every role by name, and how to build it for a worker."""

from collections.abc import Callable
from dataclasses import replace

from agents.analytics import analytics
from agents.decider import decider
from agents.inapp import inapp
from agents.retry import retry
from agents.router import router
from agents.sink import sink
from analytics.clickhouse import ClickHouse
from pipeline.catalogue_folder import Catalogues
from pipeline.catalogue_reload import CatalogueFolder
from pipeline.partitions import Role
from pipeline.runtime import Runtime
from schemas.vocabulary import Channel
from sinks.http import HttpClient
from sinks.registry import providers_of

BuildRole = Callable[[Runtime], Role]


def _sink(channel: Channel) -> BuildRole:
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


def _watching(kind: Callable[[Catalogues, Runtime], Role]) -> BuildRole:
    def build(runtime: Runtime) -> Role:
        folder = CatalogueFolder(runtime.settings.catalogue)
        return replace(kind(folder, runtime), check=folder.watch, close=folder.close)

    return build


BUILDERS: dict[str, BuildRole] = {
    "router": _watching(router),
    "decider": _watching(decider),
    "push": _sink(Channel.PUSH),
    "email": _sink(Channel.EMAIL),
    "sms": _sink(Channel.SMS),
    "chat": _sink(Channel.CHAT),
    "webhook": _sink(Channel.WEBHOOK),
    "inapp": inapp,
    "retry": retry,
    "analytics": lambda runtime: analytics(ClickHouse(runtime.settings), runtime),
}
