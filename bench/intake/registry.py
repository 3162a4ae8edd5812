"""A schema registry that has one schema, and is asked for it once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

from bench.intake.orders import SCHEMA_ID, registered
from embedded.process import LOOPBACK


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """The schema, or that there is none."""
        known = self.path == f"/schemas/ids/{SCHEMA_ID}"
        body = registered() if known else b'{"error_code":40403,"message":"Schema not found"}'
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def registry() -> Iterator[str]:
    """Its URL, for as long as the block lasts."""
    server = HTTPServer((LOOPBACK, 0), _Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
