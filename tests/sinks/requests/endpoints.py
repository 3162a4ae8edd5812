"""Servers that anybody may name, all played by one recorder."""

from typing import Any

from sinks.http.client import HttpClient
from sinks.http.endpoints import Endpoints
from tests.sinks.requests.recorder import Still


class Known(Endpoints):
    """Endpoints that lead to one client, and the circuits that were named."""

    def __init__(self, http: HttpClient) -> None:
        super().__init__(10, (), Still())
        self.http = http
        self.circuits: list[str] = []

    async def _client(self, host: str, port: int) -> HttpClient | None:
        return self.http

    async def call(self, circuit: str, *args: Any) -> Any:
        """Keep the circuit's name."""
        self.circuits.append(circuit)
        return await super().call(circuit, *args)
