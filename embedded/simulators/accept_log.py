"""What each provider accepted, as JSON lines: the witness that is not Tocsin itself."""

import hashlib
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from schemas.vocabulary import Channel


class Accepted(Struct, frozen=True, kw_only=True):
    """One message that a provider took responsibility for.

    `at` is epoch seconds. The ids are empty when the caller did not send them. `reference` is
    the name given in the reply; `digest` tells two bodies apart without keeping them, and `data`
    what travels beside them for the app to use, without the ids.
    """

    at: float
    provider: str
    channel: Channel
    notification_id: str
    delivery_id: str
    address: str
    title: str
    digest: str
    reference: str
    data: str = ""


def digest_of(text: str) -> str:
    """Sixteen hex digits that differ when the text does."""
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def data_digest_of(data: Mapping[str, Any]) -> str:
    """The same for what travels beside a message; empty where nothing does.

    Some providers carry strings alone, so that other values are compared as their JSON.
    """
    rest = {name: value for name, value in data.items() if name not in IDS}
    texts = {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in rest.items()
    }
    return digest_of(msgspec.json.encode(texts, order="sorted").decode()) if rest else ""


IDS = frozenset({"notification_id", "delivery_id"})
"""What a sink adds to the data."""
MAILS_KEPT = 100


class AcceptLog:
    """Appends to one file, and goes on with the file it finds after a restart.

    Lines are handed to the operating system before `append` returns, so they outlive a killed
    process, though not a power cut.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        if (torn := _torn_bytes(path)) > 0:
            # Killed while it wrote: nobody was told that this message was accepted.
            self._file.truncate(path.stat().st_size - torn)
        self._encoder = msgspec.json.Encoder()
        self._mails: dict[str, str] = {}

    def append(self, accepted: Iterable[Accepted]) -> None:
        """Write the messages of one request together; to be called before its reply."""
        self._file.write(self._encoder.encode_lines(accepted))
        self._file.flush()

    def with_mail(self, accepted: Accepted, html: str) -> Accepted:
        """The same, with its HTML to be looked at for a while."""
        self._mails[accepted.delivery_id] = html
        if len(self._mails) > MAILS_KEPT:
            del self._mails[next(iter(self._mails))]
        return accepted

    def mail(self, delivery_id: str) -> str | None:
        """The HTML of one of the newest mails."""
        return self._mails.get(delivery_id)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_accept_log(path: Path) -> list[Accepted]:
    """Every complete line so far; a last line still being written is left out."""
    accepted, _ = read_accept_log_from(path, 0)
    return accepted


def read_accept_log_from(path: Path, begin: int) -> tuple[list[Accepted], int]:
    """Every complete line from this byte on, and the byte from which to go on later."""
    with path.open("rb") as file:
        file.seek(begin)
        whole, end, _ = file.read().rpartition(b"\n")
    return msgspec.json.Decoder(Accepted).decode_lines(whole), begin + len(whole) + len(end)


def now() -> float:
    """The witness's own clock: the wall, whatever clock the system under test is given."""
    return time.time()


def _torn_bytes(path: Path) -> int:
    _, _, torn = path.read_bytes().rpartition(b"\n")
    return len(torn)
