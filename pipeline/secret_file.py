"""Secrets in files, which are read again once they were replaced.

Whoever needs one asks for it at each use, and keeps no copy; what is costly to make of it is
`Derived`.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import SecretStr

from pipeline.replaced_files import Monotonic, ReplacedFiles, keep_old, taken
from pipeline.settings import Settings
from schemas.errors import Misconfigured

READ_ONCE = frozenset({"signing_key", "vapid_private_key", "aws_secret_access_key"})
"""Secrets that a running process keeps: all processes have to change the first at once, browsers
subscribed with the second, and the third goes with an id that is no secret."""
MOST_BYTES = 1 << 20

T = TypeVar("T")


class FileSecret(SecretStr):
    """A secret that is whatever its file holds, looked at every `LOOK_SECONDS` at most.

    A new file that can't be used changes nothing: that is logged and counted, and the value of
    before stays. Two are equal if they are of one file, whatever that holds.
    """

    def __init__(self, setting: str, file: Path, monotonic: Monotonic = time.monotonic) -> None:
        """`setting` is whose value it is; raises ValueError where the file can't be read."""
        self._setting, self._file = setting, file
        self._files = ReplacedFiles(file, monotonic=monotonic)
        super().__init__(content_of(file))

    def get_secret_value(self) -> str:
        """The present value."""
        if self._files.changed():
            self._read_again()
        return self._secret_value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FileSecret) and other._file == self._file

    def __hash__(self) -> int:
        return hash(self._file)

    def _read_again(self) -> None:
        try:
            new = content_of(self._file)
            _require_likeness(new, self._secret_value)
        except ValueError as error:
            keep_old(self._setting, str(error))
            return
        self._secret_value = new
        taken(self._setting)


class Derived(Generic[T]):
    """What is made of a secret, such as a header: made again where that is another."""

    def __init__(self, settings: Settings, setting: str, make: Callable[[str], T]) -> None:
        """What `make` raises is raised for the first value. Of a later one ValueError and
        Misconfigured leave what was made before.
        """
        self._setting = setting
        self._secret: SecretStr = getattr(settings, setting)
        self._make = make
        self._text = self._secret.get_secret_value()
        self._made = make(self._text)

    @property
    def is_set(self) -> bool:
        """Whether there is a secret."""
        return bool(self._text)

    def get(self) -> T:
        """Made of the present value."""
        text = self._secret.get_secret_value()
        if text != self._text:
            self._text = text
            try:
                self._made = self._make(text)
            except (ValueError, Misconfigured) as error:
                # Parsers may quote what they stumbled over.
                said = str(error) if isinstance(error, Misconfigured) else type(error).__name__
                keep_old(self._setting, said)
        return self._made


def content_of(file: Path) -> str:
    """A file's text, without the line breaks at its end; raises ValueError."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES} bytes")
        return content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        # The decoder quotes what it stumbled over.
        raise ValueError(f"{file} can't be read (it is no text)") from None
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise ValueError(f"{file} can't be read ({said})") from None


def _require_likeness(new: str, old: str) -> None:
    """Raise ValueError for what is no secret of this kind, as half a file or another's is none."""
    if not new.strip():
        raise ValueError("the new file is empty")
    if "\n" in new and "\n" not in old:
        raise ValueError("the new file has several lines")
    if any(not sign.isprintable() and sign not in "\r\n\t" for sign in new):
        raise ValueError("the new file holds what is no text")
