"""Where a worker is watched: Prometheus metrics, and whether it is alive and ready.

It answers in threads of its own, so also while the worker's loop is busy.
"""

import socket
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app

from pipeline.monitoring.probes import Probes, Verdict
from schemas.errors import PortTaken

LIVE, READY = "/live", "/ready"
Start = Callable[..., Any]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing: who looks does so every few seconds."""


def serve_metrics(host: str, port: int, probes: Probes) -> None:
    """Serve for as long as the process runs; raises PortTaken."""
    metrics = make_wsgi_app()

    def answer(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path in (LIVE, READY):
            return _told(probes.live() if path == LIVE else probes.ready(), start)
        told: Iterable[bytes] = metrics(environ, start)
        return told

    kind = _Server6 if ":" in host else _Server
    try:
        server = make_server(host, port, answer, kind, _Silent)
    except OSError as error:
        raise PortTaken(
            f"{host}:{port} can't be listened on ({error.strerror}), so nothing was started; set "
            "TOCSIN_METRICS_PORT to another, or to 0 for no metrics, and TOCSIN_METRICS_HOST to an "
            "address of this machine."
        ) from error
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()


def _told(verdict: Verdict, start: Start) -> Iterable[bytes]:
    status = "200 OK" if verdict.is_so else "503 Service Unavailable"
    start(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{verdict.why}\n".encode()]
