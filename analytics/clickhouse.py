"""ClickHouse, as far as Tocsin asks it: batched inserts of delivery events, and queries."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

import clickhouse_connect
from aiohttp import ClientError
from clickhouse_connect.datatypes.base import ClickHouseType
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.replaced_files import ReplacedFiles, keep_old, taken
from pipeline.settings import Settings
from schemas.delivery_event import DeliveryEvent
from schemas.errors import Unavailable

COLUMNS = tuple(DeliveryEvent.__struct_fields__)
INSERT_SETTINGS = {
    # One event with a year far off must not make the whole batch impossible.
    "max_partitions_per_insert_block": 0,
    # Merges collapse what repeats, and questions do until then; doing it in each insert as well
    # takes the engine a tenth to a third more.
    "optimize_on_insert": 0,
}
AWAY = (ClickHouseError, ClientError, OSError, TimeoutError)


class ClickHouse:
    """A client that connects when it is first needed and again after ClickHouse was away."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: AsyncClient | None = None
        self._retired: AsyncClient | None = None
        self._password = ""
        self._files = ReplacedFiles(*_files_of(settings))
        self._types: Sequence[ClickHouseType] = ()
        self._connecting = asyncio.Lock()

    async def command(
        self,
        sql: str,
        parameters: dict[str, Any] | None = None,
        limits: dict[str, Any] | None = None,
    ) -> None:
        """Run a statement that answers nothing; `limits` are settings of it. Raises Unavailable."""
        await self._try("command", sql, parameters=parameters, settings=limits)

    async def insert(self, events: Sequence[DeliveryEvent]) -> None:
        """Insert the events; on return ClickHouse has them. Raises Unavailable.

        After an error some may be in: inserting them again changes no figure.
        """
        await self._insert(
            "delivery_events",
            columns_of(events),
            column_names=COLUMNS,
            column_oriented=True,
            column_types=await self._types_of_columns(),
            settings=INSERT_SETTINGS,
        )

    async def insert_rows(
        self, table: str, names: Sequence[str], rows: Sequence[Sequence[Any]]
    ) -> None:
        """Insert into another table of ours; raises Unavailable."""
        await self._insert(table, list(rows), column_names=names)

    async def query(self, sql: str, parameters: dict[str, Any] | None = None) -> list[Any]:
        """The rows that a query returns; raises Unavailable."""
        return (await self.ask(sql, parameters))[1]

    async def ask(
        self,
        sql: str,
        parameters: dict[str, Any] | None = None,
        limits: dict[str, Any] | None = None,
    ) -> tuple[list[str], list[Any]]:
        """Names of columns, and rows; `limits` are settings of the query. Raises Unavailable."""
        result = await self._try("query", sql, parameters=parameters, settings=limits)
        return list(result.column_names), list(result.result_rows)

    async def stream(self, sql: str, form: str) -> AsyncIterator[bytes]:
        """What a query returns, as ClickHouse writes it in this format; raises Unavailable."""
        response = await self._try("raw_stream", sql, fmt=form)
        async with response as pieces:
            async for piece in pieces:
                yield piece

    async def close(self) -> None:
        """Close the connection."""
        clients = self._client, self._retired
        self._client, self._retired, self._types = None, None, ()
        for client in clients:
            if client is not None:
                await client.close()

    async def _insert(self, table: str, data: list[Any], **how: Any) -> None:
        try:
            await self._try("insert", table, data, **how)
        finally:
            # The client's context, which refers to itself, would keep them until the collector
            # looks for such: seldom, as ours is set, and by then they are a gigabyte.
            data.clear()

    async def _types_of_columns(self) -> Sequence[ClickHouseType]:
        # Once a connection: asked for by each insert, it waits behind the one before.
        if not self._types:
            context = await self._try("create_insert_context", "delivery_events", COLUMNS)
            self._types = context.column_types
        return self._types

    async def _try(self, method: str, *args: Any, **kwargs: Any) -> Any:
        settings = self._settings
        try:
            client = await self._connected()
            return await getattr(client, method)(*args, **kwargs)
        except AWAY as error:
            await self.close()
            place = f"{settings.clickhouse_host}:{settings.clickhouse_port}"
            raise Unavailable(
                f"ClickHouse at {place} did not do it ({_first_line(error)}). Delivery events "
                f"wait in Kafka; nothing is lost.{_remedy(error)}"
            ) from error

    async def _connected(self) -> AsyncClient:
        settings = self._settings
        async with self._connecting:
            password = settings.clickhouse_password.get_secret_value()
            if password != self._password or self._are_files_renewed():
                await self._retire()
            if self._client is None:
                self._password = password
                self._client = await clickhouse_connect.get_async_client(
                    # Said in any case: the client would take 8443 and 443 for ports with TLS.
                    interface="https" if settings.clickhouse_tls else "http",
                    host=settings.clickhouse_host,
                    port=settings.clickhouse_port,
                    ca_cert=_name_of(settings.clickhouse_ca_file),
                    client_cert=_name_of(settings.clickhouse_certificate_file),
                    client_cert_key=_name_of(settings.clickhouse_key_file),
                    username=settings.clickhouse_user,
                    password=password,
                    database=settings.clickhouse_database,
                    autogenerate_session_id=False,
                    tz_mode="aware",
                )
            return self._client

    async def _retire(self) -> None:
        # What is under way ends by the old one: rotations are far apart.
        retired, self._retired, self._client = self._retired, self._client, None
        if retired is not None:
            await retired.close()

    def _are_files_renewed(self) -> bool:
        if not self._files.changed():
            return False
        authorities, certificate, key = _files_of(self._settings)
        try:
            context = ssl.create_default_context(cafile=authorities)
            if certificate is not None:
                # Without a password it would ask the terminal for that of an encrypted key.
                context.load_cert_chain(certificate, key, "")
        except (OSError, ssl.SSLError) as error:
            keep_old("clickhouse_certificate_file", f"a new file can't be used ({error})")
            return False
        taken("clickhouse_certificate_file")
        return True


