"""Lets the tests of many mutants share one Kafka and one ClickHouse.

They start theirs by `embedded.kafka.Kafka` and so on; here these are exchanged for some that are
running already, as `services.py` says in the environment, before any conftest imports them.
"""

import os
import sys
import time
from types import ModuleType

import msgspec
from msgspec import Struct

VARIABLE = "MUTANTS_SERVICES"


class Services(Struct, frozen=True):
    """Where they are; empty or 0 for what was not asked for."""

    kafka: str = ""
    clickhouse: int = 0


def use_shared() -> None:
    """Have tests use what is running; nothing is changed where nothing is."""
    services = msgspec.json.decode(os.environ.get(VARIABLE, "{}"), type=Services)
    if services.kafka or services.clickhouse:
        from tests.mutation.borrowed import borrow

        borrow(services)


def renew_names() -> None:
    """Have a fork use names that no other one uses, where modules chose them at import."""
    mine = f"{os.getpid():x}{time.time_ns():x}"
    if isinstance(found := sys.modules.get("tests.agents.names"), ModuleType):
        found.RUN = mine  # type: ignore[attr-defined]
