"""Sending spans to a collector by OTLP over HTTP, from a thread that nothing waits for."""

import logging
import threading
from collections import deque
from urllib.error import URLError
from urllib.request import Request, urlopen

from pydantic import SecretStr

from pipeline.monitoring.metrics import SPANS_DROPPED
from pipeline.settings import Settings
from pipeline.tracing.span import Span, request_of

MOST_WAITING = 4096
"""Spans that wait to be sent; beyond it new ones are dropped."""
AT_ONCE = 512
EVERY_SECONDS = 1.0
TIMEOUT_SECONDS = 5.0

log = logging.getLogger(__name__)


class Exporter:
    """Takes spans at any time, and never waits, raises or grows: what is too much is dropped."""

    def __init__(self, url: str, authorization: SecretStr, service: str) -> None:
        self._url = url
        self._authorization = authorization
        self._service = {"service.name": service}
        self._waiting: deque[Span] = deque()
        self._stop = threading.Event()
        self._is_failing = False
        # A daemon, so that no collector that hangs keeps the process from ending.
        self._thread = threading.Thread(target=self._run, name="spans", daemon=True)
        self._thread.start()

    def add(self, span: Span) -> None:
        """Have it sent within a second or two, if it can be."""
        if len(self._waiting) >= MOST_WAITING:
            SPANS_DROPPED.inc()
        else:
            self._waiting.append(span)

    def close(self) -> None:
        """Send what waits, for as long as one request may take."""
        self._stop.set()
        self._thread.join(TIMEOUT_SECONDS)

    def _run(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            self._send_all()
        self._send_all()

    def _send_all(self) -> None:
        while self._waiting:
            spans = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            try:
                self._send(spans)
                self._is_failing = False
            except Exception as error:  # whatever it is, the worker goes on
                SPANS_DROPPED.inc(len(spans))
                if not self._is_failing:
                    log.warning("Spans can't be sent and are dropped: %s", _kind_of(error))
                self._is_failing = True
                return

    def _send(self, spans: list[Span]) -> None:
        body = request_of(spans, self._service)
        headers = {"Content-Type": "application/json"}
        if secret := self._authorization.get_secret_value():
            headers["Authorization"] = secret
        request = Request(self._url, body, headers)  # noqa: S310 - settings say http(s)
        with urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310
            pass


class _Process:
    exporter: Exporter | None = None


def start_tracing(settings: Settings, service: str) -> None:
    """Export the spans of this process from now on, if a collector is set."""
    if settings.otlp_url and _Process.exporter is None:
        _Process.exporter = Exporter(settings.otlp_url, settings.otlp_authorization, service)


def stop_tracing() -> None:
    """Send what is left, and export nothing more."""
    exporter, _Process.exporter = _Process.exporter, None
    if exporter is not None:
        exporter.close()


def is_tracing() -> bool:
    """Whether spans go anywhere."""
    return _Process.exporter is not None


def emit(span: Span) -> None:
    """Export a span, or do nothing."""
    if _Process.exporter is not None:
        _Process.exporter.add(span)


def _kind_of(error: Exception) -> str:
    """Without the URL or headers, which may hold secrets."""
    reason = error.reason if isinstance(error, URLError) else error
    return type(reason).__name__