def _files_of(settings: Settings) -> tuple[Path | None, Path | None, Path | None]:
    return (
        settings.clickhouse_ca_file,
        settings.clickhouse_certificate_file,
        settings.clickhouse_key_file,
    )


def _name_of(file: Path | None) -> str | None:
    return None if file is None else str(file)


def columns_of(events: Sequence[DeliveryEvent]) -> list[list[Any]]:
    """What stands in each of COLUMNS; epoch milliseconds are what DateTime64(3) holds."""
    return [_column(name, events) for name in COLUMNS]


def _column(name: str, events: Sequence[DeliveryEvent]) -> list[Any]:
    values = list(map(attrgetter(name), events))
    if name == "channel":
        return [value or "" for value in values]
    return values


def _remedy(error: Exception) -> str:
    """What to do about it, where it can be told."""
    if "UNKNOWN_TABLE" in str(error):
        return " Its tables are not there: run `tocsin setup`."
    if "UNKNOWN_DATABASE" in str(error):
        return " Set TOCSIN_CLICKHOUSE_DATABASE to one that is there."
    if "AUTHENTICATION_FAILED" in str(error):
        return " Set TOCSIN_CLICKHOUSE_USER and TOCSIN_CLICKHOUSE_PASSWORD to those of an account."
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return " TOCSIN_CLICKHOUSE_CA_FILE names who may vouch for its certificate."
    if isinstance(error, FileNotFoundError):
        return " Set TOCSIN_CLICKHOUSE_CA_FILE and _CERTIFICATE_FILE, _KEY_FILE to files there are."
    if "Received ClickHouse exception" in str(error):
        return ""
    return (
        " Start it, run this in the folder where `tocsin up` runs, or set TOCSIN_CLICKHOUSE_HOST "
        "and TOCSIN_CLICKHOUSE_PORT to where it listens, and TOCSIN_CLICKHOUSE_TLS to whether "
        "that is with TLS."
    )


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:300]
