"""Every role by name, and how to build it for a worker."""

from collections.abc import Callable
from dataclasses import replace

from agents.analytics import analytics
from agents.decider import decider
from agents.inapp import inapp
from agents.retry import retry
from agents.router import router
from agents.sink import sink
from pipeline.catalogue_folder import Catalogues
from pipeline.catalogue_reload import CatalogueFolder
from pipeline.partitions import Role
from pipeline.runtime import Runtime
from sinks.clickhouse import ClickHouse
from sinks.http import HttpClient
from sinks.registry import PROVIDERS

BuildRole = Callable[[Runtime], Role]


def _provider(name: str) -> BuildRole:
    def build(runtime: Runtime) -> Role:
        settings = runtime.settings
        http = HttpClient(settings.provider_timeout, settings.calls_in_flight)
        return sink(PROVIDERS[name](settings, http), runtime)

    return build


def _watching(kind: Callable[[Catalogues, Runtime], Role]) -> BuildRole:
    def build(runtime: Runtime) -> Role:
        folder = CatalogueFolder(runtime.settings.catalogue)
        return replace(kind(folder, runtime), check=folder.watch, close=folder.close)

    return build


BUILDERS: dict[str, BuildRole] = {
    "router": _watching(router),
    "decider": _watching(decider),
    "push": _provider("fcm"),
    "email": _provider("sendgrid"),
    "sms": _provider("twilio"),
    "inapp": inapp,
    "retry": retry,
    "analytics": lambda runtime: analytics(ClickHouse(runtime.settings), runtime),
}
