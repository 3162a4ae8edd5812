"""TLS: who serves with a certificate, whom a client trusts, and files that are replaced."""

import logging
import ssl
from collections.abc import Callable
from pathlib import Path

from pipeline.replaced_files import ReplacedFiles, keep_old, taken
from schemas.errors import Misconfigured

log = logging.getLogger(__name__)


class Certificate:
    """A server's, from files that are read again when they change, as rotation replaces them."""

    def __init__(self, setting: str, certificate: Path, key: Path | None) -> None:
        """`setting` is the variable that names the certificate; raises Misconfigured."""
        self._setting = setting
        self._certificate, self._key = certificate, key
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._state = self._look()
        self._load()

    def refresh(self) -> None:
        """Use changed files for connections that are opened from now on.

        What can't be used is logged, once, and that of before stays in use.
        """
        try:
            state = self._look()
        except Misconfigured as error:
            if self._state:
                log.warning("%s That of before stays in use.", error)
            self._state = ()
            return
        if state == self._state:
            return
        self._state = state
        try:
            self._load()
        except Misconfigured as error:
            log.warning("%s That of before stays in use.", error)

    def _look(self) -> tuple[tuple[int, int], ...]:
        files = [self._certificate, *([self._key] if self._key else [])]
        try:
            stats = [file.stat() for file in files]
        except OSError as error:
            raise self._unusable(error) from error
        return tuple((each.st_mtime_ns, each.st_ino) for each in stats)

    def _load(self) -> None:
        try:
            # Tried on another one first: half of a pair would be left in this one.
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                self._certificate, self._key
            )
            self.context.load_cert_chain(self._certificate, self._key)
        except (OSError, ssl.SSLError) as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> Misconfigured:
        return Misconfigured(f"{self._setting} can't be used: {self._certificate}: {error}.")


class RenewedContext(ssl.SSLContext):
    """A client's, whose files are read again once they were replaced, for connections to come.

    Authorities that are no longer in their file count until the process ends.
    """

    _setting: str
    _load: Callable[[ssl.SSLContext], None]
    _files: ReplacedFiles

    @classmethod
    def of(
        cls, setting: str, load: Callable[[ssl.SSLContext], None], *files: Path | None
    ) -> "RenewedContext":
        """`load` reads the files into a context, of which `setting` names one; what it raises is
        raised: Misconfigured."""
        context = cls(ssl.PROTOCOL_TLS_CLIENT)
        context._setting, context._load = setting, load
        context._files = ReplacedFiles(*files)
        load(context)
        return context

    def renew(self) -> None:
        """Read files that were replaced; what can't be used is logged and counted, and changes
        nothing."""
        if not self._files.changed():
            return
        try:
            # Tried on another one first: half of a pair would be left in this one.
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
            self._load(self)
        except Misconfigured as error:
            keep_old(self._setting, str(error).removesuffix(NOTHING_STARTED))
        else:
            taken(self._setting)


def trust(context: ssl.SSLContext, authorities: Path | None) -> None:
    """Have a client's context trust these authorities, or those of the system; raises OSError."""
    if authorities is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(authorities)


NOTHING_STARTED = ". Nothing was started."
"""How errors about settings end, which says nothing of a process that runs."""


def trusting(setting: str, authorities: Path | None) -> ssl.SSLContext:
    """What a client asks with: these authorities alone, or the system's; raises Misconfigured."""
    try:
        return ssl.create_default_context(cafile=authorities)
    except (OSError, ssl.SSLError) as error:
        raise Misconfigured(f"{setting} can't be used: {authorities}: {error}.") from error
