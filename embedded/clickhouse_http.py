"""ClickHouse's HTTP protocol over the embedded engine, as far as Tocsin's clients speak it.

Left out, because nothing here needs it: users and passwords (everyone who reaches the loopback
is let in), sessions with temporary tables, external data, `default_format`, and compressed
answers. Requests and answers are held in memory whole.
"""

import asyncio
import io
import json
import logging
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from uuid import uuid4

from aiohttp import web

from embedded.clickhouse_engine import Answer, Engine, EngineError, Statement

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LARGEST_REQUEST = 1 << 30
TRANSPORT_SETTINGS = frozenset(
    {
        "buffer_size",
        "client_protocol_version",
        "compress",
        "database",
        "decompress",
        "default_format",
        "enable_http_compression",
        "http_headers_progress_interval_ms",
        "password",
        "query",
        "query_id",
        "quota_key",
        "role",
        "send_progress_in_http_headers",
        "session_check",
        "session_id",
        "session_timeout",
        "user",
        "wait_end_of_query",
    }
)
"""What a server's HTTP handler keeps for itself; the engine would call them unknown settings."""
STATUS_OF_CODE = {36: 400, 48: 501, 60: 404, 62: 400, 81: 404, 115: 404, 456: 400}
"""As a server maps them: bad argument, not implemented, no such table, syntax, no such database,
no such setting, missing parameter. Everything else is a 500."""
PARAM = "param_"

log = logging.getLogger(__name__)


class Front:
    """Request handlers over one engine, which runs in a thread of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread = ThreadPoolExecutor(1, "clickhouse")

    def app(self) -> web.Application:
        """The routes of a ClickHouse server that clients use."""
        app = web.Application(client_max_size=LARGEST_REQUEST)
        app.router.add_get("/ping", self.ping)
        app.router.add_get("/", self.query)
        app.router.add_post("/", self.query)
        return app

    async def ping(self, _: web.Request) -> web.Response:
        """Say that the server is up, also while a statement runs."""
        return web.Response(text="Ok.\n")

    async def query(self, request: web.Request) -> web.Response:
        """Run the statement of one request; what the engine refuses comes back as its text."""
        query_id = request.query.get("query_id") or str(uuid4())
        try:
            statement = await _statement(request)
            if not statement.body.strip():
                return web.Response(text="Ok.\n")
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(self._thread, self._engine.run, statement)
        except EngineError as error:
            return _refusal(error, query_id)
        return _response(answer, query_id)

    def close(self) -> None:
        """Let the running statement end, then close the engine in its thread."""
        self._thread.submit(self._engine.close)
        self._thread.shutdown(wait=True)


async def _statement(request: web.Request) -> Statement:
    fields: dict[str, str] = dict(request.query)
    if request.content_type.startswith("multipart/"):
        fields |= await _form(request)
        body = b""
    else:
        encoding = request.headers.get("Content-Encoding", "identity")
        body = _decompressed(await request.read(), encoding)
    parts = [part for part in (fields.get("query", "").encode(), body) if part]
    return Statement(
        body=b"\n".join(parts),
        params={k.removeprefix(PARAM): v for k, v in fields.items() if k.startswith(PARAM)},
        settings={
            k: v
            for k, v in fields.items()
            if k not in TRANSPORT_SETTINGS and not k.startswith(PARAM) and v
        },
        database=fields.get("database", ""),
    )


async def _form(request: web.Request) -> dict[str, str]:
    """The text fields of a form, which clients send when parameters are too long for a URL."""
    fields = {}
    for name, value in (await request.post()).items():
        if not isinstance(value, str):
            raise EngineError("Code: 48. DB::Exception: External data (NOT_IMPLEMENTED)")
        fields[name] = value
    return fields


def _decompressed(body: bytes, encoding: str) -> bytes:
    try:
        match encoding.lower():
            case "identity":
                return body
            case "gzip" | "deflate":
                return zlib.decompress(body, wbits=47)  # 47: both headers
            case "zstd":
                return zstd.decompress(body)
            case "lz4":
                # Imported here: clickhouse-connect brings it only below Python 3.14.
                frames = import_module("lz4.frame").open(io.BytesIO(body))
                plain: bytes = frames.read()
                return plain
    except (ImportError, RuntimeError, zlib.error, zstd.ZstdError, EOFError) as error:
        raise EngineError(f"Code: 354. DB::Exception: {encoding}: {error}") from None
    raise EngineError(f"Code: 89. DB::Exception: Content-Encoding {encoding} is not known here")


def _response(answer: Answer, query_id: str) -> web.Response:
    summary = {
        "read_rows": str(answer.read_rows),
        "read_bytes": str(answer.read_bytes),
        "written_rows": str(answer.written_rows),
        "written_bytes": str(answer.written_bytes),
        "elapsed_ns": str(int(answer.seconds * 1e9)),
    }
    headers = _headers(query_id) | {"X-ClickHouse-Summary": json.dumps(summary)}
    if answer.format:
        headers["X-ClickHouse-Format"] = answer.format
    return web.Response(body=answer.body, headers=headers)


def _refusal(error: EngineError, query_id: str) -> web.Response:
    log.warning("%s", error)
    headers = _headers(query_id) | {"X-ClickHouse-Exception-Code": str(error.code)}
    status = STATUS_OF_CODE.get(error.code, 500)
    return web.Response(status=status, text=f"{error}\n", headers=headers)


def _headers(query_id: str) -> dict[str, str]:
    return {
        "X-ClickHouse-Query-Id": query_id,
        "X-ClickHouse-Server-Display-Name": "embedded",
        "X-ClickHouse-Timezone": "UTC",
    }
